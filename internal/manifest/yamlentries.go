package manifest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The limits of a list of entries that is read some at a time.
const (
	// batchSize is how much text is parsed at a time, in bytes.
	batchSize = 64 << 10
	// maxEntry is the longest entry, in bytes.
	maxEntry = 1 << 20
	// maxEntries is how many entries all lists of a manifest have at most.
	maxEntries = 2_000_000
	// maxAnchored is how many values anchors in entries may hold: what an alias further down may name is kept.
	maxAnchored = 1 << 20
)

// wholeError: the entries of a text can't be parsed one by one, all of it together can.
type wholeError struct{ text *text }

func (e *wholeError) Error() string { return e.text.name + " is to be parsed as a whole" }

// entries hands the entries of a top-level list to take, one after the other, as many nodes at a time being held as a
// piece of text has. Mistakes of writing are reported, each entry's for itself.
func (r *yamlReader) entries(ctx context.Context, part *object, name string, take func(entry)) error {
	e, ok := part.get(name)
	if !ok {
		return nil
	}
	l := r.lists[e.value]
	if l == nil {
		items, _ := r.items(e, name)
		for n, item := range items {
			if n%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if !r.countEntry(item) {
				return nil
			}
			take(item)
		}
		return nil
	}
	known, err := r.anchorsBefore(ctx, l)
	if err != nil {
		return err
	}
	return r.walk(ctx, l, known, func(n *yaml.Node) bool {
		item := entry{value: n, file: e.file, depth: e.depth + 1}
		if !r.countEntry(item) {
			return false
		}
		if item, ok := r.resolve(item); ok {
			take(item)
		}
		return true
	})
}

// countEntry counts the entries of all lists; false when there are too many, which is reported once.
func (r *yamlReader) countEntry(item entry) bool {
	if r.entered++; r.entered == maxEntries+1 {
		r.report(item.position(), "", &problem{codeYAMLLimit, "manifest has more than 2 million entries", "cut it into manifests of their own, each with a scope"})
	}
	return r.entered <= maxEntries
}

// anchors are the nodes that aliases name, by their anchors.
type anchors map[string]*yaml.Node

// anchorsBefore gives the anchors that an alias in the list may name: those that come before it in its text.
func (r *yamlReader) anchorsBefore(ctx context.Context, l *list) (anchors, error) {
	known := anchors{}
	if bytes.IndexByte(l.content, '*') < 0 {
		return known, nil
	}
	note := func(until int) {
		for _, n := range l.of.head.anchored {
			if n.Line < until && (known[n.Anchor] == nil || known[n.Anchor].Line < n.Line) {
				known[n.Anchor] = n
			}
		}
	}
	for _, earlier := range l.of.head.lists {
		if earlier == l {
			break
		}
		if bytes.IndexByte(earlier.content, '&') < 0 {
			continue
		}
		note(earlier.line)
		muted := *r
		muted.findings, muted.reported = findings{}, map[bulksync.Fault]bool{} // they are reported when it is that list's turn
		if err := muted.walk(ctx, earlier, known, func(*yaml.Node) bool { return true }); err != nil {
			return nil, err
		}
	}
	note(l.line)
	return known, nil
}

// walk parses the entries of a list, and enters their anchors into those that are known.
func (r *yamlReader) walk(ctx context.Context, l *list, known anchors, take func(*yaml.Node) bool) error {
	kept := 0
	for rest, line := l.content, l.line; len(rest) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		piece := l.batch(rest, cmp.Or(r.opts.piece, batchSize))
		nodes, err := l.parse(piece, line, known)
		if err != nil {
			if nodes, err = r.parseEach(l, piece, line, known); err != nil {
				return err
			}
		}
		for _, n := range nodes {
			visit(n, func(n *yaml.Node) {
				if n.Anchor != "" {
					known[n.Anchor] = n
					visit(n, func(*yaml.Node) { kept++ })
				}
			})
			if kept > maxAnchored {
				r.tooMuch(entry{value: n, file: l.of.name}, "anchors in entries hold more than a million values")
				return nil
			}
			if !take(n) {
				return nil
			}
		}
		rest, line = rest[len(piece):], line+breaksIn(piece)
	}
	return nil
}

// batch is the next piece of a list: one entry, and more as long as the piece is small.
func (l *list) batch(rest []byte, most int) []byte {
	end := l.next(rest)
	for end < len(rest) {
		more := l.next(rest[end:])
		if end+more > most {
			break
		}
		end += more
	}
	return rest[:end]
}

// next is the length of the entry that a text begins with.
func (l *list) next(rest []byte) int {
	for end := lineEnd(rest); ; {
		if end == len(rest) {
			return end
		}
		line := rest[end : end+lineEnd(rest[end:])]
		if indent, ok := dash(line); ok && indent == l.indent {
			return end
		}
		end += len(line)
	}
}

// parseEach parses the entries of a piece one by one, and reports those that are no YAML. When the text as a whole is,
// the error is a wholeError.
func (r *yamlReader) parseEach(l *list, piece []byte, line int, known anchors) ([]*yaml.Node, error) {
	if len(l.of.content) <= maxYAMLHeld && !r.triedWhole[l.of] {
		r.triedWhole[l.of] = true
		if whole := (&text{name: l.of.name, content: l.of.content}); whole.parse(true, maxYAMLHeld) == nil {
			return nil, &wholeError{l.of}
		}
	}
	var all []*yaml.Node
	for len(piece) > 0 {
		one := piece[:l.next(piece)]
		nodes, err := l.parse(one, line, known)
		if err != nil {
			r.reportSyntax(l.of, err)
		}
		for _, n := range nodes {
			visit(n, func(n *yaml.Node) {
				if n.Anchor != "" {
					known[n.Anchor] = n
				}
			})
		}
		all = append(all, nodes...)
		piece, line = piece[len(one):], line+breaksIn(one)
	}
	return all, nil
}

var aliasName = regexp.MustCompile(`\*([0-9A-Za-z_-]+)`)

// parse parses a piece of a list that begins at a line of the file. Aliases of anchors that come before the piece are
// given these: in front of the piece stands an entry that has the anchors, and is taken away again.
func (l *list) parse(piece []byte, line int, known anchors) ([]*yaml.Node, error) {
	if len(piece) > maxEntry {
		return nil, &syntaxError{line: line, words: "entry is longer than 1 MiB", limit: true}
	}
	var names []string
	if len(known) > 0 && bytes.IndexByte(piece, '*') >= 0 {
		met := map[string]bool{}
		for _, m := range aliasName.FindAllSubmatch(piece, -1) {
			if name := string(m[1]); known[name] != nil && !met[name] {
				met[name] = true
				names = append(names, name)
			}
		}
	}
	lines, whole := lineMap{{1, line}}, piece
	if names != nil {
		whole = append([]byte(strings.Repeat(" ", l.indent)+"- [&"+strings.Join(names, " ~, &")+" ~]\n"), piece...)
		lines = lineMap{{1, line - 1}}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(whole))
	document, err := decodeYAML(decoder)
	if err == nil {
		if _, err = decodeYAML(decoder); err == nil {
			err = errors.New("yaml: there is a second document in it") // never: its beginning ends the list
		} else if errors.Is(err, io.EOF) {
			err = nil
		}
	}
	if err != nil {
		return nil, lines.relocate(err, whole)
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.SequenceNode {
		return nil, &syntaxError{line: line, words: "this is no list of entries"}
	}
	nodes := document.Content[0].Content
	stand := map[*yaml.Node]*yaml.Node{}
	if names != nil {
		for i, name := range names {
			stand[nodes[0].Content[i]] = known[name]
		}
		nodes = nodes[1:]
	}
	for _, n := range nodes {
		visit(n, func(n *yaml.Node) {
			n.Line = lines.at(n.Line)
			if real := stand[n.Alias]; real != nil {
				n.Alias = real
			}
		})
	}
	return nodes, nil
}
