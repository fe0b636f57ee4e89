package state

import (
	"bytes"

	bolt "go.etcd.io/bbolt"
)

// piece is a copy of some successive rows of a bucket. A walk over a bucket goes piece by piece, so that no transaction
// is open while its caller looks at what it gave. Filling it again takes up where it ended and uses its memory again.
type piece struct {
	buf  []byte
	ends []int // end of key 0, of value 0, of key 1, ...
	last string
}

// pieceRows is how many rows a piece has, unless the bucket ends.
const pieceRows = 256

// fill copies the rows that come next, and tells whether there may be more.
func (p *piece) fill(b *bolt.Bucket) (more bool) {
	p.buf, p.ends = p.buf[:0], p.ends[:0]
	if b == nil {
		return false
	}
	cursor := b.Cursor()
	key, value := cursor.First()
	if p.last != "" {
		if key, value = cursor.Seek([]byte(p.last)); bytes.Equal(key, []byte(p.last)) {
			key, value = cursor.Next()
		}
	}
	for ; key != nil && !p.full(); key, value = cursor.Next() {
		p.buf = append(p.buf, key...)
		p.ends = append(p.ends, len(p.buf))
		p.buf = append(p.buf, value...)
		p.ends = append(p.ends, len(p.buf))
	}
	if p.len() > 0 {
		key, _ := p.at(p.len() - 1)
		p.last = string(key)
	}
	return p.full()
}

func (p *piece) len() int { return len(p.ends) / 2 }

func (p *piece) full() bool { return p.len() == pieceRows }

// at gives row i; the bytes are valid until the next fill.
func (p *piece) at(i int) (key, value []byte) {
	start := 0
	if i > 0 {
		start = p.ends[2*i-1]
	}
	return p.buf[start:p.ends[2*i]], p.buf[p.ends[2*i]:p.ends[2*i+1]]
}
