package manifest

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/samples"
)

// TestFilesAndRowsMayComeInAnyOrder cuts a sample into files, its rows dealt out at random, and plans these: the
// operations are those of the sample as it is.
func TestFilesAndRowsMayComeInAnyOrder(t *testing.T) {
	text, err := fs.ReadFile(samples.Files, "company-1000.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows := slices.DeleteFunc(strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), func(row string) bool { return strings.HasPrefix(row, "%") })
	header, rows := rows[0], rows[1:]
	world := sandboxWorld(1000)
	want := operationsOf(t, world, []string{string(text)})
	if len(want) < 50 {
		t.Fatalf("the sample asks for %d operations, want at least 50", len(want))
	}
	for seed := range uint64(2) {
		draw := rand.New(rand.NewPCG(seed, 0))
		draw.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		var files []string
		for part := range slices.Chunk(rows, len(rows)/3+1) {
			files = append(files, header+"\n"+strings.Join(part, "\n")+"\n")
		}
		if diff := cmp.Diff(want, operationsOf(t, world, files)); diff != "" {
			t.Fatalf("seed %d: in another order the files ask for something else (-sample +shuffled):\n%s", seed, diff)
		}
	}
}

// operationsOf plans files and lists what the plan does, without order and places.
func operationsOf(t *testing.T, world bulksync.Observed, files []string) []string {
	t.Helper()
	var sources []Source
	for i, text := range files {
		sources = append(sources, Source{Name: fmt.Sprintf("part%d.csv", i), Reader: strings.NewReader(text)})
	}
	desired, _, err := Read(context.Background(), sources, Options{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := bulksync.MakePlan(desired, world, bulksync.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]string, len(plan.Operations))
	for i := range plan.Operations {
		op := &plan.Operations[i]
		all[i] = fmt.Sprintf("%s %v", op.Title(), op.Changes)
	}
	slices.Sort(all)
	return all
}
