package conformance_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// TestEveryOperationAnswersOverTheSandbox lives in the embedded Rainbow through each door, in a world of its own, until
// every operation of the catalogue has answered a success.
func TestEveryOperationAnswersOverTheSandbox(t *testing.T) {
	all := catalogue(t)
	for _, name := range []string{"REST", "gRPC", "gRPC stream"} {
		t.Run(name, func(t *testing.T) {
			g := startGateway(t, sandboxtest.Start(t, sandbox.Options{}).URL)
			w := &walk{t: t, all: all, shown: tally{}, name: name, login: sandbox.AdminLogin}
			switch name {
			case "REST":
				w.door = restDoor{g}
			case "gRPC":
				w.door = newGRPCDoor(g)
			default:
				w.door = newGRPCDoor(g).streaming()
			}
			w.tokens = map[string]string{}
			for _, part := range []func(*walk){
				walkUsers, walkSystems, walkCloudPBX, walkSubscribers, walkDevices, walkGroups, walkGreetings, walkRecordings, walkWelcomes,
				walkImports, walkCommands, walkDirectories, walkTenants, walkSubscriptions, walkInvoices, walkCredentials, walkEnds,
			} {
				part(w)
			}
			w.shown.require(t, all, name)
		})
	}
}

// walk is an administrator's day: calls, one after the other.
type walk struct {
	t      *testing.T
	all    []operation
	door   door
	name   string
	shown  tally
	login  string            // as whom the next calls are made
	tokens map[string]string // by login
}

// arg is a part of a request.
type arg func(*request)

// at gives the values of the path's variables.
func at(values ...string) arg { return func(r *request) { r.values = values } }

func query(escaped string) arg { return func(r *request) { r.query = escaped } }

func body(v any) arg {
	return func(r *request) {
		r.media = "application/json"
		r.body, _ = json.Marshal(v)
	}
}

func file(media, text string) arg {
	return func(r *request) { r.media, r.body = media, []byte(text) }
}

func csv(lines ...string) arg { return file("text/csv; charset=utf-8", strings.Join(lines, "\n")+"\n") }

func audio() arg { return file("audio/wav", string(wav(1))) }

func header(name, value string) arg { return func(r *request) { r.header.Set(name, value) } }

type object = map[string]any

// as makes the calls that follow as another account of the sandbox.
func (w *walk) as(login string) *walk {
	other := *w
	other.login = login
	return &other
}

// do makes a call and fails the test unless it succeeds.
func (w *walk) do(id string, args ...arg) result {
	w.t.Helper()
	r := request{op: find(w.t, w.all, id), header: http.Header{}}
	for _, a := range args {
		a(&r)
	}
	if r.header.Get("Authorization") == "" && r.header.Get("X-Rainbow-Api-Key") == "" {
		r.header.Set("Authorization", "Bearer "+w.token())
	}
	if len(r.values) != len(r.op.variables()) {
		w.t.Fatalf("%s: %d path values for %v", id, len(r.values), r.op.variables())
	}
	got := w.door.call(w.t, r)
	if got.status < 200 || got.status > 399 {
		w.t.Fatalf("%s %v over %s: %d %.500s", id, r.values, w.name, got.status, got.body)
	}
	if why := broken(got); why != "" && w.name == "REST" && !isFile(got.media) {
		w.t.Errorf("%s: the SDK would fail: %s", id, why)
	}
	w.shown.add(r.op, w.name)
	return result{w.t, id, got}
}

// isFile tells whether an answer is a file that the SDK's methods don't read.
func isFile(media string) bool {
	return strings.HasPrefix(media, "audio/") || media == "application/pdf"
}

func (w *walk) token() string {
	w.t.Helper()
	if w.tokens[w.login] == "" {
		w.tokens[w.login] = w.signIn(w.login)
	}
	return w.tokens[w.login]
}

// signIn is the login of Rainbow's clients: an account and an application, each with its secret.
func (w *walk) signIn(login string) string {
	w.t.Helper()
	password := sandbox.AdminPassword
	if strings.HasPrefix(login, "user0") {
		password = sandbox.UserPassword
	}
	return w.do("Login", header("Authorization", basic(login, password)),
		header("X-Rainbow-App-Auth", basic(sandbox.AppID, hashed(sandbox.AppSecret+password)))).text("token")
}

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// user is the id of an account.
func (w *walk) user(login string) string {
	w.t.Helper()
	return w.do("ListUsers", query("loginEmail="+login)).text("data.0.id")
}

// wait asks until the answer says what is wanted.
func (w *walk) wait(path, want, id string, args ...arg) result {
	w.t.Helper()
	for range 500 {
		if r := w.do(id, args...); r.text(path) == want {
			return r
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatalf("%s: %s is not %q after 5 s", id, path, want)
	return result{}
}

// seeded is the login of the n-th seeded user.
func seeded(n int) string { return fmt.Sprintf("user%06d@sandbox.example", n) }

// result is a success.
type result struct {
	t  *testing.T
	id string
	reply
}

// text walks a document: names and indexes, separated by dots. It fails when there is nothing.
func (r result) text(path string) string {
	r.t.Helper()
	v := plain(r.t, r.body)
	for _, step := range strings.Split(path, ".") {
		switch node := v.(type) {
		case map[string]any:
			v = node[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(node) {
				r.t.Fatalf("%s: no element %s of %s in %.500s", r.id, step, path, r.body)
			}
			v = node[i]
		default:
			v = nil
		}
	}
	if v == nil {
		r.t.Fatalf("%s: no %s in %.500s", r.id, path, r.body)
	}
	return fmt.Sprint(v)
}

// isFile fails the test unless the answer is a file of that type which begins so.
func (r result) isFile(media, begin string) {
	r.t.Helper()
	if !strings.HasPrefix(r.media, media) || !strings.HasPrefix(string(r.body), begin) {
		r.t.Errorf("%s: got %q %.40q, want %s that begins with %q", r.id, r.media, r.body, media, begin)
	}
}
