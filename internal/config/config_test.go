package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
)

// parse runs kong as cmd/gateway does.
func parse(t *testing.T, args ...string) (config.Config, error) {
	t.Helper()
	var cli struct{ config.Config }
	parser, err := kong.New(&cli, config.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return cli.Config, err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func env(pairs ...string) func(string) string {
	return func(key string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == key {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestDefaultsAreTheContract(t *testing.T) {
	c, err := parse(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Complete(env("XDG_STATE_HOME", "/xdg")); err != nil {
		t.Fatal(err)
	}
	got := []string{c.GRPCAddr, c.HTTPAddr, c.AdminAddr, c.Upstream, c.State}
	want := []string{"127.0.0.1:9090", "127.0.0.1:8080", "127.0.0.1:9091", "sandbox", "/xdg/rainbow-gateway/state.db"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if c.HasAccount() {
		t.Error("an account is configured out of the box")
	}
}

func TestStateFallsBackToHome(t *testing.T) {
	c, _ := parse(t)
	if err := c.Complete(env("HOME", "/home/u")); err != nil {
		t.Fatal(err)
	}
	if want := "/home/u/.local/state/rainbow-gateway/state.db"; c.State != want {
		t.Errorf("got %s, want %s", c.State, want)
	}
}

func TestFlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	file := write(t, "gateway.yaml", "grpc-addr: 127.0.0.1:1\nhttp-addr: 127.0.0.1:1\nadmin-addr: 127.0.0.1:1\nmax-body-bytes: 7\nallow-origin: [https://a.example, https://b.example]\nupstream-timeout: 3s\n")
	t.Setenv("GATEWAY_CONFIG", file)
	t.Setenv("GATEWAY_GRPC_ADDR", "127.0.0.1:2")
	t.Setenv("GATEWAY_HTTP_ADDR", "127.0.0.1:2")
	c, err := parse(t, "--grpc-addr", "127.0.0.1:3")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.GRPCAddr, " ", c.HTTPAddr, " ", c.AdminAddr, " ", c.MaxBodyBytes, " ", c.StopTimeout, " ", c.UpstreamTimeout, " ", c.AllowOrigins)
	want := "127.0.0.1:3 127.0.0.1:2 127.0.0.1:1 7 15s 3s [https://a.example https://b.example]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestFaultsKeepTheirCommas: a rule for the sandbox is never split, whatever says it.
func TestFaultsKeepTheirCommas(t *testing.T) {
	const rule = "operation: ListUsers, status: 503, times: 2"
	c, err := parse(t, "--fault", rule, "--fault", "lost: 502", "--fault-seed", "7")
	if err != nil || fmt.Sprintf("%q", c.Fault) != fmt.Sprintf("%q", []string{rule, "lost: 502"}) || c.FaultSeed != 7 {
		t.Errorf("flags: %q, %v", c.Fault, err)
	}
	c, err = parse(t, "--config", write(t, "gateway.yaml", "fault: ['"+rule+"', 'lost: 502']\nfaults: day.yaml\n"))
	if err != nil || fmt.Sprintf("%q", c.Fault) != fmt.Sprintf("%q", []string{rule, "lost: 502"}) || c.Faults != "day.yaml" {
		t.Errorf("file: %q, %v", c.Fault, err)
	}
	_, err = parse(t, "--config", write(t, "gateway.yaml", "fault:\n  - status: 503\n"))
	if err == nil || !strings.Contains(err.Error(), `:1: key "fault": a value or a list of values is expected; quote what holds colons`) {
		t.Errorf("an unquoted rule: %v", err)
	}
	t.Setenv("GATEWAY_FAULT", rule)
	c, err = parse(t, "--upstream", "https://rainbow.example", "--fault-seed=-1")
	if err != nil || len(c.Fault) != 1 || c.Fault[0] != rule {
		t.Fatalf("environment: %q, %v", c.Fault, err)
	}
	err = c.Complete(env("HOME", "/home/u"))
	for _, want := range []string{"fault: only the sandbox has faults on demand", "fault-seed: -1 is negative"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestFileFaultsNameLineAndKey(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "http-addr: 127.0.0.1:0\ncolour: red\n", `:2: key "colour": unknown`},
		{"key twice", "login: a\nlogin: b\n", `:2: key "login": given twice`},
		{"secret in the file", "password: x\n", `:1: key "password": secrets are not kept in this file; use password-file or the environment`},
		{"nested value", "upstream:\n  url: x\n", `:1: key "upstream": a value or a list of values is expected`},
		{"not a mapping", "- a\n", ":1: not a mapping"},
		{"not YAML", "a: [\n", "yaml:"},
		{"no value", "upstream:\n", `:1: key "upstream": has no value`},
		{"a bad number", "rate-burst: many\n", `:1: key "rate-burst": "many" is not a whole number`},
		{"another bad number", "rate-limit: 1,5\n", `:1: key "rate-limit": "1,5" is not a number`},
		{"a bad duration", "\nstop-timeout: 5\n", `:2: key "stop-timeout": "5" is not a duration such as 15s`},
		{"a bad choice", "catch-all: maybe\n", `:1: key "catch-all": "maybe" is not one of auto, on, off`},
		{"a bad switch", "upstream-plain: yup\n", `:1: key "upstream-plain": "yup" is not true or false`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "gateway.yaml", tt.text)
			_, err := parse(t, "--config", path)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := parse(t, "--config", "/nowhere/gateway.yaml"); err == nil || !strings.HasPrefix(err.Error(), "configuration file: open /nowhere/gateway.yaml") {
		t.Errorf("missing file: got %v", err)
	}
	_, err := parse(t, "--config", write(t, "gateway.yaml", "colour: red\nrate-limit: x\nstop-timeout: 5\n"))
	if n := strings.Count(fmt.Sprint(err), "gateway.yaml:"); n != 3 {
		t.Errorf("%d of 3 faults named: %v", n, err)
	}
}

func TestEmptyFileChangesNothing(t *testing.T) {
	c, err := parse(t, "--config", write(t, "gateway.yaml", "# nothing yet\n"))
	if err != nil || c.GRPCAddr != "127.0.0.1:9090" {
		t.Errorf("got %q, %v", c.GRPCAddr, err)
	}
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	c, err := parse(t, "--grpc-addr", "nine", "--http-addr", "127.0.0.1:7", "--admin-addr", "127.0.0.1:7",
		"--upstream", "ftp://x", "--rate-limit=-1", "--rate-burst=0", "--stop-timeout=0s", "--max-body-bytes=0",
		"--seed-users=-1", "--allow-origin", "console,https://a.example/x,https://u@a.example,https://a.example?x", "--upstream-ca", "/nowhere/ca.pem", "--login", "a@b.example")
	if err != nil {
		t.Fatal(err)
	}
	var problems config.Problems
	if !errors.As(c.Complete(env("HOME", "/h")), &problems) {
		t.Fatal("no problems found")
	}
	var keys []string
	for _, p := range problems {
		keys = append(keys, p.Key)
	}
	want := "grpc-addr admin-addr allow-origin allow-origin allow-origin allow-origin max-body-bytes stop-timeout upstream-ca upstream password rate-limit rate-burst seed-users"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("got  %s\nwant %s\n%v", got, want, problems)
	}
}

func TestUpstreamURL(t *testing.T) {
	tests := []struct {
		url, plain, want string // want: "" is refused
	}{
		{"https://openrainbow.com", "", "https://openrainbow.com"},
		{"https://openrainbow.com/", "", "https://openrainbow.com"},
		{"http://127.0.0.1:8090", "", "http://127.0.0.1:8090"},
		{"http://[::1]:8090", "", "http://[::1]:8090"},
		{"http://localhost:8090", "", "http://localhost:8090"},
		{"http://rainbow.example", "", ""},
		{"http://rainbow.example", "--upstream-plain", "http://rainbow.example"},
		{"https://user:pass@rainbow.example", "", ""},
		{"https://rainbow.example/api?x=1", "", ""},
		{"rainbow.example", "", ""},
		{"https://", "", ""},
		{"%zz", "", ""},
	}
	for _, tt := range tests {
		args := []string{"--upstream", tt.url}
		if tt.plain != "" {
			args = append(args, tt.plain)
		}
		c, err := parse(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Complete(env("HOME", "/h"))
		if (err == nil) != (tt.want != "") || err == nil && c.Upstream != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.url, c.Upstream, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "pass@") {
			t.Errorf("%s: the error shows credentials: %v", tt.url, err)
		}
	}
}

func TestAccountFromEnvironmentAndFiles(t *testing.T) {
	c, err := parse(t, "--login", "a@b.example", "--app-id", "app", "--app-secret-file", write(t, "secret", "s3cret\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Complete(env("HOME", "/h", "GATEWAY_PASSWORD", "pa ss")); err != nil {
		t.Fatal(err)
	}
	if c.Password.Reveal() != "pa ss" || c.AppSecret.Reveal() != "s3cret" || !c.HasAccount() {
		t.Errorf("got password %q, secret %q", c.Password.Reveal(), c.AppSecret.Reveal())
	}
}

func TestAccountFaults(t *testing.T) {
	tests := []struct {
		name string
		args []string
		env  []string
		want string
	}{
		{"half an account", []string{"--login", "a@b.example"}, []string{"GATEWAY_PASSWORD", "x"}, "missing: app-id, app-secret"},
		{"value and file", []string{"--password-file", write(t, "p", "x\n")}, []string{"GATEWAY_PASSWORD", "y"}, "both password and password-file are given"},
		{"empty file", []string{"--password-file", write(t, "e", "\n")}, nil, "empty"},
		{"two lines", []string{"--password-file", write(t, "l", "x\ny\n")}, nil, "more than one line"},
		{"missing file", []string{"--login-file", "/nowhere/login"}, nil, "login-file: open /nowhere/login"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := parse(t, tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			err = c.Complete(env(append(tt.env, "HOME", "/h")...))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestSecretsNeverShow(t *testing.T) {
	c, err := parse(t, "--login", "a@b.example", "--app-id", "app")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Complete(env("HOME", "/h", "GATEWAY_PASSWORD", "hunter2", "GATEWAY_APP_SECRET", "sesame")); err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("configuration", "config", c, "password", c.Password)
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	shown := logged.String() + string(asJSON) + fmt.Sprintf("%v %+v %#v %s %q %x %d", c, c, c, c.Password, c.Password, c.Password, c.Password)
	for _, secret := range []string{"hunter2", "sesame", fmt.Sprintf("%x", "hunter2")} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q shows in %s", secret, shown)
		}
	}
	if !strings.Contains(logged.String(), `"login":"a@b.example"`) || !strings.Contains(logged.String(), `"GATEWAY_PASSWORD":"[secret]"`) {
		t.Errorf("dump lacks what it should show: %s", logged.String())
	}
}

func TestEveryKeyHasFlagEnvironmentAndHelp(t *testing.T) {
	for _, key := range config.Keys() {
		if key.Help == "" || !strings.HasPrefix(key.Env, "GATEWAY_") {
			t.Errorf("%+v", key)
		}
		if key.Secret != (key.Name == "") {
			t.Errorf("%s: secrets, and only they, have no flag", key.Env)
		}
		if key.Name != "" && key.Env != "GATEWAY_"+strings.ToUpper(strings.ReplaceAll(key.Name, "-", "_")) {
			t.Errorf("%s: environment variable %s", key.Name, key.Env)
		}
	}
}

// TestDocsHaveOneRowPerKey compares docs/config.md with the struct.
func TestDocsHaveOneRowPerKey(t *testing.T) {
	b, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.SplitSeq(string(b), "\n") {
		if strings.HasPrefix(line, "| `") || strings.HasPrefix(line, "| none") {
			rows = append(rows, line)
		}
	}
	keys := config.Keys()
	if len(rows) != len(keys) {
		t.Errorf("%d rows, %d keys", len(rows), len(keys))
	}
	for i, key := range keys {
		if i >= len(rows) || rows[i] != row(key) {
			t.Errorf("want row %d\n%s", i+1, row(key))
		}
	}
}

func row(key config.Key) string {
	name, value := "`"+key.Name+"`", "`"+key.Default+"`"
	if key.Name == "" {
		name = "none"
	}
	if key.Default == "" {
		value = ""
	}
	return fmt.Sprintf("| %s | `%s` | %s | %s |", name, key.Env, value, strings.ReplaceAll(key.Help, "|", `\|`))
}
