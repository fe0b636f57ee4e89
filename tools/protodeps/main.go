// Command protodeps writes the foreign .proto files that proto/ imports into a folder, without a schema registry.
//
// Go modules carry protobuf descriptors, not .proto files. The modules are pinned by this module's own go.mod and
// go.sum; protodeps prints their descriptors as source, compiles that source again and compares the result with
// the descriptor it came from, so that an option lost in printing stops the build instead of vanishing silently.
// Last it compares every file with the committed checksums in protodeps.sum.
//
//	go run -C tools/protodeps . -out ../../.cache/proto           write and check
//	go run -C tools/protodeps . -out ../../.cache/proto -update   write, and renew protodeps.sum
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	out := flag.String("out", "", "folder that receives the .proto files")
	sums := flag.String("sums", "protodeps.sum", "file of committed checksums")
	update := flag.Bool("update", false, "renew the checksums instead of comparing")
	flag.Parse()
	if err := run(*out, *sums, *update); err != nil {
		fmt.Fprintln(os.Stderr, "protodeps:", err)
		os.Exit(1)
	}
}

func run(out, sumsFile string, update bool) error {
	if out == "" {
		return fmt.Errorf("flag -out: missing")
	}
	want, err := os.ReadFile(sumsFile)
	if err != nil && !update {
		return fmt.Errorf("checksums: %w", err)
	}
	if !update && current(out, want) {
		return nil
	}
	files, err := foreign(context.Background())
	if err != nil {
		return err
	}
	got := checksums(files)
	if update {
		if err := os.WriteFile(sumsFile, got, 0o644); err != nil {
			return fmt.Errorf("checksums: %w", err)
		}
	} else if !bytes.Equal(got, want) {
		return fmt.Errorf("checksums: the files differ from %s:\n%s", sumsFile, difference(want, got))
	}
	return write(out, files)
}

// current reports whether out holds exactly the files that the checksums name.
func current(out string, want []byte) bool {
	files := map[string][]byte{}
	err := filepath.WalkDir(out, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(out, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	return err == nil && bytes.Equal(checksums(files), want)
}

// checksums renders one line a file, "sha256  path", sorted by path.
func checksums(files map[string][]byte) []byte {
	var b bytes.Buffer
	for _, name := range sortedKeys(files) {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(files[name]), name)
	}
	return b.Bytes()
}

// difference lists the lines that only one side has.
func difference(want, got []byte) string {
	wanted, gotten := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	var lines []string
	for _, line := range wanted {
		if !slices.Contains(gotten, line) {
			lines = append(lines, "-"+line)
		}
	}
	for _, line := range gotten {
		if !slices.Contains(wanted, line) {
			lines = append(lines, "+"+line)
		}
	}
	return strings.Join(lines, "\n")
}

// write replaces the folder out by the files: built beside it first, so that a reader sees the old or the new one.
func write(out string, files map[string][]byte) error {
	parent := filepath.Dir(filepath.Clean(out))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(parent, "protodeps-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	for _, name := range sortedKeys(files) {
		path := filepath.Join(fresh, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	return os.Rename(fresh, out)
}

func sortedKeys(files map[string][]byte) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
