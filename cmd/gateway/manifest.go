package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/manifest"
)

// manifestFlags name the manifest and how to read it.
type manifestFlags struct {
	File      []string          `short:"f" name:"file" placeholder:"FILE" help:"Manifest; may be given several times; - is standard input."`
	Mode      string            `placeholder:"MODE" help:"Mode of the CSV when its columns and actions leave it open: rainbowvoice, useranddevice, user or device."`
	Delimiter string            `placeholder:"CHAR" help:"Column separator; found out when not given."`
	Comment   string            `placeholder:"CHAR" help:"Character that starts a comment line (default %)."`
	Encoding  string            `default:"utf-8" enum:"auto,utf-8,utf-16,windows-1252" help:"How the CSV is encoded: utf-8, utf-16, windows-1252, or auto, which converts what it recognises."`
	Var       map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"Value of a variable that a YAML manifest declares; may be given several times."`
}

// stdinName stands for standard input in positions.
const stdinName = "standard input"

// read reads the files; all that can't be read are named at once.
func (m *manifestFlags) read(stdin io.Reader) ([]*syncv1.ManifestFile, error) {
	if len(m.File) == 0 {
		return nil, errors.New("no manifest: name one with -f FILE, - for standard input")
	}
	var files []*syncv1.ManifestFile
	var unread []string
	for _, name := range m.File {
		var content []byte
		var err error
		if name == "-" {
			name = stdinName
			content, err = io.ReadAll(stdin)
		} else {
			content, err = os.ReadFile(name)
		}
		if err != nil {
			unread = append(unread, err.Error())
			continue
		}
		files = append(files, &syncv1.ManifestFile{Name: name, Content: content, Encoding: m.Encoding})
	}
	if len(unread) > 0 {
		return nil, fmt.Errorf("manifest can't be read: %s", strings.Join(unread, "; "))
	}
	return m.included(files)
}

// sources reads the files as internal/manifest takes them.
func (m *manifestFlags) sources(stdin io.Reader) ([]manifest.Source, error) {
	files, err := m.read(stdin)
	if err != nil {
		return nil, err
	}
	return sourcesOf(files), nil
}

func sourcesOf(files []*syncv1.ManifestFile) []manifest.Source {
	sources := make([]manifest.Source, len(files))
	for i, f := range files {
		sources[i] = manifest.Source{Name: f.GetName(), Content: f.GetContent(), Encoding: manifest.Encoding(f.GetEncoding())}
	}
	return sources
}

// options are the flags as internal/manifest takes them.
func (m *manifestFlags) options(strict bool) (manifest.Options, error) {
	delimiter, err := character("delimiter", m.Delimiter)
	if err != nil {
		return manifest.Options{}, err
	}
	comment, err := character("comment", m.Comment)
	return manifest.Options{Mode: m.Mode, Delimiter: delimiter, Comment: comment, Strict: strict, Variables: m.Var}, err
}

// character reads a flag that holds one character, \t being a tab.
func character(flag, value string) (rune, error) {
	switch {
	case value == "":
		return 0, nil
	case value == `\t`:
		return '\t', nil
	case utf8.RuneCountInString(value) != 1:
		return 0, fmt.Errorf("--%s %q: want one character", flag, value)
	}
	r, _ := utf8.DecodeRuneInString(value)
	return r, nil
}

// names lists the files for a sentence.
func (m *manifestFlags) names() string {
	names := make([]string, len(m.File))
	for i, name := range m.File {
		if names[i] = name; name == "-" {
			names[i] = stdinName
		}
	}
	return strings.Join(names, ", ")
}
