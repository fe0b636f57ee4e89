package sandbox

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnOlderWorldGetsThePartners takes the partner world out of a kept file,
// as a sandbox that had none left it, and opens it twice.
func TestAnOlderWorldGetsThePartners(t *testing.T) {
	file := filepath.Join(t.TempDir(), "world.jsonl")
	options := Options{SeedUsers: 2, DataFile: file}
	s, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var kept [][]byte
	for line := range bytes.Lines(raw) {
		text := string(line)
		isPartner := strings.Contains(text, idPrefix+string(rune(idPartner))) || strings.Contains(text, "catalogue") || strings.Contains(text, `"k":"billingFile"`) ||
			strings.Contains(text, `"k":"tenant"`) || strings.Contains(text, "5b7d0c0ffee00000000000") && strings.Contains(text, `"isBP"`)
		if !isPartner {
			kept = append(kept, line)
		}
	}
	if len(kept) > bytes.Count(raw, []byte("\n"))-40 {
		t.Fatalf("only %d of %d lines were taken out", bytes.Count(raw, []byte("\n"))-len(kept), bytes.Count(raw, []byte("\n")))
	}
	// The contract company is an older one, too.
	text := strings.ReplaceAll(string(bytes.Join(kept, nil)), `,"catalogId":"catalogue-direct"`, "")
	contract := `[{"k":"company","id":"` + CompanyID + `","d":{"id":"` + CompanyID + `","name":"Sandbox Company","country":"FRA","status":"active","siteId":"x"}}]` + "\n"
	neighbour := strings.ReplaceAll(contract, CompanyID, NeighbourCompanyID)
	if err := os.WriteFile(file, []byte(text+contract+neighbour), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := New(options)
		if err != nil {
			t.Fatal(err)
		}
		w := s.store.world
		if u := w.userByLogin("superadmin@rainbow.example"); u == nil {
			t.Error("no superadmin")
		}
		if c := w.companies.get(CompanyID); c.BpID != ResellerID || c.CatalogueID != directCatalogue {
			t.Errorf("contract company is %+v", c)
		}
		if n := w.userCount[CompanyID]; n != 3 {
			t.Errorf("%d users of the contract company, want 3", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
