package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Problem is one thing wrong with the configuration: the key as the file and the flag spell it, and what would be right.
type Problem struct {
	Key  string
	Text string
}

// Problems is every problem of a configuration, in the order of the struct.
type Problems []Problem

// Error lists the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Key + ": " + problem.Text
	}
	return "configuration: " + strings.Join(lines, "\nconfiguration: ")
}

func (p *Problems) add(key, format string, args ...any) {
	*p = append(*p, Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

// err returns nil rather than an empty list.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// Complete reads secrets from the environment and files, fills what has no constant default, and returns Problems when
// anything is wrong. getenv is os.Getenv outside tests.
func (c *Config) Complete(getenv func(string) string) error {
	var problems Problems
	c.Listeners.check(&problems)
	c.DriftWatch.complete(getenv, &problems)
	c.Engine.complete(getenv, &problems)
	return problems.err()
}

// Complete is Config.Complete for the verbs that have no listeners.
func (e *Engine) Complete(getenv func(string) string) error {
	var problems Problems
	e.complete(getenv, &problems)
	return problems.err()
}

func (l *Listeners) check(problems *Problems) {
	checkAddr(problems, "grpc-addr", l.GRPCAddr)
	checkAddr(problems, "http-addr", l.HTTPAddr)
	checkAddr(problems, "admin-addr", l.AdminAddr)
	checkClash(problems, "http-addr", l.HTTPAddr, "grpc-addr", l.GRPCAddr)
	checkClash(problems, "admin-addr", l.AdminAddr, "grpc-addr", l.GRPCAddr)
	checkClash(problems, "admin-addr", l.AdminAddr, "http-addr", l.HTTPAddr)
	l.ListenerTLS.check(problems)
	for _, origin := range l.AllowOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			problems.add("allow-origin", "%q is not an origin such as https://console.example", origin)
		}
	}
	checkIdentityHeader(problems, l.IdentityHeader)
	checkPositive(problems, "max-body-bytes", l.MaxBodyBytes)
	checkPositive(problems, "max-upload-bytes", l.MaxUploadBytes)
	checkPositive(problems, "max-message-bytes", int64(l.MaxMessageBytes))
	checkDuration(problems, "stop-timeout", l.StopTimeout)
	if !(l.DriftSample >= 0) { // NaN is neither
		problems.add("drift-sample", "%v is no number of answers a second; 0 is off", l.DriftSample)
	}
}

func (e *Engine) complete(getenv func(string) string, problems *Problems) {
	e.checkUpstream(problems)
	if e.State == "" {
		e.State = defaultState(getenv)
	}
	if e.State == "" {
		problems.add("state", "no default because neither XDG_STATE_HOME nor HOME is set; give a file")
	}
	e.readAccount(getenv, problems)
	e.History.check(problems)
	checkDuration(problems, "upstream-timeout", e.UpstreamTimeout)
	checkDuration(problems, "dial-timeout", e.DialTimeout)
	if e.RateLimit < 0 {
		problems.add("rate-limit", "%v is negative; 0 is no limit", e.RateLimit)
	}
	if e.RateBurst < 1 {
		problems.add("rate-burst", "%d is less than 1", e.RateBurst)
	}
	if e.SeedUsers < 0 {
		problems.add("seed-users", "%d is negative", e.SeedUsers)
	}
	if e.FaultSeed < 0 {
		problems.add("fault-seed", "%d is negative", e.FaultSeed)
	}
	if len(e.Fault) > 0 && !e.UsesSandbox() {
		problems.add("fault", "only the sandbox has faults on demand; the upstream is %s", e.Upstream)
	}
	if e.Faults != "" && !e.UsesSandbox() {
		problems.add("faults", "only the sandbox has faults on demand; the upstream is %s", e.Upstream)
	}
}

func (e *Engine) checkUpstream(problems *Problems) {
	if e.UpstreamCA != "" {
		if _, err := os.Stat(e.UpstreamCA); err != nil {
			problems.add("upstream-ca", "%v", err)
		}
	}
	if e.UsesSandbox() {
		return
	}
	u, err := url.Parse(e.Upstream)
	if err != nil {
		problems.add("upstream", "not a URL; want https://HOST or %q", SandboxUpstream)
		return
	}
	switch {
	case u.User != nil:
		problems.add("upstream", "holds credentials; give them as login and password")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		problems.add("upstream", "%q is neither https://HOST nor %q", e.Upstream, SandboxUpstream)
	case u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		problems.add("upstream", "%q has a path, query or fragment; only scheme and host belong here", e.Upstream)
	case u.Scheme == "http" && !e.UpstreamPlain && !LoopbackHost(u.Hostname()):
		problems.add("upstream", "%q would send credentials in the clear; use https or --upstream-plain", e.Upstream)
	default:
		e.Upstream = u.Scheme + "://" + u.Host
	}
}

// readAccount fills the four parts of the service account. An account is whole or absent.
func (e *Engine) readAccount(getenv func(string) string, problems *Problems) {
	if e.Password == "" {
		e.Password = Secret(getenv("GATEWAY_PASSWORD"))
	}
	if e.AppSecret == "" {
		e.AppSecret = Secret(getenv("GATEWAY_APP_SECRET"))
	}
	password, appSecret := e.Password.Reveal(), e.AppSecret.Reveal()
	parts := []struct {
		key, file string
		value     *string
	}{
		{"login", e.LoginFile, &e.Login},
		{"password", e.PasswordFile, &password},
		{"app-id", e.AppIDFile, &e.AppID},
		{"app-secret", e.AppSecretFile, &appSecret},
	}
	var missing []string
	broken := false
	for _, part := range parts {
		if part.file != "" {
			broken = readPart(problems, part.key, part.file, part.value) || broken
		}
		if *part.value == "" {
			missing = append(missing, part.key)
		}
	}
	e.Password, e.AppSecret = Secret(password), Secret(appSecret)
	if !broken && len(missing) > 0 && len(missing) < len(parts) {
		problems.add(missing[0], "a service account needs login, password, app-id and app-secret; missing: %s", strings.Join(missing, ", "))
	}
}

// readPart reads one part of the account from its file and tells whether that went wrong.
func readPart(problems *Problems, key, file string, value *string) bool {
	if *value != "" {
		problems.add(key+"-file", "both %s and %s-file are given", key, key)
		return true
	}
	text, err := readSecretFile(file)
	if err != nil {
		problems.add(key+"-file", "%v", err)
		return true
	}
	*value = text
	return false
}

func defaultState(getenv func(string) string) string {
	dir := getenv("XDG_STATE_HOME")
	if dir == "" && getenv("HOME") != "" {
		dir = filepath.Join(getenv("HOME"), ".local", "state")
	}
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "rainbow-gateway", "state.db")
}

// LoopbackHost tells whether a host name or address, without port, means this machine only.
func LoopbackHost(host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") || strings.EqualFold(host, "localhost.") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func checkAddr(problems *Problems, key, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		problems.add(key, "%q is not HOST:PORT", addr)
		return
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		problems.add(key, "%q is not a port", port)
	}
}

func checkClash(problems *Problems, key, addr, otherKey, other string) {
	if addr == other && addr != "" && !strings.HasSuffix(addr, ":0") {
		problems.add(key, "%s is taken by %s", addr, otherKey)
	}
}

func checkPositive(problems *Problems, key string, n int64) {
	if n < 1 {
		problems.add(key, "%d is less than 1", n)
	}
}

func checkDuration(problems *Problems, key string, d time.Duration) {
	if d <= 0 {
		problems.add(key, "%s is not a positive duration such as 15s", d)
	}
}
