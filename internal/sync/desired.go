package sync

import "slices"

// Desired is what a manifest asks for. Nothing that a manifest does not speak
// of is in it, so that whatever is absent here is left alone.
type Desired struct {
	// Mode is the manifest's form: "user", "device", "useranddevice", "rainbowvoice" or "yaml"; ModeRules without one.
	Mode string
	// Digest is the SHA-256 of the manifest, lower-case hex, computed with its secret cells blanked: two manifests that
	// differ only in passwords have the same digest.
	Digest string
	// Strict makes a row whose effect already holds (create of an existing user, delete of a missing one) a fault.
	Strict bool
	// Match names columns whose values identify a user whatever his login, Renumber are rules by which extensions change:
	// they add to the policy's. MatchNumbers says what numbers prove when the policy does not.
	Match        []string
	MatchNumbers MatchNumbers
	Renumber     []Renumbering
	// Lineage is the manifest's name, by which it is known that an earlier one was the same manifest; Scope, Prune and
	// Ignore are what it says of users and things beside those it names. A caller's policy goes before name, scope and
	// prune; ignore rules add up.
	Lineage string
	Scope   Scope
	Prune   Prune
	Ignore  []Pattern
	// Renumbered are the rules that earlier runs have carried out, with these runs; the engine fills it in.
	Renumbered map[Renumbering]string `json:"-"`
	// Owned are the users that earlier manifests of the name held, with their upstream ids; the engine fills it in.
	Owned map[Login]string `json:"-"`
	Users *Entries
	// Company is the id of the company that the manifest is for; empty: any. CompanyPosition is where that stands.
	Company         string
	CompanyPosition Position
	// Devices and DDIs are those that the company shall have, whoever holds them. Complete names the kinds (device, ddi) of
	// which the list is all that it shall have; CompletePosition is where that stands.
	Devices          []DesiredDevice
	DDIs             []DesiredDDI
	Complete         []Kind
	CompletePosition Position
	// DefaultDDI is the one that shall be the default of the Cloud PBX; nil: the one that is.
	DefaultDDI *DesiredDDI `json:",omitempty"`
	// Pools are what users are given from. Today is the day of the plan, YYYY-MM-DD, by which it is known what rests still;
	// the engine fills it in. Without it all that was given up rests.
	Pools []Pool
	Today string `json:"-"`
	// Settings are those of the company's Cloud PBX, each group at most once.
	Settings []DesiredGroup
	// Remarks are what reading found worth a look; a plan carries them on.
	Remarks Faults
}

// ModeRules is the mode of what is desired by rules alone, without a manifest.
const ModeRules = "rules"

// policy is what holds for the manifest: the caller's policy, and what the manifest says itself.
func (d *Desired) policy(given Policy) Policy {
	given.Strict = given.Strict || d.Strict
	if given.Lineage == "" {
		given.Lineage = d.Lineage
	}
	if len(given.Scope) == 0 {
		given.Scope = d.Scope
	}
	if given.Prune == PruneOff {
		given.Prune = d.Prune
	}
	if len(d.Ignore) > 0 {
		given.Ignore = append(slices.Clone(given.Ignore), d.Ignore...)
	}
	if len(d.Match) > 0 {
		given.Match = slices.Concat(given.Match, d.Match)
		slices.Sort(given.Match)
		given.Match = slices.Compact(given.Match)
	}
	if given.MatchNumbers == MatchNames {
		given.MatchNumbers = d.MatchNumbers
	}
	if len(d.Renumber) > 0 {
		given.Renumber = slices.Concat(given.Renumber, d.Renumber)
	}
	return given
}

// Presence says whether the user shall exist.
type Presence int

// What a manifest can say of a user's existence.
const (
	// Present: create the user when missing, update him otherwise (upsert, sync, create, update).
	Present Presence = iota
	// Existing: the row concerns a user who must exist; his attributes are not touched (attach, detach).
	Existing
	// Absent: delete the user with what he holds (delete).
	Absent
)

// DesiredUser is what one manifest row, or one YAML entry, asks for one user.
type DesiredUser struct {
	Login Login
	// Was is the recorded login of the user who is to be called Login; empty for one who is called so, or is to be matched.
	Was      Login `json:",omitempty"`
	Presence Presence
	// Action is the manifest's own word for it (upsert, sync, create, ...): for messages and strictness.
	Action string
	// Attributes to have, sorted by name, each name at most once. An empty value clears the attribute (sync); an attribute
	// not listed is left alone.
	Attributes []Attribute
	// Lists are the numbered attributes of which Attributes has all (tags, email, …): the places behind are cleared.
	Lists []string
	// Password tells where the manifest holds the user's password; nil when it holds none.
	Password *SecretPlace
	// Subscriber is the wish for the user's Cloud PBX extension: at most one key.
	Subscriber Wish[Number]
	Pairings   Wish[Pairing]
	Devices    Wish[DeviceKey]
	DDIs       Wish[E164]
	Licences   Wish[Offer]
	// Pools are those that he is to be given from, beside what the wishes name.
	Pools []PoolWish
	// Options of his Cloud PBX extension, each group at most once.
	Options []DesiredGroup
	// Position is that of the row; Cells gives the position of a column, by its name, where it differs; nil knows none.
	Position Position
	Cells    Cells `json:"-"`
}

// Cells are the places of a row's cells, or of an entry's keys.
type Cells []Cell

// Cell is the place of one, by the name of its column.
type Cell struct {
	Column   string
	Position Position
}

// At is the place of a column.
func (c Cells) At(column string) (Position, bool) {
	for i := range c {
		if c[i].Column == column {
			return c[i].Position, true
		}
	}
	return Position{}, false
}

// At is the position of a column of the row, or the row's own.
func (u *DesiredUser) At(column string) Position {
	if p, ok := u.Cells.At(column); ok {
		return p
	}
	return u.Position
}

// Attribute is one descriptive value of a user, under the name of its import column with positions counted from 0:
// firstName, businessPhone0, tags4, ... (massprovisioning guide, "Import users").
type Attribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SecretPlace tells where in the manifest a secret stands; the secret itself travels outside plans and state.
type SecretPlace struct {
	Position Position `json:"position"`
	Field    string   `json:"field"`
	// Drawn: no manifest holds the secret, it is drawn anew when it is sent.
	Drawn bool `json:"drawn,omitempty"`
}

// Secrets gives the secret that stands at a place of the manifest at hand, or false without that manifest.
type Secrets interface {
	Secret(login Login, field string) (string, bool)
}

// Pairing is a number of an equipped PBX that a user shall be paired with.
type Pairing struct {
	// PbxID is empty when the manifest names none: then the number must exist on exactly one PBX of the company (1005, 1006).
	PbxID  string
	Number Number
	// InternalNumber and PublicNumber are the columns pbxInternalNumber and number; empty: left alone.
	InternalNumber string
	PublicNumber   string
}

// Mood is how a wish's keys are meant.
type Mood int

// The moods of a wish.
const (
	// Keep: the manifest says nothing, what the user holds stays.
	Keep Mood = iota
	// Exactly: the keys are all that the user shall hold; no keys means none.
	Exactly
	// Include: the keys shall be among what the user holds.
	Include
	// Exclude: the keys shall not be among what the user holds; no keys means none at all.
	Exclude
)

// Wish is what a manifest asks for one kind of thing that a user holds.
type Wish[K any] struct {
	Mood Mood
	Keys []K
}

// Having is the wish to hold exactly the given keys.
func Having[K any](keys ...K) Wish[K] { return Wish[K]{Exactly, keys} }

// Adding is the wish to hold the given keys among others.
func Adding[K any](keys ...K) Wish[K] { return Wish[K]{Include, keys} }

// Without is the wish to hold none of the given keys.
func Without[K any](keys ...K) Wish[K] { return Wish[K]{Exclude, keys} }
