package rainbow

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// TestDoneIsWhatThePlannerWouldNotChangeAgain: what is taken for done and is not would never be done, what is taken for
// not done and is would fail after some tries.
func TestDoneIsWhatThePlannerWouldNotChangeAgain(t *testing.T) {
	u := &adminv1.User{
		FirstName: proto.String("ann"), Country: proto.String("FRA"), Tags: []string{"night", "ward 4"},
		PhoneNumbers: []*adminv1.UserPhoneNumber{{NumberE164: proto.String("+33612345678"), Type: proto.String(work), DeviceType: proto.String(mobile)}},
	}
	for _, c := range []struct {
		change bulksync.Change
		done   bool
	}{
		{bulksync.Change{Name: "firstName", Before: "", After: "ann"}, true},
		{bulksync.Change{Name: "firstName", Before: "ann", After: "Ann"}, false},
		{bulksync.Change{Name: "country", After: "fra"}, true},
		{bulksync.Change{Name: "mobilePhone0", After: "33 6 12 34 56 78"}, true},
		{bulksync.Change{Name: "mobilePhone0", After: "+33612345679"}, false},
		{bulksync.Change{Name: "isInitialized", Before: "true", After: "false"}, true},
		{bulksync.Change{Name: "visibility", Before: "public"}, true},
		{bulksync.Change{Name: "tags0", Before: "day", After: "night"}, true},
		{bulksync.Change{Name: "tags0", Before: "night", After: "ward 4"}, false},
		{bulksync.Change{Name: "tags1", Before: "ward 4"}, false},
		{bulksync.Change{Name: "tags2", Before: "kitchen"}, true},
		{bulksync.Change{Name: "photoUrl", After: "https://demo.example/ann.png"}, true},
	} {
		if got := valueIsAs(u, c.change); got != c.done {
			t.Errorf("%+v is done: %v, want %v", c.change, got, c.done)
		}
	}
}

// TestALookThatTookLongIsNotTheLast: a first look that took longer than lists may lag, as behind a Retry-After, says only how
// things stood when it was answered.
func TestALookThatTookLongIsNotTheLast(t *testing.T) {
	target := New(nil, Options{PollInterval: time.Millisecond})
	looks := 0
	err := target.patiently(context.Background(), 30*time.Millisecond, func() (bool, error) {
		if looks++; looks == 1 {
			time.Sleep(40 * time.Millisecond)
		}
		return looks == 3, nil
	})
	if err != nil || looks != 3 {
		t.Errorf("looked %d times, error %v; want 3 times, the last one with success", looks, err)
	}
	looks = 0
	began := time.Now()
	if err := target.patiently(context.Background(), 20*time.Millisecond, func() (bool, error) { looks++; return false, nil }); err != nil || looks < 2 || time.Since(began) < 20*time.Millisecond {
		t.Errorf("looked %d times in %s, error %v; want two or more, for 20 ms at least", looks, time.Since(began), err)
	}
}
