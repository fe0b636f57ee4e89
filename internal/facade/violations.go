package facade

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	"github.com/rainbow-gateway/rainbow-gateway/internal/rules"
)

// ErrConstraints: the request is against documented constraints, and the gateway is told to be strict.
var ErrConstraints = errors.New("request against the documented constraints")

// Violations is the error of a request that Validate refuses. Its text holds names only; the values, except secrets, are
// in the list, which only the caller gets.
type Violations struct {
	List []rules.Violation
}

// Error names the parameters and the rules.
func (v *Violations) Error() string { return ErrConstraints.Error() + ": " + v.names() }

// Is says that it is ErrConstraints.
func (v *Violations) Is(target error) bool { return target == ErrConstraints }

// maxNamed is how many violations are named in one line.
const maxNamed = 10

func (v *Violations) names() string {
	var b strings.Builder
	for i, one := range v.List {
		if i == maxNamed {
			fmt.Fprintf(&b, ", %d more", len(v.List)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(one.Param + " " + one.Rule)
	}
	return b.String()
}

// status has the violations as a google.rpc.BadRequest.
func (v *Violations) status(f fault) *status.Status {
	bad := &errdetails.BadRequest{}
	for _, one := range v.List {
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: one.Param, Description: one.Text, Reason: one.Rule,
		})
	}
	r := &refusal{code: f.code, text: f.text, info: &errdetails.ErrorInfo{Reason: f.reason, Domain: Domain}, bad: bad}
	return r.status()
}

// ViolationsOf returns the violations for which a call was refused; nil when it was not, or for another reason.
func ViolationsOf(err error) []rules.Violation {
	var v *Violations
	if errors.As(err, &v) {
		return v.List
	}
	return nil
}
