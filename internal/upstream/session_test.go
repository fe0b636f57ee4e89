package upstream

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// desk stands in for the authentication portal: it counts, and answers what the test says.
type desk struct {
	mu     sync.Mutex
	now    time.Time
	calls  []string // "login", "renew"
	answer func(renew bool, n int) (string, error)
}

func (d *desk) signIn(_ context.Context, _ Account, old string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	kind := "login"
	if old != "" {
		kind = "renew"
	}
	d.calls = append(d.calls, kind)
	return d.answer(old != "", len(d.calls))
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

func (d *desk) log() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.calls, " ")
}

// fresh is a token of one hour whose text holds n.
func fresh(n, renewed, renewals int) string {
	payload := fmt.Sprintf(`{"iat":1000,"exp":4600,"countRenewed":%d,"maxTokenRenew":%d,"n":%d}`, renewed, renewals, n)
	return fmt.Sprintf("t%d.%s.x", n, base64.RawURLEncoding.EncodeToString([]byte(payload)))
}

// newDesk makes a session at a desk. Its flights have ended when get returns.
func newDesk(t *testing.T, answer func(renew bool, n int) (string, error)) (*desk, func() (string, error)) {
	t.Helper()
	d := &desk{now: time.Unix(1_000_000, 0), answer: answer}
	s := newSession(Account{}, 15*time.Minute, d.signIn)
	s.now = d.clock
	t.Cleanup(s.close)
	return d, func() (string, error) {
		text, err := s.token(context.Background())
		s.flights.Wait()
		return text, err
	}
}

func TestTokenIsRenewedAfterHalfItsLife(t *testing.T) {
	d, get := newDesk(t, func(_ bool, n int) (string, error) { return fresh(n, n-1, 5), nil })
	for _, step := range []struct {
		pass  time.Duration
		token string // that the call gets
		log   string
	}{
		{0, "t1.", "login"},
		{29 * time.Minute, "t1.", "login"},
		{6 * time.Minute, "t1.", "login renew"}, // the call goes on with the old one meanwhile
		{0, "t2.", "login renew"},
		{2 * time.Hour, "t3.", "login renew login"}, // nobody called: it ran out
	} {
		d.pass(step.pass)
		text, err := get()
		if err != nil || !strings.HasPrefix(text, step.token) || d.log() != step.log {
			t.Fatalf("after %s: got %s, %v, log %q; want %s, log %q", step.pass, text, err, d.log(), step.token, step.log)
		}
	}
}

func TestTokenThatCannotBeRenewedLogsInAgain(t *testing.T) {
	t.Run("maxTokenRenew is reached", func(t *testing.T) {
		d, get := newDesk(t, func(_ bool, n int) (string, error) { return fresh(n, 5, 5), nil })
		_, _ = get()
		d.pass(40 * time.Minute)
		if _, err := get(); err != nil || d.log() != "login login" {
			t.Errorf("got %v, log %q", err, d.log())
		}
	})
	t.Run("renewal is refused", func(t *testing.T) {
		d, get := newDesk(t, func(renew bool, n int) (string, error) {
			if renew {
				return "", &Error{Status: 401}
			}
			return fresh(n, 0, 5), nil
		})
		_, _ = get()
		d.pass(40 * time.Minute)
		_, _ = get()
		if text, err := get(); err != nil || d.log() != "login renew login" || !strings.HasPrefix(text, "t3.") {
			t.Errorf("got %s, %v, log %q", text, err, d.log())
		}
	})
	t.Run("renewal fails for now", func(t *testing.T) {
		d, get := newDesk(t, func(renew bool, n int) (string, error) {
			if renew && n == 2 {
				return "", &Error{Status: 503}
			}
			return fresh(n, 0, 5), nil
		})
		_, _ = get()
		d.pass(40 * time.Minute)
		for range 3 {
			if text, err := get(); err != nil || d.log() != "login renew" || !strings.HasPrefix(text, "t1.") {
				t.Errorf("got %s, %v, log %q", text, err, d.log())
			}
		}
		d.pass(5 * time.Minute)
		if _, err := get(); err != nil || d.log() != "login renew renew" {
			t.Errorf("got %v, log %q", err, d.log())
		}
	})
}

func TestRefusedLoginIsNotTriedAgainSoon(t *testing.T) {
	for _, test := range []struct {
		name   string
		code   int
		pauses []time.Duration // after each of the refusals
	}{
		{"wrong password", 401500, []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 2 * time.Hour}},
		{"locked account", codeLocked, []time.Duration{lockedPause, lockedPause, lockedPause, 2 * time.Hour}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, get := newDesk(t, func(bool, int) (string, error) { return "", &Error{Status: 401, Code: test.code} })
			for i, pause := range test.pauses {
				for range 3 {
					if _, err := get(); !errors.Is(err, ErrCredentials) {
						t.Fatalf("got %v", err)
					}
					d.pass(time.Second)
				}
				if got := strings.Count(d.log(), "login"); got != i+1 {
					t.Fatalf("%d logins, want %d", got, i+1)
				}
				d.pass(pause - 4*time.Second)
				if _, err := get(); !errors.Is(err, ErrCredentials) || strings.Count(d.log(), "login") != i+1 {
					t.Fatalf("before the pause of %s was over: %v, log %s", pause, err, d.log())
				}
				d.pass(2 * time.Second)
			}
		})
	}
}

func TestAnswersWithoutATokenAreRefusals(t *testing.T) {
	d, get := newDesk(t, func(bool, int) (string, error) {
		return "", &callError{kind: ErrAnswer, cause: errors.New("no token in it")}
	})
	for range 3 {
		if _, err := get(); !errors.Is(err, ErrCredentials) || d.log() != "login" {
			t.Errorf("got %v, log %q", err, d.log())
		}
	}
}

func TestRefusalEndsWithASuccess(t *testing.T) {
	d, get := newDesk(t, func(_ bool, n int) (string, error) {
		if n == 1 {
			return "", &Error{Status: 401, Code: 401500}
		}
		return fresh(n, 0, 5), nil
	})
	_, _ = get()
	d.pass(16 * time.Minute)
	if text, err := get(); err != nil || !strings.HasPrefix(text, "t2.") {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestTokensThatAreNoJWTAreUsedUntilRefused(t *testing.T) {
	for _, text := range []string{"xxxxxx.yyyyyyy.zzzzzz", "opaque", "a.!!.c", "a." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1}`)) + ".c", "a." + base64.RawURLEncoding.EncodeToString([]byte(`[]`)) + ".c"} {
		d, get := newDesk(t, func(bool, int) (string, error) { return text, nil })
		_, _ = get()
		d.pass(1000 * time.Hour)
		if got, err := get(); err != nil || got != text || d.log() != "login" {
			t.Errorf("%s: got %s, %v, log %q", text, got, err, d.log())
		}
	}
}

func TestManyCallersShareOneLogin(t *testing.T) {
	d := &desk{now: time.Unix(1_000_000, 0)}
	release := make(chan struct{})
	d.answer = func(_ bool, n int) (string, error) {
		<-release
		return fresh(n, 0, 5), nil
	}
	s := newSession(Account{}, time.Minute, d.signIn)
	s.now = func() time.Time { return time.Unix(1_000_000, 0) }
	defer s.close()
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			if _, err := s.token(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.token(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that goes away: %v", err)
	}
	close(release)
	callers.Wait()
	if d.log() != "login" {
		t.Errorf("log %q", d.log())
	}
	s.drop("another token")
	if _, err := s.token(context.Background()); err != nil || d.log() != "login" {
		t.Errorf("a foreign token was dropped: log %q", d.log())
	}
}

func TestClosedSessionGivesNoToken(t *testing.T) {
	s := newSession(Account{}, time.Minute, func(ctx context.Context, _ Account, _ string) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
	time.AfterFunc(10*time.Millisecond, s.close)
	for range 2 {
		if _, err := s.token(context.Background()); err == nil {
			t.Error("no error")
		}
	}
}
