package manifest

import (
	"hash/maphash"
	"slices"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// yamlClaims remembers which entry asked first for a thing that only one may ask for.
type yamlClaims struct {
	seed  maphash.Seed
	table seen
	all   []yamlClaim
	files []string
}

// yamlClaim is an entry's claim of a thing.
type yamlClaim struct {
	kind  claimKind
	key   string
	place place
	// user is the index of the user in the desired state; -1: no user's.
	user int32
}

// claimKind is a kind of things that only one entry may name.
type claimKind uint8

const (
	claimUser claimKind = iota
	claimExtension
	claimDevice
	claimDDI
	claimPairing
	claimListedDevice
	claimListedDDI
)

// claimant is who asked for a thing, and where; who is empty for what is only listed.
type claimant struct {
	who string
	at  bulksync.Position
}

// claim notes that the user who is being read asks for a thing, or gives who did before.
func (r *yamlReader) claim(kind claimKind, key string, at bulksync.Position) (first claimant, taken bool) {
	user := int32(r.desired.Users.Len())
	if kind == claimListedDevice || kind == claimListedDDI {
		user = -1
	}
	c := &r.claims
	hash := maphash.String(c.seed, key) + uint64(kind)*0x9e3779b97f4a7c15
	n, taken := c.table.enter(hash, len(c.all), func(i int) bool { return c.all[i].kind == kind && c.all[i].key == key })
	if !taken {
		c.all = append(c.all, yamlClaim{kind, key, c.place(at), user})
		return claimant{}, false
	}
	other := &c.all[n]
	first.at = c.position(other.place)
	switch {
	case other.user < 0:
	case int(other.user) < r.desired.Users.Len():
		first.who = string(r.desired.Users.Login(int(other.user)))
	default:
		first.who = string(r.reading)
	}
	return first, true
}

// place is a position in a third of the room; its file is a number in a table.
type place struct {
	line, column int32
	file         uint16
}

func (c *yamlClaims) place(at bulksync.Position) place {
	i := slices.Index(c.files, at.File)
	if i < 0 {
		c.files, i = append(c.files, at.File), len(c.files)
	}
	return place{int32(at.Line), int32(at.Column), uint16(i)}
}

func (c *yamlClaims) position(at place) bulksync.Position {
	return bulksync.Position{File: c.files[at.file], Line: int(at.line), Column: int(at.column)}
}
