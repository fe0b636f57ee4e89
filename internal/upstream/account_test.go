package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

func TestExpiredTokenCostsOneLoginAndOneRepetition(t *testing.T) {
	var p *portal
	p = newPortal(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		p.mu.Lock()
		valid := r.Header.Get("Authorization") == "Bearer "+p.token && p.logins > 1
		p.mu.Unlock()
		if !valid {
			answerExpired(w)
			return
		}
		answerJSON(w, 200, `{}`)
	})
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			if err := create(context.Background(), ddis); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if p.loginCount() != 2 || len(p.requests()) > 40 {
		t.Errorf("%d logins, %d requests; want 2 and at most 40", p.loginCount(), len(p.requests()))
	}
}

func TestOther401sAreJustErrors(t *testing.T) {
	for _, details := range []string{`"jwt malformed"`, `"JWT expired"`, `{"errorMsg":"jwt expired"}`, `" jwt expired"`, `null`} {
		p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) { answerError(w, 401, 401523, details) })
		err := get(context.Background(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()))
		var e *upstream.Error
		if !errors.As(err, &e) || e.Status != 401 || p.loginCount() != 1 || len(p.requests()) != 1 {
			t.Errorf("%s: got %v, %d logins, %d requests", details, err, p.loginCount(), len(p.requests()))
		}
	}
}

func TestTokenThatIsExpiredForeverIsTriedTwice(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) { answerExpired(w) })
	err := create(context.Background(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()))
	var e *upstream.Error
	if !errors.As(err, &e) || e.Status != 401 || len(p.requests()) != 2 || upstream.Unknown(err) {
		t.Errorf("got %v after %d requests", err, len(p.requests()))
	}
}

func TestCallersOwnExpiredTokenIsTheirs(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) { answerExpired(w) })
	err := get(passing(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()))
	var e *upstream.Error
	if !errors.As(err, &e) || p.loginCount() != 0 || len(p.requests()) != 1 {
		t.Errorf("got %v, %d logins, %d requests", err, p.loginCount(), len(p.requests()))
	}
}

func TestWrongCredentialsAreTriedOnce(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client(func(o *upstream.Options) { o.Account.Password = "Wrong-Pass-1" }))
	for range 5 {
		err := create(context.Background(), ddis)
		var e *upstream.Error
		if !errors.Is(err, upstream.ErrCredentials) || !errors.As(err, &e) || e.Code != 401500 || upstream.Unknown(err) {
			t.Fatalf("got %v", err)
		}
		for _, secret := range []string{"Wrong-Pass-1", "sandbox-secret", accountLogin, "Basic"} {
			if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
				t.Errorf("error holds %s: %+v", secret, err)
			}
		}
	}
	if p.loginCount() != 1 || len(p.requests()) != 0 {
		t.Errorf("%d logins, %d requests", p.loginCount(), len(p.requests()))
	}
}

func TestNoAccount(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	c := p.client(func(o *upstream.Options) { o.Account = nil })
	err := get(context.Background(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(c))
	if !errors.Is(err, upstream.ErrNoAccount) || !strings.Contains(err.Error(), "GATEWAY_LOGIN") || upstream.Unknown(err) {
		t.Errorf("got %v", err)
	}
	if err := get(passing(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(c)); err != nil {
		t.Errorf("a caller that passes through: %v", err)
	}
}

func TestAuthenticationCallsNeverUseTheAccount(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	c := p.client()
	auth := authenticationv1.NewAuthenticationServiceClient(c)
	for name, call := range map[string]func() error{
		"logout": func() error {
			_, err := auth.Logout(context.Background(), &authenticationv1.LogoutRequest{})
			return err
		},
		"renew": func() error { _, err := auth.Renew(context.Background(), &authenticationv1.RenewRequest{}); return err },
		"validate": func() error {
			_, err := auth.Validate(context.Background(), &authenticationv1.ValidateRequest{})
			return err
		},
	} {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, got := range p.requests() {
		if got.header.Get("Authorization") != "" {
			t.Errorf("%s: authorization was sent", got.target)
		}
	}
	if p.loginCount() != 0 {
		t.Errorf("%d logins", p.loginCount())
	}
}

func TestLoginThatFailsForNowIsRepeated(t *testing.T) {
	p := newPortal(t, ok(`{}`))
	failures := 2
	inner := p.Config.Handler
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/login") && failures > 0 {
			failures--
			answerError(w, 503, 0, `""`)
			return
		}
		inner.ServeHTTP(w, r)
	})
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	if err := create(context.Background(), ddis); err != nil {
		t.Error(err)
	}
	failures = 100
	ddis = rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client(func(o *upstream.Options) { o.Retry.Elapsed = 50 * time.Millisecond }))
	if err := create(context.Background(), ddis); !errors.Is(err, upstream.ErrLogin) || upstream.Unknown(err) {
		t.Errorf("got %v", err)
	}
}

func TestAccountKeepsOutOfLogs(t *testing.T) {
	for _, text := range []string{fmt.Sprint(*account()), fmt.Sprintf("%+v", *account()), fmt.Sprintf("%#v", *account()), fmt.Sprintf("%v", account()), fmt.Sprintf("%+v", upstream.Options{Account: account()})} {
		if strings.Contains(text, accountPassword) || strings.Contains(text, "sandbox-secret") {
			t.Errorf("%s", text)
		}
	}
}
