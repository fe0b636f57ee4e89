package manifest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	manifestsFile = "../../docs/manifests.md"
	keysBegin     = "<!-- keys: made from the reader's tables by go test ./internal/manifest -run Reference -update -->\n"
	keysEnd       = "<!-- end of keys -->\n"
)

// TestTheReferenceIsCurrent holds the tables of keys in docs/manifests.md against those that the reader works by.
func TestTheReferenceIsCurrent(t *testing.T) {
	text, err := os.ReadFile(manifestsFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), keysBegin)
	was, after, closed := strings.Cut(rest, keysEnd)
	if !ok || !closed {
		t.Fatalf("docs/manifests.md has no place for the keys")
	}
	made := reference()
	if *update {
		if err := os.WriteFile(manifestsFile, []byte(before+keysBegin+made+keysEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		was = made
	}
	if diff := cmp.Diff(was, made); diff != "" {
		t.Errorf("the keys in docs/manifests.md are stale, -update renews them (-file +made):\n%s", diff)
	}
}

// reference writes a table for each form, in the order in which they are first named.
func reference() string {
	var b strings.Builder
	seen := map[string]bool{}
	queue := []*form{newForms().manifest}
	add := func(f *form) {
		if !seen[f.name] && !strings.HasSuffix(f.name, "Template") {
			seen[f.name] = true
			queue = append(queue, f)
		}
	}
	seen["manifest"] = true
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		fmt.Fprintf(&b, "\n**%s** %s\n\n| key | value | meaning |\n| --- | --- | --- |\n", f.name, strings.ReplaceAll(f.doc, "|", "\\|"))
		for i := range f.fields {
			field := &f.fields[i]
			name := "`" + field.name + "`"
			if field.required {
				name += " (required)"
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name, shapeWords(&field.shape, add), strings.ReplaceAll(field.doc, "|", "\\|"))
		}
	}
	return b.String() + "\n"
}

// shapeWords says in words what may stand behind a key, and hands on the forms that it names.
func shapeWords(s *shape, add func(*form)) string {
	words := "text"
	switch {
	case s.kind == shapeList:
		words = "list of: " + shapeWords(s.item, add)
	case s.kind == shapeNames:
		words = "names, each with: " + shapeWords(s.item, add)
	case s.kind == shapeEither:
		all := make([]string, len(s.either))
		for i := range s.either {
			all[i] = shapeWords(&s.either[i], add)
		}
		words = strings.Join(all, "; or ")
	case s.kind == shapeObject && strings.HasSuffix(s.form.name, "Template"):
		words = "keys of *" + strings.TrimSuffix(s.form.name, "Template") + "*"
	case s.kind == shapeObject:
		add(s.form)
		words = "*" + s.form.name + "*"
	case s.kind == shapeBoolean:
		words = "`true` or `false`"
	case s.kind == shapeWhole:
		words = fmt.Sprintf("%d to %d", s.least, s.most)
	case s.choices != nil:
		words = "`" + strings.Join(s.choices, "`, `") + "`"
	}
	if s.null {
		words += "; empty clears"
	}
	if s.blank {
		words += "; may be empty"
	}
	return words
}
