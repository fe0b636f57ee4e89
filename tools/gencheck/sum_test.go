package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedCodeIsCurrent fails when a .proto file, a setting, a plugin version or a generated file is not the
// one that `make generate` saw last.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	recorded, err := os.ReadFile(filepath.Join(root, "gen", "SUM"))
	if err != nil {
		t.Fatal(err)
	}
	computed, err := compute(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	if lines := difference(recorded, computed); len(lines) > 0 {
		t.Errorf("gen/ is not what proto/ says; run `make generate` (- recorded, + found):\n%s", strings.Join(lines, "\n"))
	}
}

// TestSumNoticesEveryKindOfChange holds that the test above can fail.
func TestSumNoticesEveryKindOfChange(t *testing.T) {
	cases := []struct {
		name string
		file string
		text string
		want string
	}{
		{"an edited proto", "proto/a/a.proto", "changed", "+in proto/a/a.proto "},
		{"a new proto", "proto/a/b.proto", "new", "+in proto/a/b.proto "},
		{"another setting", "buf.gen.yaml", "changed", "+in buf.gen.yaml "},
		{"other foreign protos", "tools/protodeps/protodeps.sum", "changed", "+in tools/protodeps/protodeps.sum "},
		{"another plugin version", "go.mod", goMod("v1.1.0"), "+tool example.com/m/cmd/protoc-gen-x v1.1.0"},
		{"an edited generated file", "gen/a/a.pb.go", "edited", "+gen gen/a/a.pb.go "},
		{"a stray generated file", "gen/a/b.pb.go", "stray", "+gen gen/a/b.pb.go "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root := sample(t)
			before := mustCompute(t, root)
			put(t, root, c.file, c.text)
			lines := strings.Join(difference(before, mustCompute(t, root)), "\n")
			if !strings.Contains(lines, c.want) {
				t.Errorf("difference %q lacks %q", lines, c.want)
			}
		})
	}
}

func TestTakeOverMakesGenEqualToWhatWasGenerated(t *testing.T) {
	root, from := sample(t), t.TempDir()
	put(t, root, "gen/old/old.pb.go", "no longer generated")
	put(t, from, "gen/a/a.pb.go", "generated anew")
	if err := takeOver(context.Background(), root, from); err != nil {
		t.Fatal(err)
	}
	files, err := tree(os.DirFS(root), "gen")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(files["gen/a/a.pb.go"]); got != "generated anew" {
		t.Errorf("gen/a/a.pb.go is %q", got)
	}
	if _, ok := files["gen/old/old.pb.go"]; ok {
		t.Error("gen/old/old.pb.go is still there")
	}
	if lines := difference(files[sumName], mustCompute(t, root)); len(lines) > 0 {
		t.Errorf("the sum written is not the tree's: %q", lines)
	}
}

func TestTakeOverRefusesAnEmptyFolder(t *testing.T) {
	root := sample(t)
	if err := takeOver(context.Background(), root, t.TempDir()); err == nil {
		t.Error("no error, though nothing was generated")
	}
	if _, err := os.Stat(filepath.Join(root, "gen/a/a.pb.go")); err != nil {
		t.Errorf("generated code was touched: %v", err)
	}
}

// sample writes a small repository.
func sample(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range settings {
		put(t, root, name, "setting")
	}
	put(t, root, "proto/a/a.proto", "proto")
	put(t, root, "gen/a/a.pb.go", "generated")
	put(t, root, "go.mod", goMod("v1.0.0"))
	put(t, root, "tools/buf.mod",
		"module example.com/us\n\nrequire example.com/buf v1.0.0\n\ntool example.com/buf/cmd/buf\n")
	return root
}

func goMod(version string) string {
	return "module example.com/us\n\nrequire (\n\texample.com/m " + version +
		"\n\texample.com/other v1.0.0\n)\n\ntool (\n\texample.com/m/cmd/protoc-gen-x\n\texample.com/other/lint\n)\n"
}

func put(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustCompute(t *testing.T, root string) []byte {
	t.Helper()
	sum, err := compute(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
