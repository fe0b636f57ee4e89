package contract_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const examples = "../../testdata/spec/examples"

// effect is what a step does to the Rainbow under test.
type effect int

const (
	reads   effect = iota // nothing but a login may change
	owns                  // makes, changes and removes what the suite itself made
	company               // changes what the company has: never over a real account
)

// step is one operation that is called, and the documented answer its own is
// compared with.
type step struct {
	example string // portal/Operation of the documented answer; with .variant where there are several
	effect  effect
	call    func(s *session) reply
}

// operation is the catalogue's id of the step's operation.
func (st step) operation() string {
	_, name, _ := strings.Cut(st.example, "/")
	name, _, _ = strings.Cut(name, ".")
	return name
}

// members changes a documented request; nil takes a member out.
type members map[string]any

// documented is the request of an operation as it is documented, with the
// members changed that name something of this Rainbow: the samples have
// placeholders there.
func (s *session) documented(example string, change members) map[string]any {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.FromSlash(examples + "/" + example + ".request.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(raw, &body); err != nil {
		s.t.Fatalf("%s: %v", example, err)
	}
	for name, value := range change {
		if _, known := body[name]; !known {
			s.t.Errorf("%s: the documented request has no member %s", example, name)
		}
		if value == nil {
			delete(body, name)
		} else {
			body[name] = value
		}
	}
	s.replayed[example] = true
	return body
}

// documentedAnswer is the shape of a documented answer; nil when none is
// documented.
func documentedAnswer(t *testing.T, example string) shape {
	t.Helper()
	raw, err := os.ReadFile(filepath.FromSlash(examples + "/" + example + ".response.json"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := shapeOf(raw)
	if err != nil {
		t.Fatalf("%s: %v", example, err)
	}
	return s
}

// documentedFiles lists portal/Operation of the samples that end in a suffix.
func documentedFiles(t *testing.T, suffix string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.FromSlash(examples + "/*/*" + suffix))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", suffix, len(files), err)
	}
	var list []string
	for _, file := range files {
		list = append(list, filepath.Base(filepath.Dir(file))+"/"+strings.TrimSuffix(filepath.Base(file), suffix))
	}
	return list
}

func steps() []step {
	return slices.Concat(accountSteps(), commerceSteps(), voiceReads(), userSteps(), extensionSteps(), phoneSteps(), greetingSteps(),
		welcomeSteps(), sheetSteps(), companySteps(), partnerSteps(), closingSteps())
}
