package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	authenticationv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// The three kinds of operation: a GET, a DELETE that says idempotent, a POST.
func get(ctx context.Context, c rvcpprovisioningv1.CloudPbxPhoneNumberServiceClient) error {
	_, err := c.ListDdis(ctx, &rvcpprovisioningv1.ListDdisRequest{SystemId: "1"})
	return err
}

func remove(ctx context.Context, c rvcpprovisioningv1.CloudPbxPhoneNumberServiceClient) error {
	_, err := c.DeleteDdi(ctx, &rvcpprovisioningv1.DeleteDdiRequest{SystemId: "1", PhoneNumberId: "2"})
	return err
}

func create(ctx context.Context, c rvcpprovisioningv1.CloudPbxPhoneNumberServiceClient) error {
	_, err := c.CreateDdi(ctx, &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"})
	return err
}

type operationCall = func(context.Context, rvcpprovisioningv1.CloudPbxPhoneNumberServiceClient) error

func TestWhatIsRepeated(t *testing.T) {
	const lost = -1 // the connection is cut after the request came
	for _, test := range []struct {
		name    string
		call    operationCall
		first   int // what upstream says first; then 200
		want    int // attempts
		unknown bool
	}{
		{"a GET after 500", get, 500, 2, false},
		{"a GET after 502", get, 502, 2, false},
		{"a GET after 503", get, 503, 2, false},
		{"a GET after 504", get, 504, 2, false},
		{"a GET after 408", get, 408, 2, false},
		{"a GET after 429", get, 429, 2, false},
		{"a GET after a lost connection", get, lost, 2, false},
		{"a GET after 404", get, 404, 1, false},
		{"a GET after 501", get, 501, 1, true},
		{"an idempotent DELETE after 500", remove, 500, 2, false},
		{"an idempotent DELETE after a lost connection", remove, lost, 2, false},
		{"a POST after 500", create, 500, 1, true},
		{"a POST after 503", create, 503, 1, false}, // has Retry-After
		{"a POST after 408", create, 408, 1, true},
		{"a POST after a lost connection", create, lost, 1, true},
		{"a POST after 429", create, 429, 2, false},
		{"a POST after 409", create, 409, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, n int) {
				switch {
				case n > 1:
					answerJSON(w, 200, `{}`)
				case test.first == lost:
					panic(http.ErrAbortHandler)
				default:
					w.Header().Set("Retry-After", "0")
					if test.first == 503 {
						w.Header().Set("Retry-After", "1")
					}
					answerError(w, test.first, 0, `""`)
				}
			})
			err := test.call(context.Background(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()))
			if got := len(p.requests()); got != test.want || (err == nil) != (test.want == 2) {
				t.Errorf("%d attempts, %v; want %d", got, err, test.want)
			}
			if got := upstream.Unknown(err); got != test.unknown {
				t.Errorf("outcome unknown: %v, want %v (%v)", got, test.unknown, err)
			}
		})
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) { answerError(w, 500, 0, `""`) })
	err := get(context.Background(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client(func(o *upstream.Options) { o.Retry.Attempts = 3 })))
	var e *upstream.Error
	if !errors.As(err, &e) || e.Status != 500 || len(p.requests()) != 3 {
		t.Errorf("got %v after %d attempts", err, len(p.requests()))
	}
}

func TestTimeIsBounded(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Retry-After", "60")
		answerError(w, 429, 0, `""`)
	})
	began := time.Now()
	for name, call := range map[string]func(context.Context) error{
		"by the options": func(ctx context.Context) error {
			return get(ctx, rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client(func(o *upstream.Options) { o.Retry.Elapsed = time.Second })))
		},
		"by the context": func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			return get(ctx, rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()))
		},
	} {
		var e *upstream.Error
		if err := call(context.Background()); !errors.As(err, &e) || e.Status != 429 || e.RetryAfter != time.Minute {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %s", d)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for name, header := range map[string]func() string{
		"seconds": func() string { return "1" },
		"date":    func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, n int) {
				if n == 1 {
					w.Header().Set("Retry-After", header())
					answerError(w, 429, 0, `""`)
					return
				}
				answerJSON(w, 200, `{}`)
			})
			began := time.Now()
			err := create(passing(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()))
			if d := time.Since(began); err != nil || d < 900*time.Millisecond || d > 5*time.Second {
				t.Errorf("got %v after %s", err, d)
			}
		})
	}
}

func TestA429HoldsBackEveryCallOfTheAccount(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			w.Header().Set("Retry-After", "30")
			answerError(w, 429, 0, `""`)
			return
		}
		answerJSON(w, 200, `{}`)
	})
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client(func(o *upstream.Options) { o.Retry.Elapsed = time.Second }))
	for range 2 { // the second is refused here
		var e *upstream.Error
		if err := create(context.Background(), ddis); !errors.As(err, &e) || e.Status != 429 || e.RetryAfter <= 0 || upstream.Unknown(err) {
			t.Errorf("got %v", err)
		}
	}
	if err := create(passing(), ddis); err != nil {
		t.Errorf("a caller that passes through: %v", err)
	}
	if n := len(p.requests()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestRateLimit(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client(func(o *upstream.Options) { o.Rate, o.Burst = 50, 1 }))
	began := time.Now()
	for range 11 {
		if err := get(context.Background(), ddis); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(began); d < 190*time.Millisecond {
		t.Errorf("11 calls at 50 a second took %s", d)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := create(ctx, ddis); !errors.Is(err, context.DeadlineExceeded) || upstream.Unknown(err) {
		t.Errorf("got %v", err)
	}
}

func TestEarlierAttemptMayHaveDoneIt(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			answerError(w, 502, 0, `""`)
			return
		}
		answerError(w, 404, 404002, `"gone"`)
	})
	err := remove(context.Background(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()))
	var e *upstream.Error
	if !errors.As(err, &e) || e.Status != 404 || !upstream.Unknown(err) {
		t.Errorf("got %v, unknown %v; the 502 may have deleted it", err, upstream.Unknown(err))
	}
}

func TestCancelledCalls(t *testing.T) {
	came := make(chan struct{}, 1)
	p := newPortal(t, func(_ http.ResponseWriter, r *http.Request, _ int) {
		came <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-came
		cancel()
	}()
	err := create(ctx, rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()))
	if !errors.Is(err, context.Canceled) || !upstream.Unknown(err) {
		t.Errorf("after sending: got %v, unknown %v", err, upstream.Unknown(err))
	}
	if err := create(ctx, rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())); !errors.Is(err, context.Canceled) || upstream.Unknown(err) {
		t.Errorf("before sending: got %v, unknown %v", err, upstream.Unknown(err))
	}
}

func TestSlowAnswers(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 2 { // the header in time, the body not
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client(func(o *upstream.Options) { o.AnswerTimeout = 100 * time.Millisecond }))
	for i := range 2 {
		if err := create(passing(), ddis); !errors.Is(err, upstream.ErrUnreachable) || !upstream.Unknown(err) {
			t.Errorf("%d: got %v", i, err)
		}
	}
}

func TestUnknownOfOtherErrors(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{{nil, false}, {errors.New("x"), true}, {context.Canceled, true}, {fmt.Errorf("x: %w", upstream.ErrInvalid), false},
		{fmt.Errorf("x: %w", &upstream.Error{Status: 409}), false}, {&upstream.Error{Status: 503}, true}, {&upstream.Error{Status: 503, RetryAfter: 1}, false}} {
		if got := upstream.Unknown(test.err); got != test.want {
			t.Errorf("Unknown(%v) is %v", test.err, got)
		}
	}
}

// A refused login counts, even when its answer is lost on the way: five lock the account.
func TestCallsToTheAuthenticationPortalGoOnce(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) { answerError(w, 502, 0, `""`) })
	if _, err := authenticationv1.NewAuthenticationServiceClient(p.client()).Renew(passing(), &authenticationv1.RenewRequest{}); err == nil {
		t.Error("no error")
	}
	if n := len(p.requests()); n != 1 {
		t.Errorf("%d attempts, want 1", n)
	}
}

func TestNoAnswerHoldsTheAccountForDays(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Retry-After", "2000000000")
		answerError(w, 429, 0, `""`)
	})
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	_ = get(context.Background(), ddis)
	var e *upstream.Error
	if err := get(context.Background(), ddis); !errors.As(err, &e) || e.RetryAfter <= 0 || e.RetryAfter > time.Hour {
		t.Errorf("got %v, held for %s", err, e.RetryAfter)
	}
	if n := len(p.requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}
