package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
)

// digest names the content of a manifest without its passwords. It is the SHA-256 over
//
//	"rainbow-gateway manifest 2" LF,
//	every header, then every row, in order: each cell as its length in bytes, a colon and its text; then LF,
//	the mode, LF.
//
// A cell's text is what was read: without padding and quotes, as UTF-8; that of a password cell is always empty. So it
// depends on neither passwords nor file names, byte order marks, delimiters, quoting, line ends, comments and blank
// lines; and on everything else.
type digest struct {
	hash   hash.Hash
	buffer []byte
}

func newDigest() *digest {
	d := &digest{hash: sha256.New()}
	d.line("rainbow-gateway manifest 2")
	return d
}

func (d *digest) line(s string) {
	d.buffer = append(append(d.buffer, s...), '\n')
}

// row adds a row; password is the index of its secret cell, or -1.
func (d *digest) row(cells []cell, password int) {
	for i := range cells {
		text := cells[i].text
		if i == password {
			text = ""
		}
		d.buffer = strconv.AppendInt(d.buffer, int64(len(text)), 10)
		d.buffer = append(append(d.buffer, ':'), text...)
	}
	d.buffer = append(d.buffer, '\n')
	if len(d.buffer) > 16<<10 { // many rows at once: a row alone is less than two blocks
		d.flush()
	}
}

func (d *digest) flush() {
	d.hash.Write(d.buffer)
	d.buffer = d.buffer[:0]
}

// sum is the digest in lower-case hex.
func (d *digest) sum() string {
	d.flush()
	return hex.EncodeToString(d.hash.Sum(nil))
}
