package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// call is one request on its way through a handler.
type call struct {
	request *http.Request
	path    map[string]string // values of the {variables}
	query   query
	body    []byte
	caller  *user // nil where no bearer token is asked for
	claims  *claims
	now     time.Time
	sandbox *Sandbox
	writes  bool   // the route may change the world
	expire  string // what a fault rule does to the token

	world      *world      // the one the handler gets
	permission *permission // nil where no roles are named
	roles      []string    // those of the caller for which he was admitted
}

// object reads the JSON body.
func (c *call) object() *object { return parseObject(c.body) }

// id answers a path value that must be an id of 24 alphanumeric characters.
func (c *call) id(name string) (string, error) {
	v := c.path[name]
	if !validID(v) {
		return "", badParam(name, "Invalid resource identifiers, expected UUID: identifier must be alpha-numeric and have a length of 24 chars", v)
	}
	return v, nil
}

func validID(id string) bool {
	return len(id) == 24 && strings.Trim(strings.ToLower(id), "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

// companyID answers the company a call is about: the query parameter, else the
// caller's own.
func (c *call) companyID(w *world) (string, error) {
	id := c.query.text("companyId")
	if id == "" {
		return c.caller.CompanyID, nil
	}
	return id, c.knownCompany(w, id)
}

func (c *call) knownCompany(w *world, id string) error {
	if !validID(id) {
		return badParam("companyId", "identifier must be alpha-numeric and have a length of 24 chars", id)
	}
	if w.companies.get(id) == nil {
		return notFound("Company with id %s does not exist.", id)
	}
	return c.inCharge(id)
}

// companyInPath answers the {companyId} of the path.
func (c *call) companyInPath(w *world) (*company, error) {
	id := c.path["companyId"]
	if err := c.knownCompany(w, id); err != nil {
		return nil, err
	}
	return w.companies.get(id), nil
}

// cloudPbx answers the {systemId} of the path, which must be a Cloud PBX.
func (c *call) cloudPbx(w *world) (*system, error) {
	id, err := c.id("systemId")
	if err != nil {
		return nil, err
	}
	y := w.systems.get(id)
	if y == nil || y.Type != typeCloudPBX {
		return nil, notFound("Cloud PBX with id %s does not exist.", id)
	}
	return y, c.inChargeOfSystem(y)
}

// system answers the {systemId} of the path, of any type.
func (c *call) system(w *world) (*system, error) {
	id, err := c.id("systemId")
	if err != nil {
		return nil, err
	}
	y := w.systems.get(id)
	if y == nil {
		return nil, notFound("System with id %s does not exist.", id)
	}
	return y, c.inChargeOfSystem(y)
}

// companyUser answers the user whose id is the named path value.
func (c *call) companyUser(w *world, name string) (*user, error) {
	id, err := c.id(name)
	if err != nil {
		return nil, err
	}
	u := w.users.get(id)
	if u == nil || u.IsTerminated {
		return nil, notFound("User with id %s does not exist.", id)
	}
	return u, c.inChargeOfUser(u)
}

// ddi answers the {phoneNumberId} of the path as a DDI of the {systemId}.
func (c *call) ddi(w *world) (*system, *ddi, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, nil, err
	}
	id, err := c.id("phoneNumberId")
	if err != nil {
		return nil, nil, err
	}
	n := w.ddis.get(id)
	if n == nil || n.SystemID != y.ID {
		return nil, nil, notFound("DDI number with id %s does not exist.", id)
	}
	return y, n, nil
}

// subscriber answers the {phoneNumberId} of the path as a subscriber.
func (c *call) subscriber(w *world) (*system, *subscriber, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, nil, err
	}
	id, err := c.id("phoneNumberId")
	if err != nil {
		return nil, nil, err
	}
	b := w.subscribers.get(id)
	if b == nil || b.SystemID != y.ID {
		return nil, nil, notFound("Cloud PBX Subscriber with id %s does not exist.", id)
	}
	return y, b, nil
}

// device answers the {deviceId} of the path.
func (c *call) device(w *world) (*system, *device, error) {
	y, err := c.cloudPbx(w)
	if err != nil {
		return nil, nil, err
	}
	id, err := c.id("deviceId")
	if err != nil {
		return nil, nil, err
	}
	v := w.devices.get(id)
	if v == nil || v.SystemID != y.ID {
		return nil, nil, notFound("SIP device with id %s does not exist.", id)
	}
	return y, v, nil
}
