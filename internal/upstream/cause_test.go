package upstream_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

func TestCausesNameNoAddresses(t *testing.T) {
	here, there := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40001}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 443}
	reset := &net.OpError{Op: "read", Net: "tcp", Source: here, Addr: there, Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: there, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, c := range []struct {
		name, want string
		err        error
	}{
		{"a reset", "read: read: connection reset by peer", fmt.Errorf("http: %w", reset)},
		{"a refusal", "dial: connect: connection refused", refused},
		{"a proxy's", "proxyconnect: dial: connect: connection refused", &net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused}},
		{"a name that nobody knows", "lookup rainbow.example: no such host", &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "rainbow.example", Server: "10.0.0.53:53"}}},
		{"any other", "unexpected EOF", io.ErrUnexpectedEOF},
	} {
		if got := upstream.Cause(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestUnreachableNamesTheConfiguredHost: not the port of this end, which means nothing to anybody and makes each message another.
func TestUnreachableNamesTheConfiguredHost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	peers := make(chan string, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			peers <- conn.RemoteAddr().String()
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset
			_ = conn.Close()
		}
	}()
	c := newPortal(t, nil).client(func(o *upstream.Options) { o.BaseURL = "http://" + l.Addr().String() })
	users := adminv1.NewUsersServiceClient(c)
	_, err = users.ListUsers(upstream.WithCaller(t.Context(), upstream.Caller{Header: http.Header{"Authorization": {"Bearer x"}}}), &adminv1.ListUsersRequest{})
	if !errors.Is(err, upstream.ErrUnreachable) || !strings.Contains(err.Error(), "("+l.Addr().String()+")") {
		t.Fatalf("%v, want that %s is unreachable", err, l.Addr())
	}
	if peer := <-peers; strings.Contains(err.Error(), peer) || strings.Contains(err.Error(), "->") {
		t.Errorf("%v names the connection from %s", err, peer)
	}
}
