package syncserver

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

func TestRequestsAreRememberedForAnHour(t *testing.T) {
	m := newRequestMemory()
	clock := time.Unix(0, 0)
	m.now = func() time.Time { return clock }
	calls := 0
	do := func() (string, error) {
		calls++
		return fmt.Sprint("made-", calls), nil
	}
	once := func() string {
		t.Helper()
		name, _, err := m.once(t.Context(), requestKey{id: "x"}, &syncv1.GetPlanRequest{Name: "n"}, do)
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	if first := once(); once() != first || calls != 1 {
		t.Errorf("%d calls", calls)
	}
	clock = clock.Add(requestLife - time.Second)
	if once() != "made-1" {
		t.Error("forgotten too early")
	}
	clock = clock.Add(2 * time.Second)
	if once() != "made-2" {
		t.Error("remembered too long")
	}
}

func TestTheMemoryOfRequestsIsBounded(t *testing.T) {
	m := newRequestMemory()
	for i := range requestMost + 100 {
		if _, _, err := m.once(t.Context(), requestKey{id: fmt.Sprint(i)}, &syncv1.GetPlanRequest{}, func() (string, error) { return "x", nil }); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.entries); n > requestMost {
		t.Errorf("%d requests are remembered", n)
	}
}

func TestAWaitingTwinTakesOverWhenTheFirstFails(t *testing.T) {
	m := newRequestMemory()
	begun, fail := make(chan struct{}), make(chan struct{})
	go m.once(context.Background(), requestKey{id: "x"}, &syncv1.GetPlanRequest{}, func() (string, error) {
		close(begun)
		<-fail
		return "", errors.New("no")
	})
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := m.once(ctx, requestKey{id: "x"}, &syncv1.GetPlanRequest{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a twin that is cancelled gets %v", err)
	}
	close(fail)
	name, again, err := m.once(t.Context(), requestKey{id: "x"}, &syncv1.GetPlanRequest{}, func() (string, error) { return "made", nil })
	if name != "made" || again || err != nil {
		t.Errorf("twin gets %q, %t, %v", name, again, err)
	}
}
