package config

import (
	"net/textproto"
	"regexp"
	"strings"
)

// History says what a plan needs before it is applied, and how long plans and runs are kept.
type History struct {
	Approval  string `name:"approval" env:"GATEWAY_APPROVAL" default:"none" enum:"none,one,different" group:"History" help:"Approval that a plan needs before it is applied: none, one, different (by somebody else than its creator)."`
	KeepRuns  string `name:"keep-runs" env:"GATEWAY_KEEP_RUNS" default:"365d" placeholder:"AGE|N" group:"History" help:"Runs that are kept: an age such as 90d, the last N, or all."`
	KeepPlans string `name:"keep-plans" env:"GATEWAY_KEEP_PLANS" default:"90d" placeholder:"AGE|N" group:"History" help:"Plans that are kept, beside those of runs that are: an age such as 90d, the last N, or all."`
}

// span is what a retention may be; internal/sync reads it.
var span = regexp.MustCompile(`^(all|[1-9][0-9]{0,8}|[1-9][0-9]{0,4}d|[1-9][0-9]{0,5}h)$`)

func (h *History) check(problems *Problems) {
	for _, s := range []struct{ key, value string }{{"keep-runs", h.KeepRuns}, {"keep-plans", h.KeepPlans}} {
		if s.value != "" && !span.MatchString(s.value) {
			problems.add(s.key, "%q is neither an age such as 90d or 36h, nor a number such as 500, nor all", s.value)
		}
	}
}

// headerName is what the name of a header may be (RFC 9110, token).
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")

// checkIdentityHeader refuses a header that means something else, or that goes to Rainbow.
func checkIdentityHeader(problems *Problems, name string) {
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	switch {
	case name == "":
	case !headerName.MatchString(name):
		problems.add("identity-header", "%q is not the name of a header, such as X-Forwarded-User", name)
	case strings.HasPrefix(canonical, "X-Rainbow-"), strings.HasPrefix(canonical, "Grpc-"), strings.HasSuffix(canonical, "-Bin"):
		problems.add("identity-header", "%q belongs to Rainbow or to gRPC; take one such as X-Forwarded-User", name)
	case canonical == "Authorization", canonical == "Apikey", canonical == "Cookie", canonical == "Host", canonical == "Origin", canonical == "X-Request-Id":
		problems.add("identity-header", "%q means something else; take one such as X-Forwarded-User", name)
	}
}
