package sandbox

import (
	"slices"
	"strings"
	"testing"
)

func TestSheetCells(t *testing.T) {
	for name, test := range map[string]struct {
		text  string
		cells []string
		fault string
	}{
		"padded":                         {" a@b.example ;\tx y ;z", []string{"a@b.example", "x y", "z"}, ""},
		"padded quotes":                  {`a ; "Enterprise Demo" ; "x;y" `, []string{"a", "Enterprise Demo", "x;y"}, ""},
		"doubled quotes":                 {`a;"say ""hi""";z`, []string{"a", `say "hi"`, "z"}, ""},
		"a quoted line break":            {"a;\"x\ny\";z", []string{"a", "x\ny", "z"}, ""},
		"a quoted comment character":     {`a;"50% ""x""";z`, []string{"a", `50% "x"`, "z"}, ""},
		"a comment behind the cells":     {"a;b;c % help", []string{"a", "b", "c"}, ""},
		"a quote inside a cell":          {`a;b"c"d;e`, []string{"a", `b"c"d`, "e"}, ""},
		"carriage returns":               {"a;b;c\r", []string{"a", "b", "c"}, ""},
		"text after a quote":             {`a;"b"c;d`, []string{"a", "b", "d"}, "text after a closing quote"},
		"a quote that is never closed":   {`a;b;"c`, []string{"a", "b", "c\n% tail\n"}, "quote is never closed"},
		"too few cells":                  {"a;b", []string{"a", "b"}, "line has 2 cells, the header has 3"},
		"too many cells, the last empty": {"a;b;c;", []string{"a", "b", "c", ""}, "line has 4 cells, the header has 3"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := parseSheet("\ufeff% head\nloginEmail;title;nickName\n\n"+test.text+"\n% tail\n", "", "")
			if err != nil {
				t.Fatal(err)
			}
			if len(s.rows) != 1 || !slices.Equal(s.rows[0].cells, test.cells) || s.rows[0].fault != test.fault {
				t.Errorf("got %q, want %q with fault %q", s.rows, test.cells, test.fault)
			}
		})
	}
}

func TestDelimiterIsDetected(t *testing.T) {
	for text, want := range map[string]string{
		"loginEmail,title": ",", "loginEmail;title": ";", "loginEmail\ttitle": "\t", "loginEmail": ";", "% a,b,c\nloginEmail;title": ";",
	} {
		if s, err := parseSheet(text, "", ""); err != nil || s.delimiter != want {
			t.Errorf("%q: %v, want delimiter %q", text, err, want)
		}
	}
	if s, err := parseSheet("# x\nloginEmail;title\na@b.example;50% off\n", "", "#"); err != nil || s.rows[0].cells[1] != "50% off" {
		t.Errorf("another comment character: %v %v", s, err)
	}
}

func TestFamiliesCountFromZeroOrOne(t *testing.T) {
	s, err := parseSheet("loginEmail;businessPhone1;businessPhone2;tags0;tags3;email0x\n", "", "")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []column{
		{"loginEmail", "", 0}, {"businessPhone1", "businessPhone", 0}, {"businessPhone2", "businessPhone", 1}, {"tags0", "tags", 0},
		{"tags3", "tags", 3}, {"email0x", "", 0},
	} {
		if s.columns[i] != want {
			t.Errorf("column %d is %+v, want %+v", i, s.columns[i], want)
		}
	}
}

// FuzzSheet looks for texts that make the reader fall, lose a cell between the
// raw line and its neighbours, or disagree with itself.
func FuzzSheet(f *testing.F) {
	for _, seed := range []string{
		"loginEmail;title\na;b\n", "loginEmail\n\"\"\"\n", "loginEmail,title\r\n\"a\" , b % c\r\n%\r\n", "loginEmail\t\n\"", "\ufeffloginEmail;\n;;;\n", "%\n\n%",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSheet(text, "", "")
		if err != nil {
			return
		}
		for _, row := range s.rows {
			if strings.TrimSpace(row.raw) == "" || !strings.Contains(text, row.raw) {
				t.Errorf("raw line %q is not of the text", row.raw)
			}
			if row.fault == "" && len(row.cells) != len(s.columns) {
				t.Errorf("%d cells without a fault, header has %d", len(row.cells), len(s.columns))
			}
			if row.fault == "" {
				s.byName(row)
			}
		}
		for mode := range map[string]bool{s.detectMode(): true, modeRainbowVoice: true} {
			s.countActions(mode)
		}
	})
}

func TestPhoneNumbers(t *testing.T) {
	for _, test := range []struct{ number, country, want string }{
		{"+33 1 99 00 12 34", "FRA", "+33199001234"}, {"0033199001234", "FRA", "+33199001234"}, {"01.99.00.12.34", "FRA", "+33199001234"},
		{"33298300513", "FRA", "+33298300513"}, {"298300513", "FRA", ""}, {"2135070002", "USA", "+12135070002"}, {"+12135070002", "FRA", "+12135070002"},
		{"030 901820", "DEU", "+4930901820"}, {"4998765432", "DEU", "+4998765432"}, {"12", "FRA", ""}, {"", "FRA", ""}, {"call me", "FRA", ""},
		{"3.33E+10", "FRA", ""}, {"+1234567890123456", "FRA", ""}, {"0612345678", "ZZZ", ""},
	} {
		if got, _ := toE164(test.number, test.country); got != test.want {
			t.Errorf("toE164(%q, %s) = %q, want %q", test.number, test.country, got, test.want)
		}
	}
	if got := toNational("+33298300513", "FRA"); got != "0298300513" {
		t.Errorf("national form %q", got)
	}
	if got := toNational("+12135070002", "USA"); got != "2135070002" {
		t.Errorf("national form %q", got)
	}
}
