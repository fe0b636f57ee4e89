package manifest

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// tokens writes what the tokenizer makes of a text: a line for each record, a cell as line:column=text.
func tokens(t *testing.T, in io.Reader, delimiter byte) []string {
	t.Helper()
	tk := newTokenizer("f", in)
	if p := tk.open(UTF8); p != nil {
		return []string{p.code}
	}
	tk.setSyntax(delimiter, '%')
	var lines []string
	for {
		ok, broken := tk.next()
		if !ok {
			if tk.err != nil {
				t.Fatal(tk.err)
			}
			return lines
		}
		if broken != nil {
			p := tk.position(broken.start)
			lines = append(lines, fmt.Sprintf("%d:%d!%s", p.Line, p.Column, broken.code))
			continue
		}
		var cells []string
		for _, c := range tk.cells {
			p := tk.position(c.start)
			marks := ""
			for i, name := range []string{"", "!quote", "!comment", "!control", "", "!encoding"} {
				if c.marks&(1<<i) != 0 {
					marks += name
				}
			}
			cells = append(cells, fmt.Sprintf("%d:%d=%s%s", p.Line, p.Column, c.text, marks))
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
}

func TestTokenizer(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"one cell without line end", "a", []string{"1:1=a"}},
		{"empty cells keep their place", "a;;b;", []string{"1:1=a|1:3=|1:4=b|1:6="}},
		{"padding around cells", "  a ;\tb\t; c", []string{"1:3=a|1:7=b|1:11=c"}},
		{"no-break space is padding", "\u00a0a\u00a0;b", []string{"1:1=a|1:5=b"}},
		{"columns count characters", "éé;b", []string{"1:1=éé|1:4=b"}},
		{"padding around quotes", `a; "Enterprise Demo" ;b`, []string{"1:1=a|1:4=Enterprise Demo|1:23=b"}},
		{"blanks inside quotes stay", `" a ";"  "`, []string{"1:1= a |1:7="}},
		{"doubled quotes", `"a ""b"" c";""""`, []string{`1:1=a "b" c|1:13="`}},
		{"delimiter and comment in quotes", `"a;b";"50%"`, []string{"1:1=a;b|1:7=50%"}},
		{"line break in quotes", "a;\"b\nc\";d\ne", []string{"1:1=a|1:3=b\nc|2:4=d", "3:1=e"}},
		{"all line ends", "a\nb\r\nc\rd", []string{"1:1=a", "2:1=b", "3:1=c", "4:1=d"}},
		{"carriage return at the end", "a\r", []string{"1:1=a"}},
		{"byte order mark", "\ufeffa;b", []string{"1:1=a|1:3=b"}},
		{"comments and blank lines count", "% x\n\n  \na\n%y;\"\r\n;;\nb", []string{"4:1=a", "7:1=b"}},
		{"comment at the end", "a\n% b", []string{"1:1=a"}},
		{"indented percent is no comment", " % a", []string{"1:2=% a!comment"}},
		{"percent in a cell", "a;5%;b", []string{"1:1=a|1:3=5%!comment|1:6=b"}},
		{"quote inside a cell", `a;J "x" B;b`, []string{`1:1=a|1:3=J "x" B!quote|1:11=b`}},
		{"text behind a quote", "a;\"b\"c;d\ne;f", []string{"1:3!bad-quote", "2:1=e|2:3=f"}},
		{"quote never closed", "a;\"b;c\nd;e\nf", []string{"1:3!unclosed-quote", "2:1=d|2:3=e", "3:1=f"}},
		{"quote closed by the next one's", "a;\"b;c\nd;\"e\"\nf", []string{"1:3!bad-quote", "2:1=d|2:3=e", "3:1=f"}},
		{"quote alone at the end", "a\n\"", []string{"1:1=a", "2:1!unclosed-quote"}},
		{"resynchronises at the bad quote's line", "\"a\nb\";\"c\nd;\"e\nf", []string{"2:4!bad-quote", "3:3!unclosed-quote", "4:1=f"}},
		{"control characters", "a\x00;\"b\x07\"", []string{"1:1=a\x00!control|1:4=b\x07!control"}},
		{"not UTF-8", "a;Andr\xe9", []string{"1:1=a|1:3=Andr\xe9!encoding"}},
		{"UTF-16", "\xff\xfea\x00", []string{"not-utf8"}},
		{"UTF-16 unmarked", "a\x00;\x00", []string{"not-utf8"}},
		{"workbook", "PK\x03\x04....", []string{"not-csv"}},
		{"quoted cell too long", "\"" + strings.Repeat("x", maxQuoted+1) + "\"\nb", []string{"1:1!unclosed-quote", "2:1=b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tokens(t, strings.NewReader(tt.in), ';')); diff != "" {
				t.Errorf("whole (-want +got):\n%s", diff)
			}
			if len(tt.in) > 1000 {
				return
			}
			if diff := cmp.Diff(tt.want, tokens(t, iotest.OneByteReader(strings.NewReader(tt.in)), ';')); diff != "" {
				t.Errorf("byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTokenizerTab(t *testing.T) {
	got := tokens(t, strings.NewReader("a\t\t \"b\" \tc"), '\t')
	if diff := cmp.Diff([]string{"1:1=a|1:3=|1:5=b|1:10=c"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTokenizerStopsAtEndlessRow(t *testing.T) {
	got := tokens(t, io.LimitReader(endless('x'), 64<<20), ';')
	if diff := cmp.Diff([]string{"1:1!row-too-long"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// endless is a text of one character.
type endless byte

func (e endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(e)
	}
	return len(b), nil
}

func TestDetectDelimiter(t *testing.T) {
	tests := []struct {
		in   string
		want byte
	}{
		{"__action__;loginEmail\n", ';'},
		{"__action__,loginEmail", ','},
		{"% a;b;c;d;e\n\n__action__\tloginEmail\tfirstName\r\n", '\t'},
		{"\"__action__\" | \"loginEmail\"\n", '|'},
		{"loginEmail", ';'},
		{"", ';'},
		{"x,y,z;loginEmail;firstName", ';'},
	}
	for _, tt := range tests {
		tk := newTokenizer("f", strings.NewReader(tt.in))
		if p := tk.open(UTF8); p != nil {
			t.Fatal(p.message)
		}
		if got := tk.detectDelimiter('%'); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}
