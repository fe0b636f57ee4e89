package rest

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rules"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// validating gives the door a dispatcher that validates.
func (d *door) validating(t *testing.T, mode facade.ValidateMode) {
	t.Helper()
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.New(bindings)
	if err != nil {
		t.Fatal(err)
	}
	client, err := upstream.New(upstream.Options{BaseURL: d.upstream.URL, Bindings: bindings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	log := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	opts := d.handler.opts
	opts.Dispatcher = facade.NewDispatcher(bindings, client, log, facade.Audit(log), facade.Authenticate(false),
		facade.Validate(facade.Validation{Mode: mode, Rules: set, Registry: prometheus.NewRegistry(), Log: log}))
	handler, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	d.Config.Handler = handler
}

// forget makes got empty until the next request.
func (u *recorder) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last = received{}
}

const (
	subscribers = "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/5703/subscribers"
	devices     = "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/5703/devices"
	csvTemplate = "/api/rainbow/massprovisioning/v1.0/users/template"
)

func TestValidationOverREST(t *testing.T) {
	const detailsOf = `{"errorCode":400,"errorMsg":"Bad Request","errorDetails":[%],"errorDetailsCode":400000}`
	missing := `{"param":"shortNumber","msg":"value is required"},{"param":"userId","msg":"value is required"}`
	tests := []struct {
		name, line, body string
		header           string // of the answer in report mode
		details          string // of the refusal in strict mode, "" when strict lets it through too
	}{
		{"a read without a query", "GET " + users + "/5703", "", "", ""},
		{"a query of documented values", "GET " + users + "?format=full&limit=10", "", "", ""},
		{"a value that is not documented", "GET " + users + "?format=tiny", "",
			"format string.in", `{"param":"format","msg":"must be in list [small, medium, full], got \"tiny\""}`},
		{"what the Node SDK sends", "GET " + devices + "?limit=100&offset=undefined&sortOrder=1&assigned=undefined", "", "", ""},
		{"its doubled limit", "GET " + devices + "?limit=100&offset=undefined&limit=false", "", "", ""},
		{"no number: only strict minds", "GET " + devices + "?limit=ten", "", "", `{"param":"limit","msg":"must be a number, got \"ten\""}`},
		{"what is missing in a body", "POST " + subscribers, `{"login":"x","unknown":1}`, "shortNumber required, userId required", missing},
		{"no body", "POST " + subscribers, "", "shortNumber required, userId required", missing},
		{"a mistyped member is there", "POST " + subscribers, `{"shortNumber":2000,"userId":null}`, "", ""},
		{"a list instead of an object", "POST " + subscribers, `["2000"]`, "body object", `{"param":"body","msg":"must be a JSON object"}`},
		{"a secret stays one", "POST " + users, `{"loginEmail":"a@b.example","password":"hunter2"}`,
			"password string.min_len", `{"param":"password","msg":"must be at least 8 characters"}`},
		{"a CSV route", "GET " + csvTemplate + "?mode=users", "",
			"mode string.in", `{"param":"mode","msg":"must be in list [user, device, useranddevice, rainbowvoice], got \"users\""}`},
		{"a path that no RPC models", "POST /api/rainbow/enduser/v1.0/users/me?limit=ten", `{}`, "", ""},
	}
	for _, mode := range []facade.ValidateMode{facade.ValidateReport, facade.ValidateStrict} {
		d := setup(t, reply(200, "application/json", `{"data":{}}`), nil)
		d.validating(t, mode)
		for _, tt := range tests {
			t.Run(string(mode)+": "+tt.name, func(t *testing.T) {
				d.upstream.forget()
				got := d.send(t, tt.line, tt.body, "Authorization: Bearer mine", "Content-Type: application/json")
				reached := d.upstream.got()
				if mode == facade.ValidateStrict && tt.details != "" {
					want := strings.Replace(detailsOf, "%", tt.details, 1)
					if got.status != 400 || got.body != want || got.header.Get("X-Error-Origin") != "gateway" || reached.line != "" {
						t.Errorf("got %d %s, upstream got %q\nwant %s", got.status, got.body, reached.line, want)
					}
					return
				}
				if got.status != 200 || got.header.Get("X-Gateway-Violations") != tt.header {
					t.Errorf("got %d, violations %q, want %q", got.status, got.header.Get("X-Gateway-Violations"), tt.header)
				}
				if reached.line != tt.line || reached.body != tt.body {
					t.Errorf("upstream got %s %q", reached.line, reached.body)
				}
			})
		}
		d.Close() // waits for the last line of the log
		for _, secret := range []string{"hunter2", "tiny", "ten\\"} {
			if strings.Contains(d.log.String(), secret) {
				t.Errorf("%s: %q is in the log: %s", mode, secret, d.log.String())
			}
		}
	}
}

// Upstream's own header of that name would be the gateway's word to the caller.
func TestUpstreamCannotSpeakOfViolations(t *testing.T) {
	d := setup(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Gateway-Violations", "x")
		reply(200, "application/json", "{}")(w, r)
	}, nil)
	d.validating(t, facade.ValidateReport)
	if got := d.send(t, "GET "+users, ""); got.header.Get("X-Gateway-Violations") != "" {
		t.Errorf("got %v", got.header)
	}
}
