package manifest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// voice and paired give a manifest of one row, other columns than the key given.
func voice(columns, cells string) string {
	return "__action__;loginEmail;shortNumber;macAddress;ddiE164Number;" + columns + "\nupsert;a@demo.example;;;;" + cells + "\n"
}

func paired(action, cells string) string {
	return "__action__;loginEmail;pbxId;pbxShortNumber;pbxInternalNumber;number\n" + action + ";a@demo.example;" + cells + "\n"
}

// faultCases give, for each code, a manifest that has that fault and no other. The text after the position must be in
// the message or the hint.
var faultCases = []struct {
	name, text, code, at, says string
	opts                       Options
	encoding                   Encoding
}{
	{name: "empty file", text: "", code: codeMissingHeader, at: "f.csv", says: "no header"},
	{name: "comments only", text: "% a\n\n% b", code: codeMissingHeader, at: "f.csv"},
	{name: "first row is data", text: "upsert;a@demo.example;Password_123", code: codeMissingHeader, at: "f.csv:1:1", says: "not a header"},
	{name: "Excel's sep line", text: "sep=;\n__action__;loginEmail\n", code: codeMissingHeader, at: "f.csv:1:1", says: "remove the line"},
	{name: "all names in other case", text: "__ACTION__;LOGINEMAIL\n", code: codeMissingHeader, at: "f.csv:1:1", says: "write __action__"},
	{name: "wrong delimiter given", text: "__action__;loginEmail\n", opts: Options{Delimiter: ','}, code: codeMissingHeader, at: "f.csv:1:1", says: "looks as if it were ';'"},
	{name: "workbook", text: "PK\x03\x04xxxxxxx", code: codeNotCSV, at: "f.csv", says: "workbook"},
	{name: "UTF-16", text: "\xff\xfe_\x00_\x00", code: codeNotUTF8, at: "f.csv", says: "byte order mark FF FE (little endian)"},
	{name: "Latin-1, reported once", text: voice("firstName;lastName", "Andr\xe9;M\xfcller"), code: codeNotUTF8, at: "f.csv:2:30", says: `byte 0xE9 is not UTF-8; as Windows-1252 (Latin-1) the cell reads "André"`},
	{name: "endless row", text: "__action__;loginEmail\n" + strings.Repeat("x;", maxRecord), code: codeRowTooLong, at: "f.csv:2:1"},
	{name: "quote not closed", text: voice("firstName", "\"Ann"), code: codeUnclosedQuote, at: "f.csv:2:26"},
	{name: "text behind a quote", text: voice("firstName", `"Ann"e`), code: codeBadQuote, at: "f.csv:2:26"},
	{name: "quote inside", text: voice("firstName", `J "JJ" M`), code: codeBadQuote, at: "f.csv:2:26", says: "double those inside"},
	{name: "percent inside", text: voice("firstName", `5%`), code: codeCommentInCell, at: "f.csv:2:26"},
	{name: "line break in a cell", text: voice("firstName", "\"A\nB\""), code: codeBreakInCell, at: "f.csv:2:26", says: "on one line"},
	{name: "line break in a password", text: voice("password", "\"Pass\r\nword_123\""), code: codeBreakInCell, at: "f.csv:2:26"},
	{name: "control character", text: voice("firstName", "A\x01"), code: codeControlInCell, at: "f.csv:2:27", says: "U+0001"},
	{name: "row too short", text: "__action__;loginEmail;title\ndelete;a@demo.example\n", code: codeCellCount, at: "f.csv:2:8", says: "add 1 delimiter"},
	{name: "row too long, empty", text: "__action__;loginEmail\ndelete;a@demo.example;\n", code: codeCellCount, at: "f.csv:2:23", says: "remove 1 delimiter"},
	{name: "row too long, filled", text: "__action__;loginEmail;title\nupsert;a@demo.example;a;b\n", code: codeCellCount, at: "f.csv:2:25", says: "must stand in double quotes"},
	{name: "text for a comment", text: "__action__;loginEmail\nhello\n", code: codeCellCount, at: "f.csv:2:1", says: "begin the line with %"},
	{name: "unknown mode", text: "__action__;loginEmail\n", opts: Options{Mode: "users"}, code: codeUnknownMode, says: "rainbowvoice, useranddevice, user or device"},
	{name: "columns of two modes", text: "__action__;loginEmail;pbxId;shortNumber\n", code: codeMixedModes, at: "f.csv:1:1", says: "pbxId of mode useranddevice or device, shortNumber of mode rainbowvoice"},
	{name: "ambiguous detach, reported once", text: "__action__;loginEmail\ndetach;a@demo.example\ndetach;b@demo.example", code: codeAmbiguousMode, at: "f.csv:2:1"},
	{name: "unknown column", text: "__action__;loginEmail;colour\n", code: codeUnknownColumn, at: "f.csv:1:23", says: `"colour"`},
	{name: "mistyped column", text: "__action__;loginEmail;fistName\n", code: codeUnknownColumn, at: "f.csv:1:23", says: "did you mean firstName?"},
	{name: "column in other case", text: "__action__;loginEmail;FirstName\n", code: codeUnknownColumn, at: "f.csv:1:23", says: "write firstName"},
	{name: "key column in other case", text: "__action__;LoginEmail\n", code: codeUnknownColumn, at: "f.csv:1:12", says: "write loginEmail"},
	{name: "column by another name", text: "__action__;loginEmail;extension\n", code: codeUnknownColumn, at: "f.csv:1:23", says: "did you mean shortNumber?"},
	{name: "column without its number", text: "__action__;loginEmail;businessPhone\n", code: codeUnknownColumn, at: "f.csv:1:23", says: "did you mean businessPhone0?"},
	{name: "column of the other mode", text: "__action__;loginEmail;pbxId\n", opts: Options{Mode: "rainbowvoice"}, code: codeColumnMode, at: "f.csv:1:23", says: "belongs to mode useranddevice"},
	{name: "column twice", text: "__action__;loginEmail;title;title\n", code: codeColumnTwice, at: "f.csv:1:29", says: "first at f.csv:1:23"},
	{name: "column without name", text: "__action__;loginEmail;\n", code: codeColumnUnnamed, at: "f.csv:1:23", says: "column 3"},
	{name: "no login column", text: "__action__;title\nupsert;Mr\n", code: codeColumnMissing, at: "f.csv:1:1", says: "add loginEmail"},
	{name: "no action column", text: "loginEmail;shortNumber\na@demo.example;2001\n", code: codeColumnMissing, at: "f.csv:1:1", says: "add __action__"},
	{name: "sixth tag", text: "__action__;loginEmail;tags5\n", code: codeColumnNumber, at: "f.csv:1:23", says: "from 0 to 4"},
	{name: "empty action", text: "__action__;loginEmail;macAddress\n;a@demo.example;\n", code: codeMissingAction, at: "f.csv:2:1", says: "upsert, detach or delete"},
	{name: "unknown action", text: "__action__;loginEmail\nupsrt;a@demo.example\n", code: codeUnknownAction, at: "f.csv:2:1", says: "did you mean upsert?"},
	{name: "action in capitals", text: "__action__;loginEmail\nUPSERT;a@demo.example\n", code: codeUnknownAction, at: "f.csv:2:1", says: "write upsert"},
	{name: "action of user mode", text: strings.Replace(voice("title", ""), "upsert", "create", 1), code: codeActionMode, at: "f.csv:2:1", says: "belongs to mode user,"},
	{name: "actions of two modes", text: "__action__;loginEmail\ncreate;a@demo.example\nsync;b@demo.example\n", code: codeActionMode, at: "f.csv:3:1", says: "belongs to mode useranddevice, this manifest is in mode user"},
	{name: "no action, then one of another mode", text: "__action__;loginEmail\n;a@demo.example\nupsert;b@demo.example\n", code: codeActionMode, at: "f.csv:3:1", says: "write update, or create"},
	{name: "action of device mode", text: strings.Replace(voice("title", ""), "upsert", "force_attach", 1), code: codeActionMode, at: "f.csv:2:1", says: "belongs to mode device,"},
	{name: "sync in rainbowvoice", text: strings.Replace(voice("title", ""), "upsert", "sync", 1), code: codeActionMode, at: "f.csv:2:1", says: "belongs to mode useranddevice,"},
	{name: "no login", text: "__action__;loginEmail\ndelete;\n", code: codeMissingLogin, at: "f.csv:2:8"},
	{name: "bad login", text: "__action__;loginEmail\ndelete;ann\n", code: codeBadLogin, at: "f.csv:2:8", says: `"ann"`},
	{name: "weak password", text: voice("password", "secret"), code: codeBadPassword, at: "f.csv:2:26", says: "8 characters, a capital letter, a digit or a special character"},
	{name: "extension with blanks", text: strings.Replace(voice("title", ""), "example;;", "example;81 011;", 1), code: codeDamaged, at: "f.csv:2:23", says: "probably 81011"},
	{name: "public number for extension", text: strings.Replace(voice("title", ""), "example;;", "example;+33298300513;", 1), code: codeBadShortNumber, at: "f.csv:2:23", says: "public number"},
	{name: "bad MAC", text: strings.Replace(voice("title", ""), "example;;;", "example;;aa:bb:cc:dd:ee;", 1), code: codeBadMAC, at: "f.csv:2:24", says: "12 hex digits"},
	{name: "MAC with letter O", text: strings.Replace(voice("title", ""), "example;;;", "example;;aa:bb:cc:dd:ee:O2;", 1), code: codeBadMAC, at: "f.csv:2:24", says: "digit 0"},
	{name: "MAC without its zeros", text: strings.Replace(voice("title", ""), "example;;;", "example;;2000000001;", 1), code: codeDamaged, at: "f.csv:2:24", says: "00:20:00:00:00:01"},
	{name: "DDI in national form", text: strings.Replace(voice("title", ""), "example;;;;", "example;;;0298300513;", 1), code: codeBadE164, at: "f.csv:2:25", says: "+33298300513"},
	{name: "DDI with 00", text: strings.Replace(voice("title", ""), "example;;;;", "example;;;0033298300513;", 1), code: codeBadE164, at: "f.csv:2:25", says: "+33298300513"},
	{name: "DDI in scientific notation", text: strings.Replace(voice("title", ""), "example;;;;", "example;;;3.33E+10;", 1), code: codeDamaged, at: "f.csv:2:25", says: "11 digits that begins with 333"},
	{name: "DDI in full scientific notation", text: strings.Replace(voice("title", ""), "example;;;;", "example;;;3,3298300513E+10;", 1), code: codeDamaged, at: "f.csv:2:25", says: "probably 33298300513"},
	{name: "DDI with decimals", text: strings.Replace(voice("title", ""), "example;;;;", "example;;;33298300513.0;", 1), code: codeDamaged, at: "f.csv:2:25", says: "probably 33298300513"},
	{name: "DDI as a date", text: strings.Replace(voice("title", ""), "example;;;;", "example;;;11.12.2026;", 1), code: codeDamaged, at: "f.csv:2:25", says: "date"},
	{name: "extension as a date", text: strings.Replace(voice("title", ""), "example;;", "example;10-Dec;", 1), code: codeDamaged, at: "f.csv:2:23", says: "date"},
	{name: "extension as a date, day known", text: strings.Replace(voice("title", ""), "example;;", "example;05-Jan;", 1), code: codeDamaged, at: "f.csv:2:23", says: "probably 5-1 or 5/1"},
	{name: "extension with a comma", text: strings.Replace(voice("title", ""), "example;;", "example;81,011;", 1), code: codeDamaged, at: "f.csv:2:23", says: "probably 81011"},
	{name: "extension with an apostrophe", text: strings.Replace(voice("title", ""), "example;;", "example;'0811;", 1), code: codeDamaged, at: "f.csv:2:23", says: "probably 0811"},
	{name: "extension as a formula", text: strings.Replace(voice("title", ""), "example;;", `example;"=""0811""";`, 1), code: codeDamaged, at: "f.csv:2:23", says: "probably 0811"},
	{name: "extension with odd blanks", text: strings.Replace(voice("title", ""), "example;;", "example;8 1011;", 1), code: codeBadShortNumber, at: "f.csv:2:23", says: "81011"},
	{name: "DDI with thousands separators", text: strings.Replace(voice("title", ""), "example;;;;", "example;;;33,298,300,513;", 1), code: codeDamaged, at: "f.csv:2:25", says: "probably 33298300513"},
	{name: "phone in scientific notation", text: voice("businessPhone0", "3.33E+10"), code: codeDamaged, at: "f.csv:2:26", says: "11 digits that begins with 333"},
	{name: "text in scientific notation", text: voice("userInfo1", "1.23457E+11"), code: codeDamaged, at: "f.csv:2:26", says: "12 digits that begins with 123457"},
	{name: "department as a date", text: voice("department", "02-Jan"), code: codeDamaged, at: "f.csv:2:26", says: "probably 2-1 or 2/1"},
	{name: "offer as an error", text: voice("service0", "#REF!"), code: codeDamaged, at: "f.csv:2:26", says: "formula"},
	{name: "login with an apostrophe", text: "__action__;loginEmail\ndelete;'ann@demo.example\n", code: codeDamaged, at: "f.csv:2:8", says: "probably ann@demo.example"},
	{name: "text decoded twice", text: voice("firstName", "M\u00c3\u00bcller"), code: codeDamaged, at: "f.csv:2:26", says: `probably "Müller"`},
	{name: "text with a lost character", text: voice("firstName", "M\ufffdller"), code: codeLost, at: "f.csv:2:26", says: "U+FFFD"},
	{name: "a direction that is overridden", text: voice("firstName", "A\u202en"), code: codeControlInCell, at: "f.csv:2:26", says: "U+202E"},
	{name: "a blank without width in a login", text: "__action__;loginEmail\nupsert;a\u200b@demo.example\n", code: codeControlInCell, at: "f.csv:2:8", says: "U+200B"},
	{name: "NUL byte", text: voice("firstName", "An\x00n"), code: codeControlInCell, at: "f.csv:2:28", says: "NUL"},
	{name: "UTF-16 without mark", text: "_\x00_\x00a\x00", code: codeNotUTF8, at: "f.csv", says: "bytes 2 and 4 are zero"},
	{name: "UTF-16, big endian, without mark", text: "\x00_\x00_\x00a", code: codeNotUTF8, at: "f.csv", says: "bytes 1 and 3 are zero"},
	{name: "byte of no encoding", text: voice("firstName", "M\x81ller"), code: codeNotUTF8, at: "f.csv:2:27", says: "neither UTF-8 nor Windows-1252"},
	{name: "password that is not UTF-8", text: voice("password", "Passw\xf6rd_123"), code: codeNotUTF8, at: "f.csv:2:31", says: "cell is not UTF-8, probably Windows-1252"},
	{name: "UTF-8 asked to be UTF-16", text: "\ufeff__action__;loginEmail\n", encoding: UTF16, code: codeNotUTF8, at: "f.csv", says: "byte order mark EF BB BF"},
	{name: "attach of nothing", text: paired("attach", ";;;"), code: codeHalfPairing, at: "f.csv:2:24", says: "attach names no extension"},
	{name: "spreadsheet error", text: voice("title", "#N/A"), code: codeDamaged, at: "f.csv:2:26", says: "formula"},
	{name: "narrow column", text: strings.Replace(voice("title", ""), "example;;", "example;#####;", 1), code: codeDamaged, at: "f.csv:2:23", says: "narrow"},
	{name: "bad phone", text: voice("businessPhone0", "2001"), code: codeBadE164, at: "f.csv:2:26", says: "extension"},
	{name: "bad e-mail", text: voice("email0", "ann@"), code: codeBadEmail, at: "f.csv:2:26"},
	{name: "long tag", text: voice("tags0", strings.Repeat("é", 65)), code: codeTooLong, at: "f.csv:2:26", says: "65 characters"},
	{name: "two-letter country", text: voice("country", "FR"), code: codeBadCountry, at: "f.csv:2:26", says: "write FRA"},
	{name: "no country", text: voice("country", "GER"), code: codeBadCountry, at: "f.csv:2:26", says: "alpha-3"},
	{name: "language with underscore", text: voice("language", "en_us"), code: codeBadLanguage, at: "f.csv:2:26", says: "write en-US"},
	{name: "time zone", text: voice("timezone", "Paris"), code: codeBadTimezone, at: "f.csv:2:26", says: "Europe/Paris"},
	{name: "visibility", text: voice("visibility", "Public"), code: codeBadChoice, at: "f.csv:2:26", says: "write public"},
	{name: "authentication", text: voice("authenticationType", "LDAP"), code: codeBadChoice, at: "f.csv:2:26", says: "SAML or OIDC"},
	{name: "account type", text: voice("accountType", "gold"), code: codeBadChoice, at: "f.csv:2:26", says: "free, basic or advanced"},
	{name: "boolean", text: voice("isInitialized", "WAHR"), code: codeBadChoice, at: "f.csv:2:26", says: "true or false"},
	{name: "photo", text: voice("photoUrl", "ann.png"), code: codeBadURL, at: "f.csv:2:26"},
	{name: "PBX without extension", text: paired("upsert", "PBX1;;;"), code: codeHalfPairing, at: "f.csv:2:23", says: "pbxShortNumber"},
	{name: "nothing to detach", text: strings.Replace(voice("title", ""), "upsert", "detach", 1), code: codeNoDetach, at: "f.csv:2:23", says: "2018"},
	{name: "login twice", text: "__action__;loginEmail\nupsert;a@demo.example\nupsert;A@demo.example\n", code: codeLoginTwice, at: "f.csv:3:8", says: "f.csv:2:1"},
	{name: "detach then upsert", text: "__action__;loginEmail;shortNumber\ndetach;a@demo.example;2001\nupsert;a@demo.example;2002\n", code: codeLoginTwice, at: "f.csv:3:8", says: "two manifests"},
	{name: "extension twice", text: "__action__;loginEmail;shortNumber\nupsert;a@demo.example;2001\nupsert;b@demo.example; 2001\n", code: codeNumberTwice, at: "f.csv:3:24", says: `"a@demo.example" at f.csv:2:23`},
	{name: "device twice", text: "__action__;loginEmail;macAddress\nupsert;a@demo.example;aabbccddee02\nupsert;b@demo.example;AA-BB-CC-DD-EE-02\n", code: codeMACTwice, at: "f.csv:3:23", says: "aa:bb:cc:dd:ee:02"},
	{name: "DDI twice", text: "__action__;loginEmail;ddiE164Number\nupsert;a@demo.example;33298300513\nupsert;b@demo.example;+33 298 300 513\n", code: codeDDITwice, at: "f.csv:3:23", says: "+33298300513"},
	{name: "pairing twice", text: "__action__;loginEmail;pbxShortNumber\nsync;a@demo.example;3001\nupsert;b@demo.example;3001\n", code: codePairingTwice, at: "f.csv:3:23", says: "3001"},
}

func TestFaults(t *testing.T) {
	for _, tt := range faultCases {
		t.Run(tt.name, func(t *testing.T) {
			d, secrets, err := Read(t.Context(), []Source{{Name: "f.csv", Reader: strings.NewReader(tt.text), Encoding: tt.encoding}}, tt.opts)
			faults, _ := err.(bulksync.Faults)
			if len(faults) != 1 {
				t.Fatalf("got %d faults, want 1:\n%v", len(faults), faults)
			}
			if d != nil || secrets != nil {
				t.Error("a faulty manifest gave a model")
			}
			f := faults[0]
			if f.Code != tt.code || f.Position.String() != tt.at {
				t.Errorf("got %s at %s, want %s at %s", f.Code, f.Position, tt.code, tt.at)
			}
			if !strings.Contains(f.Message+"\n"+f.Hint, tt.says) {
				t.Errorf("does not say %q:\n%v", tt.says, f)
			}
			if f.Hint == "" {
				t.Error("no hint")
			}
		})
	}
}

func TestFaultsAcrossFiles(t *testing.T) {
	_, _, faults := readAll(t, Options{},
		"__action__;loginEmail;shortNumber\nupsert;a@demo.example;2001\n",
		"__action__;loginEmail;shortNumber\nupsert;a@demo.example;\nupsert;b@demo.example;2001\n",
		"__action__;loginEmail;pbxId\nsync;c@demo.example;\n")
	want := []string{
		"f2.csv:2:8 " + codeLoginTwice, "f2.csv:3:23 " + codeNumberTwice, "f3.csv:1:1 " + codeMixedModes,
	}
	if diff := cmp.Diff(want, summary(faults)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func summary(faults bulksync.Faults) []string {
	var s []string
	for _, f := range faults {
		s = append(s, f.Position.String()+" "+f.Code)
	}
	return s
}

func TestForeignFormats(t *testing.T) {
	for _, src := range []Source{
		{Name: "x.json"},
		{Name: "-", ContentType: "application/json; charset=utf-8"}, {Name: "-", ContentType: "text/csv; charset=iso-8859-1"},
	} {
		src.Reader = strings.NewReader("__action__;loginEmail\n")
		_, _, err := Read(t.Context(), []Source{src}, Options{})
		faults, ok := err.(bulksync.Faults)
		if !ok || len(faults) != 1 || faults[0].Code != codeNotCSV && faults[0].Code != codeNotUTF8 || faults[0].Position.File != src.Name {
			t.Errorf("%s %s: got %v", src.Name, src.ContentType, err)
		}
	}
	src := Source{Name: "-", ContentType: `text/csv; charset="UTF-8"`, Reader: strings.NewReader("__action__;loginEmail\n")}
	if _, _, err := Read(t.Context(), []Source{src}, Options{}); err != nil {
		t.Error(err)
	}
}

func TestFaultsAreCapped(t *testing.T) {
	var b strings.Builder
	b.WriteString("__action__;loginEmail\n")
	for i := range 2500 {
		fmt.Fprintf(&b, "delete;nobody%d\n", i)
	}
	_, _, faults := read(t, b.String(), Options{})
	if len(faults) != 1001 {
		t.Fatalf("got %d faults", len(faults))
	}
	last := faults[1000]
	if last.Code != codeTooManyFaults || last.Message != "and 1,500 more faults" || last.Position.Line != 1002 {
		t.Errorf("got %v", last)
	}
	_, _, faults = read(t, b.String(), Options{MaxFaults: 2})
	if len(faults) != 3 || faults[2].Message != "and 2,498 more faults" {
		t.Errorf("got %v", faults)
	}
}

// TestFaultsNeverShowPasswords puts a password where a password may stand in a broken manifest.
func TestFaultsNeverShowPasswords(t *testing.T) {
	const secret = "Tr0ub4dor&x"
	header := "__action__;loginEmail;password;firstName\n"
	for name, text := range map[string]string{
		"weak":              header + "upsert;a@demo.example;" + strings.ToLower(secret[5:]) + ";Ann",
		"not UTF-8":         header + "upsert;a@demo.example;" + secret + "\xe9;Ann",
		"quote inside":      header + "upsert;a@demo.example;" + secret + "\";Ann",
		"comment inside":    header + "upsert;a@demo.example;" + secret + "%;Ann",
		"control character": header + "upsert;a@demo.example;" + secret + "\x01;Ann",
		"delimiter inside":  header + "upsert;a@demo.example;" + secret + ";" + secret + ";Ann",
		"quote not closed":  header + "upsert;a@demo.example;\"" + secret + ";Ann",
		"no header":         "upsert;a@demo.example;" + secret + ";Ann",
		"short row":         header + "upsert;" + secret,
		"twice":             header + "upsert;a@demo.example;" + secret + ";\nupsert;a@demo.example;" + secret + ";",
		"action unknown":    header + "add;a@demo.example;" + secret + ";Ann",
	} {
		_, _, faults := read(t, text, Options{})
		if len(faults) == 0 {
			t.Errorf("%s: no fault", name)
		}
		if strings.Contains(strings.ToLower(faults.Error()), strings.ToLower(secret[5:])) {
			t.Errorf("%s: shows the password:\n%v", name, faults)
		}
	}
}

// TestCodes holds the codes against the tests and against docs/errors.md.
func TestCodes(t *testing.T) {
	declared, used := codesInSource(t)
	for name := range declared {
		if !used[name] {
			t.Errorf("%s is not used", name)
		}
	}
	var codes, tested []string
	for _, code := range declared {
		codes = append(codes, code)
	}
	slices.Sort(codes)

	for _, tt := range faultCases {
		tested = append(tested, tt.code)
	}
	tested = append(tested, codeTooManyFaults)
	for _, code := range codes {
		if !slices.Contains(tested, code) && !strings.HasPrefix(code, "export-") {
			t.Errorf("no test has the fault %s", code)
		}
	}

	doc, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(doc), "\n## Faults of a manifest\n")
	if !ok {
		t.Fatal("docs/errors.md has no section on the faults of a manifest")
	}
	section, _, _ = strings.Cut(section, "\n## Faults in view of the company\n")
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^### `([a-z0-9-]+)`$").FindAllStringSubmatch(section, -1) {
		documented = append(documented, m[1])
	}
	slices.Sort(documented)
	if diff := cmp.Diff(codes, documented); diff != "" {
		t.Errorf("docs/errors.md (-code +doc):\n%s", diff)
	}
}

// codesInSource gives the constants of codes.go with their values, and which of them other files use.
func codesInSource(t *testing.T) (declared map[string]string, used map[string]bool) {
	t.Helper()
	declared, used = map[string]string{}, map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if name == "codes.go" {
					value, err := strconv.Unquote(n.Values[0].(*ast.BasicLit).Value)
					if err != nil {
						t.Fatal(err)
					}
					declared[n.Names[0].Name] = value
				}
			case *ast.Ident:
				used[n.Name] = used[n.Name] || name != "codes.go"
			}
			return true
		})
	}
	return declared, used
}
