package manifest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// readUsers makes the users of all parts.
func (r *yamlReader) readUsers(ctx context.Context) error {
	for _, part := range r.parts {
		if err := r.entries(ctx, part, "users", r.readUser); err != nil {
			return err
		}
	}
	return nil
}

// userEntry is a user on his way into the desired state.
type userEntry struct {
	*object
	user *bulksync.DesiredUser
}

func (r *yamlReader) readUser(item entry) {
	o := r.object(item, r.forms.user, nil)
	if o == nil {
		return
	}
	r.takeOver(o, "users")
	r.reading = ""
	u := &userEntry{object: o, user: &bulksync.DesiredUser{Position: o.self.position(), Action: "upsert"}}
	u.login()
	if absent, _ := o.text("absent"); absent == "true" {
		u.user.Presence, u.user.Action = bulksync.Absent, "delete"
		u.onlyAbsent()
	} else {
		u.attributes()
		u.password()
		u.holdings()
	}
	if u.user.Login != "" {
		if first, taken := r.claim(claimUser, string(u.user.Login), u.at("login")); taken {
			u.fault("login", &problem{codeLoginTwice, "user " + quote(string(u.user.Login)) + " comes twice, first at " + first.at.String(), "keep one entry for each user"})
		}
	}
	r.desired.Users.Append(u.user)
}

// mark notes where the value of a column stands; what is said last counts.
func (u *userEntry) mark(column string, at bulksync.Position) {
	u.user.Cells = slices.DeleteFunc(u.user.Cells, func(c bulksync.Cell) bool { return c.Column == column })
	u.user.Cells = append(u.user.Cells, bulksync.Cell{Column: column, Position: at})
}

func (u *userEntry) login() {
	text, ok := u.text("login")
	if !ok {
		return
	}
	login, err := bulksync.ParseLogin(text)
	if err != nil {
		u.fault("login", &problem{codeBadLogin, "login " + quote(text) + " is not an e-mail address", "write one address such as ann@demo.example"})
		return
	}
	u.user.Login = login
	if mixedAlphabets(string(login)) {
		u.r.remark(u.at("login"), "login", mixedLogin(login))
	}
	u.r.reading = login
}

// fault reports what is wrong with the value of a key.
func (o *object) fault(name string, p *problem) { o.r.report(o.at(name), name, p) }

// onlyAbsent wants nothing else said of a user who is to go. What he would take over from defaults is not read.
func (u *userEntry) onlyAbsent() {
	for i, e := range u.own {
		if name := u.form.fields[i].name; e.value != nil && name != "login" && name != "absent" {
			u.r.report(e.keyPosition(), name, &problem{codeAbsentWith, "user " + quote(string(u.user.Login)) + " is to be absent and has " + name,
				"keep login and absent alone, or remove absent"})
		}
	}
}

// attributes reads the values that describe the user, sorted by name.
func (u *userEntry) attributes() {
	var all []bulksync.Attribute
	for i := range columns {
		def := &columns[i]
		if def.role != roleAttribute || !u.has(def.name) {
			continue
		}
		if def.numbered {
			all = append(all, u.numbered(def)...)
			continue
		}
		if v, ok := u.text(def.name); ok {
			all = append(all, bulksync.Attribute{Name: def.name, Value: v})
			u.mark(def.name, u.at(def.name))
		}
	}
	slices.SortFunc(all, func(a, b bulksync.Attribute) int { return strings.Compare(a.Name, b.Name) })
	u.user.Attributes = all
}

// numbered reads a list of which every item is an attribute of its own, and notes that the list is complete.
func (u *userEntry) numbered(def *columnDef) []bulksync.Attribute {
	texts, ok := u.texts(def.name)
	if !ok {
		return nil
	}
	if most := def.top + 1; len(texts) > most {
		u.fault(def.name, &problem{codeTooLong, def.name + " has " + plural(len(texts), "value", "values"), "a user has at most " + strconv.Itoa(most)})
		return nil
	}
	all := make([]bulksync.Attribute, len(texts))
	for n, t := range texts {
		all[n] = bulksync.Attribute{Name: def.name + strconv.Itoa(n), Value: t.text}
		u.mark(all[n].Name, t.at)
	}
	u.user.Lists = append(u.user.Lists, def.name)
	return all
}

// placed is a text with its place.
type placed struct {
	text string
	at   bulksync.Position
}

// texts reads a list of single values; ok is false without the key. Faulty items are reported and left out.
func (o *object) texts(name string) (texts []placed, ok bool) {
	e, ok := o.get(name)
	if !ok || o.tooLong(e, name) {
		return nil, false
	}
	return o.r.textsOf(e, name, o.field(name).shape.item)
}

func (r *yamlReader) textsOf(e entry, name string, s *shape) (texts []placed, ok bool) {
	items, ok := r.items(e, name)
	for _, item := range items {
		if v, fine := r.value(item, name, s); fine {
			texts = append(texts, placed{v, item.position()})
		}
	}
	return texts, ok
}

// deviceTexts gives the keys of a user's devices. What is said of a device beyond its address goes to the list of devices.
func (u *userEntry) deviceTexts(items []entry) []placed {
	var texts []placed
	for _, item := range items {
		if u.fromPool(item, bulksync.KindDevice) {
			continue
		}
		if item.value.Kind == yaml.MappingNode {
			if k, ok := u.r.readDevice(item); ok {
				texts = append(texts, placed{string(k), item.position()})
			}
		} else if v, ok := u.r.value(item, "devices", &shape{}); ok {
			texts = append(texts, placed{v, item.position()})
		}
	}
	return texts
}

// ddiTexts gives the user's DDIs that are named.
func (u *userEntry) ddiTexts(items []entry) []placed {
	var texts []placed
	for _, item := range items {
		if u.fromPool(item, bulksync.KindDDI) {
			continue
		}
		if v, ok := u.r.value(item, "ddis", &shape{}); ok {
			texts = append(texts, placed{v, item.position()})
		}
	}
	return texts
}

// parseDeviceKey reads a MAC address, or the key that readDevice made.
func parseDeviceKey(s string) (bulksync.DeviceKey, *problem) {
	if strings.HasPrefix(s, "ipei:") {
		return bulksync.DeviceKey(strings.ToLower(s)), nil
	}
	return parseMAC(s)
}

func (u *userEntry) holdings() {
	u.extension()
	if items, ok := u.list("devices"); ok {
		u.user.Devices = wishOf(u, u.deviceTexts(items), claimDevice, parseDeviceKey)
	}
	if items, ok := u.list("ddis"); ok {
		u.user.DDIs = wishOf(u, u.ddiTexts(items), claimDDI, func(s string) (bulksync.E164, *problem) { return parseE164("DDI", s) })
	}
	u.pairings()
	u.licences()
	u.options()
}

// extension reads the Cloud PBX extension; an empty one asks for none.
func (u *userEntry) extension() {
	e, ok := u.get("extension")
	if !ok {
		return
	}
	u.mark("shortNumber", u.at("extension"))
	if u.fromPool(e, bulksync.KindExtension) {
		u.user.Subscriber = bulksync.Having[bulksync.Number]() // the planner fills it in
		return
	}
	text, ok := u.r.value(e, "extension", &shape{null: true})
	if !ok {
		return
	}
	if text == "" {
		u.user.Subscriber = bulksync.Having[bulksync.Number]()
		return
	}
	n, p := parseShortNumber("extension", text)
	if p != nil {
		u.fault("extension", p)
		return
	}
	u.user.Subscriber = bulksync.Having(n)
	if first, taken := u.r.claim(claimExtension, string(n), u.at("extension")); taken {
		u.fault("extension", &problem{codeNumberTwice, "extension " + string(n) + " is asked for by two users: also by " + quote(first.who) + " at " + first.at.String(),
			"give it to one of them; whoever has it now need not be named"})
	}
}

// wishOf makes the complete list of things of one kind that a user shall hold.
func wishOf[K ~string](u *userEntry, texts []placed, kind claimKind, parse func(string) (K, *problem)) bulksync.Wish[K] {
	name, column, code := "devices", "macAddress", codeMACTwice
	if kind == claimDDI {
		name, column, code = "ddis", "ddiE164Number", codeDDITwice
	}
	u.mark(column, u.at(name))
	keys := make([]K, 0, len(texts))
	for _, t := range texts {
		k, p := parse(t.text)
		if p != nil {
			u.r.report(t.at, name, p)
			continue
		}
		if first, taken := u.r.claim(kind, string(k), t.at); taken {
			u.r.report(t.at, name, &problem{code, fmt.Sprint(k) + " is asked for twice: also by " + quote(first.who) + " at " + first.at.String(),
				"give it to one of them; whoever has it now need not be named"})
			continue
		}
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return bulksync.Wish[K]{Mood: bulksync.Exactly, Keys: keys}
}

// pairings reads the numbers of equipped PBXs.
func (u *userEntry) pairings() {
	items, ok := u.list("pairings")
	if !ok {
		return
	}
	u.mark("pbxShortNumber", u.at("pairings"))
	wish := bulksync.Wish[bulksync.Pairing]{Mood: bulksync.Exactly}
	for _, item := range items {
		o := u.r.object(item, u.r.forms.pairing, nil)
		if o == nil {
			continue
		}
		var p bulksync.Pairing
		if text, ok := o.text("shortNumber"); ok {
			n, wrong := parseShortNumber("shortNumber", text)
			if wrong != nil {
				o.fault("shortNumber", wrong)
				continue
			}
			p.Number = n
		}
		p.PbxID, _ = o.text("pbxId")
		p.InternalNumber, _ = o.text("internalNumber")
		p.PublicNumber, _ = o.text("number")
		if p.Number == "" {
			continue // reported
		}
		thing := "number " + strings.TrimPrefix(p.PbxID+"/"+string(p.Number), "/")
		if first, taken := u.r.claim(claimPairing, thing, o.self.position()); taken {
			o.fault("shortNumber", &problem{codePairingTwice, thing + " is asked for twice: also by " + quote(first.who) + " at " + first.at.String(), "give it to one of them"})
			continue
		}
		wish.Keys = append(wish.Keys, p)
	}
	slices.SortFunc(wish.Keys, func(a, b bulksync.Pairing) int {
		return cmp.Or(strings.Compare(a.PbxID, b.PbxID), strings.Compare(string(a.Number), string(b.Number)))
	})
	u.user.Pairings = wish
}

// maxLicences is how many a user has at most: companies subscribe to fewer offers.
const maxLicences = 100

func (u *userEntry) licences() {
	texts, ok := u.texts("licences")
	if !ok {
		return
	}
	u.mark("service", u.at("licences"))
	wish := bulksync.Wish[bulksync.Offer]{Mood: bulksync.Exactly}
	if len(texts) > maxLicences {
		u.fault("licences", &problem{codeYAMLLimit, "licences has " + plural(len(texts), "entry", "entries"), "a user has at most " + strconv.Itoa(maxLicences)})
		return
	}
	for _, t := range texts {
		if offer := bulksync.Offer(t.text); !slices.ContainsFunc(wish.Keys, offer.Same) {
			wish.Keys = append(wish.Keys, offer)
		}
	}
	slices.Sort(wish.Keys)
	u.user.Licences = wish
}
