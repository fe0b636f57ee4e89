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
