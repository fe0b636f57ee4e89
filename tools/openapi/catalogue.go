package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// catalogue is what the documents take from the catalogue of Rainbow's operations: what a proto can't say.
type catalogue struct {
	entries map[string]entry // by portal and id: "authentication.Login"
	errors  []sample         // of the shared error envelope
}

// entry is one operation of the catalogue.
type entry struct {
	status   string // of a success, empty for 200
	headers  []documented
	answers  []documented // headers of the answer
	form     []documented
	requests []sample
	replies  []sample
	errors   []sample
}

// documented is a header or a field of a form.
type documented struct {
	Name, Type, Value, Description string
	Required                       bool
	Enum                           []string
}

// sample is a documented document, named by its file without portal and suffix.
type sample struct {
	name  string
	value *object
}

// catalogueFile is what is read of one file of the catalogue.
type catalogueFile struct {
	Module     string
	Operations map[string][]catalogueOperation
	Envelope   struct{ Examples map[string]string }
}

type catalogueOperation struct {
	ID          string
	Headers     []documented
	RequestBody struct {
		ContentType yaml.Node `yaml:"content_type"`
		Fields      []documented
	} `yaml:"request_body"`
	Response struct {
		Status  int
		Headers []documented
	}
	Examples map[string]string
}

// readCatalogue reads all portals of a folder. Values of the members named in secrets are masked in the samples.
func readCatalogue(folder string, secrets map[string]bool) (*catalogue, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("folder %q: no catalogue", folder)
	}
	c := &catalogue{entries: map[string]entry{}}
	read := func(path string) (sample, error) { return readSample(folder, path, secrets) }
	for _, path := range files {
		file, err := readCatalogueFile(path)
		if err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", path, err)
		}
		for _, operations := range file.Operations {
			for _, operation := range operations {
				if c.entries[file.Module+"."+operation.ID], err = operation.entry(read); err != nil {
					return nil, fmt.Errorf("catalogue %s: operation %s: %w", path, operation.ID, err)
				}
			}
		}
		for _, name := range sortedKeys(file.Envelope.Examples) {
			s, err := read(file.Envelope.Examples[name])
			if err != nil {
				return nil, fmt.Errorf("catalogue %s: %w", path, err)
			}
			if s.value != nil {
				c.errors = append(c.errors, s)
			}
		}
	}
	return c, nil
}

// readCatalogueFile takes every list of operations of a file, whatever is before "operations" in its name.
func readCatalogueFile(path string) (*catalogueFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var members map[string]yaml.Node
	if err := yaml.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	file := &catalogueFile{Operations: map[string][]catalogueOperation{}}
	for name, node := range members {
		switch {
		case name == "module":
			err = node.Decode(&file.Module)
		case name == "error_envelope":
			err = node.Decode(&file.Envelope)
		case strings.HasSuffix(name, "operations") && node.Kind == yaml.SequenceNode:
			var operations []catalogueOperation
			err = node.Decode(&operations)
			file.Operations[name] = operations
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return file, nil
}

func (o *catalogueOperation) entry(read func(string) (sample, error)) (entry, error) {
	e := entry{headers: o.Headers, answers: o.Response.Headers}
	if o.Response.Status != 0 {
		e.status = fmt.Sprint(o.Response.Status)
	}
	if o.RequestBody.ContentType.Value == formType {
		e.form = o.RequestBody.Fields
	}
	for _, kind := range sortedKeys(o.Examples) {
		s, err := read(o.Examples[kind])
		if err != nil {
			return e, err
		}
		switch {
		case s.value == nil: // not JSON: a binary answer that the guide shows as text
		case strings.HasPrefix(kind, "request"):
			e.requests = append(e.requests, s)
		case strings.HasPrefix(kind, "response"):
			e.replies = append(e.replies, s)
		case strings.HasPrefix(kind, "error"):
			e.errors = append(e.errors, s)
		}
	}
	return e, nil
}

// readSample reads a sample; the value is nil when it is no JSON object.
func readSample(folder, path string, secrets map[string]bool) (sample, error) {
	text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(path)))
	if err != nil {
		return sample{}, err
	}
	s := sample{name: strings.TrimSuffix(filepath.Base(path), ".json")}
	if !json.Valid(text) || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return s, nil
	}
	if s.value, err = parse(text); err != nil {
		return s, fmt.Errorf("sample %s: %w", path, err)
	}
	mask(s.value, secrets)
	return s, nil
}

const masked = "********"

// domain finds the domain of a mail address or JID.
var domain = regexp.MustCompile(`@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b`)

// mask hides credentials, and moves mail addresses to a domain that nobody has.
func mask(value any, secrets map[string]bool) any {
	switch v := value.(type) {
	case string:
		return domain.ReplaceAllString(v, "@company.example")
	case []any:
		for i := range v {
			v[i] = mask(v[i], secrets)
		}
	case *object:
		for _, name := range v.names {
			if _, text := v.members[name].(string); text && secrets[name] {
				v.members[name] = masked
				continue
			}
			v.members[name] = mask(v.members[name], secrets)
		}
	}
	return value
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
