package config

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// DriftWatch says how often a gateway compares upstream with the manifest in force, and whom it tells.
type DriftWatch struct {
	DriftEvery             time.Duration `name:"drift-every" env:"GATEWAY_DRIFT_EVERY" default:"0s" group:"Drift" help:"How often upstream is compared with the manifest applied last, such as 6h; 0s is never."`
	DriftWebhook           Address       `name:"drift-webhook" env:"GATEWAY_DRIFT_WEBHOOK" placeholder:"URL" group:"Drift" help:"Receiver of a signed message when the drift has changed: https, or http on this machine (docs/sync.md)."`
	DriftWebhookDetails    bool          `name:"drift-webhook-details" env:"GATEWAY_DRIFT_WEBHOOK_DETAILS" group:"Drift" help:"Send the first 100 differences too, with logins and values, not only how many there are."`
	DriftWebhookSecret     Secret        `kong:"-" env:"GATEWAY_DRIFT_WEBHOOK_SECRET" help:"Secret that messages are signed with: whsec_ and 24 to 64 bytes in base64; environment only."`
	DriftWebhookSecretFile string        `name:"drift-webhook-secret-file" env:"GATEWAY_DRIFT_WEBHOOK_SECRET_FILE" placeholder:"FILE" group:"Drift" help:"File that holds that secret."`
}

// leastDriftEvery keeps a gateway from reading whole companies all the time.
const leastDriftEvery = time.Second

func (d *DriftWatch) complete(getenv func(string) string, problems *Problems) {
	if d.DriftEvery != 0 && d.DriftEvery < leastDriftEvery {
		problems.add("drift-every", "%s is less than %s; 0s is never", d.DriftEvery, leastDriftEvery)
	}
	if d.DriftWebhookSecret == "" {
		d.DriftWebhookSecret = Secret(getenv("GATEWAY_DRIFT_WEBHOOK_SECRET"))
	}
	secret := d.DriftWebhookSecret.Reveal()
	if d.DriftWebhookSecretFile != "" && readPart(problems, "drift-webhook-secret", d.DriftWebhookSecretFile, &secret) {
		return
	}
	d.DriftWebhookSecret = Secret(secret)
	if d.DriftWebhook == "" {
		if secret != "" {
			problems.add("drift-webhook", "a secret is given and no receiver")
		}
		return
	}
	d.checkReceiver(problems)
	switch {
	case secret == "":
		problems.add("drift-webhook", "needs the secret that messages are signed with: GATEWAY_DRIFT_WEBHOOK_SECRET or drift-webhook-secret-file")
	case !goodWebhookSecret(secret):
		problems.add("drift-webhook-secret-file", "the secret is not whsec_ and 24 to 64 bytes in base64, such as: echo whsec_$(openssl rand -base64 32)")
	}
}

// goodWebhookSecret tells whether a secret is as Standard Webhooks wants it.
func goodWebhookSecret(secret string) bool {
	text, ok := strings.CutPrefix(secret, "whsec_")
	b, err := base64.StdEncoding.DecodeString(text)
	return ok && err == nil && len(b) >= 24 && len(b) <= 64
}

func (d *DriftWatch) checkReceiver(problems *Problems) {
	u, err := url.Parse(d.DriftWebhook.Reveal())
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		problems.add("drift-webhook", "not a URL such as https://hooks.example/drift")
	case u.User != nil:
		problems.add("drift-webhook", "holds credentials; messages are signed instead")
	case u.Scheme == "http" && !LoopbackHost(u.Hostname()):
		problems.add("drift-webhook", "%s is not this machine; use https", d.DriftWebhook)
	}
}

// Address is a URL whose path and query may be as good as a password: it prints as scheme and host.
type Address string

// Reveal returns the whole address, for the one place that calls it.
func (a Address) Reveal() string { return string(a) }

// String returns scheme and host.
func (a Address) String() string {
	u, err := url.Parse(string(a))
	switch {
	case a == "":
		return ""
	case err != nil || u.Host == "":
		return secretMark
	case strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == "":
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// Format keeps every verb from showing more.
func (a Address) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(a.String())) }

// LogValue shows scheme and host in logs.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalText shows scheme and host in JSON and YAML.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
