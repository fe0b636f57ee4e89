package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// A stored record is
//
//	16 bytes   SHA-256 of its JSON, cut: the bytes of [bulksync.Hash]
//	uvarint    length of the holder's login
//	           holder's login
//	           JSON
//
// The hash in front tells whether a record changed, and the holder whose index it is in, both without decoding: that
// costs an order of magnitude more than comparing. JSON, and not a denser form, because records gain members as we learn
// of Rainbow's, and the file stays readable with bbolt's own tools.
const hashSize = 16

// storedRecord is a stored record taken apart; it shares the bytes it was taken from.
type storedRecord struct {
	hash   []byte
	holder []byte
	json   []byte
}

// appendRecord appends the stored form of r.
func appendRecord(b []byte, r bulksync.Record) ([]byte, error) {
	doc, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", r.Key(), err)
	}
	sum := sha256.Sum256(doc)
	holder := r.HeldBy()
	b = append(b, sum[:hashSize]...)
	b = binary.AppendUvarint(b, uint64(len(holder)))
	b = append(b, holder...)
	return append(b, doc...), nil
}

var errBadRecord = errors.New("not a stored record")

// splitRecord takes a stored record apart.
func splitRecord(b []byte) (storedRecord, error) {
	if len(b) < hashSize+1 {
		return storedRecord{}, errBadRecord
	}
	size, n := binary.Uvarint(b[hashSize:])
	if n <= 0 || size > uint64(len(b)-hashSize-n) {
		return storedRecord{}, errBadRecord
	}
	rest := b[hashSize+n:]
	return storedRecord{hash: b[:hashSize], holder: rest[:size], json: rest[size:]}, nil
}

// decodeRecord reads the stored form of a record of one kind. The result shares no bytes with b.
func decodeRecord(kind bulksync.Kind, b []byte) (bulksync.Record, error) {
	stored, err := splitRecord(b)
	if err != nil {
		return nil, err
	}
	r := bulksync.NewRecord(kind)
	if r == nil {
		return nil, fmt.Errorf("unknown kind %q", kind)
	}
	if err := jsonv2.Unmarshal(stored.json, r); err != nil {
		return nil, err
	}
	return r, nil
}

// sameContent tells whether two stored records have the same content hash.
func sameContent(a, b []byte) bool {
	return len(a) > hashSize && len(b) > hashSize && bytes.Equal(a[:hashSize], b[:hashSize])
}

// checkKey refuses keys that the file cannot hold.
func checkKey(k bulksync.Key) error {
	if _, ok := kindCodes[k.Kind]; !ok {
		return fmt.Errorf("record %s: unknown kind %q", k, k.Kind)
	}
	if err := checkName(k.ID); err != nil {
		return fmt.Errorf("record %s: %w", k, err)
	}
	return nil
}

// checkHolder refuses a login that would be ambiguous in the index.
func checkHolder(k bulksync.Key, login bulksync.Login) error {
	if strings.ContainsRune(string(login), 0) {
		return fmt.Errorf("record %s: holder %q holds a zero byte", k, login)
	}
	return nil
}

// heldPrefix begins the index keys of everything that a user holds.
func heldPrefix(login []byte) []byte {
	b := make([]byte, 0, len(login)+64)
	return append(append(b, login...), 0)
}

// heldKey is the index key of one thing that a user holds.
func heldKey(login []byte, kind bulksync.Kind, id []byte) []byte {
	return append(append(heldPrefix(login), kindCodes[kind]), id...)
}

// parseHeld reads what follows heldPrefix in an index key.
func parseHeld(b []byte) (bulksync.Key, error) {
	if len(b) < 2 {
		return bulksync.Key{}, errors.New("not an index key")
	}
	kind := kindOf(b[0])
	if kind == "" {
		return bulksync.Key{}, fmt.Errorf("unknown kind code %d", b[0])
	}
	return bulksync.Key{Kind: kind, ID: string(b[1:])}, nil
}
