package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	authenticationv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
)

// teller is a local service that says who calls, and which metadata came with the call.
type teller struct {
	syncv1.UnimplementedStateServiceServer
}

func (teller) GetState(ctx context.Context, _ *syncv1.GetStateRequest) (*syncv1.State, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	who, err := json.Marshal(facade.PrincipalFrom(ctx))
	return &syncv1.State{Name: string(who), DisplayName: fmt.Sprint(len(md["authorization"]))}, err
}

// token logs a user of the sandbox in.
func token(t *testing.T, g *gateway, login, password string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(sandbox.AppSecret + password))
	basic := func(name, word string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+word))
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", basic(login, password), "x-rainbow-app-auth", basic(sandbox.AppID, hex.EncodeToString(sum[:])))
	answer, err := authenticationv1.NewAuthenticationServiceClient(g.conn).Login(ctx, &authenticationv1.LoginRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetToken()
}

// TestWhoCallsTheEngine: a Rainbow token tells a local service who calls, and so does the header of a listener that has one;
// nothing else does, and no token reaches the service or the log.
func TestWhoCallsTheEngine(t *testing.T) {
	c := completed(t, "sandbox")
	c.IdentityHeader = "x-forwarded-user"
	g := start(t, server.Options{Config: c, Services: func(server.Parts) ([]server.Service, error) {
		return []server.Service{{Local: facade.Local{Desc: &syncv1.StateService_ServiceDesc, Impl: teller{}, Identified: true}}}, nil
	}})
	good := token(t, g, "user000002@sandbox.example", sandbox.UserPassword)
	parts := strings.Split(good, ".")
	forged, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	stranger := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(forged), "user000002@", "admin@", 1))) + "." + parts[2]

	for _, c := range []struct {
		name   string
		header []string
		code   codes.Code
		who    string // of the principal as JSON
		says   string // the error
	}{
		{"nobody who does not say so", nil, codes.OK, `{"name":""}`, ""},
		{"a token tells", []string{"authorization", "Bearer " + good}, codes.OK, `"name":"user000002@sandbox.example"`, ""},
		{"with id and company, and that it was a token", []string{"authorization", "bearer " + good}, codes.OK, `"company":"5b7d0c0ffee0000000000001","token":true`, ""},
		{"the listener tells", []string{"x-forwarded-user", "bob"}, codes.OK, `{"name":"bob"}`, ""},
		{"a token beats the listener", []string{"x-forwarded-user", "bob", "authorization", "Bearer " + good}, codes.OK, `"name":"user000002@sandbox.example"`, ""},
		{"a listener that says two things is not believed", []string{"x-forwarded-user", "bob", "x-forwarded-user", "ann"}, codes.Unauthenticated, "", "comes 2 times"},
		{"a listener's name is not endless", []string{"x-forwarded-user", strings.Repeat("b", 300)}, codes.Unauthenticated, "", "at most 256 bytes"},
		{"a forged token does not tell", []string{"authorization", "Bearer " + stranger}, codes.Unauthenticated, "", "Rainbow refuses the token"},
		{"nonsense does not tell", []string{"authorization", "Bearer nonsense"}, codes.Unauthenticated, "", "Rainbow refuses the token"},
		{"a password is not taken", []string{"authorization", "Basic dTpw"}, codes.PermissionDenied, "", "without Rainbow credentials"},
		{"two tokens are not taken", []string{"authorization", "Bearer " + good, "authorization", "Bearer " + good}, codes.PermissionDenied, "", "without Rainbow credentials"},
		{"nor a token with an API key", []string{"authorization", "Bearer " + good, "x-rainbow-api-key", "k"}, codes.PermissionDenied, "", "without Rainbow credentials"},
		{"the metadata between door and service is nobody else's", []string{"gateway-principal-bin", `{"name":"eve","token":true}`}, codes.OK, `{"name":""}`, ""},
		{"a page of another site is refused, token or not", []string{"authorization", "Bearer " + good, "origin", "https://evil.example"}, codes.PermissionDenied, "", "loopback"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := metadata.AppendToOutgoingContext(t.Context(), c.header...)
			state, err := syncv1.NewStateServiceClient(g.conn).GetState(ctx, &syncv1.GetStateRequest{Name: "companies/-/state"})
			if status.Code(err) != c.code || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Fatalf("got %v, want %s: %s", err, c.code, c.says)
			}
			if err == nil && (!strings.Contains(state.GetName(), c.who) || state.GetDisplayName() != "0") {
				t.Errorf("the service sees %s with %s tokens, want %s and none", state.GetName(), state.GetDisplayName(), c.who)
			}
		})
	}
	for _, secret := range []string{good, parts[2]} {
		if strings.Contains(g.stderr.String(), secret) {
			t.Error("the log holds a token")
		}
	}
	if !strings.Contains(g.stderr.String(), `"principal":"user000002@sandbox.example"`) {
		t.Error("the log does not say who called")
	}
}

// TestAServiceThatDoesNotAskTakesNoToken: as before, a caller's own credentials are refused there.
func TestAServiceThatDoesNotAskTakesNoToken(t *testing.T) {
	c := completed(t, "sandbox")
	c.IdentityHeader = "X-Forwarded-User"
	g := start(t, server.Options{Config: c, Services: func(server.Parts) ([]server.Service, error) {
		return []server.Service{{Local: facade.Local{Desc: &syncv1.StateService_ServiceDesc, Impl: teller{}}}}, nil
	}})
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer x")
	if _, err := syncv1.NewStateServiceClient(g.conn).GetState(ctx, &syncv1.GetStateRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("with a token: %v, want PermissionDenied", err)
	}
	ctx = metadata.AppendToOutgoingContext(t.Context(), "x-forwarded-user", "bob")
	if state, err := syncv1.NewStateServiceClient(g.conn).GetState(ctx, &syncv1.GetStateRequest{}); err != nil || state.GetName() != `{"name":""}` {
		t.Errorf("it sees %s, %v; want nobody", state.GetName(), err)
	}
}

// TestTheIdentityHeaderStaysHere: what the listener says of a caller does not go to Rainbow, nor does it let anybody in.
func TestTheIdentityHeaderStaysHere(t *testing.T) {
	seen := make(chan http.Header, 10)
	rainbow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Clone() }))
	t.Cleanup(rainbow.Close)
	c := completed(t, rainbow.URL)
	c.IdentityHeader = "X-Forwarded-User"
	g := start(t, server.Options{Config: c})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+g.HTTPAddr()+"/api/rainbow/admin/v1.0/users", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-User", "bob")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	header := <-seen
	if header.Get("X-Forwarded-User") != "" || header.Get("Authorization") != "" {
		t.Errorf("Rainbow is sent %v, want neither the header nor credentials", header)
	}
}
