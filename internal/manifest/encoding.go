package manifest

import (
	"bytes"
)

// byteOrderMark is UTF-8's, which spreadsheets put before "CSV UTF-8"; it is no part of the text.
var byteOrderMark = []byte("\xef\xbb\xbf")

// saveAs says how a spreadsheet writes what can be read.
const saveAs = `save the sheet as "CSV UTF-8" (Excel) or as text CSV with character set UTF-8 (LibreOffice)`

// open reads the beginning of the text, drops the byte order mark and tells whether it can be CSV in UTF-8 at all.
func (t *tokenizer) open() *problem {
	for len(t.window) < 8 && t.fill() {
		continue // a reader may give a byte at a time
	}
	b := t.window
	foreign := []struct {
		start, name string
	}{
		{"\xff\xfe", "text in UTF-16"},
		{"\xfe\xff", "text in UTF-16"},
		{"\x00\x00\xfe\xff", "text in UTF-32"},
		{"PK\x03\x04", "an Excel or LibreOffice workbook"},
		{"\xd0\xcf\x11\xe0", "an old Excel workbook"},
		{"\x1f\x8b", "a compressed file"},
	}
	for _, f := range foreign {
		if bytes.HasPrefix(b, []byte(f.start)) {
			return &problem{codeNotCSV, "file is " + f.name + ", not CSV in UTF-8", saveAs}
		}
	}
	if len(b) >= 4 && (b[0] == 0 && b[2] == 0 || b[1] == 0 && b[3] == 0) {
		return &problem{codeNotCSV, "file is text in UTF-16 without a byte order mark, not CSV in UTF-8", saveAs}
	}
	t.window = bytes.TrimPrefix(b, byteOrderMark)
	return nil
}
