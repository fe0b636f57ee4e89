// Command gencheck takes over what buf generated and records what it was generated from, in gen/SUM.
//
// Its test compares gen/SUM with the tree, so that plain `go test` notices a changed .proto file, plugin version or
// generated file without running buf. `make checkgenerate` is the slower proof: it generates again and compares.
//
//	go run ./tools/gencheck -from DIR   copy DIR/gen over gen/, remove what is no longer generated, write gen/SUM
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	from := flag.String("from", "", "folder into which buf generated")
	root := flag.String("root", ".", "root of the repository")
	flag.Parse()
	if err := takeOver(context.Background(), *root, *from); err != nil {
		fmt.Fprintln(os.Stderr, "gencheck:", err)
		os.Exit(1)
	}
}

// takeOver makes root/gen equal to from/gen and renews the sum. A file that stays equal is not touched, so that
// the build cache stays warm and a build that runs meanwhile sees no gap.
func takeOver(ctx context.Context, root, from string) error {
	if from == "" {
		return errors.New("flag -from: missing")
	}
	fresh, err := tree(os.DirFS(from), "gen")
	if err != nil {
		return err
	}
	if len(fresh) == 0 {
		return fmt.Errorf("folder %q: nothing was generated", from)
	}
	stale, err := tree(os.DirFS(root), "gen")
	if err != nil {
		return err
	}
	for name, text := range fresh {
		if err := replace(filepath.Join(root, filepath.FromSlash(name)), text); err != nil {
			return err
		}
	}
	for name := range stale {
		if _, ok := fresh[name]; !ok && name != sumName {
			if err := os.Remove(filepath.Join(root, filepath.FromSlash(name))); err != nil {
				return err
			}
		}
	}
	sum, err := compute(ctx, root)
	if err != nil {
		return err
	}
	return replace(filepath.Join(root, filepath.FromSlash(sumName)), sum)
}

// replace writes the file unless it holds the text already.
func replace(path string, text []byte) error {
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
