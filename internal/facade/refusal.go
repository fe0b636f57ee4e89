package facade

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
)

// gRPC sends a status in headers. A client whose bound on them is exceeded sees no refusal but a broken stream, and 8 KiB
// is the default of some (grpc-java). So a refusal is shortened to what fits there.
const (
	maxStatus = 7 << 10 // bytes of a status as headers; the rest is for their names and the others
	maxText   = 1 << 10 // bytes of its message, percent-encoded
)

// shortenedKey is the metadata of ErrorInfo that names what a refusal had no room for.
const shortenedKey = "shortened"

// refusal is a gRPC status in the parts that it is made of, for which there may not be room.
type refusal struct {
	code     codes.Code
	text     string
	envelope *errorsv1.UpstreamError // nil when it is not upstream's
	info     *errdetails.ErrorInfo
	bad      *errdetails.BadRequest // nil for none
	more     []protoadapt.MessageV1 // small ones
}

// status puts the parts together, and shortens them until they fit.
func (r *refusal) status() *status.Status {
	r.text = clipText(r.text)
	for {
		st := withDetails(status.New(r.code, r.text), r.details()...)
		if headerSize(st) <= maxStatus {
			return st
		}
		what := r.shorten()
		if what == "" {
			return st
		}
		r.tell(what)
	}
}

func (r *refusal) details() []protoadapt.MessageV1 {
	var details []protoadapt.MessageV1
	if r.envelope != nil {
		details = append(details, protoadapt.MessageV1Of(r.envelope))
	}
	details = append(details, protoadapt.MessageV1Of(r.info))
	if len(r.bad.GetFieldViolations()) > 0 {
		details = append(details, protoadapt.MessageV1Of(r.bad))
	}
	return append(details, r.more...)
}

// shorten takes a part away and names it, first what is also elsewhere or easiest to spare; "" when nothing is left.
func (r *refusal) shorten() string {
	e := r.envelope
	switch list := r.bad.GetFieldViolations(); {
	case len(e.GetExtraJson()) > 0:
		e.ExtraJson = nil
		return "extra_json"
	case e.GetErrorDetailsJson() != "":
		e.ErrorDetailsJson = ""
		return "error_details_json"
	case len(list) > 0:
		r.bad.FieldViolations = list[:len(list)/2]
		return "field_violations"
	case len(e.GetErrorMsg()) > maxText:
		e.ErrorMsg = clipText(e.GetErrorMsg())
		return "error_msg"
	case len(e.GetBody()) > 0:
		e.Body = e.GetBody()[:len(e.GetBody())/2]
		return "body"
	}
	return ""
}

// tell notes, once, that a part was shortened.
func (r *refusal) tell(what string) {
	if r.info.Metadata == nil {
		r.info.Metadata = map[string]string{}
	}
	switch told := r.info.GetMetadata()[shortenedKey]; {
	case told == "":
		r.info.Metadata[shortenedKey] = what
	case !strings.HasSuffix(told, what):
		r.info.Metadata[shortenedKey] = told + ", " + what
	}
}

// headerSize is what a status takes in headers: its message percent-encoded, and all of it in base64.
func headerSize(st *status.Status) int {
	size := base64.RawStdEncoding.EncodedLen(proto.Size(st.Proto()))
	for i := range len(st.Message()) {
		size += percentEncoded(st.Message()[i])
	}
	return size
}

// percentEncoded is the size of a byte in the header grpc-message.
func percentEncoded(c byte) int {
	if c < ' ' || c > '~' || c == '%' {
		return len("%XX")
	}
	return 1
}

// clipText cuts a text at maxText, not within a character.
func clipText(text string) string {
	size := 0
	for i := range len(text) {
		if size += percentEncoded(text[i]); size <= maxText {
			continue
		}
		for i > 0 && !utf8.RuneStart(text[i]) {
			i--
		}
		return text[:i] + "…"
	}
	return text
}
