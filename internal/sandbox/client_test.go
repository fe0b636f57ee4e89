package sandbox_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// The prefixes of the portals.
const (
	authent = "/api/rainbow/authentication/v1.0"
	admin   = "/api/rainbow/admin/v1.0"
	voice   = "/api/rainbow/rvcpprovisioning/v1.0"
	mass    = "/api/rainbow/massprovisioning/v1.0"
	licence = "/api/rainbow/subscription/v1.0"
	enduser = "/api/rainbow/enduser/v1.0"

	cloud = voice + "/cloudpbxs/" + sandbox.CloudPbxID
)

// rainbow is a logged-in client of a sandbox that a test started.
type rainbow struct {
	t       testing.TB
	url     string
	token   string
	sandbox *sandbox.Sandbox
}

// answer is what came back.
type answer struct {
	t           testing.TB
	what        string
	status      int
	contentType string
	header      http.Header
	body        []byte
}

func start(t testing.TB, options sandbox.Options) *rainbow {
	t.Helper()
	server := sandboxtest.Start(t, options)
	r := &rainbow{t: t, url: server.URL, sandbox: server.Sandbox}
	r.token = r.login(sandbox.AdminLogin, sandbox.AdminPassword)
	return r
}

// appAuth is the header of the application for a login.
func appAuth(password, secret string) string {
	sum := sha256.Sum256([]byte(secret + password))
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(sandbox.AppID+":"+hex.EncodeToString(sum[:])))
}

// signIn sends a login.
func (r *rainbow) signIn(login, password, secret string) answer {
	r.t.Helper()
	return r.send("GET", authent+"/login", "", http.Header{
		"Authorization":      {"Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+password))},
		"X-Rainbow-App-Auth": {appAuth(password, secret)},
	})
}

func (r *rainbow) login(login, password string) string {
	r.t.Helper()
	return r.signIn(login, password, sandbox.AppSecret).ok().text("token")
}

// do sends a call with the client's token; body may be nil, a string sent as
// it is, or anything that JSON can write.
func (r *rainbow) do(method, path string, body any) answer {
	r.t.Helper()
	header := http.Header{"Authorization": {"Bearer " + r.token}}
	text, isText := body.(string)
	switch {
	case isText:
		header.Set("Content-Type", "text/csv; charset=utf-8")
	case body != nil:
		raw, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		text = string(raw)
		header.Set("Content-Type", "application/json")
	}
	return r.send(method, path, text, header)
}

func (r *rainbow) send(method, path, body string, header http.Header) answer {
	r.t.Helper()
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{r.t, method + " " + path, resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header, raw}
}

func (r *rainbow) get(path string) answer { r.t.Helper(); return r.do("GET", path, nil) }

func (r *rainbow) post(path string, body any) answer { r.t.Helper(); return r.do("POST", path, body) }

func (r *rainbow) put(path string, body any) answer { r.t.Helper(); return r.do("PUT", path, body) }

func (r *rainbow) delete(path string) answer { r.t.Helper(); return r.do("DELETE", path, nil) }

// ok fails the test unless the answer is a JSON success.
func (a answer) ok() answer {
	a.t.Helper()
	if a.status != 200 || !strings.HasPrefix(a.contentType, "application/json") || len(a.body) == 0 {
		a.t.Fatalf("%s: got %d %q %s, want a JSON success", a.what, a.status, a.contentType, a.body)
	}
	return a
}

// fails fails the test unless the answer is Rainbow's envelope with the status
// and the code; code 0 means that the envelope must have none.
func (a answer) fails(status, code int) answer {
	a.t.Helper()
	var envelope struct {
		ErrorCode        int
		ErrorMsg         string
		ErrorDetails     any
		ErrorDetailsCode int
	}
	if err := json.Unmarshal(a.body, &envelope); err != nil || a.status != status || envelope.ErrorCode != status ||
		envelope.ErrorDetailsCode != code || envelope.ErrorMsg == "" || !strings.HasPrefix(a.contentType, "application/json") {
		a.t.Fatalf("%s: got %d %q %s, want status %d with code %d", a.what, a.status, a.contentType, a.body, status, code)
	}
	return a
}

// at walks a JSON answer: member names and indexes, separated by dots.
func (a answer) at(path string) any {
	a.t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		a.t.Fatalf("%s: %v in %s", a.what, err, a.body)
	}
	for _, step := range strings.Split(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(node) {
				a.t.Fatalf("%s: no element %q of %d in %s", a.what, step, len(node), path)
			}
			v = node[i]
		default:
			return nil
		}
	}
	return v
}

// text is at as it prints; absent and null print as "".
func (a answer) text(path string) string {
	a.t.Helper()
	if v := a.at(path); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// size is the length of the list at path.
func (a answer) size(path string) int {
	a.t.Helper()
	list, ok := a.at(path).([]any)
	if !ok {
		a.t.Fatalf("%s: no list at %s in %s", a.what, path, a.body)
	}
	return len(list)
}

// want compares the texts at several paths.
func (a answer) want(pathsAndTexts ...string) answer {
	a.t.Helper()
	for i := 0; i < len(pathsAndTexts); i += 2 {
		if got := a.text(pathsAndTexts[i]); got != pathsAndTexts[i+1] {
			a.t.Errorf("%s: %s is %q, want %q", a.what, pathsAndTexts[i], got, pathsAndTexts[i+1])
		}
	}
	return a
}

// importSheet imports a sheet, waits for its end and answers the full report.
func (r *rainbow) importSheet(path string, lines ...string) answer {
	r.t.Helper()
	reqID := r.post(path, strings.Join(lines, "\n")+"\n").ok().text("data.reqId")
	return r.report(reqID)
}

func (r *rainbow) report(reqID string) answer {
	r.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		a := r.get(mass + "/users/imports/" + reqID + "/details").ok()
		if a.text("data.status") == "Terminated" {
			return a
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("import %s does not end: %s", reqID, a.body)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// userID finds a user by login.
func (r *rainbow) userID(login string) string {
	r.t.Helper()
	return r.get(admin + "/users?loginEmail=" + login).ok().text("data.0.id")
}

// seeded is the login of the n-th seeded user.
func seeded(n int) string { return fmt.Sprintf("user%06d@sandbox.example", n) }
