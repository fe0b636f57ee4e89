package rules

import (
	"errors"
	"net/url"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Judge returns where a request is against the rules; nil when nowhere. msg is the RPC's request message, or the message
// of an upload's first part. raw is the request as a REST caller wrote it, whose body is then read from there, since msg
// holds only its path and query (with msg nil the query is read from raw too); nil when msg is all of it. At most
// maxViolations are returned.
//
// An error means that a rule could not be applied, not that the request is wrong.
func (o *Operation) Judge(msg proto.Message, raw *upstream.RawRequest) ([]Violation, error) {
	if raw != nil && !o.params && !o.body {
		return nil, nil // its path has brought it here
	}
	msg = o.request(msg, raw)
	if msg == nil {
		return nil, nil
	}
	var all []Violation
	if raw == nil || o.params {
		params, err := o.judge(msg, raw != nil)
		if err != nil {
			return nil, err
		}
		all = params
	}
	if !o.body || raw != nil && raw.BodyReader != nil { // a streamed body is nobody's to read before it is sent
		return all, nil
	}
	body, bad := o.bodyOf(msg, raw)
	if bad != nil {
		return append(all, *bad), nil
	}
	if body == nil {
		return all, nil // judged within msg
	}
	more, err := o.judge(body, false)
	return append(all, more...), err
}

// request finds the request in the first message of an upload, or makes it of a raw one; nil when it is something else.
func (o *Operation) request(msg proto.Message, raw *upstream.RawRequest) proto.Message {
	switch {
	case msg == nil && raw != nil:
		return o.fromTarget(raw.Target)
	case msg == nil:
		return nil
	}
	m := msg.ProtoReflect()
	if m.Descriptor() == o.binding.Input.Descriptor() {
		return msg
	}
	fd := m.Descriptor().Fields().ByName("request")
	if fd == nil || fd.Message() != o.binding.Input.Descriptor() {
		return nil
	}
	return m.Get(fd).Message().Interface()
}

func (o *Operation) fromTarget(target string) proto.Message {
	m := o.binding.Input.New()
	_, query, _ := strings.Cut(target, "?")
	o.binding.ReadQuery(query, m)
	return m.Interface()
}

// bodyOf returns the body that has to be judged by itself: the raw one, or an empty one where none came, so that what is
// missing is named member by member.
func (o *Operation) bodyOf(msg proto.Message, raw *upstream.RawRequest) (proto.Message, *Violation) {
	switch {
	case raw == nil && msg.ProtoReflect().Has(o.binding.Body):
		return nil, nil
	case raw == nil || len(raw.Body) == 0:
		return o.emptyBody(), nil
	}
	body, err := o.binding.ReadBody(raw.Body)
	if err != nil {
		return nil, &Violation{Param: "body", Field: "body", Rule: "object", Text: "must be a JSON object"}
	}
	return body, nil
}

// judge validates msg; query says that it is the query of a REST call.
func (o *Operation) judge(msg proto.Message, query bool) ([]Violation, error) {
	any, err := found(o.set.validator.Validate(msg, o.set.first...))
	if len(any) == 0 {
		return nil, err
	}
	spare := budget(maxFields)
	all, err := found(o.set.validator.Validate(msg, protovalidate.WithFilter(&spare)))
	if err != nil {
		return nil, err
	}
	r := report{operation: o, root: msg.ProtoReflect(), query: query}
	return r.violations(all), nil
}

// found takes the violations out of the error that protovalidate returns.
func found(err error) ([]*protovalidate.Violation, error) {
	if err == nil {
		return nil, nil
	}
	var invalid *protovalidate.ValidationError
	if errors.As(err, &invalid) {
		return invalid.Violations, nil
	}
	return nil, err
}

// maxFields bounds how many fields are looked at once a request is known to be wrong, and maxViolations what is reported:
// a body may be a list of a million empty objects.
const (
	maxFields     = 5000
	maxViolations = 100
)

// budget is a protovalidate.Filter that says no when it is spent.
type budget int

// ShouldValidate spends one.
func (b *budget) ShouldValidate(protoreflect.Message, protoreflect.Descriptor) bool {
	*b--
	return *b >= 0
}

// Unread returns the query parameters that are documented as numbers and have none among their values; msg is the
// request with the query read into it as far as it fits. What Rainbow's clients send for a parameter that is not set
// ("offset=undefined", "offset=") is not one of them.
func (o *Operation) Unread(msg proto.Message, raw *upstream.RawRequest) []Violation {
	_, query, _ := strings.Cut(raw.Target, "?")
	if query == "" || len(o.numbers) == 0 {
		return nil
	}
	if msg = o.request(msg, raw); msg == nil {
		return nil
	}
	var all []Violation
	m := msg.ProtoReflect()
	for _, p := range o.numbers {
		if m.Descriptor() != p.Field.ContainingMessage() || m.Has(p.Field) {
			continue
		}
		if text, ok := queryValue(query, p.Name); ok && !unset(text) {
			all = append(all, Violation{Param: p.Name, Field: p.Name, Rule: "number", Text: "must be a number, got " + quoted(text)})
		}
	}
	return all
}

// queryValue returns the first value of a parameter in a raw query.
func queryValue(query, name string) (string, bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(key); err != nil || plain != name {
			continue
		}
		if plain, err := url.QueryUnescape(value); err == nil {
			return plain, true
		}
		return value, true
	}
	return "", false
}

// unset tells whether a query value is what Rainbow's Node SDK sends for a parameter that its caller left out.
func unset(text string) bool { return text == "" || text == "undefined" }
