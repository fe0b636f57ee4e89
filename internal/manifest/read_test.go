package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// read reads one file named f.csv.
func read(t *testing.T, text string, opts Options) (*bulksync.Desired, *Secrets, bulksync.Faults) {
	t.Helper()
	return readAll(t, opts, text)
}

// readAll reads files named f.csv, f2.csv, ...
func readAll(t *testing.T, opts Options, texts ...string) (*bulksync.Desired, *Secrets, bulksync.Faults) {
	t.Helper()
	var sources []Source
	for i, text := range texts {
		name := "f.csv"
		if i > 0 {
			name = fmt.Sprintf("f%d.csv", i+1)
		}
		sources = append(sources, Source{Name: name, Reader: strings.NewReader(text)})
	}
	d, s, err := Read(t.Context(), sources, opts)
	var faults bulksync.Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatal(err)
	}
	return d, s, faults
}

// users are those of a text without faults, their positions left out.
func users(t *testing.T, text string, opts Options) []bulksync.DesiredUser {
	t.Helper()
	d, _, faults := read(t, text, opts)
	if faults != nil {
		t.Fatalf("faults:\n%v", faults)
	}
	var users []bulksync.DesiredUser
	for _, u := range d.Users.All() {
		u.Cells, u.Position = nil, bulksync.Position{}
		users = append(users, *u)
	}
	return users
}

func TestRainbowvoiceRows(t *testing.T) {
	const text = `__action__;loginEmail        ;shortNumber;macAddress       ;ddiE164Number;password    ;firstName;tags1;service1              ;service0
upsert    ;Ann@Demo.example  ;81011      ;AA:BB:CC:DD:EE:02;33298300513  ;Password_123;Ann      ;sales;"Enterprise Demo"     ;"Voice Enterprise 3-Year prepaid" 
upsert    ;ben@demo.example  ;           ;                 ;             ;            ;         ;     ;enterprise demo       ;Enterprise Demo
detach    ;cy@demo.example   ;81012      ;aabbccddee03     ;             ;short       ;Cy       ;     ;                      ;
detach    ;dora@demo.example ;           ;                 ;+33298300514 ;            ;         ;     ;                      ;
delete    ;eve@demo.example  ;nonsense   ;nonsense         ;nonsense     ;nonsense    ;         ;     ;                      ;
`
	want := []bulksync.DesiredUser{
		{
			Login: "ann@demo.example", Action: "upsert",
			Attributes: []bulksync.Attribute{{Name: "firstName", Value: "Ann"}, {Name: "tags1", Value: "sales"}},
			Password:   &bulksync.SecretPlace{Position: bulksync.Position{File: "f.csv", Line: 2, Column: 75}, Field: "password"},
			Subscriber: bulksync.Having[bulksync.Number]("81011"), Devices: bulksync.Having[bulksync.DeviceKey]("aabbccddee02"),
			DDIs:     bulksync.Having[bulksync.E164]("+33298300513"),
			Licences: bulksync.Adding[bulksync.Offer]("Voice Enterprise 3-Year prepaid", "Enterprise Demo"),
		},
		{Login: "ben@demo.example", Action: "upsert", Licences: bulksync.Adding[bulksync.Offer]("Enterprise Demo")},
		{
			Login: "cy@demo.example", Action: "detach", Presence: bulksync.Existing,
			Subscriber: bulksync.Without[bulksync.Number]("81012"), Devices: bulksync.Without[bulksync.DeviceKey]("aabbccddee03"),
		},
		{Login: "dora@demo.example", Action: "detach", Presence: bulksync.Existing, DDIs: bulksync.Without[bulksync.E164]("+33298300514")},
		{Login: "eve@demo.example", Action: "delete", Presence: bulksync.Absent},
	}
	if diff := cmp.Diff(want, users(t, text, Options{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d, secrets, _ := read(t, text, Options{Strict: true})
	if d.Mode != "rainbowvoice" || !d.Strict {
		t.Errorf("mode %q, strict %t", d.Mode, d.Strict)
	}
	if got, ok := secrets.Secret("ann@demo.example", "password"); got != "Password_123" || !ok || secrets.Len() != 1 {
		t.Errorf("secret of ann: %q, %t; %d in all", got, ok, secrets.Len())
	}
	if _, ok := secrets.Secret("ann@demo.example", "pin"); ok {
		t.Error("there is a secret in another field")
	}
	if s := fmt.Sprintf("%v %+v %#v %s", secrets, secrets, secrets, secrets); strings.Contains(s, "Password_123") {
		t.Errorf("secrets print as %s", s)
	}
	wantCells := map[string]bulksync.Position{
		"firstName": d.Users.At(0).Position, "loginEmail": d.Users.At(0).Position, // not remembered
		"shortNumber": {File: "f.csv", Line: 2, Column: 31}, "macAddress": {File: "f.csv", Line: 2, Column: 43},
		"ddiE164Number": {File: "f.csv", Line: 2, Column: 61}, "password": {File: "f.csv", Line: 2, Column: 75},
		"service0": {File: "f.csv", Line: 2, Column: 127}, "service1": {File: "f.csv", Line: 2, Column: 104}, "service": {File: "f.csv", Line: 2, Column: 127},
		"tags1": {File: "f.csv", Line: 2, Column: 98}, // there is no tags0
	}
	for name, want := range wantCells {
		if got := d.Users.At(0).At(name); got != want {
			t.Errorf("column %s is at %v, want %v", name, got, want)
		}
	}
}

func TestUseranddeviceRows(t *testing.T) {
	const pbx = "PBXa1b2-c3d4-e5f6-4711-8899-aabb-ccdd-eeff"
	const text = `__action__,loginEmail,jobTitle,ldap_id,service0,pbxId,pbxShortNumber,pbxInternalNumber,number
upsert,a@demo.example,Clerk,,,` + pbx + `,3001,83001,33298300513
upsert,b@demo.example,,,,,,,
sync,c@demo.example,,guid-1,,,3002,,
sync,d@demo.example,Boss,,Essential,,,,
detach,e@demo.example,,,,` + pbx + `,3003,,
detach,f@demo.example,Boss,,,,,,
delete,g@demo.example,,,,,,,
`
	want := []bulksync.DesiredUser{
		{
			Login: "a@demo.example", Action: "upsert", Attributes: []bulksync.Attribute{{Name: "jobTitle", Value: "Clerk"}},
			Pairings: bulksync.Having(bulksync.Pairing{PbxID: pbx, Number: "3001", InternalNumber: "83001", PublicNumber: "33298300513"}),
		},
		{Login: "b@demo.example", Action: "upsert"},
		{
			Login: "c@demo.example", Action: "sync", Attributes: []bulksync.Attribute{{Name: "jobTitle"}, {Name: "ldap_id", Value: "guid-1"}},
			Pairings: bulksync.Having(bulksync.Pairing{Number: "3002"}),
		},
		{
			Login: "d@demo.example", Action: "sync", Attributes: []bulksync.Attribute{{Name: "jobTitle", Value: "Boss"}, {Name: "ldap_id"}},
			Licences: bulksync.Adding[bulksync.Offer]("Essential"), Pairings: bulksync.Having[bulksync.Pairing](),
		},
		{Login: "e@demo.example", Action: "detach", Presence: bulksync.Existing, Pairings: bulksync.Without(bulksync.Pairing{PbxID: pbx, Number: "3003"})},
		{Login: "f@demo.example", Action: "detach", Presence: bulksync.Existing, Pairings: bulksync.Without[bulksync.Pairing]()},
		{Login: "g@demo.example", Action: "delete", Presence: bulksync.Absent},
	}
	if diff := cmp.Diff(want, users(t, text, Options{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSyncLeavesMissingColumnsAlone(t *testing.T) {
	got := users(t, "__action__;loginEmail;title\nsync;a@demo.example;\n", Options{})
	want := []bulksync.DesiredUser{{Login: "a@demo.example", Action: "sync", Attributes: []bulksync.Attribute{{Name: "title"}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNumberedColumnsBecomePositions(t *testing.T) {
	tests := []struct{ header, want string }{
		{"businessPhone0", "businessPhone0"},
		{"businessPhone1", "businessPhone0"},
		{"businessPhone2;businessPhone1", "businessPhone0 businessPhone1"},
		{"businessPhone1;businessPhone0", "businessPhone0 businessPhone1"},
		{"mobilePhone1", "mobilePhone0"},
		{"tags1;tags4", "tags1 tags4"},
		{"businessPhone0;mobilePhone1", "businessPhone0 mobilePhone0"},
	}
	for _, tt := range tests {
		n := strings.Count(tt.header, ";") + 1
		text := "__action__;loginEmail;" + tt.header + "\nupsert;a@demo.example" + strings.Repeat(";33298300513", n)
		var got []string
		for _, a := range users(t, text, Options{})[0].Attributes {
			got = append(got, a.Name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %v, want %s", tt.header, got, tt.want)
		}
	}
}

func TestMode(t *testing.T) {
	const row = "\ndelete;a@demo.example;\n"
	tests := []struct {
		name  string
		opts  Options
		texts []string
		want  string
	}{
		{"extension column", Options{}, []string{"__action__;loginEmail;shortNumber" + row}, "rainbowvoice"},
		{"device column", Options{}, []string{"__action__;loginEmail;macAddress" + row}, "rainbowvoice"},
		{"PBX column", Options{}, []string{"__action__;loginEmail;pbxId" + row}, "useranddevice"},
		{"user columns only", Options{}, []string{"__action__;loginEmail;title" + row}, "useranddevice"},
		{"user columns, told by the caller", Options{Mode: "rainbowvoice"}, []string{"__action__;loginEmail;title" + row}, "rainbowvoice"},
		{"told by another file", Options{}, []string{"__action__;loginEmail;title" + row, "__action__;loginEmail;ddiE164Number\ndelete;b@demo.example;"}, "rainbowvoice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _, faults := readAll(t, tt.opts, tt.texts...)
			if faults != nil {
				t.Fatal(faults)
			}
			if d.Mode != tt.want {
				t.Errorf("got %s, want %s", d.Mode, tt.want)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	const base = "__action__;loginEmail;password;firstName\nupsert;a@demo.example;Password_1;Ann\n"
	digest := func(text string, opts Options) string {
		d, _, faults := read(t, text, opts)
		if faults != nil {
			t.Fatal(faults)
		}
		return d.Digest
	}
	want := digest(base, Options{})
	if len(want) != 64 {
		t.Fatalf("digest %q", want)
	}
	for name, text := range map[string]string{
		"other password":    strings.Replace(base, "Password_1", "Secret-22", 1),
		"no password":       strings.Replace(base, "Password_1", "", 1),
		"byte order mark":   "\ufeff" + base,
		"other delimiter":   strings.ReplaceAll(base, ";", ","),
		"comments, padding": "% hello\n\n" + strings.ReplaceAll(base, ";", " ; "),
		"quotes, CRLF":      strings.ReplaceAll(strings.ReplaceAll(base, "Ann", `"Ann"`), "\n", "\r\n"),
	} {
		if got := digest(text, Options{}); got != want {
			t.Errorf("%s: digest differs", name)
		}
	}
	for name, text := range map[string]string{
		"other value":  strings.Replace(base, "Ann", "Anna", 1),
		"other column": strings.Replace(base, "firstName", "lastName", 1),
		"other row":    base + "delete;b@demo.example;;\n",
		"moved text":   strings.Replace(base, "a@demo.example;Password_1;Ann", "a@demo.exampl;Password_1;eAnn", 1),
	} {
		if got := digest(text, Options{}); got == want {
			t.Errorf("%s: digest is the same", name)
		}
	}
	if digest(base, Options{Mode: "rainbowvoice"}) == want {
		t.Error("other mode: digest is the same")
	}
}

func TestReadErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	good := func() []Source {
		return []Source{{Name: "f.csv", Reader: strings.NewReader("__action__;loginEmail\ndelete;a@demo.example")}}
	}
	cause := errors.New("cable cut")
	tests := []struct {
		name    string
		ctx     context.Context
		sources []Source
		opts    Options
		want    string
	}{
		{"no file", t.Context(), nil, Options{}, "no file given"},
		{"cancelled", ctx, good(), Options{}, "context canceled"},
		{"delimiter is a letter", t.Context(), good(), Options{Delimiter: 'x'}, `delimiter 'x'`},
		{"comment is the delimiter", t.Context(), good(), Options{Delimiter: '#', Comment: '#'}, "both '#'"},
		{"comment is a quote", t.Context(), good(), Options{Comment: '"'}, "comment character"},
		{"reader fails at once", t.Context(), []Source{{Name: "f", Reader: iotest.ErrReader(cause)}}, Options{}, "manifest f: cable cut"},
		{"reader fails later", t.Context(), []Source{{Name: "f", Reader: io.MultiReader(strings.NewReader("__action__;loginEmail\ndelete;a@demo.ex"), iotest.ErrReader(cause))}}, Options{}, "cable cut"},
		{"reader never gives", t.Context(), []Source{{Name: "f", Reader: stuck{}}}, Options{}, io.ErrNoProgress.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _, err := Read(tt.ctx, tt.sources, tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.want) || d != nil {
				t.Errorf("got %v and error %v, want %q", d, err, tt.want)
			}
			if faults := (bulksync.Faults)(nil); errors.As(err, &faults) {
				t.Errorf("error is faults: %v", faults)
			}
		})
	}
}

// stuck is a reader that gives nothing for ever.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestHeaderWithoutRowsAsksForNothing(t *testing.T) {
	if got := users(t, "__action__;loginEmail;shortNumber\n% nobody\n;;\n", Options{}); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestApostropheProtectsFormulas(t *testing.T) {
	for _, s := range []string{"=1+1", "+33298300513", "-", "@x", "'=x", "''+x", "'", "''", "O'Neil", "plain", "", "\tx", "'a"} {
		if got := unprotect(protect(s)); got != s {
			t.Errorf("%q: protected %q, read back %q", s, protect(s), got)
		}
	}
	if got := protect("=1+1"); got != "'=1+1" {
		t.Errorf("got %q", got)
	}
	got := users(t, "__action__;loginEmail;nickName;businessPhone0;password\nupsert;a@demo.example;'=cmd;'+33298300513;'=Passw0rd", Options{})[0]
	want := []bulksync.Attribute{{Name: "businessPhone0", Value: "+33298300513"}, {Name: "nickName", Value: "=cmd"}}
	if diff := cmp.Diff(want, got.Attributes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAPlaceBehindAnEmptyOneIsRemembered: only the planner knows whether the user has the ones before, and says at which
// cell there would be a gap.
func TestAPlaceBehindAnEmptyOneIsRemembered(t *testing.T) {
	const text = "__action__;loginEmail;businessPhone1;businessPhone2;businessPhone3;tags0;tags1\n" +
		"upsert;a@demo.example;;33298300511;33298300512;x;y\n"
	desired, _, err := Read(t.Context(), []Source{{Name: "f.csv", Reader: strings.NewReader(text)}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	u := desired.Users.At(0)
	for name, column := range map[string]int{"businessPhone1": 24, "businessPhone0": 1, "businessPhone2": 1, "tags0": 1, "tags1": 1} {
		if got, want := u.At(name), (bulksync.Position{File: "f.csv", Line: 2, Column: column}); got != want {
			t.Errorf("%s is at %v, want %v", name, got, want)
		}
	}
}
