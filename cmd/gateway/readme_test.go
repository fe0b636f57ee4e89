package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
)

// TestTheReadmeShowsAPlanAsItIsPrinted finds the lines of the README's plan, one after another, in the plan of the sample that its tour
// is about; … stands for lines that are left out.
func TestTheReadmeShowsAPlanAsItIsPrinted(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)\n```\n(24 operations.*?)```\n").FindSubmatch(readme)
	if block == nil {
		t.Fatal("README.md shows no plan")
	}
	r := &rehearsal{rainbow: sandboxtest.Start(t, sandbox.Options{}), state: filepath.Join(t.TempDir(), "state.db")}
	r.must(t, 0, "refresh")
	printed := strings.ReplaceAll(r.must(t, 2, "plan", "-f", "../../samples/rainbowvoice.csv"), "../../", "")
	for part := range strings.SplitSeq(string(block[1]), "…\n") {
		_, rest, found := strings.Cut(printed, part)
		if !found {
			t.Fatalf("the plan does not print this, or not in this place:\n%s\nleft of the plan:\n%s", part, printed)
		}
		printed = rest
	}
}

// TestLinksBetweenThePagesLeadSomewhere follows every relative link of the project's pages, to the heading if it names one.
func TestLinksBetweenThePagesLeadSomewhere(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "samples/*.md", "examples/*.md"} {
		found, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	fence, link := regexp.MustCompile("(?ms)^```.*?^```"), regexp.MustCompile(`\]\(([^()\s]+)\)`)
	read := func(page string) string {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		return fence.ReplaceAllString(string(content), "")
	}
	followed := 0
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(read(page), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			followed++
			file, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link %s: %v", page, m[1], err)
			} else if anchor != "" && filepath.Ext(target) == ".md" && !hasHeading(read(target), anchor) {
				t.Errorf("%s: link %s: no such heading", page, m[1])
			}
		}
	}
	if followed < 40 {
		t.Errorf("%d links were followed in %d pages, want at least 40", followed, len(pages))
	}
}

// hasHeading tells whether a page has a heading with an anchor, as code hosts make them.
func hasHeading(page, anchor string) bool {
	dropped := regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
	for _, h := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		if strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}
