package syncserver

import (
	"crypto/sha256"
	"encoding/base64"

	"google.golang.org/protobuf/proto"
)

// Page tokens. A token is where the next page begins, behind a sum over that and the request without its page fields:
// so it survives a restart of the gateway, and a token that was changed, or that comes with another request, is refused.
// It hides nothing: it holds what the caller was shown.

const (
	sumSize  = 8
	pageMost = 1000
)

// pager is a request for a page.
type pager interface {
	proto.Message
	GetPageSize() int32
	GetPageToken() string
}

// page is a page asked for.
type page struct {
	size   int
	after  string // where the page before ended; empty for the first page
	filter []byte // of the request, for the next token
}

// page checks the page fields of a request.
func (v *violations) page(req pager, usual int) page {
	p := page{size: int(req.GetPageSize()), filter: filterOf(req)}
	switch {
	case p.size < 0:
		v.add("page_size", "%d: want 0 (the default) or more", p.size)
	case p.size == 0:
		p.size = usual
	}
	p.size = min(p.size, pageMost)
	if token := req.GetPageToken(); token != "" {
		var ok bool
		if p.after, ok = p.open(token); !ok {
			v.add("page_token", "not a token of this list: use next_page_token of the page before, and leave the other fields as they were")
		}
	}
	return p
}

// filterOf is a request without its page fields.
func filterOf(req pager) []byte {
	m := proto.Clone(req).ProtoReflect()
	fields := m.Descriptor().Fields()
	m.Clear(fields.ByName("page_size"))
	m.Clear(fields.ByName("page_token"))
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.Interface())
	if err != nil { // it has just been decoded
		return nil
	}
	return append([]byte(m.Descriptor().FullName()+"\n"), b...)
}

// token names the page after the one that ends with the given place.
func (p page) token(last string) string {
	return base64.RawURLEncoding.EncodeToString(append(p.sum(last), last...))
}

func (p page) open(token string) (after string, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) <= sumSize {
		return "", false
	}
	after = string(b[sumSize:])
	return after, token == p.token(after)
}

func (p page) sum(after string) []byte {
	h := sha256.New()
	h.Write([]byte("rainbow-gateway page 1\n"))
	h.Write(p.filter)
	h.Write([]byte{'\n'})
	h.Write([]byte(after))
	return h.Sum(nil)[:sumSize]
}
