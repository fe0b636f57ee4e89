package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// sumName is the file that says what gen/ was generated from and what came out.
const sumName = "gen/SUM"

// settings are the single files besides proto/ and the catalogue that decide what is generated.
var settings = [...]string{"buf.gen.yaml", "buf.yaml", "tools/protodeps/protodeps.sum"}

// toolFiles are the module files whose `tool` directives make gen/, each with the prefix of the tools that do.
var toolFiles = map[string]string{
	"go.mod":        "protoc-gen-",
	"tools/buf.mod": "buf",
}

// compute renders the sum of the tree below root: one line a file or tool, sorted, "kind name value". The kinds
// are gen (a generated file), in (a file it is made from) and tool (a program with its module's version).
func compute(ctx context.Context, root string) ([]byte, error) {
	var lines []string
	protos, err := tree(os.DirFS(root), "proto")
	if err != nil {
		return nil, err
	}
	for name, text := range protos {
		if strings.HasSuffix(name, ".proto") {
			lines = append(lines, hashLine("in", name, text))
		}
	}
	generators, err := filepath.Glob(filepath.Join(root, "tools/openapi/*.go"))
	if err != nil {
		return nil, err
	}
	samples, err := tree(os.DirFS(root), "testdata/spec")
	if err != nil {
		return nil, err
	}
	for name, text := range samples {
		if strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".json") {
			lines = append(lines, hashLine("in", name, text))
		}
	}
	inputs := slices.Clone(settings[:])
	for _, path := range generators {
		if !strings.HasSuffix(path, "_test.go") {
			inputs = append(inputs, "tools/openapi/"+filepath.Base(path))
		}
	}
	for _, name := range inputs {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		lines = append(lines, hashLine("in", name, text))
	}
	outputs, err := tree(os.DirFS(root), "gen")
	if err != nil {
		return nil, err
	}
	for name, text := range outputs {
		if name != sumName {
			lines = append(lines, hashLine("gen", name, text))
		}
	}
	for file, prefix := range toolFiles {
		tools, err := tools(ctx, root, file, prefix)
		if err != nil {
			return nil, err
		}
		lines = append(lines, tools...)
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, "\n") + "\n"), nil
}

func hashLine(kind, name string, text []byte) string {
	return fmt.Sprintf("%s %s %x", kind, name, sha256.Sum256(text))
}

// tree reads all files below dir, by slash path; a missing dir is empty.
func tree(fsys fs.FS, dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(fsys, dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			files[path], err = fs.ReadFile(fsys, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) && len(files) == 0 {
		return files, nil
	}
	return files, err
}

// tools renders the tools of one module file whose last path element starts with prefix, with the version of the
// module that holds them.
func tools(ctx context.Context, root, file, prefix string) ([]string, error) {
	command := exec.CommandContext(ctx, "go", "mod", "edit", "-json", filepath.FromSlash(file))
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("module file %q: %w", file, err)
	}
	var parsed struct {
		Tool    []struct{ Path string }
		Require []struct{ Path, Version string }
	}
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&parsed); err != nil {
		return nil, fmt.Errorf("module file %q: %w", file, err)
	}
	var lines []string
	for _, tool := range parsed.Tool {
		if !strings.HasPrefix(tool.Path[strings.LastIndexByte(tool.Path, '/')+1:], prefix) {
			continue
		}
		module, version := "", ""
		for _, require := range parsed.Require {
			if strings.HasPrefix(tool.Path+"/", require.Path+"/") && len(require.Path) > len(module) {
				module, version = require.Path, require.Version
			}
		}
		if module == "" {
			return nil, fmt.Errorf("module file %q: tool %s: no module holds it", file, tool.Path)
		}
		lines = append(lines, fmt.Sprintf("tool %s %s", tool.Path, version))
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("module file %q: no tool %s…", file, prefix)
	}
	return lines, nil
}

// difference lists the lines that only the recorded (-) or only the computed (+) sum has.
func difference(recorded, computed []byte) []string {
	old, now := strings.Split(string(recorded), "\n"), strings.Split(string(computed), "\n")
	var lines []string
	for _, line := range old {
		if !slices.Contains(now, line) {
			lines = append(lines, "-"+line)
		}
	}
	for _, line := range now {
		if !slices.Contains(old, line) {
			lines = append(lines, "+"+line)
		}
	}
	return lines
}
