package manifest

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/samples"
)

func annotate(t *testing.T, text string, opts Options, results map[bulksync.Position]RowResult) string {
	t.Helper()
	var b bytes.Buffer
	if err := Annotate(t.Context(), &b, Source{Name: "f.csv", Reader: strings.NewReader(text)}, results, opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func rowAt(line int) bulksync.Position {
	return bulksync.Position{File: "f.csv", Line: line, Column: 1}
}

func TestAnnotate(t *testing.T) {
	results := map[bulksync.Position]RowResult{
		rowAt(2): {"create", "done", ""},
		rowAt(3): {"none", "unchanged", "is as the manifest wants it"},
		rowAt(4): {"attach", "failed", "refused; \"number\" 100% taken\nby ben"},
		rowAt(5): {"-detach", "skipped", "=1+1"},
	}
	for _, c := range []struct{ name, text, want string }{
		{"all kinds of rows",
			"__action__;loginEmail;password;title\nupsert;a@b.c;Password_1;Mr\nupsert;d@b.c;;\nupsert;e@b.c;;\ndelete;f@b.c;;\ndelete;g@b.c;;\n",
			"__action__;loginEmail;password;title;action;result;message\nupsert;a@b.c;;Mr;create;done;\nupsert;d@b.c;;;none;unchanged;is as the manifest wants it\n" +
				"upsert;e@b.c;;;attach;failed;\"refused; \"\"number\"\" 100% taken by ben\"\ndelete;f@b.c;;;'-detach;skipped;'=1+1\ndelete;g@b.c;;;;;\n"},
		{"padding, quotes, order and CRLF",
			"title , password ,loginEmail,__action__\r\n\"M,r\" , \"Pass\"\"word_1\" ,a@b.c , upsert\t\r\n",
			"title , password ,loginEmail,__action__,action,result,message\r\n\"M,r\" ,  ,a@b.c , upsert\t,create,done,\r\n"},
		{"comments and blank lines, a row made a comment of, no line end at the last",
			"__action__;loginEmail;password\nupsert;a@b.c;Password_1\n\n%upsert;x@b.c;Password_2\n% a note\n;;\ndelete;g@b.c;",
			"__action__;loginEmail;password;action;result;message\nupsert;a@b.c;;create;done;\n\n%upsert;x@b.c;\n% a note\n;;\ndelete;g@b.c;;;;"},
		{"comments before the header, lone carriage returns",
			"% a\r%u;x@b.c;Password_2\r__action__;loginEmail;password\rupsert;d@b.c;Password_1\r% end",
			"% a\r%u;x@b.c;\r__action__;loginEmail;password;action;result;message\rupsert;d@b.c;;attach;failed;\"refused; \"\"number\"\" 100% taken by ben\"\r% end"},
		{"a byte order mark", "\ufeff__action__;loginEmail\nupsert;a@b.c\n", "\ufeff__action__;loginEmail;action;result;message\nupsert;a@b.c;create;done;\n"},
		{"what came back before", "__action__;loginEmail ;action;result;message\nupsert;a@b.c ; old;\"o;ld\";old\n", "__action__;loginEmail ;action;result;message\nupsert;a@b.c ;create;done;\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := annotate(t, c.text, Options{}, results)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var parts bytes.Buffer
			src := Source{Name: "f.csv", Reader: iotest.OneByteReader(strings.NewReader(c.text))}
			if err := Annotate(t.Context(), &parts, src, results, Options{}); err != nil || parts.String() != got {
				t.Errorf("read byte by byte it is another: %q, error %v", parts.String(), err)
			}
			if strings.Contains(got, "ssword_") || strings.Contains(got, "ssword\"") {
				t.Errorf("holds a password:\n%s", got)
			}
			if again := annotate(t, got, Options{}, results); again != got {
				t.Errorf("annotated again it is\n%s\nwas\n%s", again, got)
			}
		})
	}
}

// TestAnnotatedSamplesReadAsBefore: what comes back asks for the same.
func TestAnnotatedSamplesReadAsBefore(t *testing.T) {
	for _, name := range []string{"rainbowvoice.csv", "useranddevice.csv", "user.csv", "device.csv", "sync.csv", "user-template.csv"} {
		text, err := fs.ReadFile(samples.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		before, _, faults := read(t, string(text), Options{})
		if faults != nil {
			t.Fatal(faults)
		}
		results := map[bulksync.Position]RowResult{}
		for _, u := range before.Users.All() {
			results[u.Position] = RowResult{u.Action, "done", "as asked, " + string(u.Login)}
		}
		back := annotate(t, string(text), Options{}, results)
		after, secrets, faults := read(t, back, Options{})
		if faults != nil || secrets.Len() != 0 || after.Mode != before.Mode || after.Users.Len() != before.Users.Len() {
			t.Fatalf("%s: faults %v, %v, mode %s, %d users", name, faults, secrets, after.Mode, after.Users.Len())
		}
		for i, u := range after.Users.All() {
			b := before.Users.At(i)
			if u.Login != b.Login || u.Action != b.Action || !cmp.Equal(u.Attributes, b.Attributes) || !cmp.Equal(u.Subscriber, b.Subscriber) || !cmp.Equal(u.Pairings, b.Pairings) {
				t.Errorf("%s: %+v came back as %+v", name, b, u)
			}
		}
		if n := strings.Count(back, ";done;") + strings.Count(back, ",done,"); n != before.Users.Len() {
			t.Errorf("%s: %d rows have a result, want %d", name, n, before.Users.Len())
		}
	}
}

func TestAnnotateConverts(t *testing.T) {
	const text = "__action__;loginEmail;firstName\nupsert;a@b.c;Zoé\n"
	wide, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Annotate(t.Context(), &b, Source{Name: "f.csv", Reader: strings.NewReader(wide), Encoding: Auto}, nil, Options{}); err != nil {
		t.Fatal(err)
	}
	if want := "\ufeff__action__;loginEmail;firstName;action;result;message\nupsert;a@b.c;Zoé;;;\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestAnnotateRefusesAnotherFile(t *testing.T) {
	for name, text := range map[string]string{
		"no header": "", "a short row": "__action__;loginEmail\nupsert\n", "an open quote": "__action__;loginEmail\nupsert;\"a@b.c\n", "an unknown column": "__action__;loginEmail;x\n",
	} {
		if err := Annotate(t.Context(), &bytes.Buffer{}, Source{Name: "f.csv", Reader: strings.NewReader(text)}, nil, Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	full := errors.New("disk full")
	err := Annotate(t.Context(), failingWriter{full}, Source{Name: "f.csv", Reader: strings.NewReader("__action__;loginEmail\n")}, nil, Options{})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }
