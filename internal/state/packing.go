package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	jsonv2 "github.com/go-json-experiment/json"
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
	short := *p
	short.Unchanged = nil
	return packWith(&short, p.Unchanged)
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
	return packWith(&short, d.Users)
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
func packWith(document any, entries io.WriterTo) ([]byte, error) {
	doc, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	zw, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, err
	}
	_, err = zw.Write(append(binary.AppendUvarint(nil, uint64(len(doc))), doc...))
	if err == nil {
		_, err = entries.WriteTo(zw)
	}
	if err := errors.Join(err, zw.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
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
	zr, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return true, err
	}
	defer zr.Close()
	content, err := zr.DecodeAll(b, make([]byte, 0, min(usualRatio*len(b), mostRoom)))
	if err != nil {
		return true, err
	}
	size, n := binary.Uvarint(content)
	if n <= 0 || size > uint64(len(content)-n) {
		return true, errBadRecord
	}
	content = content[n:]
	if err := jsonv2.Unmarshal(content[:size], document); err != nil {
		return true, err
	}
	if err := entries.UnmarshalBinary(content[size:]); err != nil {
		return true, fmt.Errorf("entries: %w", err)
	}
	return true, nil
}
