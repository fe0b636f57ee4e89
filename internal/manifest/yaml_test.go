package manifest

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// readYAMLText reads one text as f.yaml.
func readYAMLText(t testing.TB, text string, opts Options) (*bulksync.Desired, *Secrets, bulksync.Faults) {
	t.Helper()
	d, s, err := Read(t.Context(), []Source{{Name: "f.yaml", Reader: strings.NewReader(text)}}, opts)
	var faults bulksync.Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatal(err)
	}
	return d, s, faults
}

// users gives a manifest of one user with more keys.
func yamlUser(keys string) string {
	return "version: 1\nusers:\n- login: a@demo.example\n" + keys
}

// yamlFaultCases give, for each code, a manifest that has that fault and no other.
var yamlFaultCases = []struct {
	name, text, code, at, says string
	opts                       Options
}{
	{name: "empty file", text: "", code: codeYAMLSyntax, at: "f.yaml", says: "empty"},
	{name: "comments only", text: "# a\n", code: codeYAMLSyntax, at: "", says: "empty"},
	{name: "no YAML", text: "version: 1\nusers: [a\n", code: codeYAMLSyntax, says: "no YAML"},
	{name: "tab for indentation", text: "version: 1\nusers:\n\t- login: a\n", code: codeYAMLSyntax, says: "no YAML"},
	{name: "a list", text: "- version: 1\n", code: codeWrongShape, at: "f.yaml:1:1", says: "is a list"},
	{name: "no version", text: "users: []\n", code: codeMissingKey, at: "f.yaml:1:1", says: "version"},
	{name: "another version", text: "version: 2\n", code: codeBadVersion, at: "f.yaml:1:10", says: "version: 1"},
	{name: "another mode", text: "version: 1\n", opts: Options{Mode: "rainbowvoice"}, code: codeMixedForms, says: "leave the mode out"},
	{name: "nested too deep", text: "version: 1\ncompany: a\nusers:\n- &a\n  login: a@demo.example\n  devices: " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "\n", code: codeWrongShape, at: "f.yaml:6:13"},
	{name: "a mapping that holds itself", text: "version: 1\nusers:\n- &a\n  login: a@demo.example\n  <<: *a\n", code: codeYAMLLimit},
	{name: "custom tag", text: yamlUser("  firstName: !secret Ann\n"), code: codeYAMLTag, at: "f.yaml:4:14", says: "!secret"},
	{name: "two companies", text: "version: 1\ncompany: a\n---\nversion: 1\ncompany: b\n", code: codeSeveralCompanies, at: "f.yaml:5:10", says: "f.yaml:2:10"},
	{name: "unknown key", text: yamlUser("  colour: red\n"), code: codeUnknownKey, at: "f.yaml:4:3", says: `"colour"`},
	{name: "mistyped key", text: yamlUser("  fistName: Ann\n"), code: codeUnknownKey, at: "f.yaml:4:3", says: "did you mean firstName?"},
	{name: "the column's name", text: yamlUser("  shortNumber: 81011\n"), code: codeUnknownKey, says: "did you mean extension?"},
	{name: "a numbered column", text: yamlUser("  businessPhone0: 33298300513\n"), code: codeUnknownKey, says: "did you mean businessPhone?"},
	{name: "key twice", text: yamlUser("  title: a\n  title: b\n"), code: codeKeyTwice, at: "f.yaml:5:3", says: "f.yaml:4:3"},
	{name: "no login", text: "version: 1\nusers:\n- title: a\n", code: codeMissingKey, at: "f.yaml:3:3", says: "login"},
	{name: "bad login", text: "version: 1\nusers:\n- login: ann\n", code: codeBadLogin, at: "f.yaml:3:10", says: `"ann"`},
	{name: "login twice", text: yamlUser("- login: A@demo.example\n"), code: codeLoginTwice, at: "f.yaml:4:10", says: "f.yaml:3:10"},
	{name: "empty login", text: "version: 1\nusers:\n- login:\n", code: codeWrongShape, says: "empty"},
	{name: "nothing behind a key that needs a value", text: "version:\n", code: codeWrongShape, at: "f.yaml:1:9", says: "version is empty"},
	{name: "empty settings", text: "version: 1\nsettings: {cli: }\n", code: codeWrongShape, at: "f.yaml:2:17", says: "leave cli out"},
	{name: "empty options", text: yamlUser("  options:\n"), code: codeWrongShape, at: "f.yaml:4:11", says: "leave options out"},
	{name: "empty password", text: yamlUser("  password: \n"), code: codeWrongShape, says: "leave password out"},
	{name: "a tag of nothing", text: yamlUser("  title: !!null x\n"), code: codeYAMLTag, at: "f.yaml:4:10"},
	{name: "a password that looks like a tag", text: yamlUser("  password: !Secret_1\n"), code: codeYAMLTag, at: "f.yaml:4:13", says: "quotes"},
	{name: "a password that looks like an alias", text: yamlUser("  password: *Secret_1\n"), code: codeYAMLSyntax, at: "f.yaml:4:3", says: "begins with *"},
	{name: "a password that names no variable", text: yamlUser("  password: \"a${Secret_1}\"\n"), code: codeUnknownVariable, at: "f.yaml:4:13", says: "$${"},
	{name: "a default of a variable", text: "version: 1\nvariables: {a: x, b: \"${a}\"}\ncompany: ${b}\n", code: codeBadVariable, at: "f.yaml:2:22", says: "write the default out"},
	{name: "an include by a variable", text: "version: 1\nvariables: {a: x}\ninclude: [\"${a}.yaml\"]\n", code: codeBadInclude, at: "f.yaml:3:11", says: "names a variable"},
	{name: "a long value", text: yamlUser("  title: " + strings.Repeat("x", 5000) + "\n"), code: codeYAMLLimit, at: "f.yaml:4:10", says: "4,096"},
	{name: "a long list", text: yamlUser("  licences: [" + strings.Repeat("x, ", 200) + "]\n"), code: codeYAMLLimit, at: "f.yaml:4:13", says: "100"},
	{name: "a longer list", text: yamlUser("  tags: [" + strings.Repeat("x, ", 3000) + "]\n"), code: codeYAMLLimit, at: "f.yaml:4:9", says: "2,000"},
	{name: "many rules", text: "version: 1\nignore: [" + strings.Repeat("x, ", 11_000) + "]\n", code: codeYAMLLimit, at: "f.yaml:2:9", says: "10,000"},
	{name: "a direction that is overridden", text: yamlUser("  title: \"a\\u202Eb\"\n"), code: codeControlInCell, at: "f.yaml:4:10", says: "U+202E"},
	{name: "a control character in the file", text: yamlUser("  title: a\x01b\n"), code: codeControlInCell, at: "f.yaml:4:11", says: "U+0001"},
	{name: "Latin-1", text: yamlUser("  title: Zo\xeb\n"), code: codeNotUTF8, at: "f.yaml:4:12", says: "0xEB"},
	{name: "digits of another script", text: yamlUser("  extension: \"\uff12\uff13\"\n"), code: codeBadShortNumber, at: "f.yaml:4:14"},
	{name: "ranges that overlap", text: "version: 1\npools: {extensions: {p: {ranges: [2300-2399, 2350-2360]}}}\n", code: codeBadRange, at: "f.yaml:2:46", says: "2300-2399"},
	{name: "a device twice in a pool", text: "version: 1\npools: {devices: {p: {devices: [aabbccddee01, AA:BB:CC:DD:EE:01]}}}\n", code: codeBadRange, at: "f.yaml:2:47"},
	{name: "a device twice in a pool, once of a range", text: "version: 1\npools: {devices: {p: {devices: [aabbccddee00-aabbccddee0f, 'AA:BB:CC:DD:EE:01']}}}\n", code: codeBadRange, says: "something in common"},
	{name: "a range of devices backwards", text: "version: 1\npools: {devices: {p: {devices: [aabbccddee0f-aabbccddee00]}}}\n", code: codeBadRange, says: "a later one"},
	{name: "an endless range of devices", text: "version: 1\npools: {devices: {p: {devices: [aabbcc000000-aabbccffffff]}}}\n", code: codeBadRange, says: "1,000,000"},
	{name: "a pool of what is no device", text: "version: 1\npools: {devices: {p: {devices: [aabbcc000000-aabbcc00000]}}}\n", code: codeBadMAC, says: "and a range like"},
	{name: "devices listed as a pool has them", text: "version: 1\ndevices: [{macAddress: 'aa:bb:cc:00:00:10-aa:bb:cc:00:00:1f'}]\n", code: codeBadMAC, says: `macAddress: "aa:bb:cc:00:00:10", count: 5`},
	{name: "numbers listed as a pool has them", text: "version: 1\nddis: ['+33298300710-+33298300719']\n", code: codeBadE164, says: `{first: "+33298300710", count: 5}`},
	{name: "a pool without its devices", text: "version: 1\npools: {devices: {p: {quarantine: 3}}}\n", code: codeMissingKey, says: "add devices: MAC addresses"},
	{name: "a range without its count", text: "version: 1\nddis: [{first: \"+33298300710\"}]\n", code: codeMissingKey, says: "how many there are"},
	{name: "devices that run over", text: "version: 1\ndevices: [{macAddress: ffffffffffff, count: 2}]\n", code: codeBadRange, says: "last MAC address"},
	{name: "a range of handsets", text: "version: 1\ndevices: [{ipei: 03807e7898, count: 2}]\n", code: codeBadRange, says: "IPEI"},
	{name: "a range of devices of a user", text: yamlUser("  devices: [{macAddress: aabbccddee01, count: 2}]\n"), code: codeBadRange, says: "under devices"},
	{name: "a device of a range again", text: "version: 1\ndevices: [{macAddress: aabbccddee00, count: 3}, {macAddress: aabbccddee02}]\n", code: codeMACTwice, says: "ee:02"},
	{name: "reserved between ranges of the pool", text: "version: 1\npools: {extensions: {p: {ranges: [2390-2399, 2300-2310, 23100], reserved: [2305-2309, 2395, 2311-2389]}}}\n", code: codeBadRange, at: "f.yaml:2:93", says: "not in the pool"},
	{name: "reserved outside of the pool", text: "version: 1\npools: {extensions: {p: {ranges: [2300-2399], reserved: [2400]}}}\n", code: codeBadRange, at: "f.yaml:2:58", says: "not in the pool"},
	{name: "a pool of nothing", text: "version: 1\npools: {extensions: {p: {ranges: []}}}\n", code: codeWrongShape, at: "f.yaml:2:34"},
	{name: "an endless pool", text: "version: 1\npools: {extensions: {p: {ranges: [1000000000-9999999999]}}}\n", code: codeBadRange, at: "f.yaml:2:35", says: "1,000,000"},
	{name: "two default DDIs", text: "version: 1\nsettings: {defaultDdi: \"+33298300513\"}\n---\nversion: 1\nsettings: {defaultDdi: \"+33298300513\"}\n", code: codeNameTwice, at: "f.yaml:5:24", says: "f.yaml:2:24"},
	{name: "a default DDI that is none", text: "version: 1\nsettings: {defaultDdi: 2301}\n", code: codeBadE164, at: "f.yaml:2:24"},
	{name: "blanks alone", text: "version: 1\ncompany: \" \"\n", code: codeWrongShape, at: "f.yaml:2:10", says: "empty"},
	{name: "a variable that is empty", text: "version: 1\nvariables: {a: \"\"}\ncompany: ${a}\n", code: codeWrongShape, at: "f.yaml:3:10", says: "empty"},
	{name: "a list for a text", text: yamlUser("  title: [a]\n"), code: codeWrongShape, at: "f.yaml:4:10", says: "one value"},
	{name: "a text for a list", text: yamlUser("  tags: a\n"), code: codeWrongShape, at: "f.yaml:4:9", says: "tags: [a, b]"},
	{name: "a number as bad extension", text: yamlUser("  extension: +3329830\n"), code: codeBadShortNumber, at: "f.yaml:4:14"},
	{name: "a decimal", text: yamlUser("  extension: 81011.0\n"), code: codeDamaged, says: "81011"},
	{name: "an exponent", text: yamlUser("  ddis: [3.3298300513E+10]\n"), code: codeDamaged, says: "33298300513"},
	{name: "a date", text: yamlUser("  extension: 2026-01-02\n"), code: codeDamaged, says: "date"},
	{name: "bad MAC", text: yamlUser("  devices: [aa:bb]\n"), code: codeBadMAC, at: "f.yaml:4:13"},
	{name: "bad DDI", text: yamlUser("  ddis: [0298300513]\n"), code: codeBadE164, says: "national"},
	{name: "extension twice", text: yamlUser("  extension: 81011\n- login: b@demo.example\n  extension: 81011\n"), code: codeNumberTwice, at: "f.yaml:6:14", says: "f.yaml:4:14"},
	{name: "device twice", text: yamlUser("  devices: [aa:bb:cc:dd:ee:01, AABBCCDDEE01]\n"), code: codeMACTwice, at: "f.yaml:4:32"},
	{name: "DDI twice", text: yamlUser("  ddis: [+33298300513]\n- login: b@demo.example\n  ddis: [33298300513]\n"), code: codeDDITwice, at: "f.yaml:6:10"},
	{name: "pairing twice", text: yamlUser("  pairings: [{shortNumber: 3001}, {shortNumber: 3001}]\n"), code: codePairingTwice},
	{name: "pairing without number", text: yamlUser("  pairings: [{pbxId: PBX1}]\n"), code: codeMissingKey, says: "shortNumber"},
	{name: "six tags", text: yamlUser("  tags: [a, b, c, d, e, f]\n"), code: codeTooLong, says: "at most 5"},
	{name: "bad country", text: yamlUser("  country: FR\n"), code: codeBadCountry, says: "FRA"},
	{name: "yes for true", text: yamlUser("  absent: yes\n"), code: codeBadChoice, says: "true or false"},
	{name: "absent with values", text: yamlUser("  absent: true\n  title: a\n"), code: codeAbsentWith, at: "f.yaml:5:3"},
	{name: "line break", text: yamlUser("  title: \"a\\nb\"\n"), code: codeBreakInCell},
	{name: "control character", text: yamlUser("  title: \"a\\x01b\"\n"), code: codeControlInCell},
	{name: "weak password", text: yamlUser("  password: secret\n"), code: codeBadPassword, says: "8 characters"},
	{name: "empty reference", text: yamlUser("  password: \"env:\"\n"), code: codeSecretMissing},
	{name: "secret that is not there", text: yamlUser("  password: env:NOBODY\n"), code: codeSecretMissing, says: "not set",
		opts: Options{Secret: func(string) (string, error) { return "", errors.New("not set") }}},
	{name: "undeclared variable", text: yamlUser("  title: ${nobody}\n"), code: codeUnknownVariable, at: "f.yaml:4:10", says: "nobody"},
	{name: "mistyped variable", text: "variables: {site: Brest}\n" + yamlUser("  title: ${sit}\n"), code: codeUnknownVariable, says: "${site}"},
	{name: "variable without value", text: "variables: {site: }\n" + yamlUser("  title: ${site}\n"), code: codeUnknownVariable, says: "--var site="},
	{name: "open variable", text: "variables: {site: a}\n" + yamlUser("  title: \"${site\"\n"), code: codeBadVariable, says: "not closed"},
	{name: "variable's name", text: "version: 1\nvariables: {a b: c}\n", code: codeBadVariable},
	{name: "variable twice", text: "version: 1\nvariables: {a: c}\n---\nversion: 1\nvariables: {a: d}\n", code: codeNameTwice, at: "f.yaml:5:13"},
	{name: "given and not declared", text: "version: 1\n", opts: Options{Variables: map[string]string{"a": "b"}}, code: codeUnknownVariable, says: "declare it"},
	{name: "unknown template", text: "templates: {users: {desk: {country: FRA}}}\n" + yamlUser("  template: dsk\n"), code: codeUnknownTemplate, says: "did you mean desk?"},
	{name: "template's fault, once", text: "templates: {users: {desk: {country: FR}}}\n" + yamlUser("  template: desk\n- login: b@demo.example\n  template: [desk]\n"), code: codeBadCountry, at: "f.yaml:1:37"},
	{name: "template twice", text: "version: 1\ntemplates: {users: {a: {}}}\n---\nversion: 1\ntemplates: {users: {a: {}}}\n", code: codeNameTwice},
	{name: "defaults twice", text: "version: 1\ndefaults: {users: {title: a}}\n---\nversion: 1\ndefaults: {users: {title: a}}\n", code: codeNameTwice},
	{name: "login in a template", text: "version: 1\ntemplates: {users: {a: {login: a@demo.example}}}\n", code: codeUnknownKey},
	{name: "a whole number out of range", text: "version: 1\nddis: [{first: 33298300600, count: 0}]\n", code: codeBadWhole, at: "f.yaml:2:36"},
	{name: "range that runs over", text: "version: 1\nddis: [{first: 9999990, count: 20}]\n", code: codeBadRange, says: "last digit"},
	{name: "DDI listed twice", text: "version: 1\nddis: [{first: 33298300600, count: 10}, +33298300609]\n", code: codeDDITwice, at: "f.yaml:2:41"},
	{name: "device listed twice", text: yamlUser("  devices: [{macAddress: aabbccddee01}]\ndevices:\n- macAddress: aa:bb:cc:dd:ee:01\n"), code: codeMACTwice},
	{name: "device without a key", text: "version: 1\ndevices: [{model: M5}]\n", code: codeMissingKey, says: "macAddress"},
	{name: "device with two keys", text: "version: 1\ndevices: [{macAddress: aabbccddee01, ipei: 03807e7898}]\n", code: codeWrongShape, says: "both"},
	{name: "bad IPEI", text: "version: 1\ndevices: [{ipei: \"123\"}]\n", code: codeBadMAC},
	{name: "module twice", text: "version: 1\ndevices: [{macAddress: aabbccddee01, modules: [{moduleId: 1, type: EM_20}, {moduleId: 1, type: EM_20}]}]\n", code: codeNameTwice},
	{name: "module of no type", text: "version: 1\ndevices: [{macAddress: aabbccddee01, modules: [{moduleId: 1, type: EM_5}]}]\n", code: codeBadChoice},
	{name: "speeddial without label", text: "version: 1\ndevices: [{macAddress: aabbccddee01, keys: [{keyNum: 1, keyType: speeddial, number: 33612345678}]}]\n", code: codeBadKey, says: "displayName"},
	{name: "monitor of a number", text: "version: 1\ndevices: [{macAddress: aabbccddee01, keys: [{keyNum: 1, keyType: monitor, number: 33612345678}]}]\n", code: codeBadKey, says: "extension"},
	{name: "forward to nowhere", text: "version: 1\ndevices: [{macAddress: aabbccddee01, keys: [{keyNum: 1, keyType: forward}]}]\n", code: codeBadKey, says: "nowhere"},
	{name: "huntgroup without group", text: "version: 1\ndevices: [{macAddress: aabbccddee01, keys: [{keyNum: 1, keyType: huntgroup}]}]\n", code: codeBadKey, says: "groupId"},
	{name: "headset that leads somewhere", text: "version: 1\ndevices: [{macAddress: aabbccddee01, keys: [{keyNum: 1, keyType: headset, extension: 2301}]}]\n", code: codeBadKey, says: "leads somewhere"},
	{name: "key twice in one place", text: "version: 1\ndevices: [{macAddress: aabbccddee01, keys: [{keyNum: 1, keyType: headset}, {keyNum: 1, keyType: headset}]}]\n", code: codeNameTwice},
	{name: "key number too high", text: "version: 1\ndevices: [{macAddress: aabbccddee01, keys: [{keyNum: 999, keyType: headset}]}]\n", code: codeBadWhole},
	{name: "option of no value", text: yamlUser("  options: {overflow: {value: often}}\n"), code: codeBadChoice},
	{name: "delay out of range", text: yamlUser("  options: {overflow: {noReplyDelay: 5}}\n"), code: codeBadWhole, says: "10 to 60"},
	{name: "pattern that is none", text: "version: 1\nsettings: {barringPatterns: [{pattern: \"[\"}]}\n", code: codeBadPolicy, says: "regular expression"},
	{name: "settings twice", text: "version: 1\nsettings: {cli: {policy: user_ddi_number}}\n---\nversion: 1\nsettings: {cli: {policy: user_ddi_number}}\n", code: codeNameTwice},
	{name: "unknown pool", text: "pools: {extensions: {brest: {ranges: [2300-2399]}}}\n" + yamlUser("  extension: {pool: brst}\n"), code: codeUnknownPool, says: "did you mean brest?"},
	{name: "pool of another kind", text: "pools: {extensions: {brest: {ranges: [2300-2399]}}}\n" + yamlUser("  ddis: [{pool: brest}]\n"), code: codeUnknownPool},
	{name: "pool twice", text: "version: 1\npools: {extensions: {a: {ranges: [23]}}, ddis: {a: {ranges: [33298300500]}}}\n", code: codeNameTwice},
	{name: "range backwards", text: "version: 1\npools: {extensions: {a: {ranges: [2399-2300]}}}\n", code: codeBadRange, says: "2300-2399"},
	{name: "range of two lengths", text: "version: 1\npools: {extensions: {a: {ranges: [99-100]}}}\n", code: codeBadRange},
	{name: "quarantine too long", text: "version: 1\npools: {extensions: {a: {ranges: [23], quarantine: 9999}}}\n", code: codeBadWhole},
	{name: "bad scope", text: "version: 1\nscope: [shoe=42]\n", code: codeBadPolicy, at: "f.yaml:2:9"},
	{name: "bad ignore rule", text: "version: 1\nignore: [\"[\"]\n", code: codeBadPolicy},
	{name: "bad column to match by", text: "version: 1\nmatch: [password]\n", code: codeBadPolicy},
	{name: "bad renumbering", text: "version: 1\nrenumber: [23xx=5x]\n", code: codeBadPolicy},
	{name: "bad prune", text: "version: 1\nprune: maybe\n", code: codeBadChoice},
	{name: "two names", text: "version: 1\nname: a\n---\nversion: 1\nname: b\n", code: codeNameTwice, at: "f.yaml:5:7"},
	{name: "unknown list", text: "version: 1\ncomplete: [users]\n", code: codeBadChoice},
	{name: "include out of the folder", text: "version: 1\ninclude: [../a.yaml]\n", code: codeBadInclude, says: "leads out"},
	{name: "include by an absolute path", text: "version: 1\ninclude: [/etc/a.yaml]\n", code: codeBadInclude, says: "leads out"},
	{name: "include of CSV", text: "version: 1\ninclude: [a.csv]\n", code: codeBadInclude, says: "not a YAML file"},
	{name: "include that is missing", text: "version: 1\ninclude: [a.yaml]\n", code: codeBadInclude, says: "not at hand"},
	{name: "include of itself", text: "version: 1\ninclude: [f.yaml]\n", code: codeBadInclude, says: "f.yaml -> f.yaml"},
}

func TestYAMLFaults(t *testing.T) {
	for _, tt := range yamlFaultCases {
		t.Run(tt.name, func(t *testing.T) {
			_, _, faults := readYAMLText(t, tt.text, tt.opts)
			if len(faults) != 1 || faults[0].Code != tt.code {
				t.Fatalf("got %v, want one of %s", faults, tt.code)
			}
			f := faults[0]
			if strings.Contains(f.String(), "Secret_1") {
				t.Errorf("%s shows what may be a password", f)
			}
			if tt.at != "" && f.Position.String() != tt.at {
				t.Errorf("got it at %s, want %s", f.Position, tt.at)
			}
			if !strings.Contains(f.Message+" "+f.Hint, tt.says) || f.Hint == "" {
				t.Errorf("got %q, hint %q, want %q", f.Message, f.Hint, tt.says)
			}
		})
	}
}

func TestAYAMLManifestSaysWhatItsTextSays(t *testing.T) {
	d, _, faults := readYAMLText(t, `version: 1
company: c1
variables: {site: Brest, domain: demo.example}
defaults:
  users: {country: FRA, language: fr}
templates:
  users:
    desk: {department: "${site}", tags: [desk], licences: [Voice]}
    chief: {department: Direction}
users:
- login: Ann@${domain}
  template: [desk, chief]
  firstName: no
  lastName: null
  nickName: ""
  extension: 0123
  devices: [AA-BB-CC-DD-EE-02]
  ddis: [+33298300513, 33298300514]
  tags: []
  isInitialized: TRUE
- login: bob@demo.example
  extension: ~
  devices:
  licences: []
- login: cleo@demo.example
  absent: true
- {login: dan@demo.example, title: "$${site}", email: [dan@home.example, d@home.example], pairings: [{pbxId: P, shortNumber: "0007"}]}
`, Options{Variables: map[string]string{"site": "Quimper"}})
	if faults != nil {
		t.Fatal(faults)
	}
	want := []bulksync.DesiredUser{
		{
			Login: "ann@demo.example", Action: "upsert", Lists: []string{"tags"},
			Attributes: []bulksync.Attribute{{Name: "country", Value: "FRA"}, {Name: "department", Value: "Direction"}, {Name: "firstName", Value: "no"},
				{Name: "isInitialized", Value: "true"}, {Name: "language", Value: "fr"}, {Name: "lastName"}, {Name: "nickName"}},
			Subscriber: bulksync.Having[bulksync.Number]("0123"), Devices: bulksync.Having[bulksync.DeviceKey]("aabbccddee02"),
			DDIs: bulksync.Having[bulksync.E164]("+33298300513", "+33298300514"), Licences: bulksync.Having[bulksync.Offer]("Voice"),
		},
		{
			Login: "bob@demo.example", Action: "upsert", Attributes: []bulksync.Attribute{{Name: "country", Value: "FRA"}, {Name: "language", Value: "fr"}},
			Subscriber: bulksync.Having[bulksync.Number](), Devices: bulksync.Having[bulksync.DeviceKey](), Licences: bulksync.Having[bulksync.Offer](),
		},
		{Login: "cleo@demo.example", Action: "delete", Presence: bulksync.Absent},
		{
			Login: "dan@demo.example", Action: "upsert", Lists: []string{"email"},
			Attributes: []bulksync.Attribute{{Name: "country", Value: "FRA"}, {Name: "email0", Value: "dan@home.example"}, {Name: "email1", Value: "d@home.example"},
				{Name: "language", Value: "fr"}, {Name: "title", Value: "${site}"}},
			Pairings: bulksync.Having(bulksync.Pairing{PbxID: "P", Number: "0007"}),
		},
	}
	ignore := cmpopts.IgnoreFields(bulksync.DesiredUser{}, "Position", "Cells")
	if diff := cmp.Diff(want, usersOf(d), ignore, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := d.Users.At(0).At("macAddress").String(); got != "f.yaml:17:12" {
		t.Errorf("devices stand at %s", got)
	}
	if d.Company != "c1" || d.Mode != "yaml" || len(d.Digest) != 64 {
		t.Errorf("got company %q, mode %q, digest %q", d.Company, d.Mode, d.Digest)
	}
	var remarks []string
	for _, r := range d.Remarks {
		remarks = append(remarks, r.Position.String()+" "+r.Code)
	}
	if diff := cmp.Diff([]string{"f.yaml:13:14 unquoted-value", "f.yaml:16:14 unquoted-value", "f.yaml:18:10 unquoted-value"}, remarks); diff != "" {
		t.Errorf("remarks (-want +got):\n%s", diff)
	}
}

func TestOptionsSettingsAndKeys(t *testing.T) {
	d, _, faults := readYAMLText(t, `version: 1
templates:
  users:
    desk: {options: {barring: {permissions: local, restrictions: default}, overflow: {value: custom}}}
settings:
  defaultDdi: 33298300513
  cli: {policy: user_ddi_number, userCanManageItsCli: TRUE}
  barringPatterns: []
devices:
- {macAddress: aabbccddee01, keys: [{keyNum: 2, keyType: monitor, extension: 2301}, {keyNum: 1, moduleId: 1, keyType: headset}]}
users:
- login: ann@demo.example
  template: desk
  options:
    barring: {permissions: nat_local}
    overflow: null
    externalForward: authorized
`, Options{})
	if faults != nil {
		t.Fatal(faults)
	}
	place := cmpopts.IgnoreFields(bulksync.DesiredGroup{}, "Position")
	options := []bulksync.DesiredGroup{
		{Group: "barring", Values: []bulksync.Attribute{{Name: "permissions", Value: "nat_local"}, {Name: "restrictions", Value: "default"}}},
		{Group: "externalForward", Values: []bulksync.Attribute{{Name: "externalCallForward", Value: "authorized"}}},
		{Group: "overflow", Values: []bulksync.Attribute{{Name: "unavailableOverflow"}, {Name: "value"}}},
	}
	if diff := cmp.Diff(options, d.Users.At(0).Options, place); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	settings := []bulksync.DesiredGroup{
		{Group: "barringPatterns", Values: []bulksync.Attribute{{Name: "patterns"}}},
		{Group: "cli", Values: []bulksync.Attribute{{Name: "policy", Value: "user_ddi_number"}, {Name: "userCanManageItsCli", Value: "true"}}},
	}
	if diff := cmp.Diff(settings, d.Settings, place); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if d.DefaultDDI == nil || d.DefaultDDI.Number != "+33298300513" || d.DefaultDDI.Position.String() != "f.yaml:6:15" {
		t.Errorf("default DDI %v", d.DefaultDDI)
	}
	keys := []bulksync.DesiredKey{{Number: 2, Type: "monitor", Extension: "2301"}, {Module: 1, Number: 1, Type: "headset"}}
	if diff := cmp.Diff(bulksync.Having(keys...), d.Devices[0].Keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// TestTheDigestNamesWhatIsAskedFor: what makes no difference to the company makes none to the digest.
func TestTheDigestNamesWhatIsAskedFor(t *testing.T) {
	digest := func(opts Options, texts ...string) string {
		t.Helper()
		var sources []Source
		for i, text := range texts {
			sources = append(sources, Source{Name: fmt.Sprintf("%d.yaml", i), Reader: strings.NewReader(text)})
		}
		d, _, err := Read(t.Context(), sources, opts)
		if err != nil {
			t.Fatal(err)
		}
		return d.Digest
	}
	const ann = "- login: ann@demo.example\n  title: Mrs\n  password: "
	want := digest(Options{}, "version: 1\nusers:\n"+ann+"env:ANN\n")
	for name, got := range map[string]string{
		"another password":     digest(Options{}, "version: 1\nusers:\n"+ann+"Passw0rd!\n"),
		"quotes and comments":  digest(Options{}, "# hello\nversion: \"1\"\nusers:\n- {password: file:x, title: 'Mrs', login: ANN@demo.example}\n"),
		"a template":           digest(Options{}, "version: 1\ntemplates: {users: {a: {title: Mrs}}}\nusers:\n- {login: ann@demo.example, template: a, password: env:X}\n"),
		"a variable":           digest(Options{Variables: map[string]string{"a": "Mrs"}}, "version: 1\nvariables: {a: }\nusers:\n- {login: ann@demo.example, title: \"${a}\", password: env:X}\n"),
		"an anchor":            digest(Options{}, "version: 1\ntemplates: {users: {a: &x {title: Mrs}}}\nusers:\n- {<<: *x, login: ann@demo.example, password: env:X}\n"),
		"an empty second file": digest(Options{}, "version: 1\nusers:\n"+ann+"env:ANN\n", "version: 1\n"),
	} {
		if got != want {
			t.Errorf("%s changes the digest", name)
		}
	}
	for name, got := range map[string]string{
		"another title": digest(Options{}, "version: 1\nusers:\n- {login: ann@demo.example, title: Ms, password: env:X}\n"),
		"no password":   digest(Options{}, "version: 1\nusers:\n- {login: ann@demo.example, title: Mrs}\n"),
		"a company":     digest(Options{}, "version: 1\ncompany: c1\nusers:\n"+ann+"env:ANN\n"),
	} {
		if got == want {
			t.Errorf("%s does not change the digest", name)
		}
	}
}

func TestPasswordsByReference(t *testing.T) {
	asked := []string{}
	text := "version: 1\nvariables: {v: ANN}\nusers:\n- login: ann@demo.example\n  password: env:${v}_PW\n- login: bob@demo.example\n  password: Passw0rd!\n"
	d, s, faults := readYAMLText(t, text, Options{Secret: func(ref string) (string, error) {
		asked = append(asked, ref)
		return "Other-Passw0rd", nil
	}})
	if faults != nil {
		t.Fatal(faults)
	}
	if got, _ := s.Secret("ann@demo.example", "password"); got != "Other-Passw0rd" || !slices.Equal(asked, []string{"env:ANN_PW"}) {
		t.Errorf("got %q after asking for %v", got, asked)
	}
	if got, _ := s.Secret("bob@demo.example", "password"); got != "Passw0rd!" {
		t.Errorf("got %q", got)
	}
	if len(d.Remarks) != 1 || d.Remarks[0].Code != codeSecretByValue || strings.Contains(fmt.Sprint(d.Remarks), "Passw0rd") {
		t.Errorf("got remarks %v", d.Remarks)
	}
	if d, s, _ := readYAMLText(t, text, Options{}); d.Users.At(0).Password == nil || s.Len() != 1 {
		t.Errorf("without a way to look secrets up: place %v, %d secrets", d.Users.At(0).Password, s.Len())
	}
}

// TestIncludedFiles reads a manifest of several files, whichever is named first.
func TestIncludedFiles(t *testing.T) {
	files := map[string]string{
		"dir/top.yaml":        "version: 1\ninclude: [sub/users.yaml, ./more.yaml]\n",
		"dir/more.yaml":       "version: 1\nusers:\n- login: b@demo.example\n",
		"dir/sub/users.yaml":  "version: 1\ninclude: [deeper.yaml]\nusers:\n- login: a@demo.example\n  template: desk\n",
		"dir/sub/deeper.yaml": "version: 1\ntemplates: {users: {desk: {country: FRA}}}\n",
	}
	open := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}
	read := func(names ...string) (*bulksync.Desired, error) {
		var sources []Source
		for _, name := range names {
			sources = append(sources, Source{Name: name, Reader: strings.NewReader(files[name])})
		}
		all, err := Included(sources, open)
		if err != nil {
			t.Fatal(err)
		}
		d, _, err := Read(t.Context(), all, Options{})
		return d, err
	}
	d, err := read("dir/top.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if d.Users.Len() != 2 || d.Users.At(0).Position.File != "dir/sub/users.yaml" || len(d.Users.At(0).Attributes) != 1 {
		t.Errorf("got %+v", d.Users)
	}
	again, err := read("dir/sub/users.yaml", "dir/top.yaml")
	if err != nil || again.Digest != d.Digest {
		t.Errorf("another order gives another digest, or error %v", err)
	}
	files["dir/more.yaml"] = "version: 1\ninclude: [top.yaml]\n"
	var faults bulksync.Faults
	if _, err := read("dir/top.yaml"); !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(faults[0].Message, "dir/more.yaml -> dir/top.yaml -> dir/more.yaml") {
		t.Errorf("a circle of includes gives %v", err)
	}
	delete(files, "dir/more.yaml")
	if _, err := read("dir/top.yaml"); !errors.As(err, &faults) || faults[0].Position.String() != "dir/top.yaml:2:27" {
		t.Errorf("a missing include gives %v", err)
	}
}

func TestAliasBombs(t *testing.T) {
	bomb := "version: 1\ncompany: &a0 x\n"
	lists := "users:\n- login: a@demo.example\n  devices: &b0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		lists += fmt.Sprintf("- login: a%d@demo.example\n  devices: &b%d [%s*b%d]\n", i, i, strings.Repeat(fmt.Sprintf("*b%d, ", i-1), 8), i-1)
	}
	_, _, faults := readYAMLText(t, bomb+lists, Options{})
	if len(faults) == 0 {
		t.Error("no fault")
	}
	var many strings.Builder
	many.WriteString(yamlUser("  <<: &x {tags: &y [a, b, c, d" + strings.Repeat(", e", 20_000) + "]}\n"))
	for i := range 250 {
		fmt.Fprintf(&many, "- {login: b%d@demo.example, tags: *y}\n", i)
	}
	_, _, faults = readYAMLText(t, many.String(), Options{})
	faults = slices.DeleteFunc(faults, func(f bulksync.Fault) bool { return f.Code == codeTooLong || f.Code == codeTooManyFaults })
	if len(faults) != 1 || faults[0].Code != codeYAMLLimit {
		t.Errorf("got %v", faults)
	}
}

// TestYAMLIsToldByName tells YAML by media type, name or beginning.
func TestYAMLIsToldByName(t *testing.T) {
	const text = "# comment\n\nversion: 1\n"
	for _, src := range []Source{{Name: "x.yaml"}, {Name: "X.YML"}, {Name: "standard input"}, {Name: "-", ContentType: "application/yaml; charset=utf-8"}} {
		src.Reader = strings.NewReader(text)
		if d, _, err := Read(t.Context(), []Source{src}, Options{}); err != nil || d.Mode != ModeYAML {
			t.Errorf("%s %s: got %v", src.Name, src.ContentType, err)
		}
	}
	var faults bulksync.Faults
	_, _, err := Read(t.Context(), []Source{{Name: "a.yaml", Reader: strings.NewReader(text)}, {Name: "b.csv", Reader: strings.NewReader("__action__;loginEmail\n")}}, Options{})
	if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Code != codeMixedForms {
		t.Errorf("YAML and CSV together: got %v", err)
	}
}

// TestYAMLCodes holds the codes of YAML manifests against docs/errors.md and the tests.
func TestYAMLCodes(t *testing.T) {
	source, err := os.ReadFile("yamlcodes.go")
	if err != nil {
		t.Fatal(err)
	}
	var codes, tested, documented []string
	for _, m := range regexp.MustCompile(`= "([a-z0-9-]+)"`).FindAllStringSubmatch(string(source), -1) {
		codes = append(codes, m[1])
	}
	slices.Sort(codes)
	if diff := cmp.Diff(codes, slices.Sorted(slices.Values(yamlCodes))); diff != "" {
		t.Errorf("yamlCodes (-codes +listed):\n%s", diff)
	}
	for _, tt := range yamlFaultCases {
		tested = append(tested, tt.code)
	}
	for _, code := range codes {
		if !slices.Contains(tested, code) && code != codeSecretByValue && code != codeUnquoted && code != codeMixedAlphabets && !strings.HasPrefix(code, "export-") {
			t.Errorf("no test has the fault %s", code)
		}
	}
	doc, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(doc), "\n## Faults of a YAML manifest\n")
	if !ok {
		t.Fatal("docs/errors.md has no section on the faults of a YAML manifest")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\|").FindAllStringSubmatch(section, -1) {
		documented = append(documented, m[1])
	}
	slices.Sort(documented)
	if diff := cmp.Diff(codes, documented); diff != "" {
		t.Errorf("docs/errors.md (-code +doc):\n%s", diff)
	}
}

// usersOf unpacks the users of a manifest.
func usersOf(d *bulksync.Desired) []bulksync.DesiredUser {
	var users []bulksync.DesiredUser
	for _, u := range d.Users.All() {
		users = append(users, *u)
	}
	return users
}
