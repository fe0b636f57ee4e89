package drift

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// maxUnknown is how many unknown members an object may have before it is taken for a map whose names are data.
const maxUnknown = 16

// lenient reads what the codec reads, too: names twice, and bytes that are not UTF-8.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// walk is the inspection of one document. The radar's mu is held.
type walk struct {
	radar *Radar
	book  *book
	now   time.Time
	dec   *jsontext.Decoder
}

// document inspects a whole document. It is judged first and walked then, so that half of a broken one counts nowhere.
func (w *walk) document(media string, body []byte) {
	root := w.book.root
	root.objects++
	if media != "" {
		w.note(root, findingKey{class: Media, expected: kindJSON, got: kind(media)}, kind(media))
	}
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		w.note(root, findingKey{class: Kind, expected: root.shape.members[0].expected(), got: kindNothing}, kindNothing)
	case !jsontext.Value(body).IsValid(lenient...):
		w.note(root, findingKey{class: Malformed, expected: kindJSON, got: kindText}, kindText)
	default:
		w.dec = jsontext.NewDecoder(bytes.NewBuffer(body), lenient...)
		var n notes
		w.member(root, 0, &n, 0)
		w.settle(root, &n)
	}
}

// notes are the findings of one object, each once.
type notes struct {
	keys    []findingKey
	got     []kind
	unknown int // of them, at most one more than maxUnknown
}

func (n *notes) add(key findingKey, got kind) {
	if key.class == Unknown && n.unknown > maxUnknown || slices.Contains(n.keys, key) {
		return
	}
	if key.class == Unknown {
		n.unknown++
	}
	n.keys, n.got = append(n.keys, key), append(n.got, got)
}

// settle counts the findings of an object that has ended.
func (w *walk) settle(p *place, n *notes) {
	collapsed := false
	for i, key := range n.keys {
		if key.class == Unknown && (n.unknown > maxUnknown || key.name == anyName) {
			if collapsed {
				continue
			}
			key.name, collapsed = anyName, true
		}
		w.note(p, key, n.got[i])
	}
}

// object inspects the object that comes next, as one of p.
func (w *walk) object(p *place, depth int) {
	w.token()
	p.objects++
	var n notes
	met := make([]bool, len(p.shape.members))
	for w.dec.PeekKind() != '}' {
		name := w.token().String()
		i, known := p.shape.byName[name]
		switch {
		case known:
			if !met[i] {
				met[i] = true
				p.present[i]++
			}
			w.member(p, i, &n, depth)
		case p.shape.isUntyped(name):
			w.skip()
		default:
			n.add(findingKey{name: publicName(name), class: Unknown}, w.skip())
		}
	}
	w.token()
	w.settle(p, &n)
}

// member inspects the value of member i of p.
func (w *walk) member(p *place, i int, n *notes, depth int) {
	m := &p.shape.members[i]
	switch next := w.dec.PeekKind(); {
	case next == 'n':
		w.skip()
	case !m.list:
		w.value(p, i, n, m.name, depth)
	case next != '[':
		n.add(kindKey(m.name, kindArray, w.skip()))
	default:
		w.token()
		for w.dec.PeekKind() != ']' {
			w.value(p, i, n, m.name+"[]", depth)
		}
		w.token()
	}
}

func kindKey(name string, expected, got kind) (findingKey, kind) {
	return findingKey{name: name, class: Kind, expected: expected, got: got}, got
}

// value inspects one value: of the member, or an element of its list.
func (w *walk) value(p *place, i int, n *notes, name string, depth int) {
	m := &p.shape.members[i]
	if m.kind == kindObject && w.dec.PeekKind() == '{' {
		if child := w.book.child(p, i); child != nil && depth < maxDepth {
			w.object(child, depth+1)
		} else {
			w.skip()
		}
		return
	}
	got := w.skip()
	if got != m.kind && !(m.kind == kindNumber && (got == kindInteger || got == kindLarge)) {
		n.add(kindKey(name, m.kind, got))
	}
}

// token reads a token. The document was found valid before.
func (w *walk) token() jsontext.Token {
	t, err := w.dec.ReadToken()
	if err != nil {
		panic(err) // can't be; take counts it
	}
	return t
}

// skip reads a value and tells its kind.
func (w *walk) skip() kind {
	v, err := w.dec.ReadValue()
	if err != nil {
		panic(err) // can't be; take counts it
	}
	switch v.Kind() {
	case '"':
		return kindString
	case 't', 'f':
		return kindBoolean
	case '{':
		return kindObject
	case '[':
		return kindArray
	case 'n':
		return kindNull
	}
	return numberKind(v)
}

// numberKind tells integers that a field of 32 bits holds from others. 1.0 and 1e3 are numbers: a field would change
// how they are written.
func numberKind(text []byte) kind {
	if bytes.ContainsAny(text, ".eE") {
		return kindNumber
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxInt32 {
		return kindLarge
	}
	return kindInteger
}
