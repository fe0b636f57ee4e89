package conformance_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
)

// gateway is a running gateway with a client of each door.
type gateway struct {
	*server.Server
	url  string // of the REST door
	http *http.Client
	conn *grpc.ClientConn
}

// startGateway starts a gateway in front of an upstream, as `gateway serve` does, without a service account.
func startGateway(t testing.TB, upstream string, change ...func(*config.Config)) *gateway {
	t.Helper()
	c := config.Config{
		Listeners: config.Listeners{
			GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", CatchAll: "auto",
			MaxBodyBytes: 8 << 20, MaxUploadBytes: 64 << 20, MaxMessageBytes: 8 << 20, StopTimeout: 2 * time.Second,
		},
		Engine: config.Engine{
			Upstream: upstream, State: filepath.Join(t.TempDir(), "state.db"), UpstreamTimeout: 10 * time.Second, DialTimeout: time.Second, RateBurst: 1, LogLevel: "error",
		},
	}
	for _, f := range change {
		f(&c)
	}
	if err := c.Complete(func(string) string { return "" }); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Options{Config: c, Stderr: io.Discard, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	// Nothing is added to a request, and nothing is followed or decompressed.
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}
	t.Cleanup(func() {
		_ = conn.Close()
		transport.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("gateway: %v", err)
		}
	})
	return &gateway{
		Server: s, url: "http://" + s.HTTPAddr(), conn: conn,
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}
