package sandbox

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"
)

// apiKey is a key that stands for its user on every request, in place of a
// token (Rainbow Node SDK). The key itself is shown once, at its creation.
type apiKey struct {
	ID             string   `json:"id"`
	UserID         string   `json:"userId"`
	Scope          []string `json:"scope"`
	Description    string   `json:"description"`
	IsActive       bool     `json:"isActive"`
	CreationDate   string   `json:"creationDate"`
	ExpirationDate string   `json:"expirationDate,omitempty"`
	Hash           string   `json:"sandboxHash"` // SHA-256 of the key
}

// apiKeyView is a key as the portal shows it.
type apiKeyView struct {
	ID             string   `json:"id"`
	UserID         string   `json:"userId"`
	Scope          []string `json:"scope"`
	Description    string   `json:"description"`
	IsActive       bool     `json:"isActive"`
	CreationDate   string   `json:"creationDate"`
	ExpirationDate string   `json:"expirationDate,omitempty"`
	APIKey         string   `json:"apiKey,omitempty"` // at its creation only
}

func (k *apiKey) view() apiKeyView {
	return apiKeyView{k.ID, k.UserID, k.Scope, k.Description, k.IsActive, k.CreationDate, k.ExpirationDate, ""}
}

func apiKeyRoutes() []route {
	const keys = "/authentication/v1.0/apikeys"
	return []route{
		{http.MethodGet, keys, anyUser, false, listAPIKeys},
		{http.MethodPost, keys, anyUser, true, createAPIKey},
		{http.MethodGet, keys + "/current", anyUser, false, getCurrentAPIKey},
		{http.MethodGet, keys + "/{apiKeyId}", anyUser, false, getAPIKey},
		{http.MethodPut, keys + "/{apiKeyId}", anyUser, true, updateAPIKey},
		{http.MethodDelete, keys + "/{apiKeyId}", anyUser, true, deleteAPIKey},
	}
}

const challengeLength = 22 // characters (Rainbow Node SDK)

// byAPIKey tells whether the call brings an API key in place of a token.
func (c *call) byAPIKey() bool {
	return c.request.Header.Get("x-rainbow-api-key") != "" && c.request.Header.Get("Authorization") == ""
}

// keyInUse answers the key of the call, nil when it brings none that exists.
func (c *call) keyInUse(w *world) *apiKey {
	if !c.byAPIKey() {
		return nil
	}
	return w.apiKeys.get(w.apiKeyOf[hashKey(c.request.Header.Get("x-rainbow-api-key"))])
}

// admitKey sets the caller by his API key; the application authenticates with
// a challenge in place of the password.
func (c *call) admitKey(w *world) error {
	challenge := c.request.Header.Get("x-rainbow-challenge")
	if len(challenge) != challengeLength {
		return unauthorized(0, "x-rainbow-challenge header must have %d characters", challengeLength)
	}
	if err := checkApplication(c.request.Header.Get("x-rainbow-app-auth"), challenge); err != nil {
		return err
	}
	k := c.keyInUse(w)
	switch {
	case k == nil:
		return unauthorized(0, "API key is unknown")
	case !k.IsActive:
		return unauthorized(0, "API key is not active")
	case k.ExpirationDate != "" && k.ExpirationDate <= timestamp(c.now):
		return unauthorized(0, "API key expired")
	}
	u := w.users.get(k.UserID)
	if u == nil || u.IsTerminated || !u.IsActive {
		return unauthorized(0, "User %s is no longer active", k.UserID)
	}
	c.caller = u
	return nil
}

func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// secret makes 64 hexadecimal digits that nobody can guess.
func secret() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails; see crypto/rand
	return hex.EncodeToString(b)
}

// listAPIKeys answers the caller's keys, the newest first; an administrator
// may ask for those of a user he is in charge of.
func listAPIKeys(w *world, c *call) (any, error) {
	owner := c.caller
	if id := c.query.text("userId"); id != "" && id != owner.ID {
		c.path["userId"] = id
		var err error
		if owner, err = c.developerInPath(w); err != nil {
			return nil, err
		}
	}
	from, to := c.query.text("fromCreationDate"), c.query.text("toCreationDate")
	list := filter(w.apiKeys.all(), []func(*apiKey) bool{
		func(k *apiKey) bool { return k.UserID == owner.ID },
		func(k *apiKey) bool {
			return (from == "" || k.CreationDate >= from) && (to == "" || k.CreationDate <= to)
		},
		flagFilter(c.query, "isActive", func(k *apiKey) bool { return k.IsActive }),
	})
	descending := c.query.number("sortOrder", -1) == -1
	slices.SortStableFunc(list, func(a, b *apiKey) int {
		order := cmp.Or(cmp.Compare(a.CreationDate, b.CreationDate), cmp.Compare(a.ID, b.ID))
		if descending {
			return -order
		}
		return order
	})
	return paged(list, c.query, (*apiKey).view), nil
}

func createAPIKey(w *world, c *call) (any, error) {
	k := &apiKey{UserID: c.caller.ID, Scope: []string{"all"}, IsActive: true, CreationDate: timestamp(c.now)}
	o := c.object()
	o.decode("scope", &k.Scope)
	if !slices.Equal(k.Scope, []string{"all"}) {
		o.bad("scope", "scope must be [all]", k.Scope)
	}
	readAPIKey(o, k)
	if err := o.fault(); err != nil {
		return nil, err
	}
	key := secret()
	k.ID, k.Hash = w.newID(idPartner), hashKey(key)
	w.apiKeys.put(k)
	view := k.view()
	view.APIKey = key
	return data(view), nil
}

func readAPIKey(o *object, k *apiKey) {
	o.text("description", &k.Description)
	o.boolean("isActive", &k.IsActive)
	var date string
	if !o.text("expirationDate", &date) {
		return
	}
	k.ExpirationDate = ""
	if date == "" {
		return
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, date); err == nil {
			k.ExpirationDate = timestamp(at)
			return
		}
	}
	o.bad("expirationDate", "expirationDate must be a date", date)
}

// ownKey answers the {apiKeyId}: a key of the caller.
func (c *call) ownKey(w *world) (*apiKey, error) {
	id, err := c.id("apiKeyId")
	if err != nil {
		return nil, err
	}
	k := w.apiKeys.get(id)
	if k == nil {
		return nil, notFound("API key with id %s does not exist.", id)
	}
	if k.UserID != c.caller.ID {
		return nil, forbidden(codeAccessDenied,
			"Access denied: this API can only be called by user himself (tried to access resource with userId %s, while id of logged in user is %s)", k.UserID, c.caller.ID)
	}
	return k, nil
}

func getAPIKey(w *world, c *call) (any, error) {
	k, err := c.ownKey(w)
	if err != nil {
		return nil, err
	}
	return data(k.view()), nil
}

func getCurrentAPIKey(w *world, c *call) (any, error) {
	k := c.keyInUse(w)
	if k == nil {
		return nil, notFound("This request was not authenticated by an API key.")
	}
	return data(k.view()), nil
}

func updateAPIKey(w *world, c *call) (any, error) {
	k, err := c.ownKey(w)
	if err != nil {
		return nil, err
	}
	o, next := c.object(), *k
	readAPIKey(o, &next)
	if err := o.fault(); err != nil {
		return nil, err
	}
	w.apiKeys.put(&next)
	return data(next.view()), nil
}

func deleteAPIKey(w *world, c *call) (any, error) {
	k, err := c.ownKey(w)
	if err != nil {
		return nil, err
	}
	w.apiKeys.remove(k.ID)
	return data(k.view()), nil
}
