package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestServeTellsOfDrift: a gateway on schedule notices what somebody changes by another way, shows it in its metrics, and
// tells a receiver, whose library verifies the message.
func TestServeTellsOfDrift(t *testing.T) {
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("a key of thirty-two bytes, no less"))
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verifier.Verify(body, r.Header)
		}
		if err != nil {
			t.Errorf("message: %v", err)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		told <- string(body)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	folder := t.TempDir()
	manifest, secretFile := filepath.Join(folder, "moves.csv"), filepath.Join(folder, "secret")
	for name, content := range map[string]string{
		manifest:   "__action__;loginEmail;jobTitle\nupsert;user000001@sandbox.example;Nurse\n",
		secretFile: secret + "\n",
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g := serve(t, "--drift-every", "1s", "--drift-webhook", receiver.URL, "--drift-webhook-secret-file", secretFile)
	gateway := func(want int, args ...string) string {
		t.Helper()
		child := program(t, append(args, "--server", g.GRPC)...)
		out, _ := child.CombinedOutput()
		if code := child.ProcessState.ExitCode(); code != want {
			t.Fatalf("gateway %v: exit code %d, want %d:\n%s", args, code, want, out)
		}
		return string(out)
	}
	gateway(0, "refresh")
	gateway(1, "drift")
	gateway(0, "apply", "-f", manifest, "--yes")
	gateway(0, "drift")

	updateUser(t, g, "user000001@sandbox.example", `{"jobTitle":"Surgeon"}`)
	select {
	case body := <-told:
		if !strings.Contains(body, `"type":"drift.found"`) || !strings.Contains(body, `"differences":1`) || strings.Contains(body, "Surgeon") || strings.Contains(body, "user000001") {
			t.Errorf("told %s", body)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was told within 20 s")
	}
	if out := gateway(2, "drift", "--last"); !strings.Contains(out, `jobTitle is "Surgeon", the manifest wants "Nurse"`) {
		t.Errorf("the last look found\n%s", out)
	}
	if metrics := get(t, "http://"+g.Admin+"/metrics"); !strings.Contains(metrics, `gateway_drift_operations{company="5b7d0c0ffee0000000000001",kind="user"} 1`) ||
		!strings.Contains(metrics, `gateway_drift_messages_total{company="5b7d0c0ffee0000000000001",result="delivered"} 1`) {
		t.Errorf("metrics:\n%s", grepped(metrics, "gateway_drift"))
	}
	var report struct{ Plan string }
	if err := json.Unmarshal([]byte(gateway(2, "drift", "--save", "-o", "json")), &report); err != nil || report.Plan == "" {
		t.Fatalf("saved as %q, %v", report.Plan, err)
	}
	gateway(0, "apply", report.Plan, "--yes")
	gateway(0, "drift")
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v\n%s", url, resp.Status, err, b)
	}
	return string(b)
}

// updateUser changes a user over the REST door, as any client of Rainbow would.
func updateUser(t *testing.T, g served, login, change string) {
	t.Helper()
	users := "http://" + g.HTTP + "/api/rainbow/admin/v1.0/users"
	var list struct {
		Data []struct{ ID, LoginEmail string }
	}
	if err := json.Unmarshal([]byte(get(t, users+"?loginEmail="+login)), &list); err != nil || len(list.Data) != 1 {
		t.Fatalf("users %+v, %v", list, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, users+"/"+list.Data[0].ID, strings.NewReader(change))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("PUT: %s\n%s", resp.Status, b)
	}
}

func grepped(text, word string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			lines = append(lines, line)
		}
	}
	return fmt.Sprint(lines)
}
