package server_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
	"github.com/rainbow-gateway/rainbow-gateway/internal/testca"
)

// secured is a gateway whose doors speak TLS.
type secured struct {
	*gateway
	authority *testca.Authority
	pair      testca.Pair
}

// startSecured starts a gateway with the teller as its engine. files may add client certificates, more may change the rest.
func startSecured(t *testing.T, files config.ListenerTLS, more ...func(*config.Config)) *secured {
	t.Helper()
	s := &secured{authority: testca.New(t, "the company's servers")}
	s.pair = s.authority.Issue(t, testca.Leaf{Server: true, DNS: "gw.corp.example"})
	files.TLSCert, files.TLSKey = s.pair.Cert, s.pair.Key
	c := completed(t, "sandbox")
	c.ListenerTLS = files
	for _, change := range more {
		change(&c)
	}
	if err := c.Complete(os.Getenv); err != nil {
		t.Fatal(err)
	}
	s.gateway = start(t, server.Options{Config: c, Reread: 20 * time.Millisecond, Services: func(server.Parts) ([]server.Service, error) {
		return []server.Service{{
			Local:    facade.Local{Desc: &syncv1.StateService_ServiceDesc, Impl: teller{}, Identified: true},
			Register: registerState,
		}}, nil
	}})
	return s
}

// client is a caller with or without a certificate, who calls the gateway by a name.
type client struct {
	config *tls.Config
	grpc   *grpc.ClientConn
	rest   *http.Client
	base   string
}

func (s *secured) client(t *testing.T, name string, certs ...tls.Certificate) *client {
	t.Helper()
	c := &client{config: &tls.Config{RootCAs: s.authority.Pool, ServerName: name, Certificates: certs}, base: "https://" + s.HTTPAddr()}
	transport := &http.Transport{TLSClientConfig: c.config.Clone(), ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	c.rest = &http.Client{Transport: transport}
	var err error
	if c.grpc, err = grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(credentials.NewTLS(c.config.Clone()))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.grpc.Close() })
	return c
}

// answer is how a door answers: who the service says calls, or the refusal.
type answer struct {
	code codes.Code
	text string
}

// whoOverGRPC asks the teller who calls.
func (c *client) whoOverGRPC(t *testing.T, header ...string) answer {
	t.Helper()
	ctx := metadata.AppendToOutgoingContext(t.Context(), header...)
	state, err := syncv1.NewStateServiceClient(c.grpc).GetState(ctx, &syncv1.GetStateRequest{Name: "companies/-/state"})
	if err != nil {
		return answer{status.Code(err), err.Error()}
	}
	return answer{codes.OK, state.GetName()}
}

// httpCodes are the codes of the HTTP statuses that these tests see.
var httpCodes = map[int]codes.Code{200: codes.OK, 401: codes.Unauthenticated, 403: codes.PermissionDenied}

// whoOverREST asks the same at the other door; a connection that fails is UNAVAILABLE, as over gRPC.
func (c *client) whoOverREST(t *testing.T, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+"/v1/companies/-/state", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	if c.config.ServerName != "" {
		req.Host = c.config.ServerName
	}
	resp, err := c.rest.Do(req)
	if err != nil {
		return answer{codes.Unavailable, err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var state struct{ Name string }
	if resp.StatusCode == http.StatusOK && json.Unmarshal(body, &state) == nil {
		return answer{codes.OK, state.Name}
	}
	return answer{httpCodes[resp.StatusCode], string(body)}
}

// expect compares both doors' answers with what is wanted.
func (c *client) expect(t *testing.T, want answer, header ...string) {
	t.Helper()
	for door, got := range map[string]answer{"gRPC": c.whoOverGRPC(t, header...), "REST": c.whoOverREST(t, header...)} {
		if got.code != want.code || !strings.Contains(got.text, want.text) {
			t.Errorf("%s: %s %s, want %s with %q", door, got.code, got.text, want.code, want.text)
		}
	}
}

// TestWhomACertificateLetsIn: without one of the authority nobody connects where one is required; where none is, one that is
// no good is refused all the same.
func TestWhomACertificateLetsIn(t *testing.T) {
	people, strangers := testca.New(t, "people"), testca.New(t, "strangers")
	ann := people.Issue(t, testca.Leaf{Email: "Ann@corp.example", CommonName: "Ann"})
	bare := people.Issue(t, testca.Leaf{})
	old := people.Issue(t, testca.Leaf{Email: "ann@corp.example", Until: time.Now().Add(-time.Minute)})
	forged := strangers.Issue(t, testca.Leaf{Email: "ann@corp.example"})
	wrong := people.Issue(t, testca.Leaf{Server: true, Email: "ann@corp.example"})
	refused := answer{codes.Unavailable, ""} // the alert may be lost when the connection closes
	for _, mode := range []string{"required", "optional"} {
		t.Run(mode, func(t *testing.T) {
			s := startSecured(t, config.ListenerTLS{TLSClientCA: people.File, TLSClientAuth: mode})
			nobody := answer{codes.OK, `{"name":""}`}
			if mode == "required" {
				nobody = refused
			}
			for _, c := range []struct {
				name  string
				certs []tls.Certificate
				want  answer
			}{
				{"a certificate tells who calls", []tls.Certificate{ann.TLS}, answer{codes.OK, `{"name":"ann@corp.example","certificate":true}`}},
				{"one without a name tells nothing", []tls.Certificate{bare.TLS}, answer{codes.OK, `{"name":""}`}},
				{"no certificate", nil, nobody},
				{"one that has run out", []tls.Certificate{old.TLS}, refused},
				{"one of another authority", []tls.Certificate{forged.TLS}, refused},
				{"one of a server", []tls.Certificate{wrong.TLS}, refused},
			} {
				t.Run(c.name, func(t *testing.T) {
					caller := s.client(t, "", c.certs...)
					// as who forges would: shows it though the server asks for other authorities'
					caller.always(t, s, c.certs)
					caller.expect(t, c.want)
				})
			}
		})
	}
}

// always makes a client show its certificate whatever authorities the server names.
func (c *client) always(t *testing.T, s *secured, certs []tls.Certificate) {
	t.Helper()
	if len(certs) == 0 {
		return
	}
	stubborn := &tls.Config{RootCAs: s.authority.Pool, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certs[0], nil }}
	transport := &http.Transport{TLSClientConfig: stubborn, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	c.rest = &http.Client{Transport: transport}
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(credentials.NewTLS(stubborn.Clone())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c.grpc = conn
}

// TestHeadersForgeNobody: who has a certificate is known by that alone, whatever his headers say; a token of Rainbow's beats it.
func TestHeadersForgeNobody(t *testing.T) {
	people := testca.New(t, "people")
	eve := people.Issue(t, testca.Leaf{Email: "eve@corp.example"})
	bare := people.Issue(t, testca.Leaf{})
	s := startSecured(t, config.ListenerTLS{TLSClientCA: people.File, TLSClientAuth: "optional"}, func(c *config.Config) { c.IdentityHeader = "X-Forwarded-User" })
	caller := s.client(t, "", eve.TLS)
	for _, header := range [][]string{
		{"x-forwarded-user", "ann@corp.example"},
		{"x-client-cert", "ann@corp.example"},
		{"x-forwarded-client-cert", `Subject="CN=ann@corp.example"`},
		{"gateway-principal-bin", `{"name":"ann@corp.example","certificate":true}`},
		{"grpc-metadata-gateway-principal-bin", "eyJuYW1lIjoiYW5uIn0="},
	} {
		t.Run(header[0], func(t *testing.T) {
			caller.expect(t, answer{codes.OK, `{"name":"eve@corp.example","certificate":true}`}, header...)
			if header[0] != "x-forwarded-user" { // which anybody on this machine is believed without a certificate
				s.client(t, "").expect(t, answer{codes.OK, `{"name":""}`}, header...)
			}
		})
	}
	s.client(t, "", bare.TLS).expect(t, answer{codes.OK, `{"name":""}`}, "x-forwarded-user", "ann@corp.example")
	s.client(t, "").expect(t, answer{codes.OK, `{"name":"bob"}`}, "x-forwarded-user", "bob")
}

// TestAllowedHolders: on the network only listed holders reach the engine and the service account; the list holds on this
// machine, too, for who shows a certificate; and no page of another site uses a browser's certificate.
func TestAllowedHolders(t *testing.T) {
	people := testca.New(t, "people")
	ann := people.Issue(t, testca.Leaf{Email: "ann@corp.example"})
	robot := people.Issue(t, testca.Leaf{URI: "spiffe://corp.example/robots/7", CommonName: "ann@corp.example"})
	bob := people.Issue(t, testca.Leaf{Email: "bob@corp.example"})
	allow := []string{"ann@corp.example", "spiffe://corp.example/*"}
	refused := answer{codes.PermissionDenied, "tls-client-allow"}
	for _, place := range []struct {
		name, listen, host string
		allow              []string
		ann, bob, nobody   answer
	}{
		{"on the network", "0.0.0.0:0", "gw.corp.example", allow, answer{codes.OK, `"ann@corp.example"`}, refused, refused},
		{"on the network without a list", "0.0.0.0:0", "gw.corp.example", nil, refused, refused, refused},
		{"on the network as if on this machine", "0.0.0.0:0", "localhost", nil, refused, refused, refused},
		{"on this machine", "127.0.0.1:0", "localhost", allow, answer{codes.OK, `"ann@corp.example"`}, refused, answer{codes.OK, `{"name":""}`}},
		{"on this machine by a name of the network", "127.0.0.1:0", "gw.corp.example", allow, answer{codes.OK, `"ann@corp.example"`}, refused, refused},
	} {
		t.Run(place.name, func(t *testing.T) {
			s := startSecured(t, config.ListenerTLS{TLSClientCA: people.File, TLSClientAuth: "optional", TLSClientAllow: place.allow}, func(c *config.Config) {
				c.GRPCAddr, c.HTTPAddr = place.listen, place.listen
			})
			s.client(t, place.host, ann.TLS).expect(t, place.ann)
			s.client(t, place.host, bob.TLS).expect(t, place.bob)
			s.client(t, place.host).expect(t, place.nobody)
			if place.allow == nil {
				return
			}
			s.client(t, place.host, robot.TLS).expect(t, answer{codes.OK, `"spiffe://corp.example/robots/7"`})
			s.client(t, place.host, ann.TLS).expect(t, refused, "origin", "https://evil.example")
			for name, want := range map[*testca.Pair]int{&ann: 200, &bob: 401} {
				if got := s.client(t, place.host, name.TLS).users(t); got != want {
					t.Errorf("the service account's users: status %d, want %d", got, want)
				}
			}
		})
	}
}

// users asks Rainbow for users without credentials, and gives the status.
func (c *client) users(t *testing.T) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+"/api/rainbow/admin/v1.0/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = c.config.ServerName
	resp, err := c.rest.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("the REST door speaks %s, want HTTP/2", resp.Proto)
	}
	return resp.StatusCode
}

// TestWhatTheDoorsSpeak: TLS 1.2 or later and nothing in the clear; the admin listener only where others than this machine reach it.
func TestWhatTheDoorsSpeak(t *testing.T) {
	s := startSecured(t, config.ListenerTLS{})
	if _, err := healthv1.NewHealthClient(s.conn).Check(t.Context(), &healthv1.HealthCheckRequest{}); status.Code(err) != codes.Unavailable {
		t.Errorf("gRPC in the clear: %v, want UNAVAILABLE", err)
	}
	if code, body := s.get(t, s.HTTPAddr()+"/v1/companies/-/state"); code != http.StatusBadRequest {
		t.Errorf("HTTP in the clear: %d %s, want 400", code, body)
	}
	s.client(t, "").expect(t, answer{codes.OK, `{"name":""}`})
	for _, addr := range []string{s.GRPCAddr(), s.HTTPAddr()} {
		old := &tls.Config{RootCAs: s.authority.Pool, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10, NextProtos: []string{"h2"}}
		if conn, err := tls.Dial("tcp", addr, old); err == nil {
			_ = conn.Close()
			t.Errorf("%s speaks TLS 1.1", addr)
		}
		conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: s.authority.Pool, MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.ConnectionState().NegotiatedProtocol; got != "h2" {
			t.Errorf("%s chooses the protocol %q, want h2", addr, got)
		}
		_ = conn.Close()
	}
	if code, _ := s.get(t, s.AdminAddr()+"/healthz"); code != http.StatusOK {
		t.Errorf("the admin listener of this machine: %d, want 200 in the clear", code)
	}

	s = startSecured(t, config.ListenerTLS{}, func(c *config.Config) { c.AdminAddr = "0.0.0.0:0" })
	if code, _ := s.get(t, s.AdminAddr()+"/healthz"); code != http.StatusBadRequest {
		t.Errorf("the admin listener on the network: %d in the clear, want 400", code)
	}
	resp, err := s.client(t, "localhost").rest.Get("https://" + s.AdminAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	metrics, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if want := fmt.Sprintf("gateway_tls_certificate_expiry_timestamp_seconds %v", float64(s.pair.TLS.Leaf.NotAfter.Unix())); !strings.Contains(string(metrics), want) {
		t.Errorf("the metrics lack %s", want)
	}
}

// TestCertificatesAreReadAgain: new files serve new connections, the calls under way go on; files that can't be used change
// nothing and are told once; authorities, too, are those of the day.
func TestCertificatesAreReadAgain(t *testing.T) {
	people, successors := testca.New(t, "people"), testca.New(t, "successors")
	ann := people.Issue(t, testca.Leaf{Email: "ann@corp.example"})
	bob := successors.Issue(t, testca.Leaf{Email: "bob@corp.example"})
	s := startSecured(t, config.ListenerTLS{TLSClientCA: people.File, TLSClientAuth: "required"})
	shown := func() string {
		conn, err := tls.Dial("tcp", s.HTTPAddr(), &tls.Config{RootCAs: s.authority.Pool, Certificates: []tls.Certificate{ann.TLS, bob.TLS}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	before := s.client(t, "", ann.TLS)
	before.expect(t, answer{codes.OK, "ann@corp.example"})
	first := shown()

	if err := os.WriteFile(s.pair.Cert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return strings.Contains(s.stderr.String(), "certificates not reloaded") })
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), s.pair.Cert) {
		t.Errorf("Reload: %v, want one that names %s", err, s.pair.Cert)
	}
	if shown() != first || strings.Count(s.stderr.String(), "certificates not reloaded") != 1 {
		t.Errorf("a file that is no certificate is in use, or told %d times", strings.Count(s.stderr.String(), "certificates not reloaded"))
	}

	s.authority.Replace(t, &s.pair, testca.Leaf{Server: true})
	eventually(t, func() bool { return shown() == s.pair.TLS.Leaf.SerialNumber.String() })
	before.expect(t, answer{codes.OK, "ann@corp.example"})

	pem, err := os.ReadFile(successors.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(people.File, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err != nil { // as on SIGHUP
		t.Fatal(err)
	}
	s.client(t, "", bob.TLS).expect(t, answer{codes.OK, "bob@corp.example"})
	s.client(t, "", ann.TLS).expect(t, answer{codes.Unavailable, ""})
}

// TestConnectionsOutliveNoCertificate: a connection that stays open longer than the certificate it was made with tells nobody's
// name any more.
func TestConnectionsOutliveNoCertificate(t *testing.T) {
	people := testca.New(t, "people")
	until := time.Now().Add(2 * time.Second).Truncate(time.Second) // a certificate knows no less
	brief := people.Issue(t, testca.Leaf{Email: "ann@corp.example", Until: until})
	s := startSecured(t, config.ListenerTLS{TLSClientCA: people.File, TLSClientAuth: "required"})
	caller := s.client(t, "", brief.TLS)
	if time.Now().Before(until) {
		caller.expect(t, answer{codes.OK, "ann@corp.example"})
	}
	time.Sleep(time.Until(until.Add(50 * time.Millisecond)))
	caller.expect(t, answer{codes.Unauthenticated, "has run out"})
	if got := caller.whoOverREST(t); got.code != codes.Unavailable { // the door has closed the connection, so that a new one is made
		t.Errorf("the next call: %s %s, want a new connection, which is refused", got.code, got.text)
	}
}

// registerState are the routes of the teller.
func registerState(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
	return syncv1.RegisterStateServiceHandlerClient(ctx, mux, syncv1.NewStateServiceClient(conn))
}
