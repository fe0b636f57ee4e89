package sync

import (
	"encoding/json"
	"io"
	"slices"
	"testing"
)

// FuzzPlan reads plan documents: what is read as a plan is written and read back as the same one, is rendered in every form,
// and is walked through, without a panic, whatever its operations need and name.
func FuzzPlan(f *testing.F) {
	add := func(p *Plan) {
		b, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	add(fullPlan(plainly))
	for _, c := range planCases {
		if plan, err := MakePlan(&Desired{Mode: "rainbowvoice", Users: EntriesOf(c.users...)}, demoWorld(), Policy{}); err == nil {
			add(plan)
		}
	}
	for _, text := range []string{
		`{"format":3,"operations":[{"id":9,"key":"user/x","needs":[3]}]}`,
		`{"operations":[{"id":1,"action":"attach","key":"ddi/+33","login":"x"}]}`,
		`{"operations":[{"id":1,"action":"restore","key":"extension/","needs":[1]},{"id":1,"action":"save","key":"extension/a/b"}]}`,
		`{"operations":[{"id":-1,"action":"update","key":"keys/x","changes":[{"name":"key 1.","after":"\""}]}],"touched":[{"key":"licence/x"}]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		plan := new(Plan)
		if json.Unmarshal(b, plan) != nil || keyless(plan) {
			return
		}
		doc, err := json.Marshal(plan)
		if err != nil {
			t.Fatalf("what was read as a plan can't be written: %v", err)
		}
		again := new(Plan)
		if err := json.Unmarshal(doc, again); err != nil || again.Hash() != plan.Hash() {
			t.Fatalf("written and read again: error %v, hash %s, then %s\n%s", err, plan.Hash(), again.Hash(), doc)
		}
		for _, format := range Formats() {
			_ = plan.Render(io.Discard, format, RenderOptions{}) // it may be refused
		}
		_ = Invariants(plan, demoWorld()) // likewise
	})
}

// keyless tells whether a document leaves a key out, which no plan does, and which has no written form.
func keyless(p *Plan) bool {
	return slices.ContainsFunc(p.Operations, func(op Operation) bool { return op.Key == Key{} }) || slices.ContainsFunc(p.Touched, func(t Touch) bool { return t.Key == Key{} })
}
