package state

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// What a large manifest leaves behind: its plan, of which most entries are unchanged, and what it desires. Both are kept as
//
//	the length of a JSON document (uvarint), the document, and then the entries as the engine packs them,
//
// compressed with zstd, whose checksum tells damage. As JSON alone, entries took ten times as long to write. What older
// versions wrote, gzipped JSON, is read too.

// packPlan packs a plan.
func packPlan(p *bulksync.Plan) ([]byte, error) {
	return packWith(p.WriteDocument, p.Unchanged)
}

// unpackPlan is the inverse of packPlan.
func unpackPlan(b []byte) (*bulksync.Plan, error) {
	p, unchanged := new(bulksync.Plan), new(bulksync.UnchangedList)
	packed, err := unpackWith(b, p, unchanged)
	if err == nil && packed && unchanged.Len() > 0 {
		p.Unchanged = unchanged
	}
	return p, err
}

// packDesired packs what a manifest desires.
func packDesired(d *bulksync.Desired) ([]byte, error) {
	short := *d
	short.Users = nil
	return packWith(func(w io.Writer) error { return json.NewEncoder(w).Encode(&short) }, d.Users)
}

// unpackDesired is the inverse of packDesired.
func unpackDesired(b []byte) (*bulksync.Desired, error) {
	d, users := new(bulksync.Desired), new(bulksync.Entries)
	packed, err := unpackWith(b, d, users)
	if err == nil && packed {
		d.Users = users
	}
	return d, err
}

// packWith packs a document with entries behind it.
func packWith(document func(io.Writer) error, entries io.WriterTo) ([]byte, error) {
	var doc pile
	if err := document(&doc); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	zw, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, err
	}
	_, err = zw.Write(binary.AppendUvarint(nil, uint64(doc.size)))
	if err == nil {
		err = doc.moveTo(zw)
	}
	if err == nil {
		_, err = entries.WriteTo(zw)
	}
	if err := errors.Join(err, zw.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// pile takes what is written in pieces that stay where they are: a buffer that doubles takes three times the room.
type pile struct {
	pieces [][]byte
	size   int
}

// Write adds a copy of b.
func (p *pile) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		last := len(p.pieces) - 1
		if last < 0 || len(p.pieces[last]) == pieceBytes {
			p.pieces = append(p.pieces, make([]byte, 0, pieceBytes))
			last++
		}
		n := min(len(rest), pieceBytes-len(p.pieces[last]))
		p.pieces[last] = append(p.pieces[last], rest[:n]...)
		rest = rest[n:]
	}
	p.size += len(b)
	return len(b), nil
}

// moveTo writes all of it and lets it go on the way.
func (p *pile) moveTo(w io.Writer) error {
	for i, piece := range p.pieces {
		if _, err := w.Write(piece); err != nil {
			return err
		}
		p.pieces[i] = nil
	}
	return nil
}

// usualRatio is by how much a list of unchanged entries gets larger, and more than what a manifest desires does; room that is
// not used costs nothing. mostRoom is the most that is made in advance.
const (
	usualRatio = 16
	mostRoom   = 1 << 30
)

// zstdMagic begins what zstd wrote.
var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// unpackWith is the inverse of packWith. It tells whether there were entries behind the document; if not, an older version
// wrote it, and the document holds them.
func unpackWith(b []byte, document any, entries interface{ UnmarshalBinary([]byte) error }) (packed bool, err error) {
	if !bytes.HasPrefix(b, zstdMagic) {
		return false, unpack(b, document)
	}
	zr, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return true, err
	}
	defer zr.Close()
	in := bufio.NewReaderSize(zr, 64<<10)
	size, err := binary.ReadUvarint(in)
	if err != nil || size > math.MaxInt64 {
		return true, errors.Join(errBadRecord, err)
	}
	short := jsonv2.WithUnmarshalers(jsonv2.JoinUnmarshalers(fitting[bulksync.Change](), fitting[bulksync.Position]()))
	if err := jsonv2.UnmarshalRead(io.LimitReader(in, int64(size)), document, short); err != nil {
		return true, err
	}
	rest := bytes.NewBuffer(make([]byte, 0, min(max(usualRatio*len(b)-int(min(size, mostRoom)), bytes.MinRead), mostRoom)))
	if _, err := rest.ReadFrom(in); err != nil {
		return true, err
	}
	if err := entries.UnmarshalBinary(rest.Bytes()); err != nil {
		return true, fmt.Errorf("entries: %w", err)
	}
	return true, nil
}

// fitting reads lists into no more room than they take: those of operations are short and many, and a list that grows item by
// item ends with half of its room empty. It is for one document.
func fitting[T any]() *jsonv2.Unmarshalers {
	var list []T
	return jsonv2.UnmarshalFromFunc(func(in *jsontext.Decoder, v *[]T) error {
		if in.PeekKind() != '[' {
			return errors.ErrUnsupported // null, or what is no list
		}
		if _, err := in.ReadToken(); err != nil {
			return err
		}
		list = list[:0]
		for in.PeekKind() != ']' {
			var item T
			if err := jsonv2.UnmarshalDecode(in, &item); err != nil {
				return err
			}
			list = append(list, item)
		}
		*v = append(make([]T, 0, len(list)), list...)
		_, err := in.ReadToken()
		return err
	})
}
