package contract_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/sandboxtest"
)

// credentials sign in to a Rainbow.
type credentials struct{ login, password, appID, appSecret string }

// session is the suite's way to the Rainbow under test.
type session struct {
	t        testing.TB
	url      string
	account  credentials
	token    string
	rainbow  *sandboxtest.Server // nil: a real one
	mayWrite bool
	client   *http.Client
	label    string            // of what the suite makes, so that it is told from all else
	facts    map[string]string // ids found or made by earlier steps
	others   map[string]string // tokens of other accounts of the sandbox
	replayed map[string]bool   // documented requests that were sent
}

// open signs in to the Rainbow that the environment names, or to a sandbox.
func open(t *testing.T, environment func(string) string) *session {
	t.Helper()
	s := &session{
		t: t, url: strings.TrimSuffix(environment("GATEWAY_CONTRACT_UPSTREAM"), "/"), client: &http.Client{Timeout: 2 * time.Minute},
		label: "contract-" + strings.ToLower(rand.Text()[:8]), facts: map[string]string{}, others: map[string]string{}, replayed: map[string]bool{},
	}
	if s.url == "" {
		s.rainbow = sandboxtest.Start(t)
		s.url, s.mayWrite = s.rainbow.URL, true
		s.account = credentials{sandboxtest.AdminLogin, sandboxtest.AdminPassword, sandboxtest.AppID, sandboxtest.AppSecret}
		return s
	}
	s.mayWrite = environment("GATEWAY_CONTRACT_WRITE") == "1"
	for name, into := range map[string]*string{"LOGIN": &s.account.login, "PASSWORD": &s.account.password, "APP_ID": &s.account.appID, "APP_SECRET": &s.account.appSecret} {
		*into = environment("GATEWAY_" + name)
		if file := environment("GATEWAY_" + name + "_FILE"); *into == "" && file != "" {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("GATEWAY_%s_FILE: %v", name, err)
			}
			*into = strings.TrimSpace(string(text))
		}
		if *into == "" {
			t.Fatalf("GATEWAY_CONTRACT_UPSTREAM is set and GATEWAY_%s is not: the suite needs an account there", name)
		}
	}
	u, err := url.Parse(s.url)
	if err != nil || (u.Scheme != "https" && u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost") || u.Host == "" {
		t.Fatal("GATEWAY_CONTRACT_UPSTREAM: want https://HOST, or http:// on this machine")
	}
	return s
}

// reply is an answer. Its body never goes into a message: over a real account
// it is full of names, numbers and credentials.
type reply struct {
	what        string
	status      int
	contentType string
	body        []byte
}

// request is one call; path is below /api/rainbow.
type request struct {
	method, path string
	body         any // a string goes as it is, all else as JSON; nil: none
	contentType  string
	header       http.Header
	as           string // login of another account of the sandbox; empty: the suite's
}

func (s *session) send(r request) reply {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var text []byte
	switch body := r.body.(type) {
	case nil:
	case string:
		text = []byte(body)
	default:
		var err error
		if text, err = json.Marshal(body); err != nil {
			s.t.Fatal(err)
		}
		r.contentType = "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, r.method, s.url+"/api/rainbow"+r.path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if req.Header.Get("Authorization") == "" && s.tokenOf(r.as) != "" {
		req.Header.Set("Authorization", "Bearer "+s.tokenOf(r.as))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the URL, which may hold personal data
		}
		s.t.Fatalf("%s: %v", r.method, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		s.t.Fatalf("%s: %v", r.method, err)
	}
	return reply{r.method, resp.StatusCode, resp.Header.Get("Content-Type"), raw}
}

func (s *session) tokenOf(login string) string {
	if login == "" {
		return s.token
	}
	if s.others[login] == "" {
		s.others[login] = s.rainbow.Token(login)
	}
	return s.others[login]
}

func basic(user, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
}

// signIn sends a login with the suite's application.
func (s *session) signIn(login, password string) reply {
	s.t.Helper()
	sum := sha256.Sum256([]byte(s.account.appSecret + password))
	return s.send(request{method: "GET", path: "/authentication/v1.0/login", header: http.Header{
		"Authorization": {basic(login, password)}, "X-Rainbow-App-Auth": {basic(s.account.appID, hex.EncodeToString(sum[:]))},
	}})
}

func (s *session) get(path string) reply {
	s.t.Helper()
	return s.send(request{method: "GET", path: path})
}

func (s *session) post(path string, body any) reply {
	s.t.Helper()
	return s.send(request{method: "POST", path: path, body: body})
}

func (s *session) put(path string, body any) reply {
	s.t.Helper()
	return s.send(request{method: "PUT", path: path, body: body})
}

func (s *session) delete(path string) reply {
	s.t.Helper()
	return s.send(request{method: "DELETE", path: path})
}

// sheet sends CSV rows.
func (s *session) sheet(path string, lines ...string) reply {
	s.t.Helper()
	return s.send(request{method: "POST", path: path, body: strings.Join(lines, "\n") + "\n", contentType: "text/csv; charset=utf-8"})
}

// text walks a JSON answer: member names and indexes, separated by dots; what
// is not there is "".
func (r reply) text(path string) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return ""
	}
	for _, step := range strings.Split(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(node) {
				return ""
			}
			v = node[i]
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// missing is what a step panics with when the account lacks what it needs.
type missing struct{ what string }

// fact answers what an earlier step found or made.
func (s *session) fact(name string) string {
	if s.facts[name] == "" {
		panic(missing{name})
	}
	return s.facts[name]
}

// find asks for a list once and remembers a member of its first element.
func (s *session) find(name, path, member string) string {
	s.t.Helper()
	if s.facts[name] == "" {
		s.facts[name] = s.get(path).text(member)
	}
	return s.fact(name)
}

// either answers the first of some facts that is known.
func (s *session) either(names ...string) string {
	for _, name := range names[:len(names)-1] {
		if s.facts[name] != "" {
			return s.facts[name]
		}
	}
	return s.fact(names[len(names)-1])
}

// keep remembers a member of an answer for later steps.
func (s *session) keep(name string, r reply, member string) reply {
	s.facts[name] = r.text(member)
	return r
}
