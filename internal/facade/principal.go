package facade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/metadata"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Who calls a local service. Such a service acts as the service account whoever calls; the caller's identity is for its
// books, and for rules such as "approved by somebody else". It never makes a call possible that would be refused without.
//
// Three things vouch for a caller: Rainbow, asked whether his token is valid; the authority of his client certificate; and what
// stands before the listener, if the configuration says that it names callers in a header. The first of them that is there counts.
// The token is used for that one question, and goes no further.

// Principal is who a caller is.
type Principal struct {
	// Name is a login e-mail, or what the listener calls him; empty for a caller of whom nothing is known.
	Name string `json:"name"`
	// UserID and Company are those of the Rainbow user whose token it was.
	UserID  string `json:"userId,omitempty"`
	Company string `json:"company,omitempty"`
	// Token: Rainbow vouches for him. Certificate: the authority of his client certificate does. Else the listener's header does.
	Token       bool `json:"token,omitempty"`
	Certificate bool `json:"certificate,omitempty"`
}

// Identify asks whose the token of a caller is, or takes the name that his certificate or the listener gives; it concerns local
// services that want to know. tell gets a caller with nothing but the Authorization header.
func Identify(tell func(ctx context.Context, c upstream.Caller) (Principal, error)) Policy {
	return func(ctx context.Context, call *Call, next Next) error {
		a := call.Arrival
		if a == nil || !call.Operation.Identified {
			return next(ctx)
		}
		var err error
		switch {
		case a.Credentials:
			_, token, _ := strings.Cut(a.Caller.Header.Get(headerAuthorization), " ") // bearer has looked at it
			call.Principal, err = tell(ctx, upstream.Caller{Header: http.Header{headerAuthorization: {"Bearer " + strings.TrimSpace(token)}}})
		case a.Holder != nil:
			call.Principal, err = a.Holder.principal()
		case len(a.Named) > 0:
			call.Principal, err = named(a.Named)
		}
		if err != nil {
			return err
		}
		return next(ctx)
	}
}

const headerAuthorization = "Authorization"

// bearer tells whether the only credentials of a call are one Bearer token.
func (a *Arrival) bearer() bool {
	values := a.Caller.Header[headerAuthorization]
	if len(values) != 1 {
		return false
	}
	for name := range a.Caller.Header {
		if _, credential := upstream.CallerFrom(http.Header{name: {"x"}}); credential && name != headerAuthorization {
			return false
		}
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	return strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(token) != ""
}

// longestName is the longest name that a listener may give a caller, in bytes.
const longestName = 256

// named is the principal whom the listener names.
func named(values []string) (Principal, error) {
	if len(values) > 1 {
		return Principal{}, fmt.Errorf("%w: the listener's header comes %d times", ErrIdentity, len(values))
	}
	name := strings.TrimSpace(values[0])
	if !goodName(name) {
		return Principal{}, fmt.Errorf("%w: the listener's header holds no name of at most %d bytes", ErrIdentity, longestName)
	}
	return Principal{Name: name}, nil
}

// goodName tells whether a name can be kept in the books and shown; an empty one stands for nobody.
func goodName(name string) bool {
	return len(name) <= longestName && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

// ErrIdentity: a call says who its caller is, and that is not true, or can't be told.
var ErrIdentity = errors.New("caller's identity")

// principalKey is the metadata under which a local service finds its caller. Nobody else sets it: the metadata of a call to
// a local service is made anew.
const principalKey = "gateway-principal-bin"

// PrincipalFrom gives the caller of a local service; the zero value when nothing vouches for him.
func PrincipalFrom(ctx context.Context) Principal {
	var p Principal
	md, _ := metadata.FromIncomingContext(ctx)
	if values := md.Get(principalKey); len(values) == 1 && json.Unmarshal([]byte(values[0]), &p) != nil {
		return Principal{}
	}
	return p
}

// withPrincipal puts a caller into the metadata of a local call.
func withPrincipal(md metadata.MD, p Principal) {
	if p.Name == "" {
		return
	}
	doc, err := json.Marshal(p)
	if err != nil { // strings
		return
	}
	md.Set(principalKey, string(doc))
}
