package sandbox_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

func sessionChecks() map[string]func(*testing.T, *faulty) {
	expired := func(f *faulty, path string) { f.get(path).fails(401, 0).want("errorDetails", "jwt expired") }
	return map[string]func(*testing.T, *faulty){
		"expired once": func(_ *testing.T, f *faulty) {
			expired(f, admin+"/users")
			f.get(admin + "/users").ok()
			f.hits(1)
		},
		"token ended": func(_ *testing.T, f *faulty) {
			other := f.login(sandbox.AdminLogin, sandbox.AdminPassword)
			expired(f, admin+"/systems")
			expired(f, aUser)
			expired(f, authent+"/renew")
			f.token = other
			f.get(admin + "/systems").ok()
			f.hits(1)
		},
		"all ended": func(_ *testing.T, f *faulty) {
			other := f.login("admin@neighbour.example", sandbox.AdminPassword)
			expired(f, ddis)
			f.token = other
			expired(f, admin+"/users")
			f.token = f.login(sandbox.AdminLogin, sandbox.AdminPassword) // at the same moment of the clock
			f.get(ddis).ok()
			f.hits(1)
		},
		"locked": func(_ *testing.T, f *faulty) {
			f.signIn(seeded(3), sandbox.UserPassword, sandbox.AppSecret).fails(401, 401501)
			f.signIn(seeded(3), sandbox.UserPassword, sandbox.AppSecret).fails(401, 401501)
			f.signIn(seeded(4), sandbox.UserPassword, sandbox.AppSecret).ok()
			f.hits(1)
			f.pass(10 * time.Minute)
			f.signIn(seeded(3), sandbox.UserPassword, sandbox.AppSecret).ok()
		},
	}
}

func replicaChecks() map[string]func(*testing.T, *faulty) {
	return map[string]func(*testing.T, *faulty){
		"lagging ddis": func(_ *testing.T, f *faulty) {
			free := ddis + "?isAssigned=false&limit=1"
			before := f.get(ddis).ok().text("total")
			freeBefore := f.get(free).ok().text("total")
			first := f.get(free).text("data.0.id")
			f.post(ddis, map[string]string{"number": "0298300777"}).ok()
			f.delete(ddis + "/" + f.get(free+"&sortOrder=-1").text("data.0.id")).ok()
			f.post(ddis+"/"+first+"/users/5b7d0c0ffee1000000000002", nil).ok()
			f.get(ddis).ok().want("total", before)
			f.get(free).ok().want("total", freeBefore, "data.0.id", first)
			f.get(ddis+"?numberE164StartWith=%2B33298300777").ok().want("total", "0")
			f.post(ddis, map[string]string{"number": "0298300777"}).fails(409, 409000)
			f.get(admin + "/users?limit=1").ok() // other collections are as they are
			f.pass(10 * time.Minute)
			f.get(ddis).ok().want("total", before)
			f.get(ddis+"?numberE164StartWith=%2B33298300777").ok().want("total", "1")
			if now := f.get(free).ok().text("total"); now == freeBefore {
				f.t.Errorf("%s are free still", now)
			}
		},
		"lagging users": func(_ *testing.T, f *faulty) {
			id := f.post(admin+"/users", map[string]string{"loginEmail": "ana@sandbox.example", "password": "Secret-Pass-77"}).ok().text("data.id")
			f.get(admin+"/users/"+id).fails(404, 404000)
			f.get(admin+"/users?loginEmail=ana@sandbox.example").ok().want("total", "0")
			f.get(admin+"/users/"+id).ok().want("data.loginEmail", "ana@sandbox.example")
			f.get(admin+"/users?loginEmail=ana@sandbox.example").ok().want("total", "1")
			f.put(admin+"/users/"+id, map[string]string{"firstName": "Ana"}).ok().want("data.firstName", "Ana")
			f.get(admin + "/users/" + id).ok()
			f.get(admin + "/users/" + id).ok()
			f.get(admin+"/users/"+id).ok().want("data.firstName", "Ana")
			f.delete(admin + "/users/" + id).ok()
			f.get(admin+"/users?loginEmail=ana@sandbox.example").ok().want("total", "1")
			f.get(admin+"/users/"+id).ok().want("data.firstName", "Ana")
			f.get(admin+"/users/"+id).fails(404, 404000)
		},
		"report missing": func(_ *testing.T, f *faulty) {
			sheet := "loginEmail\nana@sandbox.example\n"
			details := imports + "/" + f.post(imports, sheet).ok().text("data.reqId") + "/details"
			f.eventually(func() bool { return f.get(imports).ok().text("data.0.status") == "Terminated" })
			f.get(details).fails(404, 404000)
			f.get(details).fails(404, 404000)
			f.get(details).ok().want("data.status", "Terminated", "data.counters.succeeded", "1")
			f.hits(3)
		},
	}
}

func (f *faulty) eventually(holds func() bool) {
	f.t.Helper()
	for range 500 {
		if holds() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	f.t.Fatal("it does not come")
}

func documentChecks() map[string]func(*testing.T, *faulty) {
	return map[string]func(*testing.T, *faulty){
		"news": func(t *testing.T, f *faulty) {
			a := f.get(admin+"/users?limit=3").ok().want("total", "21")
			again := startFaulty(t, f.name, `{name: news, operation: ListUsers, extraMembers: 5}`).get(admin + "/users?limit=3").ok()
			if n := strings.Count(string(a.body), `"undocumented`); n != 5 || !json.Valid(a.body) {
				t.Errorf("%d new members in %s", n, a.body)
			}
			if string(a.body) != string(again.body) {
				t.Errorf("the same seed and calls gave\n%s\n%s", a.body, again.body)
			}
			f.hits(1)
		},
		"total as text": func(t *testing.T, f *faulty) {
			a := f.get(ddis + "?limit=1").ok()
			if text, ok := a.at("total").(string); !ok || text != "100" {
				t.Errorf("total is %v", a.at("total"))
			}
			f.hits(1)
		},
		"id as number": func(t *testing.T, f *faulty) {
			a := f.get(devices + "?assigned=true&limit=3").ok()
			for i := range 3 {
				if n, ok := a.at(fmt.Sprintf("data.%d.shortNumber", i)).(json.Number); !ok || !strings.HasPrefix(n.String(), "800") {
					t.Errorf("shortNumber %d is %v", i, n)
				}
			}
			f.hits(1)
		},
		"name is null": func(t *testing.T, f *faulty) {
			a := f.get(aUser).ok()
			if name, there := a.at("data").(map[string]any)["displayName"]; !there || name != nil {
				t.Errorf("displayName is %v", name)
			}
			f.hits(1)
		},
		"anything": func(t *testing.T, f *faulty) {
			a := f.get(cloud).ok()
			if err := f.sandbox.SetFaults(nil); err != nil {
				t.Fatal(err)
			}
			was := f.get(cloud).ok()
			if string(was.body) == string(a.body) || !json.Valid(a.body) {
				t.Errorf("nothing drifted in %s", a.body)
			}
		},
	}
}

func importChecks() map[string]func(*testing.T, *faulty) {
	return map[string]func(*testing.T, *faulty){
		"bad row": func(_ *testing.T, f *faulty) {
			f.importSheet(imports+"/rainbowvoice", "__action__;loginEmail;shortNumber;macAddress;ddiE164Number",
				"upsert;ana@sandbox.example;81011;aabbccddee02;", "upsert;bob@sandbox.example;81012;aabbccddee03;").
				want("data.counters.succeeded", "1", "data.counters.failed", "1", "data.report.1.sipDeviceReport.code", "2010")
			f.hits(1)
		},
		"slow start": func(_ *testing.T, f *faulty) {
			f.took(100*time.Millisecond, 5*time.Second, func() { f.importSheet(imports, "loginEmail", "ana@sandbox.example") })
			f.hits(1)
			f.importSheet(imports, "loginEmail", "bob@sandbox.example")
			f.hits(1)
		},
	}
}
