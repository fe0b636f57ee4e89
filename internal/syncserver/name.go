package syncserver

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// Resource names. A company's id "-" stands for the company of the account that the engine works under.

const defaultCompany = "-"

// segment is what an id in a resource name may be: what URLs leave as it is, and no dot alone.
var segment = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._~-]{0,127}$`)

func planName(company, plan string) string { return "companies/" + company + "/plans/" + plan }
func runName(company, run string) string   { return "companies/" + company + "/runs/" + run }
func stateName(company string) string      { return "companies/" + company + "/state" }

// operationName is the long-running operation of a run: GetOperation is routed by this prefix.
func operationName(name string) string { return operationsPrefix + name }

const operationsPrefix = "operations/"

// parseName takes a resource name apart by a pattern such as "companies/*/plans/*": the parts that the stars stand for.
func parseName(name, pattern string) (ids []string, err error) {
	want := strings.Split(pattern, "/")
	got := strings.Split(name, "/")
	if len(want) != len(got) {
		return nil, fmt.Errorf("%s: want %s", quoted(name), spoken(pattern))
	}
	for i, w := range want {
		switch {
		case w != "*" && w == got[i]:
		case w == "*" && segment.MatchString(got[i]):
			ids = append(ids, got[i])
		default:
			return nil, fmt.Errorf("%s: want %s", quoted(name), spoken(pattern))
		}
	}
	return ids, nil
}

// spoken writes a pattern as documentation does: companies/{company}/plans/{plan}.
func spoken(pattern string) string {
	parts := strings.Split(pattern, "/")
	for i, p := range parts {
		if p == "*" && i > 0 {
			parts[i] = "{" + singular(parts[i-1]) + "}"
		}
	}
	return strings.Join(parts, "/")
}

func singular(plural string) string {
	switch plural {
	case "companies":
		return "company"
	case "refreshes":
		return "refresh"
	}
	return strings.TrimSuffix(plural, "s")
}

// quoted shows what a caller sent, cut short when it is long.
func quoted(s string) string {
	const most = 100
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// company gives the company that an id in a name stands for.
func (s *Server) company(ctx context.Context, id string) (string, error) {
	if id != defaultCompany {
		return id, nil
	}
	company, err := s.opts.Company(ctx)
	if err != nil {
		return "", fmt.Errorf("company of the gateway's account: %w", err)
	}
	if !segment.MatchString(company) {
		return "", refusal{
			reason: "COMPANY_UNKNOWN", subject: "companies/" + defaultCompany,
			text: "the company of the gateway's account is not known: name the company instead of " + defaultCompany,
		}
	}
	return company, nil
}
