package main

import (
	"os"
	"path"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// TestThePageOnClientsNamesWhatItMust: every list that is paged by offset, and every foreign proto, which whoever
// generates a client needs.
func TestThePageOnClientsNamesWhatItMust(t *testing.T) {
	b, err := os.ReadFile("../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	page, lists, foreign := string(b), 0, map[string]bool{}
	for _, service := range ourServices() {
		for i := range service.Methods().Len() {
			m := service.Methods().Get(i)
			if m.Input().Fields().ByName("offset") == nil {
				continue
			}
			lists++
			if !strings.Contains(page, "`"+string(m.Name())+"`") {
				t.Errorf("docs/clients.md: %s is not among the lists", m.FullName())
			}
		}
		imports(service.ParentFile(), foreign)
	}
	for file := range foreign {
		name := strings.TrimSuffix(path.Base(file), ".proto")
		if !strings.Contains(page, path.Dir(file)+"/") || !strings.Contains(page, name) && path.Dir(file) != "google/protobuf" && path.Dir(file) != "google/rpc" {
			t.Errorf("docs/clients.md: %s is not among the foreign files", file)
		}
	}
	if lists < 10 || len(foreign) < 5 {
		t.Errorf("%d lists and %d foreign files were found", lists, len(foreign))
	}
}

// imports collects what file needs and is not ours.
func imports(file protoreflect.FileDescriptor, foreign map[string]bool) {
	for i := range file.Imports().Len() {
		needed := file.Imports().Get(i)
		if !strings.HasPrefix(needed.Path(), "rainbow/") {
			foreign[needed.Path()] = true
		}
		imports(needed, foreign)
	}
}
