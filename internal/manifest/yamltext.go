package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// How a large manifest is read in little memory. The nodes of a YAML text take forty times its room, so only those of
// what stands beside the lists of entries (users, devices, ddis) are held as a whole. The entries are cut out of the text,
// by lines: a list begins below its key, which stands at the beginning of a line with nothing behind it, and each entry
// with a dash at one and the same indentation. They are parsed some at a time when it is their turn (yamlentries.go).
//
// That this gives what parsing the whole would is no matter of trust: a cut in a wrong place, inside of quotes or brackets,
// leaves something open there, which is an error of the parser; and the key of every list must come back as a key of a
// document, with nothing behind it. If any of this fails, the text is parsed as a whole, unless it is too large for that.
//
// Parsers that give events instead of nodes were rejected: those that are maintained keep theirs to themselves.

// text is the text of one source.
type text struct {
	name    string
	content []byte // in UTF-8, without byte order mark
	// head is what stands beside the lists.
	head head
}

// head is a text without its lists.
type head struct {
	documents []*yaml.Node
	lists     []*list
	// instead are the lists by the empty values that stand in their places.
	instead map[*yaml.Node]*list
	// anchored are the nodes that have an anchor, in their order.
	anchored []*yaml.Node
}

// list is a list of entries that was cut out of a text.
type list struct {
	of *text
	// content are its lines; line is the number of the first, keyLine that of its key.
	content       []byte
	line, keyLine int
	// indent is how many blanks stand before the dash of an entry.
	indent int
}

// readText gives the text of a source, or what is wrong with it.
func readText(ctx context.Context, src Source) (*text, *bulksync.Fault, error) {
	content, err := contentOf(src)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, nil, err
	}
	wrong := func(at bulksync.Position, code, message, hint string) (*text, *bulksync.Fault, error) {
		return nil, &bulksync.Fault{Position: at, Code: code, Message: message, Hint: hint}, nil
	}
	start := bulksync.Position{File: src.Name}
	if !yamlSource(src, content) {
		return wrong(start, codeMixedForms, "file is not YAML, other files of the manifest are", "name YAML files .yaml, and plan CSV as a manifest of its own")
	}
	if len(content) > maxYAMLFile {
		return wrong(start, codeYAMLLimit, "file is larger than 256 MiB", "cut it into several files, which are read as one manifest")
	}
	content, p := inUTF8(content, src.Encoding)
	if p != nil {
		return wrong(start, p.code, p.message, p.hint)
	}
	t := &text{name: src.Name, content: bytes.TrimPrefix(content, byteOrderMark)}
	at, found := forbidden(t.content)
	if !found {
		return t, nil, nil
	}
	r, size := utf8.DecodeRune(t.content[at:])
	if r == utf8.RuneError && size < 2 {
		return wrong(t.place(at), codeNotUTF8, fmt.Sprintf("byte 0x%02X is not UTF-8; the file is probably in Windows-1252 (Latin-1)", t.content[at]),
			"save it in UTF-8, or have it converted: --encoding "+string(Windows1252))
	}
	return wrong(t.place(at), codeControlInCell, fmt.Sprintf("file holds the control character %U", r), "remove it")
}

// contentOf gives what a source holds, up to the limit and a byte more.
func contentOf(src Source) ([]byte, error) {
	if src.Reader == nil {
		return src.Content, nil
	}
	content := bytes.NewBuffer(make([]byte, 0, min(sizeOf(src.Reader), maxYAMLFile)+bytes.MinRead))
	_, err := content.ReadFrom(io.LimitReader(src.Reader, maxYAMLFile+1))
	return content.Bytes(), err
}

// inUTF8 converts a text. UTF-16 with its byte order mark is YAML too; all else is converted when that was asked for.
func inUTF8(content []byte, asked Encoding) ([]byte, *problem) {
	marked := bytes.HasPrefix(content, []byte("\xff\xfe")) || bytes.HasPrefix(content, []byte("\xfe\xff"))
	if !marked && (asked == "" || asked == UTF8) {
		return content, nil
	}
	if marked && asked != Windows1252 {
		asked = UTF16
	}
	t := newTokenizer("", bytes.NewReader(content))
	if p := t.open(asked); p != nil {
		return nil, p
	}
	converted, err := io.ReadAll(io.MultiReader(bytes.NewReader(t.window), t.in))
	if err != nil {
		return nil, &problem{codeNotUTF8, "file is not " + string(asked) + ": " + err.Error(), "read it without --encoding, or with --encoding auto"}
	}
	return converted, nil
}

// errLarge: too much of a text would have to be held at once.
var errLarge = errors.New("text is too large")

// syntaxError is what the parser says of a text. Its words never quote the text.
type syntaxError struct {
	line  int
	words string
	// limit: it may be YAML, and is too much of it.
	limit bool
}

func (e *syntaxError) Error() string { return e.words }

// parse reads what stands beside the lists, or everything; at most so many bytes.
func (t *text) parse(whole bool, most int) error {
	t.head = head{instead: map[*yaml.Node]*list{}}
	rest, lines := t.content, lineMap{{1, 1}}
	if !whole {
		if rest, lines = t.cut(most); rest == nil {
			return errLarge
		}
	}
	if len(rest) > most {
		return errLarge
	}
	err := t.head.parse(rest, lines)
	if err == nil && t.head.recognise() {
		return nil
	}
	if len(t.head.lists) == 0 {
		return err
	}
	if again := t.parse(true, most); again == nil || err == nil {
		return again
	}
	return err // its place is the nearer one
}

func (h *head) parse(rest []byte, lines lineMap) error {
	rest, lines = afterComments(rest, lines)
	decoder := yaml.NewDecoder(bytes.NewReader(rest))
	for {
		document, err := decodeYAML(decoder)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return lines.relocate(err, rest)
		}
		visit(document, func(n *yaml.Node) {
			n.Line = lines.at(n.Line)
			if n.Anchor != "" {
				h.anchored = append(h.anchored, n)
			}
		})
		h.documents = append(h.documents, document)
	}
}

// afterComments drops the comments that a text begins with. The parser tells the place of a mistake only in what begins
// in the first line, else that of the collection that it is in.
func afterComments(rest []byte, lines lineMap) ([]byte, lineMap) {
	for {
		line := rest[:lineEnd(rest)]
		if len(line) == 0 || !blankLine(line) || breaksIn(line) != 1 || len(lines) > 1 && lines[1].here == 2 {
			return rest, lines
		}
		rest = rest[len(line):]
		lines[0].file++
		for i := range lines[1:] {
			lines[i+1].here--
		}
	}
}

// recognise finds the keys of the lists in the documents; false when some are not there.
func (h *head) recognise() bool {
	for _, document := range h.documents {
		if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
			continue
		}
		pairs := document.Content[0].Content
		for i := 0; i+1 < len(pairs); i += 2 {
			at, found := slices.BinarySearchFunc(h.lists, pairs[i].Line, func(l *list, line int) int { return l.keyLine - line })
			if found && pairs[i].Column == 1 && isNull(pairs[i+1]) && pairs[i+1].Value == "" && pairs[i+1].Anchor == "" {
				h.instead[pairs[i+1]] = h.lists[at]
			}
		}
	}
	return len(h.instead) == len(h.lists)
}

var (
	listKey = regexp.MustCompile(`^(users|devices|ddis):[ \t]*(#.*)?\r?\n?$`)
	marker  = regexp.MustCompile(`^(---|\.\.\.)([ \t\r\n]|$)`)
	// nextKey begins a line behind a list. What else stands at the beginning of a line, such as a closing bracket, is left
	// to the parser.
	nextKey = regexp.MustCompile(`^[A-Za-z"'?&!<]`)
)

// cut takes the lists out of the text, and gives what is left, with the places of its lines; nil when it is more than so
// many bytes.
func (t *text) cut(most int) ([]byte, lineMap) {
	var rest []byte
	var lines lineMap
	var open *list
	key, kept := 0, 1 // the line of a key that a list may follow; the number of the next line of the rest
	from := 0         // where the lines of the open list begin
	for at, number := 0, 1; at < len(t.content); {
		line := t.content[at : at+lineEnd(t.content[at:])]
		begin, here := at, number
		at, number = at+len(line), number+breaksIn(line)
		if open != nil && !open.endsBefore(line) {
			open.content = t.content[from:at]
			continue
		}
		if open = nil; key > 0 && !blankLine(line) {
			if indent, ok := dash(line); ok {
				open, from = &list{of: t, content: line, line: here, keyLine: key, indent: indent}, begin
				t.head.lists = append(t.head.lists, open)
			}
			if key = 0; open != nil {
				continue
			}
		}
		if listKey.Match(line) {
			key = here
		}
		if len(rest)+len(line) > most {
			return nil, nil
		}
		if lines.at(kept) != here {
			lines = append(lines, lineAt{kept, here})
		}
		rest, kept = append(rest, line...), kept+number-here
	}
	if rest == nil {
		return []byte{}, lineMap{{1, 1}}
	}
	return rest, lines
}

// endsBefore tells whether a line stands behind the list.
func (l *list) endsBefore(line []byte) bool {
	if line[0] == ' ' || line[0] == '\t' || blankLine(line) {
		return false
	}
	if marker.Match(line) {
		return true
	}
	if _, ok := dash(line); ok {
		return l.indent > 0
	}
	return nextKey.Match(line)
}

// dash tells whether a line begins an entry of a list, and how many blanks stand before its dash.
func dash(line []byte) (indent int, ok bool) {
	for indent < len(line) && line[indent] == ' ' {
		indent++
	}
	rest := line[indent:]
	return indent, len(rest) > 0 && rest[0] == '-' && (len(rest) == 1 || bytes.IndexByte([]byte(" \t\r\n"), rest[1]) >= 0)
}

// blankLine tells whether a line is empty, or a comment.
func blankLine(line []byte) bool {
	line = bytes.TrimLeft(line, " \t\r\n")
	return len(line) == 0 || line[0] == '#'
}

// lineEnd is the length of the first line of a text, up to a line feed and with it.
func lineEnd(b []byte) int {
	if n := bytes.IndexByte(b, '\n'); n >= 0 {
		return n + 1
	}
	return len(b)
}

// breaksIn counts the line breaks of a text as the parser does.
func breaksIn(b []byte) int {
	n := 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\n', c == '\r' && (i+1 == len(b) || b[i+1] != '\n'),
			c == 0xc2 && i+1 < len(b) && b[i+1] == 0x85,                      // next line
			c == 0xe2 && i+2 < len(b) && b[i+1] == 0x80 && b[i+2]&^1 == 0xa8: // line and paragraph separator
			n++
		}
	}
	return n
}

// lineMap tells which line of a file a line of a part of it is: that of the last mark before it, and as many on.
type lineMap []lineAt

type lineAt struct{ here, file int }

func (m lineMap) at(line int) int {
	i, found := slices.BinarySearchFunc(m, line, func(l lineAt, line int) int { return l.here - line })
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	return m[i].file + line - m[i].here
}

// relocate gives an error of the parser, in a text of these lines, its place in the file.
func (m lineMap) relocate(err error, parsed []byte) error {
	e := &syntaxError{line: 1, words: err.Error()}
	if found := yamlLine.FindStringSubmatch(e.words); found != nil {
		e.line, _ = strconv.Atoi(found[1])
		e.words = e.words[len(found[0]):]
		if parserWords.MatchString(e.words) {
			e.line++ // it is counted from 0 there
		}
	} else if found := unknownAnchor.FindStringSubmatch(e.words); found != nil {
		e.line += breaksIn(parsed[:max(0, bytes.Index(parsed, []byte("*"+found[1])))])
	}
	e.words = anchorName.ReplaceAllString(yamlPrefix.ReplaceAllString(e.words, ""), "anchor")
	e.line = m.at(e.line)
	return e
}

var (
	yamlPrefix = regexp.MustCompile(`^yaml: `)
	// anchorName is what the parser quotes of the text: it may be the beginning of a password that stands without quotes.
	anchorName = regexp.MustCompile(`anchor '[^']*'`)
	// unknownAnchor says what an alias names that is not there.
	unknownAnchor = regexp.MustCompile(`unknown anchor '([^']+)' referenced`)
	yamlLine      = regexp.MustCompile(`^yaml: line (\d+): `)
	// parserWords are what the parser says, and not the scanner.
	parserWords = regexp.MustCompile(`^(did not find expected (<|node content|'-' indicator|key|',' or)|found (undefined tag handle|duplicate %|incompatible YAML))`)
)

// forbidden finds the first character that YAML does not have, or byte that is none.
func forbidden(b []byte) (at int, found bool) {
	for at < len(b) {
		if c := b[at]; c >= ' ' && c < 0x7f || c == '\n' {
			at++
			continue
		}
		r, size := utf8.DecodeRune(b[at:])
		switch {
		case r == '\t', r == '\r', r == 0x85:
		case r < ' ', r >= 0x7f && r < 0xa0, r == 0xfffe, r == 0xffff, r == utf8.RuneError && size < 2:
			return at, true
		}
		at += size
	}
	return 0, false
}

// decodeYAML parses the next document; io.EOF behind the last one. The library panics at what it did not expect of itself.
func decodeYAML(decoder *yaml.Decoder) (document *yaml.Node, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			document, err = nil, errors.New("yaml: the parser can't make sense of it")
		}
	}()
	document = new(yaml.Node)
	return document, decoder.Decode(document)
}

// visit walks the nodes of a document, each once, in their order.
func visit(n *yaml.Node, do func(*yaml.Node)) {
	do(n)
	for _, c := range n.Content {
		visit(c, do)
	}
}

// line is the place of the first sign of a line of the text.
func (t *text) line(number int) bulksync.Position {
	at := bulksync.Position{File: t.name, Line: number}
	rest := t.content
	for here := 1; len(rest) > 0; {
		line := rest[:lineEnd(rest)]
		if here >= number {
			at.Column = 1 + len(line) - len(bytes.TrimLeft(line, " \t"))
			break
		}
		here, rest = here+breaksIn(line), rest[len(line):]
	}
	return at
}

// place is where a byte of the text stands.
func (t *text) place(at int) bulksync.Position {
	line := 1 + breaksIn(t.content[:at])
	begin := 1 + bytes.LastIndexAny(t.content[:at], "\r\n")
	return bulksync.Position{File: t.name, Line: line, Column: 1 + utf8.RuneCount(t.content[begin:at])}
}
