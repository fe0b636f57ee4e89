package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/manifest"
)

// What a YAML manifest needs from where the command runs: the files that it includes, and the secrets that it names by
// reference. The gateway that plans and applies may run elsewhere, and opens neither.

// included adds the files that YAML files include.
func (m *manifestFlags) included(files []*syncv1.ManifestFile) ([]*syncv1.ManifestFile, error) {
	all, err := manifest.Included(sourcesOf(files), m.open)
	if err != nil {
		return nil, err
	}
	for _, src := range all[len(files):] {
		files = append(files, &syncv1.ManifestFile{Name: src.Name, Content: src.Content, Encoding: m.Encoding})
	}
	return files, nil
}

// open reads an included file. It must lie in the folder of one of the files that were named, or below, and links do not
// lead out of it.
func (m *manifestFlags) open(name string) ([]byte, error) {
	err := fmt.Errorf("file %s: %w", name, os.ErrNotExist)
	for _, file := range m.File {
		dir := path.Dir(filepath.ToSlash(file))
		below, ok := strings.CutPrefix(name, dir+"/")
		if dir == "." {
			below, ok = name, true
		}
		if !ok {
			continue
		}
		root, failed := os.OpenRoot(filepath.FromSlash(dir))
		if failed != nil {
			err = failed
			continue
		}
		content, failed := root.ReadFile(filepath.FromSlash(below))
		if failed = errors.Join(failed, root.Close()); failed == nil {
			return content, nil
		}
		err = failed
	}
	return nil, err
}

// secrets looks up what a manifest names by reference; nil when it names nothing.
func (m *manifestFlags) secrets(ctx context.Context, files []*syncv1.ManifestFile) (map[string]string, error) {
	named := false
	for _, f := range files {
		named = named || bytes.Contains(f.GetContent(), []byte("env:")) || bytes.Contains(f.GetContent(), []byte("file:"))
	}
	if !named {
		return nil, nil
	}
	opts, err := m.options(false)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	opts.Secret = func(reference string) (string, error) {
		secret, err := m.lookUp(reference)
		if err == nil {
			found[reference] = secret
		}
		return secret, err
	}
	if _, _, err := manifest.Read(ctx, sourcesOf(files), opts); err != nil {
		return nil, err
	}
	return found, nil
}

// maxSecret bounds the file of a secret, in bytes.
const maxSecret = 4096

// lookUp finds a secret: env:NAME in the environment, file:PATH in a file, whose last line break is not part of it. A
// path that is not absolute is meant from the folder of the first manifest file.
func (m *manifestFlags) lookUp(reference string) (string, error) {
	if name, ok := strings.CutPrefix(reference, "env:"); ok {
		if value := os.Getenv(name); value != "" {
			return value, nil
		}
		return "", fmt.Errorf("environment variable %s is not set", name)
	}
	name := strings.TrimPrefix(reference, "file:")
	if !filepath.IsAbs(name) && len(m.File) > 0 {
		name = filepath.Join(filepath.Dir(m.File[0]), name)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if len(content) > maxSecret {
		return "", fmt.Errorf("file %s is larger than %d bytes", name, maxSecret)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}
