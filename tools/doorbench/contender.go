package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
)

// serveContender is the other half of the program: one of the processes that are measured. It serves on two free ports,
// prints them, and ends with ctx or with its parent.
func serveContender(ctx context.Context, role string, args []string) error {
	flags := flag.NewFlagSet(role, flag.ContinueOnError)
	upstream := flags.String("upstream", "", "where the stub is")
	if err := flags.Parse(args); err != nil {
		return err
	}
	door, err := listen(ctx)
	if err != nil {
		return err
	}
	admin, err := listen(ctx)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	var serve func(net.Listener) error
	switch role {
	case "stub":
		serve = newStub(mux)
	case "proxy":
		serve, err = newProxy(*upstream)
	case "protojson":
		serve, err = newProtojson(*upstream)
	default:
		err = fmt.Errorf("role %q: want stub, proxy or protojson", role)
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s %s\n", door.Addr(), admin.Addr())
	failed := make(chan error, 2)
	go func() { failed <- serve(door) }()
	go func() { failed <- (&http.Server{Handler: mux}).Serve(admin) }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return errors.Join(errors.New("stopped serving"), err)
	}
}

func listen(ctx context.Context) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
}
