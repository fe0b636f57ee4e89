package sandbox_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheTableOfOperations: each operation of the catalogue has a row in
// docs/sandbox.md, and the tests that the rows name exist.
func TestTheTableOfOperations(t *testing.T) {
	page, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	tables := ""
	for _, section := range strings.Split(string(page), "\n## ") {
		if strings.HasPrefix(section, "Operations of ") {
			tables += section
		}
	}
	var source strings.Builder
	var files []string
	for _, pattern := range []string{"*_test.go", "../contract/*_test.go", "../../sandboxtest/*_test.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	rows := map[string]string{} // to the source that the row names
	for _, match := range regexp.MustCompile(`(?m)^\| `+"`"+`(\w+)`+"`"+` \|.*\| (\w+) \|([^|]*)\|$`).FindAllStringSubmatch(tables, -1) {
		if rows[match[1]] != "" {
			t.Errorf("%s has two rows", match[1])
		}
		rows[match[1]] = match[2]
		if !strings.Contains(match[3], "Test") {
			t.Errorf("%s: the row names no test", match[1])
		}
	}
	for _, name := range regexp.MustCompile("`((?:Test|Benchmark)\\w+)`").FindAllStringSubmatch(string(page), -1) {
		if !strings.Contains(source.String(), "func "+name[1]+"(") {
			t.Errorf("test %s does not exist", name[1])
		}
	}
	unknown := maps.Clone(rows)
	for _, module := range modules() {
		for _, o := range readCatalogue(t, module).all() {
			from := "SDK"
			if o.PathSource == "seed" || o.Seed.File != "" {
				from = "guide"
			}
			if rows[o.ID] != from {
				t.Errorf("operation %s of %s (%s): its row names %q as the source, want %q", o.ID, module, o.Group, rows[o.ID], from)
			}
			delete(unknown, o.ID)
		}
	}
	for name := range unknown {
		t.Errorf("the row of %s is of no operation", name)
	}
}
