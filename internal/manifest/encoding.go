package manifest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Encoding is how the text of a source is encoded. Rainbow's CSV is UTF-8; what else spreadsheets write is recognised, and
// converted when the caller says so.
type Encoding string

// The encodings. UTF-8 and UTF-16 may begin with their byte order mark.
const (
	// UTF8 is the default: another encoding is a fault that says which it is.
	UTF8 Encoding = "utf-8"
	// UTF16 is told to be little or big endian by its mark, or else by where the zeros stand.
	UTF16 Encoding = "utf-16"
	// Windows1252 is Latin-1 with the signs that Windows adds to it.
	Windows1252 Encoding = "windows-1252"
	// Auto converts what is recognised: UTF-16 by its beginning; Windows-1252 when the first character above ASCII is not
	// UTF-8.
	Auto Encoding = "auto"
)

// Encodings lists the encodings that can be asked for.
func Encodings() []string {
	return []string{string(Auto), string(UTF8), string(UTF16), string(Windows1252)}
}

// byteOrderMark is UTF-8's, which spreadsheets put before "CSV UTF-8"; it is no part of the text.
var byteOrderMark = []byte("\xef\xbb\xbf")

// saveAs says how a spreadsheet writes what can be read.
const saveAs = `save the sheet as "CSV UTF-8" (Excel) or as text CSV with character set UTF-8 (LibreOffice)`

// orConvert says how else a text is read that is not UTF-8.
func orConvert(e Encoding) string {
	return saveAs + ", or have it converted: --encoding " + string(e)
}

// open reads the beginning of the text, drops the byte order mark, sets the conversion up that was asked for, and tells
// whether it can be CSV at all.
func (t *tokenizer) open(asked Encoding) *problem {
	for len(t.window) < 8 && t.fill() {
		continue // a reader may give a byte at a time
	}
	b := t.window
	for _, f := range []struct{ start, name string }{
		{"\x00\x00\xfe\xff", "text in UTF-32"},
		{"\xff\xfe\x00\x00", "text in UTF-32"},
		{"PK\x03\x04", "an Excel or LibreOffice workbook"},
		{"\xd0\xcf\x11\xe0", "an old Excel workbook"},
		{"\x1f\x8b", "a compressed file"},
	} {
		if bytes.HasPrefix(b, []byte(f.start)) {
			return &problem{codeNotCSV, "file is " + f.name + ", not CSV in UTF-8", saveAs}
		}
	}
	wide, order, evidence := recogniseUTF16(b)
	marked := bytes.HasPrefix(b, byteOrderMark)
	switch {
	case wide && (asked == UTF16 || asked == Auto), asked == UTF16 && !marked:
		t.decode(unicode.UTF16(order, unicode.UseBOM).NewDecoder())
	case wide:
		return &problem{codeNotUTF8, "file is text in UTF-16, not in UTF-8: " + evidence, orConvert(UTF16)}
	case marked && (asked == UTF16 || asked == Windows1252):
		return &problem{codeNotUTF8, "file begins with the byte order mark EF BB BF of UTF-8 and was to be read as " + string(asked),
			"read it without --encoding, or with --encoding auto"}
	case marked:
		t.window, t.marked = t.window[len(byteOrderMark):], true
	case asked == Windows1252:
		t.decode(charmap.Windows1252.NewDecoder())
	case asked == Auto:
		t.decode(&firstHigh{})
	}
	return nil
}

// decode puts a conversion before what is still to be read.
func (t *tokenizer) decode(by transform.Transformer) {
	var in io.Reader = bytes.NewReader(bytes.Clone(t.window))
	if !t.eof {
		in = io.MultiReader(in, t.in)
	}
	t.decoded = true
	t.in, t.eof, t.window, t.buf = transform.NewReader(in, by), false, nil, nil
}

// recogniseUTF16 tells UTF-16 by its byte order mark, or by the zeros of its first two characters, which are ASCII in
// every header and comment.
func recogniseUTF16(b []byte) (is bool, order unicode.Endianness, evidence string) {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return true, unicode.LittleEndian, "it begins with the byte order mark FF FE (little endian)"
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return true, unicode.BigEndian, "it begins with the byte order mark FE FF (big endian)"
	case len(b) >= 4 && b[0] == 0 && b[2] == 0 && b[1] != 0 && b[3] != 0:
		return true, unicode.BigEndian, "its bytes 1 and 3 are zero (big endian, without byte order mark)"
	case len(b) >= 4 && b[1] == 0 && b[3] == 0 && b[0] != 0 && b[2] != 0:
		return true, unicode.LittleEndian, "its bytes 2 and 4 are zero (little endian, without byte order mark)"
	}
	return false, unicode.LittleEndian, ""
}

// firstHigh is the conversion of Auto: the first character above ASCII tells whether the text is UTF-8, which is passed as
// it is, or Windows-1252.
type firstHigh struct {
	decided transform.Transformer
}

// Reset implements transform.Transformer.
func (f *firstHigh) Reset() { f.decided = nil }

// Transform implements transform.Transformer.
func (f *firstHigh) Transform(dst, src []byte, atEOF bool) (int, int, error) {
	if f.decided != nil {
		return f.decided.Transform(dst, src, atEOF)
	}
	n := 0
	for n < len(src) && src[n] < utf8.RuneSelf {
		n++
	}
	if n > 0 {
		done := copy(dst, src[:n])
		if done < n {
			return done, done, transform.ErrShortDst
		}
		if n == len(src) {
			return n, n, nil
		}
		return n, n, transform.ErrShortSrc // the next call begins with the character that decides
	}
	if len(src) == 0 {
		return 0, 0, nil
	}
	if !utf8.FullRune(src) && !atEOF {
		return 0, 0, transform.ErrShortSrc
	}
	f.decided = transform.Nop
	if r, size := utf8.DecodeRune(src); r == utf8.RuneError && size < 2 {
		f.decided = charmap.Windows1252.NewDecoder()
	}
	return f.decided.Transform(dst, src, atEOF)
}

// invalidAt is the offset of the first byte that is not UTF-8.
func invalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size < 2 {
			return i
		}
		i += size
	}
	return 0
}

// notUTF8 says what a cell probably holds that is not UTF-8. A cell that is not to be shown gives nothing of itself away.
func notUTF8(b []byte, show bool) *problem {
	p := &problem{codeNotUTF8, "cell is not UTF-8, probably Windows-1252 (Latin-1); other cells may be likewise", orConvert(Windows1252)}
	if !show {
		return p
	}
	i := invalidAt(b)
	read, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil || bytes.ContainsRune(read, utf8.RuneError) {
		p.message, p.hint = fmt.Sprintf("byte 0x%02X is neither UTF-8 nor Windows-1252", b[i]), saveAs
		return p
	}
	p.message = fmt.Sprintf("byte 0x%02X is not UTF-8; as Windows-1252 (Latin-1) the cell reads %s; other cells may be likewise", b[i], quote(string(read)))
	return p
}

// lostCharacters recognises what an earlier conversion of the text has done to it.
func lostCharacters(s string) *problem {
	if at := strings.IndexFunc(s, isInvisible); at >= 0 {
		c, _ := utf8.DecodeRuneInString(s[at:])
		return &problem{codeControlInCell, fmt.Sprintf("cell holds the character %U, which nobody sees", c), "remove it"}
	}
	if bytes.ContainsRune([]byte(s), utf8.RuneError) {
		return &problem{codeLost, quote(s) + " holds U+FFFD, what a program writes for a character that it could not read",
			"type the value again, and save in UTF-8: the original is lost"}
	}
	narrow, err := charmap.Windows1252.NewEncoder().String(s)
	if err == nil && narrow != s && utf8.ValidString(narrow) {
		return &problem{codeDamaged, quote(s) + " is UTF-8 that was read as Windows-1252 and saved again",
			"probably " + quote(narrow) + "; open the original with character set UTF-8, and export it again"}
	}
	return nil
}
