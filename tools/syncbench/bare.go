package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// request is one that the engine made: the loop makes it again.
type request struct {
	Method, Target, ContentType string
	Body                        []byte
	Status                      int
}

// recorder is a transport that writes down what passes.
type recorder struct {
	next http.Transport
	mu   sync.Mutex // guards all
	all  []*request
}

// RoundTrip sends a request and writes it down.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	seen := &request{Method: req.Method, Target: req.URL.RequestURI(), ContentType: req.Header.Get("Content-Type")}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		seen.Body = body
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	r.mu.Lock()
	r.all = append(r.all, seen)
	r.mu.Unlock()
	resp, err := r.next.RoundTrip(req)
	if err == nil {
		seen.Status = resp.StatusCode
	}
	return resp, err
}

func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = nil
}

// bare makes the requests of a run in a loop: as many workers, one client of net/http that keeps its connections, nothing
// written down, no answer looked into.
func (j job) bare(ctx context.Context) error {
	b, err := os.ReadFile(j.path(requestsFile))
	if err != nil {
		return err
	}
	var requests []*request
	if err := json.Unmarshal(b, &requests); err != nil {
		return err
	}
	token, err := signIn(ctx, j.sandbox)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: j.workers, DisableCompression: true}}
	j.figures.start()
	g, ctx := errgroup.WithContext(ctx)
	next := make(chan *request)
	g.Go(func() error {
		defer close(next)
		for _, r := range requests {
			select {
			case next <- r:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range j.workers {
		g.Go(func() error {
			for r := range next {
				if err := r.send(ctx, client, j.sandbox, token); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = g.Wait()
	j.figures.stop()
	j.figures.extra = []float64{float64(len(requests))}
	return err
}

func (r *request) send(ctx context.Context, client *http.Client, base, token string) error {
	req, err := http.NewRequestWithContext(ctx, r.Method, base+r.Target, bytes.NewReader(r.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if r.ContentType != "" {
		req.Header.Set("Content-Type", r.ContentType)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != r.Status {
		return fmt.Errorf("%s %s: status %d, want %d", r.Method, r.Target, resp.StatusCode, r.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// signIn gets a token of the sandbox's administrator.
func signIn(ctx context.Context, base string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/rainbow/authentication/v1.0/login", nil)
	if err != nil {
		return "", err
	}
	req.SetBasicAuth(sandbox.AdminLogin, sandbox.AdminPassword)
	sum := sha256.Sum256([]byte(sandbox.AppSecret + sandbox.AdminPassword))
	app := sandbox.AppID + ":" + hex.EncodeToString(sum[:])
	req.Header.Set("x-rainbow-app-auth", "Basic "+base64.StdEncoding.EncodeToString([]byte(app)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		return "", fmt.Errorf("login: status %d, %w", resp.StatusCode, err)
	}
	return answer.Token, nil
}

// serveSandbox is the upstream of both: a process of its own, with a company made anew. It ends with its input.
func serveSandbox(users int) error {
	s, err := sandboxtest.Serve(sandbox.Options{SeedUsers: users})
	if err != nil {
		return err
	}
	fmt.Println(s.URL)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return s.Close()
}
