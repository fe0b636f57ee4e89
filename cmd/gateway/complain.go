package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
)

// complain writes an error for people: what is wrong, all of it, and a hint at what to do.
func complain(w io.Writer, err error) {
	var problems config.Problems
	if errors.As(err, &problems) {
		fmt.Fprintf(w, "gateway: the configuration has %s\n", plural(len(problems), "problem"))
		fmt.Fprintln(w, err)
		fmt.Fprintln(w, "hint: docs/config.md explains each key, and where passwords and secrets come from")
		return
	}
	var carried interface{ GRPCStatus() *status.Status }
	if errors.As(err, &carried) {
		complainStatus(w, carried.GRPCStatus())
		return
	}
	fmt.Fprintf(w, "gateway: %v\n", err)
	if errors.Is(err, state.ErrLocked) && !strings.Contains(err.Error(), "--server") {
		fmt.Fprintln(w, "hint: \"apply\", \"runs resume\" and \"runs retry\" wait for it with --wait 10m; several people are served by \"gateway serve\" and --server")
	}
}

func complainStatus(w io.Writer, s *status.Status) {
	var hints []string
	faults := 0
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *syncv1.ManifestFaults:
			faults = len(d.GetFaults()) + int(d.GetMore())
			printFaults(w, d.GetFaults(), d.GetMore())
		case *errdetails.Help:
			for _, l := range d.GetLinks() {
				hints = append(hints, l.GetDescription())
			}
		case *errdetails.BadRequest:
			if violations := d.GetFieldViolations(); faults == 0 && (len(violations) != 1 || !strings.Contains(s.Message(), violations[0].GetDescription())) {
				for _, v := range violations {
					fmt.Fprintf(w, "%s: %s\n", v.GetField(), v.GetDescription())
				}
			}
		}
	}
	fmt.Fprintf(w, "gateway: %s\n", plainMessage(s.Message(), faults))
	if hint := hintFor(s); hint != "" && len(hints) == 0 {
		hints = append(hints, hint)
	}
	for _, h := range hints {
		fmt.Fprintf(w, "hint: %s\n", h)
	}
}

// plainMessage leaves out what grpc wraps around a refused connection, and counts faults where all of them are shown.
func plainMessage(message string, faults int) string {
	if faults > 0 {
		return "manifest: " + plural(faults, "fault")
	}
	if cause, ok := strings.CutPrefix(message, `connection error: desc = "`); ok {
		cause = strings.TrimSuffix(strings.TrimPrefix(cause, "transport: Error while dialing: "), `"`)
		return "no connection to the gateway: " + cause
	}
	return message
}

// remedies say what to do about an error, by the reason of its ErrorInfo.
var remedies = map[string]string{
	"UPSTREAM_UNREACHABLE": "is --upstream right, and can this machine reach it? --upstream sandbox needs no network",
	"ACCOUNT_REFUSED":      "check GATEWAY_LOGIN, GATEWAY_PASSWORD, GATEWAY_APP_ID and GATEWAY_APP_SECRET; Rainbow locks an account after five refused logins",
	"NO_ACCOUNT":           "docs/config.md says where each may come from; --upstream sandbox needs no account",
	"STATE_NOT_RECORDED":   "run \"gateway refresh\", or add --refresh",
	"NO_MANIFEST_IN_FORCE": "drift is what differs from manifests that were applied and not undone: \"gateway apply -f FILE\" puts one into force",
	"IDENTITY_REQUIRED":    "say who you are: GATEWAY_APPROVER_TOKEN with a Rainbow token, --as EMAIL, or --cert",
	"NOT_TRUSTED":          "from another machine the engine takes calls over TLS, from holders of client certificates whom --tls-client-allow of the gateway names: --cert and --key (docs/tls.md)",
	"IDENTITY_REFUSED":     "tokens live for some minutes to hours: take a new one, or say --as EMAIL",
	"PLAN_NOT_APPROVED":    "\"gateway approve PLAN\" approves it; --approval says what is needed",
	"CHANGED_SINCE":        "--stale drop leaves alone what changed since, --stale replan puts it back all the same",
	"MANIFEST_NOT_KEPT":    "make a new plan: gateway plan -f FILE",
}

// missing says what to do about a thing that is not found, by how the message begins.
var missing = []struct{ thing, remedy string }{
	{"run ", "\"gateway runs\" lists the runs"},
	{"plan ", "\"gateway plans\" lists the saved plans; \"gateway plan -f FILE\" makes one and says its name"},
	{"drift ", "nothing was compared yet: \"gateway drift\" does"},
}

// signsOfTLS are in the errors of connections of which one end wants TLS, or another certificate, than the other has. A gateway that
// misses a client's certificate hangs up while the client already writes.
var signsOfTLS = []string{"tls: ", "reading server preface", "write: broken pipe", "connection reset by peer"}

// hintFor says what to do about an error; empty when there is nothing to say.
func hintFor(s *status.Status) string {
	explained := false
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			explained = true
			if remedies[info.GetReason()] != "" {
				return remedies[info.GetReason()]
			}
			for _, m := range missing {
				if info.GetReason() == "NOT_FOUND" && strings.HasPrefix(s.Message(), m.thing) {
					return m.remedy
				}
			}
		}
	}
	switch {
	case s.Code() != codes.Unavailable:
		return ""
	case explained: // the gateway answered, so it runs
		return "Rainbow, or something on the way to it, is in trouble; try again in a while"
	}
	if strings.Contains(s.Message(), "looked like an HTTP/1.1 header") {
		return "that is no gRPC door, but perhaps the REST door of a gateway: --server wants its gRPC address, port 9090 unless told otherwise"
	}
	if slices.ContainsFunc(signsOfTLS, func(sign string) bool { return strings.Contains(s.Message(), sign) }) {
		return "does the gateway of --server speak TLS, and by which certificates? --ca, --cert and --key; docs/tls.md lists what is seen"
	}
	return "is the gateway of --server running, and is its address right?"
}

// printFaults writes a manifest's faults, one a line, as compilers do.
func printFaults(w io.Writer, faults []*syncv1.ManifestFault, more int32) {
	for _, f := range faults {
		fmt.Fprintln(w, faultLine(f))
	}
	if more > 0 {
		fmt.Fprintf(w, "… and %d more\n", more)
	}
}

func faultLine(f *syncv1.ManifestFault) string {
	p := f.GetPosition()
	at := p.GetFile()
	if p.GetLine() > 0 {
		at += fmt.Sprintf(":%d", p.GetLine())
	}
	if p.GetColumn() > 0 {
		at += fmt.Sprintf(":%d", p.GetColumn())
	}
	line := fmt.Sprintf("%s: %s [%s]", at, f.GetMessage(), f.GetCode())
	if f.GetHint() != "" {
		line += "; " + f.GetHint()
	}
	return line
}
