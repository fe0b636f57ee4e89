package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const webhookSecret = "whsec_YSBrZXkgb2YgdGhpcnR5LXR3byBieXRlcywgbm8gbGVzcw=="

func TestDriftWatch(t *testing.T) {
	secretFile := write(t, "secret", webhookSecret+"\n")
	short := write(t, "short", "whsec_c2hvcnQ=\n")
	cases := []struct {
		name string
		args []string
		env  []string
		want string // of the error; empty for none
	}{
		{"nothing is watched out of the box", nil, nil, ""},
		{"a receiver with its secret in a file", []string{"--drift-webhook=https://hooks.example/x", "--drift-webhook-secret-file=" + secretFile}, nil, ""},
		{"a receiver with its secret in the environment", []string{"--drift-webhook=https://hooks.example/x"}, []string{"GATEWAY_DRIFT_WEBHOOK_SECRET", webhookSecret}, ""},
		{"a receiver on this machine", []string{"--drift-webhook=http://127.0.0.1:8099/x", "--drift-webhook-secret-file=" + secretFile}, nil, ""},
		{"a plain receiver elsewhere", []string{"--drift-webhook=http://hooks.example/x?token=t0ken", "--drift-webhook-secret-file=" + secretFile}, nil, "drift-webhook: http://hooks.example/… is not this machine; use https"},
		{"a receiver with credentials", []string{"--drift-webhook=https://a:t0ken@hooks.example", "--drift-webhook-secret-file=" + secretFile}, nil, "drift-webhook: holds credentials"},
		{"no URL", []string{"--drift-webhook=hooks.example", "--drift-webhook-secret-file=" + secretFile}, nil, "drift-webhook: not a URL"},
		{"a receiver without a secret", []string{"--drift-webhook=https://hooks.example"}, nil, "drift-webhook: needs the secret"},
		{"a secret without a receiver", nil, []string{"GATEWAY_DRIFT_WEBHOOK_SECRET", webhookSecret}, "drift-webhook: a secret is given and no receiver"},
		{"a short secret", []string{"--drift-webhook=https://hooks.example", "--drift-webhook-secret-file=" + short}, nil, "the secret is not whsec_"},
		{"a secret from both", []string{"--drift-webhook=https://hooks.example", "--drift-webhook-secret-file=" + secretFile}, []string{"GATEWAY_DRIFT_WEBHOOK_SECRET", webhookSecret}, "both drift-webhook-secret and drift-webhook-secret-file are given"},
		{"all the time", []string{"--drift-every=1ms"}, nil, "drift-every: 1ms is less than 1s"},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			c, err := parse(t, tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			err = c.Complete(env(append([]string{"HOME", "/home/u"}, tt.env...)...))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "t0ken") || strings.Contains(err.Error(), "c2hvcnQ")) {
				t.Errorf("the error shows a secret: %v", err)
			}
			if tt.want == "" && len(tt.args)+len(tt.env) > 0 && c.DriftWebhookSecret.Reveal() != webhookSecret {
				t.Error("the secret was not read")
			}
		})
	}
}

func TestAReceiversPathNeverShows(t *testing.T) {
	c, err := parse(t, "--drift-webhook=https://hooks.example/services/t0ken?x=t0ken")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("configuration", "config", c, "receiver", c.DriftWebhook)
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{log.String(), string(b), fmt.Sprint(c), fmt.Sprintf("%#v %q %s %x", c, c.DriftWebhook, c.DriftWebhook, c.DriftWebhook)} {
		if strings.Contains(text, "t0ken") || strings.Contains(text, fmt.Sprintf("%x", "t0ken")) {
			t.Errorf("the path shows: %s", text)
		}
		if !strings.Contains(text, "https://hooks.example") {
			t.Errorf("the host does not show: %s", text)
		}
	}
	if c.DriftWebhook.Reveal() != "https://hooks.example/services/t0ken?x=t0ken" {
		t.Errorf("revealed %q", c.DriftWebhook.Reveal())
	}
}

func TestTheWebhooksSecretIsNoKeyOfTheFile(t *testing.T) {
	_, err := parse(t, "--config", write(t, "gateway.yaml", "drift-webhook-secret: x\n"))
	if err == nil || !strings.Contains(err.Error(), "secrets are not kept in this file; use drift-webhook-secret-file") {
		t.Errorf("got %v", err)
	}
}
