package rules

import (
	"strconv"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	optionsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/options/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// Violation is one place where a request is against a rule.
type Violation struct {
	// Param is the parameter or member as upstream spells it: "sortOrder", "phoneNumbers[0].type". Members of the body
	// have no prefix.
	Param string

	// Field is Param without positions, "phoneNumbers[].type": there are as many as the protos have fields.
	Field string

	// Rule names the rule: "required", "string.in", "int32.gte_lte", "number", "object".
	Rule string

	// Text says what is wrong, with the value unless it is a secret.
	Text string
}

// report turns protovalidate's violations of one message into ours.
type report struct {
	operation *Operation
	root      protoreflect.Message
	query     bool
	texts     map[protoreflect.Message]map[string]bool // names in extra_json
}

func (r *report) violations(all []*protovalidate.Violation) []Violation {
	var kept []Violation
	for _, v := range all {
		if len(kept) == maxViolations {
			break
		}
		if place, ok := r.place(v); ok && !r.excused(v, place) {
			kept = append(kept, Violation{Param: place.param, Field: place.field, Rule: v.Proto.GetRuleId(), Text: r.text(v, place)})
		}
	}
	return kept
}

// place is where a violation is.
type place struct {
	param, field string
	parent       protoreflect.Message // that holds, or lacks, the member
	member       protoreflect.FieldDescriptor
	depth        int
	secret       bool
}

// place follows the path of a violation from the root; ok is false for a path that leads nowhere.
func (r *report) place(v *protovalidate.Violation) (p place, ok bool) {
	var param, field strings.Builder
	at := r.root
	for i, e := range v.Proto.GetField().GetElements() {
		if i > 0 && at == nil {
			return p, false
		}
		fd := at.Descriptor().Fields().ByNumber(protoreflect.FieldNumber(e.GetFieldNumber()))
		if fd == nil {
			return p, false
		}
		secret, _ := proto.GetExtension(fd.Options(), optionsv1.E_Secret).(bool)
		p.parent, p.member, p.secret = at, fd, p.secret || secret
		if p.depth > 0 || fd != r.operation.binding.Body {
			if param.Len() > 0 {
				param.WriteByte('.')
				field.WriteByte('.')
			}
			param.WriteString(fd.JSONName())
			field.WriteString(fd.JSONName())
		}
		p.depth++
		at = below(at, fd, e, &param, &field)
	}
	p.param, p.field = param.String(), field.String()
	return p, p.member != nil
}

// below goes one step down, into an element of a list too; nil at a scalar.
func below(at protoreflect.Message, fd protoreflect.FieldDescriptor, e *validate.FieldPathElement, param, field *strings.Builder) protoreflect.Message {
	if e.WhichSubscript() == validate.FieldPathElement_Index_case {
		param.WriteString("[" + strconv.FormatUint(e.GetIndex(), 10) + "]")
		field.WriteString("[]")
		if list := at.Get(fd).List(); fd.Message() != nil && e.GetIndex() < uint64(list.Len()) {
			return list.Get(int(e.GetIndex())).Message()
		}
		return nil
	}
	if fd.Message() != nil && !fd.IsList() && !fd.IsMap() {
		return at.Get(fd).Message()
	}
	return nil
}

// excused tells whether a violation is none: a required member that is there, though not as its type; a path variable of
// a REST call, which its route has found; a text of the query that stands for nothing.
func (r *report) excused(v *protovalidate.Violation, p place) bool {
	if v.Proto.GetRuleId() == "required" {
		variable := r.query && p.depth == 1 && !p.member.HasPresence() && !p.member.IsList()
		return variable || r.asText(p.parent)[p.member.JSONName()]
	}
	return r.query && p.depth == 1 && p.member.Kind() == protoreflect.StringKind && !p.member.IsList() &&
		unset(p.parent.Get(p.member).String())
}

// asText is the set of names in a message's extra_json.
func (r *report) asText(m protoreflect.Message) map[string]bool {
	names, known := r.texts[m]
	if known {
		return names
	}
	names = map[string]bool{}
	if extra := m.Descriptor().Fields().ByNumber(jsoncodec.ExtraNumber); extra != nil && m.Has(extra) {
		names = memberNames(m.Get(extra).Bytes())
	}
	if r.texts == nil {
		r.texts = map[protoreflect.Message]map[string]bool{}
	}
	r.texts[m] = names
	return names
}

// memberNames are the names of a JSON object, as far as it is one.
func memberNames(object []byte) map[string]bool {
	names := map[string]bool{}
	d := jsontext.NewDecoder(strings.NewReader(string(object)), jsontext.AllowDuplicateNames(true))
	if t, err := d.ReadToken(); err != nil || t.Kind() != jsontext.KindBeginObject {
		return names
	}
	for d.PeekKind() == jsontext.KindString {
		t, err := d.ReadToken()
		if err != nil {
			return names
		}
		names[t.String()] = true
		if d.SkipValue() != nil {
			return names
		}
	}
	return names
}

// text is what protovalidate says, with the value.
func (r *report) text(v *protovalidate.Violation, p place) string {
	text := v.Proto.GetMessage()
	if !v.FieldValue.IsValid() || p.secret || r.operation.binding.Operation.GetSecret() {
		return text
	}
	switch value := v.FieldValue.Interface().(type) {
	case string:
		return text + ", got " + quoted(value)
	case bool, int32, float64:
		return text + ", got " + v.FieldValue.String()
	}
	return text
}

// maxQuoted is how much of a value is shown, in characters.
const maxQuoted = 64

func quoted(value string) string {
	shown := 0
	for i := range value {
		if shown++; shown > maxQuoted {
			return strconv.Quote(value[:i]) + "…"
		}
	}
	return strconv.Quote(value)
}
