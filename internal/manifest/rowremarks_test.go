package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// TestRowsAreRemarkedOn where they may not mean what they say, a bounded number of times.
func TestRowsAreRemarkedOn(t *testing.T) {
	d, _, faults := read(t, "__action__;loginEmail;password\nupsert;us\u0435r@demo.example;\nupsert;ann@demo.example;env:Secret_1\nupsert;bob@demo.example;Secret_env:1\n", Options{})
	if faults != nil || len(d.Remarks) != 2 {
		t.Fatalf("faults %v, remarks %v; want two remarks", faults, d.Remarks)
	}
	for i, code := range []string{codeMixedAlphabets, codeSecretByValue} {
		if r := d.Remarks[i]; r.Code != code || r.Position.Line != i+2 || strings.Contains(r.Message, "Secret_1") {
			t.Errorf("remark %+v, want %s on line %d", r, code, i+2)
		}
	}
	var b strings.Builder
	b.WriteString("__action__;loginEmail\n")
	for i := range 2 * maxRowRemarks {
		fmt.Fprintf(&b, "upsert;us\u0435r%d@demo.example\n", i)
	}
	if d, _, faults = read(t, b.String(), Options{}); faults != nil || len(d.Remarks) != maxRowRemarks {
		t.Errorf("faults %v, %d remarks, want %d", faults, len(d.Remarks), maxRowRemarks)
	}
}

// TestNullMayBeAName: a value that YAML reads as nothing clears, and a remark tells so where it may be meant as text.
func TestNullMayBeAName(t *testing.T) {
	d, _, err := Read(t.Context(), []Source{{Name: "f.yaml", Content: []byte("version: 1\nusers:\n- {login: a@demo.example, lastName: NULL}\n- {login: b@demo.example, lastName: \"NULL\", title: null, jobTitle: ~}\n")}}, Options{})
	if err != nil || len(d.Remarks) != 1 || d.Remarks[0].Code != codeUnquoted || d.Remarks[0].Position.String() != "f.yaml:3:37" || !strings.Contains(d.Remarks[0].Message, "clears") {
		t.Fatalf("error %v, remarks %v; want one on NULL without quotes", err, d.Remarks)
	}
}
