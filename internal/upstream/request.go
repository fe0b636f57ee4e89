package upstream

import (
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// wireRequest is a request ready to be sent, as often as needed.
type wireRequest struct {
	method string
	target string // escaped path and query, without the base URL's prefix
	header http.Header
	body   []byte // nil: none
}

// acceptReadable leaves gzip as the only content coding asked for, if it was: what upstream says to the service account
// must be readable here, "jwt expired" above all.
func (r *wireRequest) acceptReadable() {
	if given := r.header.Values("Accept-Encoding"); len(given) > 0 {
		r.header.Del("Accept-Encoding")
		if strings.Contains(strings.ToLower(strings.Join(given, ",")), "gzip") {
			r.header.Set("Accept-Encoding", "gzip")
		}
	}
}

// build makes the request of a message of type b.input.
func (b *Binding) build(msg proto.Message) (*wireRequest, error) {
	m := msg.ProtoReflect()
	if m.Descriptor() != b.input {
		return nil, fmt.Errorf("request: message is %s, not %s", m.Descriptor().FullName(), b.input.FullName())
	}
	r := &wireRequest{method: b.Method, header: http.Header{}}
	room := make([]byte, 0, 256)
	target, err := b.Path.appendPath(room, m)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	if target, err = appendQuery(target, b.Query, m); err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	r.target = string(target)
	for _, p := range b.Header {
		if err := addHeader(r.header, p, m); err != nil {
			return nil, fmt.Errorf("header: %w", err)
		}
	}
	if b.Body != nil && m.Has(b.Body) {
		return r, b.addBody(r, m.Get(b.Body).Message())
	}
	return r, nil
}

func (b *Binding) addBody(r *wireRequest, body protoreflect.Message) error {
	if b.bodyCodec == nil {
		contentType, data := httpBody(body)
		if contentType == "" {
			contentType = b.RequestMedia
		}
		r.header.Set("Content-Type", contentType)
		r.body = append([]byte{}, data...) // not nil: an empty body is one
		return nil
	}
	r.header.Set("Content-Type", "application/json")
	var err error
	r.body, err = b.bodyCodec.Append(nil, body.Interface())
	return err
}

// httpBody reads a google.api.HttpBody of any implementation.
func httpBody(m protoreflect.Message) (contentType string, data []byte) {
	fields := m.Descriptor().Fields()
	return m.Get(fields.ByName("content_type")).String(), m.Get(fields.ByName("data")).Bytes()
}

// setHTTPBody fills in a google.api.HttpBody of any implementation.
func setHTTPBody(m protoreflect.Message, contentType string, data []byte) {
	fields := m.Descriptor().Fields()
	m.Set(fields.ByName("content_type"), protoreflect.ValueOfString(contentType))
	m.Set(fields.ByName("data"), protoreflect.ValueOfBytes(data))
}

// appendQuery appends the parameters that are set, zero values too; a repeated one once for each element.
func appendQuery(dst []byte, params []Param, m protoreflect.Message) ([]byte, error) {
	separator := byte('?')
	for _, p := range params {
		if !m.Has(p.Field) {
			continue
		}
		err := eachValue(p, m, func(text string) {
			dst = append(dst, separator)
			separator = '&'
			dst = append(appendEscaped(dst, p.Name), '=')
			dst = appendEscaped(dst, text)
		})
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func addHeader(h http.Header, p Param, m protoreflect.Message) error {
	if !m.Has(p.Field) {
		return nil
	}
	var refused error
	err := eachValue(p, m, func(text string) {
		for i := range len(text) {
			if c := text[i]; (c < ' ' && c != '\t') || c == 0x7f {
				refused = fmt.Errorf("%s: a header can't hold a control character", p.Field.Name())
			}
		}
		h.Add(p.Name, text)
	})
	if err == nil {
		err = refused
	}
	return err
}

func eachValue(p Param, m protoreflect.Message, do func(text string)) error {
	one := func(v protoreflect.Value) error {
		text, err := paramText(v, p.Field.Kind())
		if err != nil {
			return fmt.Errorf("%s: %w", p.Field.Name(), err)
		}
		do(text)
		return nil
	}
	if !p.Field.IsList() {
		return one(m.Get(p.Field))
	}
	list := m.Get(p.Field).List()
	for i := range list.Len() {
		if err := one(list.Get(i)); err != nil {
			return err
		}
	}
	return nil
}
