package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/samples"
)

// reading is all that reading a text gave.
func reading(t testing.TB, text []byte, piece int) (string, bulksync.Faults) {
	t.Helper()
	d, s, err := Read(t.Context(), []Source{{Name: "f.yaml", Content: text}}, Options{piece: piece, MaxFaults: 50})
	var faults bulksync.Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatal(err)
	}
	if d == nil {
		return "", faults
	}
	all, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var cells strings.Builder
	for _, u := range d.Users.All() {
		for _, name := range []string{"shortNumber", "macAddress", "tags0", "options", "password", "title"} {
			fmt.Fprintf(&cells, "%s ", u.At(name))
		}
	}
	return fmt.Sprintf("%s\n%s\n%d secrets", all, &cells, s.Len()), nil
}

// listCases are texts whose lists are cut in places that are not plain.
var listCases = []struct {
	name, text string
	// read: there is no fault in it.
	read bool
}{
	{"dashes below the key", "version: 1\nusers:\n- login: a@x.example\n  tags:\n  - t\n  -\n    u\n- login: b@x.example\ndevices: []\n", true},
	{"dashes further right", "version: 1\nusers:\n    # one\n\n    - login: a@x.example\n      tags: [a,\nb]\n# two\n    -   login: b@x.example\nddis:\n- \"+33298300513\"\n", true},
	{"CRLF and a mark", "\ufeffversion: 1\r\nusers:\r\n- login: a@x.example\r\n- login: b@x.example\r\n", true},
	{"CR alone", "version: 1\rusers:\r- login: a@x.example\r- login: b@x.example\r", true},
	{"a comment that ends in CR", "version: 1\nusers: # a\r- login: a@x.example\n- login: b@x.example\n", true},
	{"other line breaks", "version: 1\nusers:\n- login: a@x.example\n  title: \"a\u2028\u0085b\"\n- login: a@x.example\n", false},
	{"a list in quotes", "version: 1\ncompany: \"a\nusers:\n- x\n\"\nusers:\n- login: a@x.example\n", true},
	{"brackets at the beginning of lines", "version: 1\nusers:\n- {login: a@x.example, tags: [\nb\n]\n}\n- {\n\"login\": b@x.example }\n", true},
	{"a dash in quotes at the beginning of a line", "version: 1\nusers:\n- login: a@x.example\n  title: 'a\n- b'\n- login: b@x.example\n", true},
	{"a key in quotes at the beginning of a line", "version: 1\nusers:\n- login: a@x.example\n  title: 'a\nddis:\n- b'\n- login: b@x.example\n", true},
	{"block text", "version: 1\nusers:\n- login: a@x.example\n  title: >-\n    - a\n    users:\n- login: |-\n    b@x.example\n", true},
	{"several documents", "version: 1\nusers:\n- login: a@x.example\n--- # next\nversion: 1\nusers:\n- login: b@x.example\n...\n---\nversion: 1\nddis:\n- \"+33298300513\"\n", true},
	{"anchors before the list", "version: 1\ntemplates: {users: {t: &t {title: T, tags: &u [a]}}}\nusers:\n- {<<: *t, login: a@x.example}\n- {login: b@x.example, tags: *u}\n", true},
	{"anchors in the list", "version: 1\nusers:\n- &a {login: a@x.example, title: A}\n- &b {<<: *a, login: b@x.example, nickName: &n B}\n- {<<: [*b], login: c@x.example}\n- &a {login: d@x.example, title: D}\n- {<<: *a, login: e@x.example, nickName: *n}\n", true},
	{"anchors in an earlier list", "version: 1\nusers:\n- {login: a@x.example, devices: [&m \"02:00:00:00:00:01\"]}\nddis:\n- &d \"+33298300513\"\ndevices:\n- {macAddress: *m, description: *d}\n", true},
	{"an anchor that comes later", "version: 1\nusers:\n- {login: a@x.example, title: *t}\ncompany: &t c\n", false},
	{"an anchor of nothing", "version: 1\nusers:\n- login: a@x.example\n- login: b@x.example\n  title: *t\n", false},
	{"a key that comes twice", "version: 1\nusers:\n- login: a@x.example\nusers:\n- login: b@x.example\n", false},
	{"an anchor at the key", "version: 1\nusers: &u\n- login: a@x.example\n", true},
	{"a mapping", "version: 1\nusers:\n  a: b\n", false},
	{"a list of nothing", "version: 1\nusers:\n# none\nddis:\n", true},
	{"an entry of nothing", "version: 1\nusers:\n-\n- login: a@x.example\n", false},
	{"keys of another form", "version: 1\n\"users\":\n- login: a@x.example\n'ddis' :\n- \"+33298300513\"\n? devices\n:\n- {macAddress: \"02:00:00:00:00:01\"}\n", true},
	{"a tag", "version: 1\nusers: !!seq\n- login: a@x.example\n", true},
	{"an alias of an entry that holds itself", "version: 1\nusers:\n- &a\n  login: a@x.example\n  <<: *a\n", false},
	{"a bad entry", "version: 1\nusers:\n- login: a@x.example\n title: A\n- login: b@x.example\n", false},
	{"an indented manifest", "  version: 1\n  users:\n  - login: a@x.example\n", true},
	{"aliases as text", "version: 1\nusers:\n- {login: a@x.example, title: &t T, nickName: 'a *t *u'}\n- {login: b@x.example, title: \"*t\"} # *t\n", true},
}

// TestListsAreReadAsTheWholeIs reads entries one by one, in pieces, and with all the rest.
func TestListsAreReadAsTheWholeIs(t *testing.T) {
	for _, tt := range listCases {
		t.Run(tt.name, func(t *testing.T) {
			whole, faults := reading(t, []byte(tt.text), -1)
			if (faults == nil) != tt.read {
				t.Fatalf("as a whole: %v", faults)
			}
			for _, piece := range []int{1, 40, 0} {
				got, found := reading(t, []byte(tt.text), piece)
				if diff := cmp.Diff(whole, got); diff != "" {
					t.Errorf("pieces of %d (-whole +pieces):\n%s", piece, diff)
				}
				if (found == nil) != tt.read {
					t.Errorf("pieces of %d: %v, as a whole %v", piece, found, faults)
				}
			}
		})
	}
}

// FuzzEntries: cutting lists out of a text makes no difference to what it says.
func FuzzEntries(f *testing.F) {
	for _, tt := range listCases {
		f.Add([]byte(tt.text), 1)
	}
	names, err := fs.Glob(samples.Files, "*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(samples.Files, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, 200)
	}
	f.Fuzz(func(t *testing.T, text []byte, piece int) {
		if len(text) > 16<<10 {
			return
		}
		whole, faults := reading(t, text, -1)
		got, found := reading(t, text, max(piece, 0))
		if whole != got || (faults == nil) != (found == nil) {
			t.Fatalf("as a whole %v\n%s\nin pieces %v\n%s", faults, whole, found, got)
		}
	})
}

// TestEveryMistakeIsFound: an entry that is no YAML hides neither another one nor what is wrong elsewhere.
func TestEveryMistakeIsFound(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# a comment\nversion: 1\nusers:\n")
	for i := range 2000 {
		switch i {
		case 5:
			b.WriteString("- login: c@x.example\n  title: \"a\n")
		case 1500:
			b.WriteString("- login: d@x.example\n  tags: [a, b\n  title: x\n")
		case 1600:
			b.WriteString("- login: e@x.example\n title: x\n")
		case 1700:
			b.WriteString("- login: f@x.example\n  title: a: b\n")
		case 1800:
			b.WriteString("- login: g@x.example\n  title: b\n  nickName: *a\n")
		case 1900:
			b.WriteString("- login: h@x.example\n  colour: red\n")
		default:
			fmt.Fprintf(&b, "- login: u%d@x.example\n", i)
		}
	}
	lines := strings.Split(b.String(), "\n")
	_, faults := reading(t, b.Bytes(), 0)
	var got []string
	for _, f := range faults {
		got = append(got, f.Code+" "+strings.TrimSpace(lines[f.Position.Line-1]))
	}
	want := []string{"yaml-syntax title: \"a", "yaml-syntax tags: [a, b", "yaml-syntax title: x", "yaml-syntax title: a: b", "yaml-syntax nickName: *a", "unknown-key colour: red"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, faults)
	}
}
