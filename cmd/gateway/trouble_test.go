package main

import (
	"fmt"
	"strings"
	"testing"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// TestOneReasonDoesNotBuryTheOthers: of thousands that fail alike a few are named, and the one that fails otherwise is seen.
func TestOneReasonDoesNotBuryTheOthers(t *testing.T) {
	e := &ending{run: &syncv1.Run{Name: "companies/c/runs/run-7"}}
	fail := func(id, code int32, message string) {
		e.trouble = append(e.trouble, &syncv1.RunOutcome{
			Operation: &syncv1.PlanOperation{Id: id, Title: fmt.Sprint("update user ", id)}, Status: syncv1.RunOutcome_STATUS_FAILED, Code: code, Message: message,
		})
	}
	for i := range int32(5000) {
		fail(i+1, 0, "the disk is full")
	}
	fail(5001, 2003, "already assigned to someone else")
	var out strings.Builder
	writeTrouble(&out, e)
	text := out.String()
	for _, want := range []string{"failed 1: update user 1\n", "… and 4995 more for this reason", "failed 5001: update user 5001\n    Rainbow says 2003: already", "gateway runs show run-7 -o csv"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\n"); n > 20 {
		t.Errorf("it takes %d lines:\n%s", n, text)
	}

	e.trouble = e.trouble[:0]
	for i := range int32(1000) { // each for a reason of its own
		fail(i+1, 0, fmt.Sprint("reason ", i))
	}
	out.Reset()
	writeTrouble(&out, e)
	if n := strings.Count(out.String(), "failed "); n != troubleShown || !strings.Contains(out.String(), "gateway runs show run-7 -o csv") {
		t.Errorf("%d of 1000 reasons are shown, want %d and where the rest is:\n%s", n, troubleShown, out.String())
	}
}
