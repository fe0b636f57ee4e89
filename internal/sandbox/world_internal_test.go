package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// walker makes random calls of one sandbox, without a network.
type walker struct {
	t       *testing.T
	handler http.Handler
	token   string
	dice    *rand.Rand
}

func (k *walker) call(method, path, body string) (int, map[string]any) {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+k.token)
	rec := httptest.NewRecorder()
	k.handler.ServeHTTP(rec, req)
	var v map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		k.t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	return rec.Code, v
}

func (k *walker) login() {
	req := httptest.NewRequest("GET", "/api/rainbow/authentication/v1.0/login", nil)
	req.SetBasicAuth(AdminLogin, AdminPassword)
	sum := sha256.Sum256([]byte(AppSecret + AdminPassword))
	app := &http.Request{Header: http.Header{}}
	app.SetBasicAuth(AppID, hex.EncodeToString(sum[:]))
	req.Header.Set("x-rainbow-app-auth", app.Header.Get("Authorization"))
	rec := httptest.NewRecorder()
	k.handler.ServeHTTP(rec, req)
	var v struct{ Token string }
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil || rec.Code != 200 {
		k.t.Fatalf("login: %d, %v", rec.Code, err)
	}
	k.token = v.Token
}

// step makes one random call over a small set of ids, so that conflicts are
// frequent.
func (k *walker) step() int {
	const voice = "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/" + CloudPbxID
	const admin = "/api/rainbow/admin/v1.0"
	some := func(n int) int { return k.dice.IntN(n) }
	user, extension := seedID(idUser, some(9)), seedID(idSubscriber, some(14)+1)
	phone, number := seedID(idDevice, some(12)+1), seedID(idDDI, some(30)+15)
	var code int
	switch some(15) {
	case 0:
		code, _ = k.call("POST", voice+"/subscribers", fmt.Sprintf(`{"userId":%q,"shortNumber":"%d"}`, user, 80000+some(12)))
	case 1:
		code, _ = k.call("DELETE", voice+"/subscribers/"+extension, "")
	case 2:
		code, _ = k.call("POST", voice+"/subscribers/"+extension+"/devices", fmt.Sprintf(`{"deviceId":%q}`, phone))
	case 3:
		code, _ = k.call("DELETE", voice+"/subscribers/"+extension+"/devices/"+phone, "")
	case 4:
		code, _ = k.call("POST", voice+"/phone-numbers/ddi/"+number+"/users/"+user, "")
	case 5:
		code, _ = k.call("DELETE", voice+"/phone-numbers/ddi/"+number+"/users/"+user, "")
	case 6:
		code, _ = k.call("POST", admin+"/users", fmt.Sprintf(`{"loginEmail":"user%06d@sandbox.example","firstName":"N%d"}`, some(12), some(100)))
	case 7:
		if some(4) == 0 {
			code, _ = k.call("DELETE", admin+"/users/"+user, "")
		}
	case 8:
		code, _ = k.call("PUT", admin+"/users/"+user, fmt.Sprintf(`{"lastName":"L%d","phoneNumbers":[{"number":"01990009%02d","type":"work","deviceType":"landline"}]}`, some(50), some(99)))
	case 9:
		code, _ = k.call("PUT", admin+"/systems/"+EquippedPbxID+"/phone-numbers/"+seedID(idPBXNumber, some(5)+1), []string{fmt.Sprintf(`{"userId":%q}`, user), `{"userId":null}`}[some(2)])
	case 10:
		code, _ = k.call("POST", admin+"/users/"+user+"/profiles/subscriptions/"+seedID(idSubscription, some(3)+2), "")
	case 11:
		code, _ = k.call("DELETE", admin+"/users/"+user+"/profiles/subscriptions/"+seedID(idSubscription, some(3)+2), "")
	case 13, 14:
		code = k.voiceStep(voice)
	case 12:
		action := []string{"upsert", "upsert", "detach", "delete"}[some(4)]
		row := fmt.Sprintf("%s;user%06d@sandbox.example;%d;02000000%04x;332983005%02d", action, some(12), 80000+some(12), some(10), 15+some(12))
		code, _ = k.call("POST", "/api/rainbow/massprovisioning/v1.0/users/imports/rainbowvoice",
			"__action__;loginEmail;shortNumber;macAddress;ddiE164Number\n"+row+"\n% "+fmt.Sprint(k.dice.Uint64())+"\n")
	}
	return code
}

// voiceStep makes a random call of the telephony services.
func (k *walker) voiceStep(voice string) int {
	some := func(n int) int { return k.dice.IntN(n) }
	user, file := seedID(idUser, some(9)), seedID(idGreeting, some(9)+1)
	service, number := seedID(idOther, []int{13, 16, 101, 102, 103}[some(5)]), seedID(idDDI, some(30)+15)
	calls := []struct{ method, path, body string }{
		{"PUT", "/greetings/user_busy?userId=" + user, string(tone("w", 0.01))},
		{"PUT", "/greetings/afterhours?ivrId=" + service, string(tone("w", 0.01))},
		{"POST", "/greetings/" + file + "/activate", ""},
		{"DELETE", "/greetings/" + file, ""},
		{"PUT", "/greetings/" + promptID(user, 10) + "/settings", `{"loopPlay":true}`},
		{"DELETE", "/greetings?userId=" + user, ""},
		{"POST", "/ivrs/welcomeservices", fmt.Sprintf(`{"name":"S","openHoursOverflow":{"type":"user","destinationId":%q},"externalNumberId":%q}`, user, number)},
		{"PUT", "/ivrs/" + service, fmt.Sprintf(`{"externalNumberId":%q}`, number)},
		{"DELETE", "/ivrs/" + service, ""},
		{"PUT", "/groups/" + seedID(idOther, 11) + "/forwards/immediate", fmt.Sprintf(`{"activate":true,"destinationType":"internalnumber","number":"%d"}`, 80000+some(12))},
		{"POST", "/groups/" + seedID(idOther, 11) + "/voicemail-greetings", string(tone("w", 0.01))},
		{"DELETE", fmt.Sprintf("/groups/%s/voicemail-greetings/%d", seedID(idOther, 11), 50001+some(4)), ""},
		{"POST", "/devices/" + seedID(idDevice, 9+some(3)) + "/programmable-keys", fmt.Sprintf(`{"keyNum":%d,"keyType":"monitor","phoneNumberId":%q}`, some(4)+1, seedID(idSubscriber, some(9)))},
		{"DELETE", "/recordings/" + seedID(idOther, 31+some(9)), ""},
	}
	c := calls[some(len(calls))]
	code, _ := k.call(c.method, voice+c.path, c.body)
	return code
}

// TestTheKeptWorldIsTheLivingOne makes random calls, then compares the world
// in memory with the one its file gives: a document that was changed without
// being put, or a lookup that drifted from its table, shows.
func TestTheKeptWorldIsTheLivingOne(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		file := filepath.Join(t.TempDir(), "world.jsonl")
		s, err := New(Options{SeedUsers: 8, DataFile: file})
		if err != nil {
			t.Fatal(err)
		}
		k := &walker{t: t, handler: s.Handler(), dice: rand.New(rand.NewPCG(seed, 1))}
		k.login()
		codes := map[int]int{}
		for range 500 {
			codes[k.step()]++
		}
		for deadline := time.Now().Add(10 * time.Second); s.imports.next() != nil; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("imports do not end")
			}
		}
		if codes[200] < 50 || codes[409] < 20 || codes[404] < 20 || codes[500] > 0 {
			t.Errorf("seed %d: the walk is one-sided: %v", seed, codes)
		}
		kept, _, err := loadWorld(file)
		if err != nil {
			t.Fatal(err)
		}
		living := s.store.world
		if diff := cmp.Diff(documents(t, living), documents(t, kept)); diff != "" {
			t.Errorf("seed %d: documents differ:\n%s", seed, diff)
		}
		if diff := cmp.Diff(lookups(living), lookups(kept)); diff != "" {
			t.Errorf("seed %d: lookups differ:\n%s", seed, diff)
		}
		checkInvariants(t, living)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func documents(t *testing.T, w *world) map[string]string {
	all := map[string]string{}
	for kind, k := range w.kinds() {
		err := k.each(func(id string, document any) error {
			raw, err := json.Marshal(document)
			all[kind+"/"+id] = string(raw)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// lookups renders what is derived from the documents. Lists of ids are
// compared as sets: their order is that of the assignments, which a file does
// not keep.
func lookups(w *world) map[string]any {
	sets := func(m map[string][]string) map[string]map[string]bool {
		r := map[string]map[string]bool{}
		for key, ids := range m {
			r[key] = map[string]bool{}
			for _, id := range ids {
				r[key][id] = true
			}
		}
		return r
	}
	counts := func(m map[string]int) map[string]int {
		r := map[string]int{}
		for key, n := range m {
			if n != 0 {
				r[key] = n
			}
		}
		return r
	}
	var names, logins []string
	for _, u := range w.usersByName.items {
		names = append(names, u.ID)
	}
	for _, u := range w.usersByLogin.items {
		logins = append(logins, u.ID)
	}
	return map[string]any{
		"names": names, "logins": logins, "userOfLogin": w.userOfLogin, "subscriberOfUser": w.subscriberOfUser,
		"extensionHolder": w.extensionHolder, "devices": sets(w.devicesOfSubscriber), "macs": w.deviceOfMAC, "ddiOfNumber": w.ddiOfNumber,
		"greetings": sets(w.greetingsOfOwner), "ddis": sets(w.ddisOfUser), "numbers": sets(w.numbersOfUser), "licences": counts(w.licenceCount), "users": counts(w.userCount),
	}
}

// checkInvariants states what no sequence of calls may break.
func checkInvariants(t *testing.T, w *world) {
	t.Helper()
	taken := map[string]string{}
	for _, b := range w.subscribers.all() {
		u := w.users.get(b.UserID)
		if u == nil || u.IsTerminated {
			t.Errorf("subscriber %s has no living user", b.ID)
		}
		if other := taken[b.ShortNumber]; other != "" {
			t.Errorf("short number %s is that of %s and %s", b.ShortNumber, other, b.ID)
		}
		taken[b.ShortNumber] = b.ID
		if !w.systems.get(b.SystemID).inPlan(b.ShortNumber) {
			t.Errorf("short number %s is outside the plan", b.ShortNumber)
		}
	}
	for _, v := range w.devices.all() {
		if v.SubscriberID != "" && w.subscribers.get(v.SubscriberID) == nil {
			t.Errorf("device %s belongs to a subscriber that is gone", v.ID)
		}
	}
	for _, n := range w.ddis.all() {
		if n.UserID != "" && w.subscriberOf(n.UserID) == nil {
			t.Errorf("DDI %s belongs to a user without a subscriber", n.NumberE164)
		}
	}
	active := map[string]string{}
	for _, g := range w.greetings.all() {
		place := g.OwnerID + "/" + g.Kind
		if w.greetingScope(g.SystemID, g.OwnerID) == "" {
			t.Errorf("greeting %s belongs to nobody", g.ID)
		}
		if g.IsDefault != (w.audio.get(g.ID) == nil) {
			t.Errorf("greeting %s, default %t, has audio %t", g.ID, g.IsDefault, w.audio.get(g.ID) != nil)
		}
		if g.IsActive && !g.IsDefault && active[place] != "" {
			t.Errorf("greetings %s and %s are active", g.ID, active[place])
		}
		if g.IsActive && !g.IsDefault {
			active[place] = g.ID
		}
	}
	for _, n := range w.ddis.all() {
		if i := w.ivrs.get(n.IVRID); n.IVRID != "" && (i == nil || i.DDI != n.ID || n.UserID != "") {
			t.Errorf("DDI %s is not that of the service it names", n.NumberE164)
		}
	}
	for _, n := range w.pbxNumbers.all() {
		if u := w.users.get(n.UserID); n.UserID != "" && (u == nil || u.IsTerminated) {
			t.Errorf("number %s is paired with a user that is gone", n.ShortNumber)
		}
	}
	for _, p := range w.subscriptions.all() {
		if p.MaxNumberUsers > 0 && w.assigned(p) > p.MaxNumberUsers {
			t.Errorf("subscription %s has %d users, at most %d", p.ID, w.assigned(p), p.MaxNumberUsers)
		}
	}
}

// TestAWorldWithoutServicesGetsThem opens a world as it was kept before the
// sandbox had groups, welcomes and trunks.
func TestAWorldWithoutServicesGetsThem(t *testing.T) {
	t.Parallel()
	for _, withPbx := range []bool{true, false} {
		file := filepath.Join(t.TempDir(), "world.jsonl")
		old := seedWorld(4, newSigningKey())
		old.removeServices(CloudPbxID)
		if !withPbx {
			old.systems.remove(CloudPbxID)
		}
		for _, trunk := range old.trunks.all() {
			old.trunks.remove(trunk.ID)
		}
		kept, err := openDataFile(file, old, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := kept.close(old); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time it has them
			s, err := New(Options{DataFile: file})
			if err != nil {
				t.Fatal(err)
			}
			w := s.store.world
			if len(w.trunks.rows) < 5 || (len(w.ivrs.rows) == 3) != withPbx || (w.group(seedID(idOther, 21)) != nil) != withPbx {
				t.Errorf("with a Cloud PBX %t: %d trunks, %d welcomes and services", withPbx, len(w.trunks.rows), len(w.ivrs.rows))
			}
			w.trunks.remove(seedID(idOther, 54))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
