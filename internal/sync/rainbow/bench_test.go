package rainbow

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// benchOperations is the size of the plan that BenchmarkApply carries out, benchWorkers how many calls may be in flight.
const (
	benchOperations = 10_000
	benchWorkers    = 64
)

// BenchmarkApply carries out 10,000 operations, a call each, against a sandbox without latency: journal on the disk,
// recorded state, adaptive limit and all. The same requests are then sent to a sandbox of the same seed by a bare loop of
// as many workers over net/http. "of-bare-loop" is the rate of the one in that of the other.
func BenchmarkApply(b *testing.B) {
	for b.Loop() {
		applied, requests := applyOnce(b)
		bare := replay(b, requests)
		b.ReportMetric(bare.Seconds()/applied.Seconds(), "of-bare-loop")
		b.ReportMetric(float64(benchOperations)/applied.Seconds(), "operations/s")
		b.ReportMetric(float64(len(requests)), "requests")
	}
}

func benchSandbox(b *testing.B) *sandboxtest.Server {
	b.Helper()
	return sandboxtest.Start(b, sandbox.Options{SeedUsers: benchOperations})
}

// applyOnce takes every seeded user his DDI, and gives the time and the requests that it took.
func applyOnce(b *testing.B) (time.Duration, []sandbox.JournalEntry) {
	b.Helper()
	b.StopTimer()
	defer b.StartTimer()
	world := benchSandbox(b)
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		b.Fatal(err)
	}
	client, err := upstream.New(upstream.Options{
		BaseURL: world.URL, Bindings: bindings,
		Account: &upstream.Account{Login: sandbox.AdminLogin, Password: sandbox.AdminPassword, AppID: sandbox.AppID, AppSecret: sandbox.AppSecret},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	store, err := state.Open(filepath.Join(b.TempDir(), "state.db"), state.Options{UpstreamURL: world.URL})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	engine := &bulksync.Engine{Store: store, Target: New(client, Options{Account: sandbox.AdminLogin}), Parallel: benchWorkers}
	if _, err := engine.Refresh(b.Context(), sandbox.CompanyID, nil); err != nil {
		b.Fatal(err)
	}
	var users []bulksync.DesiredUser
	for n := range benchOperations {
		users = append(users, bulksync.DesiredUser{
			Login: seeded(n + 1), Action: "upsert", Position: bulksync.Position{File: "bench.csv", Line: n + 2, Column: 1}, DDIs: bulksync.Having[bulksync.E164](),
		})
	}
	plan, err := engine.Plan(b.Context(), sandbox.CompanyID, &bulksync.Desired{Mode: "rainbowvoice", Users: bulksync.EntriesOf(users...)}, bulksync.Policy{})
	if err != nil || len(plan.Operations) != benchOperations {
		b.Fatalf("%d operations, error %v", len(plan.Operations), err)
	}
	run := &bulksync.Run{Name: "run-1", Company: sandbox.CompanyID, Plan: "plan-1", Hash: plan.Hash(), State: bulksync.RunRunning}
	if err := store.CreateRun(b.Context(), run); err != nil {
		b.Fatal(err)
	}
	before := len(world.Sandbox.Journal())
	b.StartTimer()
	began := time.Now()
	err = engine.Execute(b.Context(), bulksync.Execution{Run: run, Plan: plan})
	took := time.Since(began)
	b.StopTimer()
	if err != nil || run.State != bulksync.RunSucceeded {
		b.Fatalf("run is %s: %s, error %v", run.State, run.Message, err)
	}
	b.ReportMetric(float64(run.Figures.HighestLimit), "workers")
	return took, world.Sandbox.Journal()[before:]
}

// replay sends requests again, to a world that has not seen them, and tells how long that takes.
func replay(b *testing.B, requests []sandbox.JournalEntry) time.Duration {
	b.Helper()
	b.StopTimer()
	defer b.StartTimer()
	world := benchSandbox(b)
	token := signIn(b, world.URL)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchWorkers}}
	defer client.CloseIdleConnections()
	g, ctx := errgroup.WithContext(b.Context())
	g.SetLimit(benchWorkers)
	began := time.Now()
	for _, r := range requests {
		g.Go(func() error { return resend(ctx, client, world.URL, token, r) })
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

func resend(ctx context.Context, client *http.Client, base, token string, r sandbox.JournalEntry) error {
	url := base + r.Path
	if r.Query != "" {
		url += "?" + r.Query
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != r.Status {
		return fmt.Errorf("%s %s: status %d, want %d", r.Method, r.Path, resp.StatusCode, r.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// signIn gets a token of the sandbox's administrator.
func signIn(b *testing.B, base string) string {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, base+"/api/rainbow/authentication/v1.0/login", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.SetBasicAuth(sandbox.AdminLogin, sandbox.AdminPassword)
	sum := sha256.Sum256([]byte(sandbox.AppSecret + sandbox.AdminPassword))
	app := sandbox.AppID + ":" + hex.EncodeToString(sum[:])
	req.Header.Set("x-rainbow-app-auth", "Basic "+base64.StdEncoding.EncodeToString([]byte(app)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		b.Fatalf("login: status %d, %v", resp.StatusCode, err)
	}
	return answer.Token
}
