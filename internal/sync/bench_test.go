package sync

import (
	"fmt"
	"testing"
)

// benchWorld is a company of n users who each have an extension, a device, a DDI, a licence and four attributes.
func benchWorld(n int) *World {
	company := Company{ID: "c1", CloudPbx: &CloudPbx{ID: "s1", PbxID: cloudID, Ranges: []Range{{"2000000", "2999999"}}}, Account: "root@demo.example"}
	records := []Record{
		&Licence{ID: "l0", Offer: "Essential", Max: -1, Assigned: n, Status: "active", Default: true},
		&Licence{ID: "l1", Offer: "Voice", Max: n + 10, Assigned: n, Status: "active"},
	}
	for i := range n {
		login, id := benchLogin(i), fmt.Sprintf("u%d", i)
		records = append(records,
			&User{ID: id, Login: login, Licences: []string{"l0", "l1"}, Attributes: benchAttributes(i)},
			&Extension{ID: fmt.Sprintf("e%d", i), SystemID: "s1", PbxID: cloudID, Number: benchNumber(i), Role: RoleSubscriber, Holder: login, HolderID: id},
			&Device{ID: fmt.Sprintf("d%d", i), Address: benchDevice(i), Holder: login, HolderID: id, SubscriberID: fmt.Sprintf("e%d", i)},
			&DDI{ID: fmt.Sprintf("n%d", i), Number: benchDDI(i), Holder: login, HolderID: id})
	}
	return NewWorld(company, records...)
}

func benchLogin(i int) Login      { return Login(fmt.Sprintf("user%06d@demo.example", i)) }
func benchNumber(i int) Number    { return Number(fmt.Sprint(2000000 + i)) }
func benchDevice(i int) DeviceKey { return DeviceKey(fmt.Sprintf("020000%06x", i)) }
func benchDDI(i int) E164         { return E164(fmt.Sprintf("+33199%06d", i)) }

func benchAttributes(i int) []Attribute {
	return []Attribute{{"firstName", fmt.Sprintf("First%d", i)}, {"jobTitle", "Nurse"}, {"lastName", "Demo"}, {"mobilePhone0", fmt.Sprintf("+33639%06d", i)}}
}

// benchDesired asks for just that company, less one in a hundred users: of these a third has another job, a third swaps
// extensions with a neighbour, and a third swaps devices and DDIs.
func benchDesired(n int) *Desired {
	d := &Desired{Mode: "rainbowvoice", Digest: "digest", Users: &Entries{}}
	number, things := func(i int) int { return i }, func(i int) int { return i }
	for i := range n {
		u := DesiredUser{Login: benchLogin(i), Action: "upsert", Position: Position{"demo.csv", i + 2, 1}, Password: &SecretPlace{Field: passwordField}}
		u.Attributes = benchAttributes(i)
		at, other := number(i), things(i)
		switch i % 600 {
		case 0, 100:
			u.Attributes[1].Value = "Doctor"
		case 200:
			at = i + 1
		case 201:
			at = i - 1
		case 300:
			other = i + 1
		case 301:
			other = i - 1
		}
		if at >= n || other >= n {
			at, other = i, i
		}
		u.Subscriber, u.Devices, u.DDIs, u.Licences = Having(benchNumber(at)), Having(benchDevice(other)), Having(benchDDI(other)), Adding[Offer]("Voice")
		d.Users.Append(&u)
	}
	return d
}

// BenchmarkMakePlan plans a company of which one user in a hundred changes. "loop" is the least that any planner does with
// the same input: to look every user up and compare what is wished for with what is there.
func BenchmarkMakePlan(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		world, desired := benchWorld(n), benchDesired(n)
		b.Run(fmt.Sprintf("plan/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				plan, err := MakePlan(desired, world, Policy{})
				if err != nil || len(plan.Operations) == 0 || len(plan.Operations) > n/20 {
					b.Fatalf("plan of %d operations, error %v", len(plan.Operations), err)
				}
			}
		})
		users := usersOf(desired)
		b.Run(fmt.Sprintf("loop/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if differ := plainLoop(users, world); differ == 0 || differ > n/20 {
					b.Fatalf("%d users differ", differ)
				}
			}
		})
	}
}

func plainLoop(desired []DesiredUser, world *World) (differ int) {
	for i := range desired {
		want := &desired[i]
		same := true
		user := find[User](world, want.Login.Key())
		for _, a := range want.Attributes {
			same = same && SameAttribute(a.Name, user.Attribute(a.Name), a.Value)
		}
		for _, k := range world.Held(want.Login) {
			switch r := world.Record(k).(type) {
			case *Extension:
				same = same && r.Number == want.Subscriber.Keys[0]
			case *Device:
				same = same && r.Address == want.Devices.Keys[0]
			case *DDI:
				same = same && r.Number == want.DDIs.Keys[0]
			}
		}
		if !same {
			differ++
		}
	}
	return differ
}

// BenchmarkExecute carries out a plan that creates users with an extension each, against the model and books in memory:
// what is measured is the coordinator.
func BenchmarkExecute(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		world := benchWorld(0)
		desired := &Desired{Mode: "rainbowvoice", Users: &Entries{}}
		for i := range n {
			desired.Users.Append(&DesiredUser{Login: benchLogin(i), Action: "upsert", Position: Position{"demo.csv", i + 2, 1}, Password: &SecretPlace{Field: passwordField},
				Attributes: benchAttributes(i), Subscriber: Having(benchNumber(i))})
		}
		plan, err := MakePlan(desired, world, Policy{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run := &Run{Name: "run-1", Company: "c1", State: RunRunning}
				engine := &Engine{Store: newBooks(world), Target: &bulk{newModel(world)}}
				if err := engine.Execute(b.Context(), Execution{Run: run, Plan: plan, Secrets: anySecret{}}); err != nil || run.State != RunSucceeded {
					b.Fatalf("run is %s, error %v", run.State, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*2*n), "ns/operation")
		})
	}
}

// bulk is a model that takes users by the 500.
type bulk struct{ *model }

func (bulk) Batch(step *Step, _ UsersBy) Batch {
	if step.Operation.Key.Kind == KindUser {
		return Batch{Group: "users", Size: 500}
	}
	return Batch{Size: 1}
}
