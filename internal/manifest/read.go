package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Source is one file of a manifest.
type Source struct {
	// Name is shown in positions; the ending .yaml or .yml tells YAML.
	Name string
	// Reader gives the content. It is nil where Content holds it, which is not copied then.
	Reader  io.Reader
	Content []byte
	// ContentType is the media type that the file came with, if it came with one.
	ContentType string
	// Encoding of the text of a CSV source; empty means [UTF8].
	Encoding Encoding
}

// Options say how a manifest is read. The zero value reads Rainbow's default form.
type Options struct {
	// Mode is one of [Modes]; empty: told by the headers' columns and the rows' actions. What leaves several modes open
	// means the same in all of them, and is read as useranddevice.
	Mode string
	// Delimiter between cells; 0: detected among semicolon, comma, tab and bar.
	Delimiter rune
	// Comment begins a comment line; 0 means %, as upstream.
	Comment rune
	// Variables give values to the variables that a YAML manifest declares.
	Variables map[string]string
	// Secret looks up a secret that a YAML manifest names by reference (env:NAME, file:PATH); nil: nobody needs secrets now.
	Secret func(reference string) (string, error)
	// Strict is handed on in Desired.
	Strict bool
	// MaxFaults is how many faults are listed before the rest is summed up in one; 0 means 1,000.
	MaxFaults int
	// piece is how much text of a YAML list is parsed at a time, in bytes; 0: 64 KiB, below 0: files are parsed as a whole.
	piece int
}

// Read reads the files of one manifest, in their order, as one. When their content is wrong the error is
// [bulksync.Faults] and lists everything that is; other errors are those of the readers, of ctx, or of the options'
// characters. The result does not depend on how the sources are cut into reads.
//
// Memory is proportional to the rows: a file is never held as a whole.
func Read(ctx context.Context, sources []Source, opts Options) (*bulksync.Desired, *Secrets, error) {
	if slices.ContainsFunc(sources, isYAML) {
		return readYAML(ctx, sources, opts)
	}
	sources, inYAML := beginnings(sources)
	if inYAML {
		return readYAML(ctx, sources, opts)
	}
	r, err := newReader(opts)
	if err != nil {
		return nil, nil, err
	}
	if len(sources) == 0 {
		return nil, nil, errors.New("manifest: no file given")
	}
	var sheets []*sheet
	for _, src := range sources {
		s, err := r.readHeader(src, nil)
		if err != nil {
			return nil, nil, fmt.Errorf("manifest %s: %w", src.Name, err)
		}
		if s != nil {
			sheets = append(sheets, s)
		}
	}
	r.decideModes(sheets)
	for _, s := range sheets {
		if err := r.readRows(ctx, s); err != nil {
			return nil, nil, err
		}
	}
	r.settleMode(len(sheets) > 0)
	if err := r.findings.err(); err != nil {
		return nil, nil, err
	}
	r.desired.Digest = r.digest.sum()
	return r.desired, r.secrets, nil
}

// settleMode says in the end which mode the manifest is of.
func (r *reader) settleMode(read bool) {
	if r.unclear != nil && r.modes&voiceMode != 0 {
		r.report(*r.unclear, "__action__", &problem{codeAmbiguousMode,
			"detach means one thing in mode rainbowvoice and another in useranddevice and device, and no column tells the mode",
			"give the mode, or add the column shortNumber (rainbowvoice) or pbxShortNumber (useranddevice, device)"})
	}
	if read {
		r.desired.Mode = r.modes.settled()
	}
	r.digest.line(r.desired.Mode)
}

// reader reads one manifest.
type reader struct {
	opts     Options
	findings findings
	values   *values
	claims   *claims
	digest   *digest
	desired  *bulksync.Desired
	secrets  *Secrets
	kept     kept
	// modes are those that the manifest leaves open so far; unclear is the first detach that some of them read otherwise.
	modes   modeSet
	unclear *bulksync.Position
}

func newReader(opts Options) (*reader, error) {
	if opts.Comment == 0 {
		opts.Comment = '%'
	}
	if opts.MaxFaults <= 0 {
		opts.MaxFaults = defaultMaxFaults
	}
	if err := checkSyntax(opts.Delimiter, opts.Comment); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	r := &reader{
		opts:     opts,
		findings: findings{max: opts.MaxFaults},
		values:   newValues(),
		digest:   newDigest(),
		desired:  &bulksync.Desired{Strict: opts.Strict, Users: &bulksync.Entries{}},
		secrets:  &Secrets{},
	}
	r.claims = newClaims(r)
	return r, nil
}

// report adds a fault.
func (r *reader) report(at bulksync.Position, field string, p *problem) {
	r.findings.add(bulksync.Fault{Position: at, Code: p.code, Message: p.message, Hint: p.hint, Field: field})
}

// decideModes finds the modes that the headers leave open, and finishes the sheets' headers.
func (r *reader) decideModes(sheets []*sheet) {
	r.modes = anyMode
	given := findMode(r.opts.Mode)
	switch {
	case given != 0:
		r.modes = given
	case r.opts.Mode != "":
		r.report(bulksync.Position{}, "", &problem{codeUnknownMode, "mode " + quote(r.opts.Mode) + " is not supported", "the modes are " + orList(Modes())})
	}
	var teller *sheet
	for _, s := range sheets {
		s.modes = &r.modes
		switch {
		case given != 0:
		case s.told == 0:
			r.report(s.header, "", mixedColumns(s))
			s.own, s.modes = anyMode, &s.own
		case s.told&r.modes == 0:
			r.report(s.header, "", &problem{codeMixedModes, "header is of mode " + s.told.String() + ", that of " + teller.t.name + " of mode " + r.modes.String(),
				"plan them as two manifests"})
			s.own, s.modes = s.told, &s.own
		default:
			if r.modes &= s.told; teller == nil && s.told != anyMode {
				teller = s
			}
		}
	}
	for _, s := range sheets {
		r.dropForeign(s)
		s.normalise()
		switch {
		case s.at[roleAction] >= 0:
		case *s.modes&userMode != 0: // create by default: only mode user has one
			*s.modes = userMode
		default:
			r.lacks(s, "__action__")
		}
		r.digest.row(s.t.cells, -1)
	}
}

// mixedColumns names a column that has no mode in common with an earlier one.
func mixedColumns(s *sheet) *problem {
	var words []string
	for i := range s.columns {
		def := s.columns[i].def
		if def == nil {
			continue
		}
		earlier := slices.IndexFunc(s.columns[:i], func(c column) bool { return c.def != nil && c.def.modes&def.modes == 0 })
		if earlier >= 0 {
			words = []string{s.columns[earlier].told(), s.columns[i].told()}
			break
		}
		words = append(words, s.columns[i].told())
	}
	return &problem{codeMixedModes, "header mixes columns of different modes: " + strings.Join(words, ", "),
		"keep the columns of one mode, and plan the others as a manifest of their own"}
}

// told says which modes the column has.
func (c *column) told() string { return c.name + " of mode " + c.def.modes.String() }

// dropForeign gives up columns that the sheet's mode does not have.
func (r *reader) dropForeign(s *sheet) {
	for i := range s.columns {
		c := &s.columns[i]
		if c.def == nil || c.def.modes&*s.modes != 0 {
			continue
		}
		r.report(s.t.position(s.t.cells[i].start), c.name, &problem{codeColumnMode,
			"column " + c.name + " belongs to mode " + c.def.modes.String() + ", this manifest is in mode " + s.modes.String(), "remove the column"})
		c.def = nil
	}
}

// readRows reads the rows behind a sheet's header.
func (r *reader) readRows(ctx context.Context, s *sheet) error {
	w := newRow(r, s)
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		found, broken := s.t.next()
		if s.t.err != nil {
			return fmt.Errorf("manifest %s: %w", s.t.name, s.t.err)
		}
		if !found {
			r.claims.settle()
			s.t.release()
			s.recent = nil
			return nil
		}
		if broken != nil {
			r.report(s.t.position(broken.start), "", breakageProblem(broken))
			continue
		}
		r.digest.row(s.t.cells, s.at[rolePassword])
		w.read()
	}
}

// breakageProblem puts a breakage into words.
func breakageProblem(b *breakage) *problem {
	switch b.code {
	case codeUnclosedQuote:
		return &problem{b.code, "quote that opens here is not closed", `close it, or double it if it belongs to the value: "" inside of quotes`}
	case codeBadQuote:
		return &problem{b.code, "text follows the closing quote of this cell, or its quote is not closed",
			`put the whole value into quotes and double those inside: "Jean ""JJ"" Martin"`}
	}
	return &problem{b.code, "row is longer than 1 MiB; reading stops here", "is the file a CSV text with one user a line?"}
}
