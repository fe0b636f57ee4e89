package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// poolWorld is a company with some users, of whom two have extensions of the pool 2300-2309.
func poolWorld(releases ...Record) *World {
	records := append([]Record{
		&User{ID: "u1", Login: "ann@demo.example"}, &User{ID: "u2", Login: "bob@demo.example"}, &User{ID: "u3", Login: "cleo@demo.example"}, &User{ID: "u4", Login: "dan@demo.example"},
		&Extension{ID: "e1", SystemID: "s1", PbxID: cloudID, Number: "2301", Role: RoleSubscriber, Holder: "dan@demo.example", HolderID: "u4"},
		&Extension{ID: "e2", SystemID: "s1", PbxID: cloudID, Number: "2302", Role: RoleGroup, Label: "hunting group"},
		&DDI{ID: "n0", Number: ddi(0), Default: true}, &DDI{ID: "n1", Number: ddi(1)}, &DDI{ID: "n2", Number: ddi(2), Label: "ivr"}, &DDI{ID: "n3", Number: ddi(3)},
		&Device{ID: "d0", Address: device(0)},
	}, releases...)
	return NewWorld(Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID, Ranges: []Range{{"2300", "2399"}}}}, records...)
}

func released(number Number, by Login, day string) *Release {
	return &Release{Thing: ExtensionKey(cloudID, number), Login: by, Time: day + "T10:00:00Z"}
}

// fromPool is a user who wants an extension of the pool.
func fromPool(login Login) DesiredUser {
	return DesiredUser{Login: login, Action: "upsert", Subscriber: Having[Number](), Pools: []PoolWish{{KindExtension, "brest"}}, Position: Position{File: "m.yaml", Line: 2}}
}

func TestPools(t *testing.T) {
	brest := Pool{Name: "brest", Kind: KindExtension, Ranges: []KeyRange{{"2300", "2305"}}, Reserved: []KeyRange{{"2300", "2300"}}, Quarantine: 30}
	tests := []struct {
		name     string
		pools    []Pool
		users    []DesiredUser
		releases []Record
		today    string
		want     string // who gets what, or a fault
	}{
		{"the first that nobody has and nothing reserves", []Pool{brest}, []DesiredUser{fromPool("ann@demo.example")}, nil, "", "ann 2303"},
		{"users are served in the order of their logins", []Pool{brest}, []DesiredUser{fromPool("cleo@demo.example"), fromPool("ann@demo.example"), fromPool("bob@demo.example")}, nil, "",
			"ann 2303, bob 2304, cleo 2305"},
		{"who has one keeps it", []Pool{brest}, []DesiredUser{fromPool("dan@demo.example")}, nil, "", ""},
		{"what another asks for by name is not given", []Pool{brest}, []DesiredUser{fromPool("ann@demo.example"), {Login: "bob@demo.example", Subscriber: Having[Number]("2303"), Position: Position{Line: 3}}}, nil, "",
			"ann 2304, bob 2303"},
		{"what was given up rests", []Pool{brest}, []DesiredUser{fromPool("ann@demo.example")}, []Record{released("2303", "bob@demo.example", "2026-01-01")}, "2026-01-30", "ann 2304"},
		{"and rests no longer", []Pool{brest}, []DesiredUser{fromPool("ann@demo.example")}, []Record{released("2303", "bob@demo.example", "2026-01-01")}, "2026-01-31", "ann 2303"},
		{"who gave it up gets it back", []Pool{brest}, []DesiredUser{fromPool("ann@demo.example"), fromPool("bob@demo.example")}, []Record{released("2304", "bob@demo.example", "2026-01-01")}, "2026-01-02", "ann 2303, bob 2304"},
		{"without a day all rests", []Pool{brest}, []DesiredUser{fromPool("ann@demo.example")}, []Record{released("2303", "bob@demo.example", "2020-01-01")}, "", "ann 2304"},
		{"what this plan frees is not given by it", []Pool{{Name: "brest", Kind: KindExtension, Ranges: []KeyRange{{"2301", "2301"}}}},
			[]DesiredUser{fromPool("ann@demo.example"), {Login: "dan@demo.example", Subscriber: Having[Number](), Position: Position{Line: 3}}}, nil, "", "pool-exhausted"},
		{"a pool runs out", []Pool{{Name: "brest", Kind: KindExtension, Ranges: []KeyRange{{"2302", "2303"}}}}, []DesiredUser{fromPool("ann@demo.example"), fromPool("bob@demo.example")}, nil, "", "pool-exhausted"},
		{"numbers outside the numbering plan are not given", []Pool{{Name: "brest", Kind: KindExtension, Ranges: []KeyRange{{"9000", "9001"}, {"2310", "2310"}}}}, []DesiredUser{fromPool("ann@demo.example")}, nil, "", "ann 2310"},
		{"no such pool", nil, []DesiredUser{fromPool("ann@demo.example")}, nil, "", "unknown-pool"},
		{"DDIs and devices", []Pool{brest, {Name: "public", Kind: KindDDI, Ranges: []KeyRange{{string(ddi(0)), string(ddi(9))}}}, {Name: "phones", Kind: KindDevice, Ranges: []KeyRange{{string(device(0)), string(device(0))}}}},
			[]DesiredUser{with(fromPool("ann@demo.example"), func(u *DesiredUser) {
				u.Pools = append(u.Pools, PoolWish{KindDDI, "public"}, PoolWish{KindDDI, "public"}, PoolWish{KindDevice, "phones"})
				u.DDIs, u.Devices = Having[E164](), Having[DeviceKey]()
			})}, nil, "", fmt.Sprintf("ann %s, ann %s, ann 2303, ann %s", ddi(1), ddi(3), device(0))},
		{"MAC addresses of a range follow one another in base 16", []Pool{{Name: "phones", Kind: KindDevice, Ranges: []KeyRange{{"aabbccddedf9", string(device(0))}}}},
			[]DesiredUser{{Login: "dan@demo.example", Pools: []PoolWish{{KindDevice, "phones"}}, Devices: Having[DeviceKey](), Position: Position{Line: 2}}}, nil, "", "dan " + device(0).String()},
		{"the end of one range leads to the next", []Pool{{Name: "brest", Kind: KindExtension, Ranges: []KeyRange{{"2300", "2303"}, {"2305", "2305"}, {"2304", "2304"}}, Reserved: []KeyRange{{"2300", "2300"}}}},
			[]DesiredUser{fromPool("ann@demo.example"), fromPool("bob@demo.example"), fromPool("cleo@demo.example")}, nil, "", "ann 2303, bob 2305, cleo 2304"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plan, err := MakePlan(&Desired{Mode: "yaml", Users: EntriesOf(tt.users...), Pools: tt.pools, Today: tt.today}, poolWorld(tt.releases...), Policy{})
			var got []string
			if faults, ok := err.(Faults); ok {
				got = []string{faults[0].Code}
			} else if err != nil {
				t.Fatal(err)
			} else {
				for _, op := range plan.Operations {
					if op.Action == ActionCreate || op.Action == ActionAttach {
						who, _, _ := strings.Cut(string(op.Login), "@")
						got = append(got, who+" "+thingName(op.Key))
					}
				}
			}
			slices.Sort(got)
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), tt.want)
			}
		})
	}
}

// TestAllocationIsStable draws users who want extensions of a pool: the order of the manifest makes no difference, nobody
// loses the one he has, and the next plan is empty.
func TestAllocationIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		n := rapid.IntRange(1, 6).Draw(t, "users who ask")
		d := &Desired{Mode: "yaml", Today: "2026-01-15", Users: &Entries{}, Pools: []Pool{{Name: "brest", Kind: KindExtension, Ranges: []KeyRange{{"2000", "2009"}, {"80000", "80009"}}, Quarantine: 10}}}
		for i := range n {
			u := fromPool(login(i))
			u.Position.Line, u.Password = i+2, &SecretPlace{Field: passwordField}
			d.Users.Append(&u)
		}
		for i := range 4 {
			if rapid.Bool().Draw(t, "released") {
				w.put(released(Number(fmt.Sprintf("200%d", i+4)), login(i), rapid.SampledFrom([]string{"2026-01-01", "2026-01-10"}).Draw(t, "day")))
			}
		}
		plan, err := MakePlan(d, w, Policy{})
		if err != nil {
			t.Fatal(err)
		}
		other := *d
		other.Users = EntriesOf(rapid.Permutation(usersOf(d)).Draw(t, "another order")...)
		shuffled, err := MakePlan(&other, w, Policy{})
		if err != nil || given(plan) != given(shuffled) {
			t.Fatalf("another order gives\n%s\nnot\n%s (%v)", given(shuffled), given(plan), err)
		}
		for i := range plan.Operations {
			op := &plan.Operations[i]
			if op.Action == ActionDelete && op.Key.Kind == KindExtension && keyRangesOf(d.Pools[0].Ranges).has(thingID(op.Key)) {
				t.Fatalf("%s loses an extension of the pool", op.Login)
			}
			carryOut(t, w, op)
		}
		if again, err := MakePlan(d, w, Policy{}); err != nil || len(again.Operations) > 0 {
			t.Fatalf("planning again: %v, %s", err, encode(t, again))
		}
	})
}

func given(p *Plan) string {
	var all []string
	for _, op := range p.Operations {
		if op.Action == ActionCreate && op.Key.Kind == KindExtension {
			all = append(all, string(op.Login)+" "+op.Key.ID)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// TestWhatARunGivesUpIsRemembered: a run notes what it gave up, a refresh keeps that, and giving it again ends it.
func TestWhatARunGivesUpIsRemembered(t *testing.T) {
	world := demoWorld()
	run := func(users ...DesiredUser) *World {
		t.Helper()
		plan, err := MakePlan(&Desired{Users: EntriesOf(users...)}, world, Policy{})
		if err != nil {
			t.Fatal(err)
		}
		store := newBooks(world)
		r := &Run{Name: "run-1", Company: "c1", State: RunRunning}
		e := &Engine{Store: store, Target: newModel(world), Clock: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }}
		if err := e.Execute(context.Background(), Execution{Run: r, Plan: plan}); err != nil || r.State != RunSucceeded {
			t.Fatalf("run is %s: %s, %v", r.State, r.Message, err)
		}
		return store.world
	}
	gone := with(entry(2, "ann@demo.example", "detach"), func(u *DesiredUser) { u.Presence, u.DDIs = Existing, Without(ddi(0)) })
	world = run(gone)
	rest := find[Release](world, ReleaseKey(ddi(0).Key()))
	if rest == nil || rest.Login != "ann@demo.example" || rest.Time != "2026-01-02T03:04:05Z" {
		t.Fatalf("the release is %+v", rest)
	}
	back := with(entry(2, "ann@demo.example", "upsert"), func(u *DesiredUser) { u.DDIs = Adding(ddi(0)) })
	if world = run(back); world.Record(ReleaseKey(ddi(0).Key())) != nil {
		t.Error("what is given again still rests")
	}
}
