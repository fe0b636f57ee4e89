package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"golang.org/x/term"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	authenticationv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// callerFlags say who uses the command line, for the history and for approvals. It lets nobody do more: the engine acts as
// the service account whoever calls.
type callerFlags struct {
	TokenEnv string `name:"token-env" placeholder:"VAR" default:"GATEWAY_TOKEN" group:"Caller" help:"Environment variable with a Rainbow token that tells who you are."`
	As       string `name:"as" placeholder:"EMAIL" group:"Caller" help:"Tell who you are by logging in to Rainbow; asks for the password, or reads it from standard input where that is no terminal."`

	// tokenFirst is a variable that is looked at before TokenEnv.
	tokenFirst string
}

// identify gives a connection whose calls tell who the caller is, if he says so. here tells that the engine is in this
// process.
func (f *engineFlags) identify(ctx context.Context, t *terminal, conn grpc.ClientConnInterface, here bool) (grpc.ClientConnInterface, error) {
	token := ""
	if f.tokenFirst != "" {
		token = t.getenv(f.tokenFirst)
	}
	if token == "" {
		token = t.getenv(f.TokenEnv)
	}
	if f.As == "" && token == "" {
		return conn, nil
	}
	if !here && !f.private() {
		return nil, fmt.Errorf("server %s: a token or password would travel there in the clear: connect with TLS (--ca, or https://), or use the command on the gateway's machine", f.Server)
	}
	if f.As != "" {
		var err error
		if token, err = f.login(ctx, t, conn, here); err != nil {
			return nil, err
		}
	}
	return &calling{conn, map[string]string{"authorization": "Bearer " + strings.TrimSpace(strings.TrimPrefix(token, "Bearer "))}, here}, nil
}

func loopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && config.LoopbackHost(host)
}

// login exchanges login and password for a token (authentication portal, Login).
func (f *engineFlags) login(ctx context.Context, t *terminal, conn grpc.ClientConnInterface, here bool) (token string, err error) {
	app, secret := f.AppID, f.AppSecret.Reveal()
	if secret == "" {
		secret = t.getenv("GATEWAY_APP_SECRET")
	}
	if here && f.UsesSandbox() && app == "" {
		app, secret = sandbox.AppID, sandbox.AppSecret
	}
	if app == "" || secret == "" {
		return "", errors.New("logging in needs the Rainbow application, too: --app-id and GATEWAY_APP_SECRET")
	}
	password, err := askPassword(t, f.As)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(secret + password))
	basic := func(name, word string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+word))
	}
	login := &calling{conn, map[string]string{"authorization": basic(f.As, password), "x-rainbow-app-auth": basic(app, hex.EncodeToString(sum[:]))}, here}
	answer, err := authenticationv1.NewAuthenticationServiceClient(login).Login(ctx, &authenticationv1.LoginRequest{})
	if err != nil {
		return "", fmt.Errorf("login of %s: %w", f.As, err)
	}
	if answer.GetToken() == "" {
		return "", fmt.Errorf("login of %s: Rainbow gives no token: a second factor may be asked for; give a token in %s", f.As, f.TokenEnv)
	}
	return answer.GetToken(), nil
}

// askPassword asks for a password without showing it.
func askPassword(t *terminal, login string) (string, error) {
	if in, ok := t.stdin.(*os.File); ok && isTerminal(in) {
		fmt.Fprintf(t.stderr, "Password of %s: ", login)
		typed, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(t.stderr)
		if err != nil {
			return "", fmt.Errorf("password: %w", err)
		}
		return string(typed), nil
	}
	line, err := bufio.NewReader(io.LimitReader(t.stdin, 1<<10)).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", fmt.Errorf("password of %s: there is no terminal to ask at, and standard input has none: %w", login, errors.Join(err, io.ErrUnexpectedEOF))
	}
	return line, nil
}

// calling is a connection whose calls bring credentials.
type calling struct {
	grpc.ClientConnInterface
	headers map[string]string
	here    bool
}

// with puts the credentials where a door finds them; in this process there is none, so the call says how it came in.
func (c *calling) with(ctx context.Context) context.Context {
	if !c.here {
		for name, value := range c.headers {
			ctx = metadata.AppendToOutgoingContext(ctx, name, value)
		}
		return ctx
	}
	header := http.Header{}
	for name, value := range c.headers {
		header.Set(name, value)
	}
	a := &facade.Arrival{Door: facade.DoorSelf, Trusted: true}
	a.Caller, a.Credentials = upstream.CallerFrom(header)
	return facade.WithArrival(ctx, a)
}

// Invoke makes a call with the credentials.
func (c *calling) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return c.ClientConnInterface.Invoke(c.with(ctx), method, args, reply, opts...)
}

// NewStream opens a stream with the credentials.
func (c *calling) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.ClientConnInterface.NewStream(c.with(ctx), desc, method, opts...)
}
