package sandbox_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestTheTableOfOperations: each operation of the telephony services has a row
// in docs/sandbox.md, and the tests that the rows name exist.
func TestTheTableOfOperations(t *testing.T) {
	page, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "## Operations of the telephony services")
	section, _, _ = strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("docs/sandbox.md has no section of the telephony services")
	}
	var source strings.Builder
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	rows := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^\| `+"`"+`(\w+)`+"`"+` \|.*\|([^|]*)\|$`).FindAllStringSubmatch(section, -1) {
		rows[match[1]] = true
		if !strings.Contains(match[2], "Test") {
			t.Errorf("%s: the row names no test", match[1])
		}
	}
	for _, name := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(section, -1) {
		if !strings.Contains(source.String(), "func "+name[1]+"(") {
			t.Errorf("test %s does not exist", name[1])
		}
	}
	raw, err := os.ReadFile("../../testdata/spec/rvcpprovisioning.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c catalogue
	if err := yaml.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	for _, o := range c.Operations {
		switch o.Group {
		case "CloudPbx", "CloudPbxPhoneNumber", "CloudPbxSubscriber", "CloudPbxDevice":
			continue
		}
		if !rows[o.ID] {
			t.Errorf("operation %s (%s) has no row", o.ID, o.Group)
		}
		delete(rows, o.ID)
	}
	for name := range rows {
		t.Errorf("the row of %s is of no operation", name)
	}
}
