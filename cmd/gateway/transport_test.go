package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/testca"
)

// certified is a gateway that knows people by their certificates, and wants a second one for each plan.
type certified struct {
	served
	servers  *testca.Authority
	pair     testca.Pair
	ann, bob testca.Pair
}

func serveCertified(t *testing.T) *certified {
	t.Helper()
	people := testca.New(t, "people")
	c := &certified{servers: testca.New(t, "servers"), ann: people.Issue(t, testca.Leaf{Email: "ann@corp.example"}), bob: people.Issue(t, testca.Leaf{Email: "bob@corp.example"})}
	c.pair = c.servers.Issue(t, testca.Leaf{Server: true})
	c.served = serve(t, "--approval", "different", "--tls-cert", c.pair.Cert, "--tls-key", c.pair.Key,
		"--tls-client-ca", people.File, "--tls-client-auth", "optional", "--tls-client-allow", "*@corp.example")
	return c
}

// verb runs a verb of the command line against the gateway, and gives what it prints and its exit code.
func (c *certified) verb(t *testing.T, who *testca.Pair, args ...string) (printed string, code int) {
	t.Helper()
	args = append(args, "--server", c.GRPC, "--ca", c.servers.File)
	if who != nil {
		args = append(args, "--cert", who.Cert, "--key", who.Key)
	}
	cmd := program(t, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// TestFourEyesByCertificates: who plans, approves and applies is who his certificate says, on the command line and through both
// doors; nobody known approves nothing.
func TestFourEyesByCertificates(t *testing.T) {
	c := serveCertified(t)
	manifest := filepath.Join(t.TempDir(), "team.csv")
	if err := os.WriteFile(manifest, []byte("__action__;loginEmail;lastName\nupsert;user000002@sandbox.example;Zoe\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect := func(who *testca.Pair, code int, want string, args ...string) string {
		t.Helper()
		printed, got := c.verb(t, who, args...)
		if got != code || !strings.Contains(printed, want) {
			t.Fatalf("gateway %s: exit code %d, want %d with %q:\n%s", strings.Join(args, " "), got, code, want, printed)
		}
		return printed
	}
	printed := expect(&c.ann, 2, "plan-", "plan", "--refresh", "-f", manifest)
	plan := regexp.MustCompile(`plan-\d+-\d+-[0-9a-f]+`).FindString(printed)
	expect(nil, 0, "Made by ann@corp.example (by his certificate)", "plans", "show", plan)
	expect(&c.ann, 1, "somebody else than the plan's creator, which is ann@corp.example", "approve", plan)
	expect(nil, 1, "nothing vouches for who you are", "approve", plan)
	expect(&c.ann, 3, "nobody has approved it", "apply", plan, "--yes")

	for door, approve := range map[string]func(*testing.T, string, *testca.Pair) (codes.Code, string){"gRPC": c.approveOverGRPC, "REST": c.approveOverREST} {
		if code, text := approve(t, plan, nil); code != codes.FailedPrecondition || !strings.Contains(text, "nothing vouches") {
			t.Errorf("%s: approval by nobody: %s %s, want FAILED_PRECONDITION", door, code, text)
		}
	}
	if code, text := c.approveOverREST(t, plan, &c.bob); code != codes.OK || !strings.Contains(text, `"bob@corp.example"`) || !strings.Contains(text, "VOUCHER_CERTIFICATE") {
		t.Fatalf("bob's approval: %s %s", code, text)
	}
	expect(&c.ann, 0, "done", "apply", plan, "--yes")
	expect(nil, 0, "ann@corp.example", "runs")
}

func (c *certified) config(who *testca.Pair) *tls.Config {
	config := &tls.Config{RootCAs: c.servers.Pool}
	if who != nil {
		config.Certificates = []tls.Certificate{who.TLS}
	}
	return config
}

func (c *certified) approveOverGRPC(t *testing.T, plan string, who *testca.Pair) (codes.Code, string) {
	t.Helper()
	conn, err := grpc.NewClient(c.GRPC, grpc.WithTransportCredentials(credentials.NewTLS(c.config(who))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	answer, err := syncv1.NewPlanServiceClient(conn).ApprovePlan(t.Context(), &syncv1.ApprovePlanRequest{Name: "companies/-/plans/" + plan})
	if err != nil {
		return status.Code(err), err.Error()
	}
	return codes.OK, answer.String()
}

func (c *certified) approveOverREST(t *testing.T, plan string, who *testca.Pair) (codes.Code, string) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: c.config(who)}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+c.HTTP+"/v1/companies/-/plans/"+plan+":approve", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var refusal struct{ Code codes.Code }
	if err := json.Unmarshal(body, &refusal); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return refusal.Code, string(bytes.TrimSpace(body))
}

// TestHangupReloadsCertificates: SIGHUP takes new files over at once, and ends nothing.
func TestHangupReloadsCertificates(t *testing.T) {
	c := serveCertified(t)
	c.servers.Replace(t, &c.pair, testca.Leaf{Server: true})
	if err := c.process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	want := c.pair.TLS.Leaf.SerialNumber
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := tls.Dial("tcp", c.GRPC, c.config(nil))
		if err != nil {
			t.Fatal(err)
		}
		got := conn.ConnectionState().PeerCertificates[0].SerialNumber
		_ = conn.Close()
		if got.Cmp(want) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the gateway shows certificate %s, want %s", got, want)
		}
	}
}

// TestWaysToAGateway: what can't work is said before anything is sent, or with a hint at what is missing.
func TestWaysToAGateway(t *testing.T) {
	c := serveCertified(t)
	plain, strict := serve(t), serve(t, "--tls-cert", c.pair.Cert, "--tls-key", c.pair.Key, "--tls-client-ca", c.servers.File)
	for _, w := range []struct {
		name, want string
		args       []string
	}{
		{"in the clear to a gateway with TLS", "--ca, --cert and --key", []string{"--server", c.GRPC}},
		{"by an authority that it is not of", "--ca, --cert and --key", []string{"--server", c.GRPC, "--ca", c.ann.Cert}},
		{"without the certificate that the gateway wants", "--ca, --cert and --key", []string{"--server", strict.GRPC, "--ca", c.servers.File}},
		{"the system's authorities", "--ca, --cert and --key", []string{"--server", "https://" + c.GRPC}},
		{"TLS to a gateway without", "--ca, --cert and --key", []string{"--server", plain.GRPC, "--ca", c.servers.File}},
		{"to the REST door", "--server wants its gRPC address", []string{"--server", plain.HTTP}},
		{"a certificate without its key", "give both --cert and --key", []string{"--server", c.GRPC, "--cert", c.ann.Cert}},
		{"a key of another certificate", "--cert, --key: tls: private key does not match", []string{"--server", c.GRPC, "--cert", c.ann.Cert, "--key", c.bob.Key}},
		{"no file of authorities", "--ca: open nowhere.pem", []string{"--server", c.GRPC, "--ca", "nowhere.pem"}},
		{"a file without certificates", "holds no certificate", []string{"--server", c.GRPC, "--ca", c.pair.Key}},
		{"a password in the clear to another machine", "would travel there in the clear", []string{"--server", "gw.corp.example:9090", "--as", "ann@corp.example"}},
	} {
		t.Run(w.name, func(t *testing.T) {
			out, err := program(t, append([]string{"runs"}, w.args...)...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), w.want) {
				t.Errorf("%v, want a failure with %q:\n%s", err, w.want, out)
			}
		})
	}
}
