package jsoncodec

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// many is an object of n members, with end in place of its closing bracket; a comma that end begins with is the
// object's.
func many(n int, end string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%d":1`, i)
	}
	doc := "{" + b.String()[1:]
	if end == "" {
		return doc + ","
	}
	return doc + end
}

func TestCheckAccepts(t *testing.T) {
	for _, body := range []string{`{}`, ` [1,{"a":[]}] `, `"x"`, `null`, `1e400`, `{"a":1,"A":2,"":3}`, `{"a":"\ud800"}`, `{"\ud800":1,"\ud801":2}`, `{"é":"é"}`,
		many(100, "}"), strings.Repeat("[", 100) + strings.Repeat("]", 100)} {
		if err := Check([]byte(body), Limits{}); err != nil {
			t.Errorf("Check(%s): %v", body, err)
		}
	}
}

func TestCheckSaysWhereItRefuses(t *testing.T) {
	for _, test := range []struct {
		name, body, pointer string
		offset              int
		limits              Limits
	}{
		{"nothing", ``, "", 0, Limits{}},
		{"something behind", `{"a":1}x`, "", 7, Limits{}},
		{"a second value", `{} {}`, "", 3, Limits{}},
		{"an unclosed object", `{"a":1`, "", 6, Limits{}},
		{"a name twice", `{"a":1,"a":2}`, "/a", 7, Limits{}},
		{"a name twice, once escaped", `{"a":1,"\u0061":2}`, "/a", 7, Limits{}},
		{"a name twice, deeper", `{"a/b":[0,{"c~":1,"c~":2}]}`, "/a~1b/1/c~0", 18, Limits{}},
		{"a name twice among many", many(40, `,"3":1}`), "/3", len(many(40, "")), Limits{}},
		{"the last of many twice", many(40, `,"39":1}`), "/39", len(many(40, "")), Limits{}},
		{"a lone surrogate's name twice", `{"\ud800":1,"\uD800":2}`, "/\xffd800", 12, Limits{}},
		{"not UTF-8", "{\"a\":[\"x\xff\"]}", "/a/0", 6, Limits{}},
		{"a name that is not UTF-8", "{\"b\xff\":1}", "", 1, Limits{}},
		{"a surrogate in UTF-8", "\"\xed\xa0\x80\"", "", 0, Limits{}},
		{"a raw control character", "{\"a\":\"\n\"}", "/a", 6, Limits{}},
		{"a bad value", `{"a":{"b":[1,x]}}`, "/a/b/1", 13, Limits{}},
		{"a bad number", `[01]`, "", 2, Limits{}},
		{"a comma too many", `{"a":1,}`, "", 7, Limits{}},
		{"a byte order mark", "\ufeff{}", "", 0, Limits{}},
		{"too deep", `{"a":[[]]}`, "/a/0", 6, Limits{Depth: 2}},
		{"too large", `{"a":1}`, "", 6, Limits{Bytes: 6}},
		{"too deep by default", strings.Repeat("[", 101), strings.Repeat("/0", 100), 100, Limits{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var e *CheckError
			err := Check([]byte(test.body), test.limits)
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a check error", err)
			}
			if e.Offset != test.offset || e.Pointer != test.pointer {
				t.Errorf("got byte %d pointer %q (%s), want byte %d pointer %q", e.Offset, e.Pointer, e.Reason, test.offset, test.pointer)
			}
		})
	}
}

func TestCheckNeverShowsAValue(t *testing.T) {
	for _, body := range []string{`{"password":"s3cret`, `{"password":"s3cret\x"}`, `{"password":s3cret}`, `{"password":"s3cret"}s3cret`, `{"p":"s3cret","p":"s3cret"}`} {
		if err := Check([]byte(body), Limits{}); err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "s3cret") {
			t.Errorf("Check(%s): %v", body, err)
		}
	}
}
