package facade

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	rawv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/raw/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// rainbowPrefix is where Rainbow's portals are.
const rainbowPrefix = "/api/rainbow/"

// maxTarget bounds path and query of a raw call in bytes, as the REST door bounds the head of a request.
const maxTarget = 64 << 10

// PassesMethod tells whether requests of an HTTP method are passed to paths that no RPC models; others are made for
// proxies and caches on the way.
func PassesMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

// request makes the exchange of a raw call, checked as the REST door checks its requests; dot segments are the client's
// to find. Errors quote no values.
func (o Raw) request(req *rawv1.CallRequest, caller upstream.Caller) (*upstream.Exchange, error) {
	switch {
	case !o.On:
		return nil, ErrRawOff
	case !PassesMethod(req.GetMethod()):
		return nil, fmt.Errorf("%w: want GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS in capitals", ErrMethod)
	}
	if err := checkRawTarget(req.GetTarget()); err != nil {
		return nil, err
	}
	header, err := rawHeader(req, caller)
	if err != nil {
		return nil, err
	}
	if err := o.checkRawBody(req.GetBody(), header); err != nil {
		return nil, err
	}
	return &upstream.Exchange{Request: &upstream.RawRequest{
		Method: req.GetMethod(), Target: req.GetTarget(), Header: header, Body: req.GetBody(),
	}}, nil
}

// checkRawTarget makes sure that a target is one that HTTP can carry, of Rainbow's. In a request line of HTTP these bytes
// would be an error or escaped anew.
func checkRawTarget(target string) error {
	switch {
	case len(target) > maxTarget:
		return fmt.Errorf("%w: longer than %d bytes", ErrPath, maxTarget)
	case !strings.HasPrefix(target, rainbowPrefix):
		return fmt.Errorf("%w: does not begin with %s", ErrPath, rainbowPrefix)
	}
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"#<>\\^`{|}", c) >= 0 {
			return fmt.Errorf("%w: byte %d must be percent-encoded", ErrPath, i)
		}
	}
	return nil
}

// rawHeader collects the headers of a raw call: X-Rainbow-* of the metadata, and those of the message. What would not go
// upstream is refused, credentials with the place where they belong.
func rawHeader(req *rawv1.CallRequest, caller upstream.Caller) (http.Header, error) {
	header := http.Header{}
	for _, h := range req.GetHeaders() {
		name := http.CanonicalHeaderKey(h.GetName())
		switch {
		case !isToken(name):
			return nil, fmt.Errorf("%w: headers: a name is no HTTP header's", upstream.ErrInvalid)
		case name == "Content-Type":
			return nil, fmt.Errorf("%w: headers: Content-Type has a field of its own, content_type", upstream.ErrInvalid)
		case upstream.IsCredential(name):
			return nil, fmt.Errorf("%w: headers: %s is a credential; send it as metadata of the call", upstream.ErrInvalid, name)
		case !isFieldValue(h.GetValue()):
			return nil, fmt.Errorf("%w: headers: %s holds a control character", upstream.ErrInvalid, name)
		}
		header[name] = append(header[name], h.GetValue())
	}
	passed := upstream.ForwardRequest(header)
	for name := range header {
		if _, ok := passed[name]; !ok {
			return nil, fmt.Errorf("%w: headers: %s is not passed upstream", upstream.ErrInvalid, name)
		}
	}
	if !isFieldValue(req.GetContentType()) {
		return nil, fmt.Errorf("%w: content_type holds a control character", upstream.ErrInvalid)
	}
	if req.GetContentType() != "" {
		header.Set("Content-Type", req.GetContentType())
	}
	for name, values := range upstream.ForwardRequest(caller.Header) {
		if _, named := header[name]; !named {
			header[name] = values
		}
	}
	return header, nil
}

// checkRawBody bounds the body, and checks it when it says that it is JSON.
func (o Raw) checkRawBody(body []byte, header http.Header) error {
	limit, isJSON := o.MaxUpload, jsonMedia(header.Get("Content-Type"))
	if isJSON {
		limit = o.MaxBody
	}
	if int64(len(body)) > limit {
		return fmt.Errorf("%w: at most %d bytes", ErrBodySize, limit)
	}
	if !isJSON || len(body) == 0 {
		return nil
	}
	if slices.ContainsFunc(header["Content-Encoding"], func(coding string) bool { return !strings.EqualFold(coding, "identity") }) {
		return ErrEncoding
	}
	if err := jsoncodec.Check(body, jsoncodec.Limits{}); err != nil {
		return fmt.Errorf("%w: %w", ErrBody, err)
	}
	return nil
}

// jsonMedia tells whether a Content-Type is JSON's. A malformed parameter does not hide the type.
func jsonMedia(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// isToken tells whether a text can be the name of a header (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isFieldValue tells whether a text can be the value of a header (RFC 9110, 5.5).
func isFieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
