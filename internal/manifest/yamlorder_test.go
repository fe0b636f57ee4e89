package manifest

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/samples"
)

var placeInText = regexp.MustCompile(`[a-z0-9]+\.(yaml|csv):[0-9]+:[0-9]+`)

// planText is a plan as it is stored, without its places; remarks are in the order of their places, and sorted here.
func planText(t rapid.TB, world bulksync.Observed, files map[string]string) string {
	var sources []Source
	for name, text := range files {
		sources = append(sources, Source{Name: name, Content: []byte(text)})
	}
	desired, _, err := Read(context.Background(), sources, Options{})
	if err != nil {
		t.Fatalf("%v in\n%v", err, files)
	}
	plan, err := bulksync.MakePlan(desired, world, bulksync.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(stored, &v); err != nil {
		t.Fatal(err)
	}
	v = withoutPositions(v)
	if remarks, ok := v.(map[string]any)["remarks"].([]any); ok {
		slices.SortFunc(remarks, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	clean, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return placeInText.ReplaceAllString(string(clean), "PLACE")
}

func withoutPositions(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "position")
		delete(v, "positions")
		for k := range v {
			v[k] = withoutPositions(v[k])
		}
	case []any:
		for i := range v {
			v[i] = withoutPositions(v[i])
		}
	}
	return v
}

// yamlParts are the entries of a manifest, by the list that they belong to.
var yamlParts = map[string][]string{
	"users": {
		"{login: ann@sandbox.example, template: desk, password: env:PW, extension: \"80003\", devices: [\"02:00:00:00:00:02\", {macAddress: \"02:00:00:cc:00:01\", model: M5, description: New}]}",
		"{login: bob@sandbox.example, password: env:PW, firstName: Bob, extension: {pool: p}, ddis: [{pool: q}]}",
		"{login: cleo@sandbox.example, userInfo1: E1, userInfo2: E2, password: env:PW, extension: {pool: p}, ddis: [\"+33298300523\"]}",
		"{login: user000001@sandbox.example, extension: \"80002\", tags: [b, a]}",
		"{login: user000002@sandbox.example, extension: \"80001\", options: {overflow: {value: custom}}}",
		"{login: user000003@sandbox.example, absent: true}",
		"{login: user000004@sandbox.example, devices: [], jobTitle: Chief}",
		"{login: user000005@sandbox.example, title: no, ddis: [\"+33298300601\"]}",
	},
	"devices": {
		"{macAddress: \"02:00:00:bb:00:01\", template: m5, description: Reception, keys: [{keyNum: 1, keyType: headset}]}",
		"{macAddress: \"02:00:00:bb:00:02\", template: m5, description: Hall}",
		"{ipei: \"03807e7898\", description: Handset}",
	},
	"ddis":   {"\"+33298300600\"", "{first: \"+33298300601\", count: 3}", "\"+33298300610\""},
	"ignore": {"svc-*@sandbox.example", "\"239*\"", "zz*"},
	"match":  {"userInfo1", "userInfo2"},
}

const yamlRest = `name: shuffled
company: 5b7d0c0ffee0000000000001
templates:
  users: {desk: {country: FRA, licences: [Voice Enterprise 3-Year prepaid, Enterprise Demo]}}
  devices: {m5: {model: M5}}
defaults: {users: {language: fr}}
pools:
  extensions: {p: {ranges: [2200-2209], quarantine: 3}}
  ddis: {q: {ranges: ["+33298300500-+33298300509"]}}
settings: {cli: {policy: user_ddi_number}, overflow: {activate: true}}
`

// TestFilesAndEntriesMayComeInAnyOrder deals the entries of a manifest out to files, in any order: the plan is the same,
// byte for byte, but for places.
func TestFilesAndEntriesMayComeInAnyOrder(t *testing.T) {
	world := richWorld()
	lists := slices.Sorted(func(yield func(string) bool) {
		for name := range yamlParts {
			if !yield(name) {
				return
			}
		}
	})
	write := func(parts map[string][]string, rest string) string {
		text := "version: 1\n" + rest
		for _, name := range lists {
			if len(parts[name]) > 0 {
				text += name + ":\n- " + strings.Join(parts[name], "\n- ") + "\n"
			}
		}
		return text
	}
	want := planText(t, world, map[string]string{"a.yaml": write(yamlParts, yamlRest)})
	if n := strings.Count(want, `"action"`); n < 20 {
		t.Fatalf("the manifest asks for %d operations, want at least 20:\n%s", n, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 3).Draw(t, "files")
		dealt := make([]map[string][]string, count)
		for i := range dealt {
			dealt[i] = map[string][]string{}
		}
		for _, name := range lists {
			for _, e := range rapid.Permutation(yamlParts[name]).Draw(t, name) {
				to := rapid.IntRange(0, count-1).Draw(t, "file")
				dealt[to][name] = append(dealt[to][name], e)
			}
		}
		files := map[string]string{}
		bearer := rapid.IntRange(0, count-1).Draw(t, "rest")
		for i := range dealt {
			rest := ""
			if i == bearer {
				rest = yamlRest
			}
			files[fmt.Sprintf("%c.yaml", 'c'-i)] = write(dealt[i], rest)
		}
		if diff := cmp.Diff(want, planText(t, world, files)); diff != "" {
			t.Fatalf("another plan (-one file +shuffled):\n%s\n%v", diff, files)
		}
	})
}

// TestCSVAndYAMLOfTheSameWishPlanTheSame writes the rows of a CSV sample as YAML: the operations are the same.
func TestCSVAndYAMLOfTheSameWishPlanTheSame(t *testing.T) {
	world := sandboxWorld(20)
	text, err := fs.ReadFile(samples.Files, "rainbowvoice.csv")
	if err != nil {
		t.Fatal(err)
	}
	desired, _, err := Read(t.Context(), []Source{{Name: "a.csv", Content: text}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("version: 1\nusers:\n")
	left := &bulksync.Entries{}
	for _, u := range desired.Users.All() {
		if u.Action == "detach" || len(u.Licences.Keys) > 0 && u.Licences.Mood != bulksync.Exactly {
			continue // YAML says what is there in the end, all of it
		}
		left.Append(u)
		fmt.Fprintf(&b, "- login: %s\n", u.Login)
		if u.Presence == bulksync.Absent {
			b.WriteString("  absent: true\n")
			continue
		}
		for _, a := range u.Attributes {
			name := strings.TrimRight(a.Name, "0123456789")
			if name != a.Name && name != "userInfo" {
				fmt.Fprintf(&b, "  %s: [%s]\n", name, yamlText(a.Value))
			} else {
				fmt.Fprintf(&b, "  %s: %s\n", a.Name, yamlText(a.Value))
			}
		}
		if u.Password != nil {
			b.WriteString("  password: env:PW\n")
		}
		for _, k := range u.Subscriber.Keys {
			fmt.Fprintf(&b, "  extension: %q\n", k)
		}
		for _, k := range u.Devices.Keys {
			fmt.Fprintf(&b, "  devices: [%q]\n", k)
		}
		for _, k := range u.DDIs.Keys {
			fmt.Fprintf(&b, "  ddis: [%q]\n", k)
		}
	}
	again, _, err := Read(t.Context(), []Source{{Name: "a.yaml", Content: []byte(b.String())}}, Options{})
	if err != nil {
		t.Fatalf("%v in\n%s", err, &b)
	}
	desired.Users = left
	operations := func(d *bulksync.Desired) []string {
		plan, err := bulksync.MakePlan(d, world, bulksync.Policy{})
		if err != nil {
			t.Fatal(err)
		}
		all := make([]string, len(plan.Operations))
		for i := range plan.Operations {
			all[i] = fmt.Sprintf("%s %v", plan.Operations[i].Title(), plan.Operations[i].Changes)
		}
		slices.Sort(all)
		return all
	}
	want := operations(desired)
	if len(want) < 5 {
		t.Fatalf("the sample asks for %v", want)
	}
	if diff := cmp.Diff(want, operations(again)); diff != "" {
		t.Errorf("(-CSV +YAML):\n%s\n%s", diff, &b)
	}
}
