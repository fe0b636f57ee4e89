package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// pictured is a whole world as text: its documents, and the lookups made of
// them.
func (w *world) pictured(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(w.kinds())) {
		raw, err := json.Marshal(w.kinds()[kind].documents())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", kind, raw)
	}
	v := reflect.ValueOf(w).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if lookup := v.Field(i); lookup.Kind() == reflect.Map && name != "rowsOfImport" { // those rows are pointers
			fmt.Fprintf(&b, "%s %v\n", name, lookup)
		}
	}
	return b.String()
}

// TestAReplicaIsAWorldThatHasBeen changes a world at random, a minute after the
// other, and looks at a replica that is five minutes behind.
func TestAReplicaIsAWorldThatHasBeen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := New(Options{SeedUsers: 6, Clock: func() time.Time { return now }, TokenLifetime: 100 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	token := ""
	call := func(method, path, body string) (int, map[string]any) {
		r := httptest.NewRequest(method, basePath+path, strings.NewReader(body))
		if token == "" {
			r.SetBasicAuth(AdminLogin, AdminPassword)
			sum := sha256.Sum256([]byte(AppSecret + AdminPassword))
			r.Header.Set("x-rainbow-app-auth", "Basic "+base64.StdEncoding.EncodeToString([]byte(AppID+":"+hex.EncodeToString(sum[:]))))
		} else {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		var answer map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
		return w.Code, answer
	}
	_, answer := call("GET", "/authentication/v1.0/login", "")
	token = answer["token"].(string)
	if err := s.SetFaults([]Fault{{Stale: &Stale{For: Duration(5 * time.Minute)}}}); err != nil {
		t.Fatal(err)
	}
	const cloud = "/rvcpprovisioning/v1.0/cloudpbxs/" + CloudPbxID
	dice := rand.New(rand.NewPCG(1, 1))
	user := func() string { return seedID(idUser, 1+dice.IntN(12)) }
	var history []string
	worked := 0
	for step := range 160 {
		status, n := 0, dice.IntN(12)
		switch dice.IntN(9) {
		case 0:
			status, _ = call("POST", "/admin/v1.0/users", fmt.Sprintf(`{"loginEmail":"new%d@sandbox.example","password":"Secret-Pass-77"}`, n))
		case 1:
			status, _ = call("DELETE", "/admin/v1.0/users/"+user(), "")
		case 2:
			status, _ = call("PUT", "/admin/v1.0/users/"+user(), fmt.Sprintf(`{"firstName":"Name%d"}`, n))
		case 3:
			status, _ = call("POST", cloud+"/subscribers", fmt.Sprintf(`{"userId":%q,"shortNumber":"8101%d"}`, user(), n))
		case 4:
			status, _ = call("DELETE", cloud+"/subscribers/"+seedID(idSubscriber, 1+n), "")
		case 5:
			status, _ = call("POST", cloud+"/phone-numbers/ddi/"+seedID(idDDI, 30+n)+"/users/"+user(), "")
		case 6:
			status, _ = call("DELETE", cloud+"/phone-numbers/ddi/"+seedID(idDDI, 40+n), "")
		case 7:
			status, _ = call("POST", cloud+"/subscribers/"+seedID(idSubscriber, 1+n)+"/devices/"+seedID(idDevice, 1+dice.IntN(12)), "")
		case 8:
			status, _ = call("DELETE", cloud+"/subscribers/"+seedID(idSubscriber, 1+n)+"/devices/"+seedID(idDevice, 1+dice.IntN(12)), "")
		}
		if status == 200 {
			worked++
		}
		history = append(history, s.store.world.pictured(t))
		want := history[max(0, step-5)]
		if step < 5 {
			now = now.Add(time.Minute)
			continue
		}
		if got := s.store.lagging(s.store.replicas[0]).pictured(t); got != want {
			t.Fatalf("step %d: the replica is not the world of five minutes ago", step)
		}
		now = now.Add(time.Minute)
	}
	if worked < 50 {
		t.Errorf("only %d calls of 160 changed anything", worked)
	}
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	if len(s.store.replicas) != 0 || s.store.world.dirty.following {
		t.Error("a reset leaves replicas")
	}
}

// TestAReplicaFollowsARestoredWorld: what is restored is there at once, and
// what changes after lags.
func TestAReplicaFollowsARestoredWorld(t *testing.T) {
	s, err := New(Options{SeedUsers: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Snapshot("before"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetFaults([]Fault{{Stale: &Stale{Reads: 1}}}); err != nil {
		t.Fatal(err)
	}
	remove := func(n int) {
		_, err := s.store.write(func(w *world) ([]byte, error) { w.users.remove(seedID(idUser, n)); return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	users := func() int { return len(s.store.lagging(s.store.replicas[0]).users.rows) }
	all := users()
	remove(1)
	if first, second := users(), users(); first != all || second != all-1 {
		t.Errorf("%d, then %d users, want %d, then one less", first, second, all)
	}
	if err := s.Restore("before"); err != nil {
		t.Fatal(err)
	}
	if got := users(); got != all {
		t.Errorf("%d users of the restored world, want %d", got, all)
	}
	remove(2)
	if first, second := users(), users(); first != all || second != all-1 {
		t.Errorf("%d, then %d users of the restored world, want %d, then one less", first, second, all)
	}
}
