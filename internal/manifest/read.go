package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Source is one file of a manifest.
type Source struct {
	// Name is shown in positions; the ending .yaml or .yml marks a form that is refused.
	Name   string
	Reader io.Reader
	// ContentType is the media type that the file came with, if it came with one.
	ContentType string
}

// Options say how a manifest is read. The zero value reads Rainbow's default form.
type Options struct {
	// Mode is "rainbowvoice" or "useranddevice"; empty: told by the header's columns. A header with columns of neither is
	// read as useranddevice: what it can say means the same in both.
	Mode string
	// Delimiter between cells; 0: detected among semicolon, comma, tab and bar.
	Delimiter rune
	// Comment begins a comment line; 0 means %, as upstream.
	Comment rune
	// Strict is handed on in Desired.
	Strict bool
	// MaxFaults is how many faults are listed before the rest is summed up in one; 0 means 1,000.
	MaxFaults int
}

// Read reads the files of one manifest, in their order, as one. When their content is wrong the error is
// [bulksync.Faults] and lists everything that is; other errors are those of the readers, of ctx, or of the options'
// characters. The result does not depend on how the sources are cut into reads.
//
// Memory is proportional to the rows: a file is never held as a whole.
func Read(ctx context.Context, sources []Source, opts Options) (*bulksync.Desired, *Secrets, error) {
	r, err := newReader(opts)
	if err != nil {
		return nil, nil, err
	}
	if len(sources) == 0 {
		return nil, nil, errors.New("manifest: no file given")
	}
	var sheets []*sheet
	for _, src := range sources {
		s, err := r.readHeader(src)
		if err != nil {
			return nil, nil, fmt.Errorf("manifest %s: %w", src.Name, err)
		}
		if s != nil {
			sheets = append(sheets, s)
		}
	}
	r.decideMode(sheets)
	for _, s := range sheets {
		if err := r.readRows(ctx, s); err != nil {
			return nil, nil, err
		}
	}
	if err := r.findings.err(); err != nil {
		return nil, nil, err
	}
	r.desired.Digest = r.digest.sum()
	return r.desired, r.secrets, nil
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
	// attributes is what the users' attributes are cut from.
	attributes []bulksync.Attribute
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
		desired:  &bulksync.Desired{Strict: opts.Strict},
		secrets:  &Secrets{passwords: map[bulksync.Login]string{}},
	}
	r.claims = newClaims(r)
	return r, nil
}

// report adds a fault.
func (r *reader) report(at bulksync.Position, field string, p *problem) {
	r.findings.add(bulksync.Fault{Position: at, Code: p.code, Message: p.message, Hint: p.hint, Field: field})
}

// decideMode finds the mode of the whole manifest and finishes the sheets' headers.
func (r *reader) decideMode(sheets []*sheet) {
	chosen := findMode(r.opts.Mode)
	if r.opts.Mode != "" && chosen == nil {
		r.report(bulksync.Position{}, "", &problem{codeUnknownMode, "mode " + quote(r.opts.Mode) + " is not supported", "the modes are " + orList(Modes())})
	}
	var teller *sheet
	for _, s := range sheets {
		if chosen != nil && r.opts.Mode != "" {
			break
		}
		switch s.told {
		case anyMode:
		case 0:
			r.report(s.header, "", mixedColumns(s))
		default:
			m := findMode(s.told.name())
			if teller == nil {
				teller, chosen = s, m
			} else if m != chosen {
				r.report(s.header, "", &problem{codeMixedModes, "header is of mode " + m.name + ", that of " + teller.t.name + " of mode " + chosen.name,
					"plan them as two manifests"})
				s.mode = m
			}
		}
	}
	for _, s := range sheets {
		if s.mode == nil {
			s.mode = chosen
		}
		if s.mode == nil {
			s.mode, s.guessed = findMode("useranddevice"), s.told == anyMode
		}
		r.dropForeign(s)
		s.normalise()
	}
	if len(sheets) > 0 {
		r.desired.Mode = sheets[0].mode.name
	}
	r.digest.line(r.desired.Mode)
	for _, s := range sheets {
		r.digest.row(s.t.cells, -1)
	}
}

// mixedColumns names one column of each mode.
func mixedColumns(s *sheet) *problem {
	var names []string
	for _, set := range []modeSet{voiceMode, pairingMode} {
		for i := range s.columns {
			if def := s.columns[i].def; def != nil && def.modes == set {
				names = append(names, s.columns[i].name+" of mode "+set.name())
				break
			}
		}
	}
	return &problem{codeMixedModes, "header mixes columns of two modes: " + strings.Join(names, ", "),
		"keep the columns of one mode, and plan the others as a manifest of their own"}
}

// dropForeign gives up columns that the sheet's mode does not have.
func (r *reader) dropForeign(s *sheet) {
	for i := range s.columns {
		c := &s.columns[i]
		if c.def == nil || c.def.modes&s.mode.set != 0 {
			continue
		}
		if s.told != 0 || r.opts.Mode != "" {
			r.report(s.t.position(s.t.cells[i].start), c.name, &problem{codeColumnMode,
				"column " + c.name + " belongs to mode " + c.def.modes.name() + ", this manifest is in mode " + s.mode.name, "remove the column"})
		}
		c.def = nil
	}
}

// readRows reads the rows behind a sheet's header.
func (r *reader) readRows(ctx context.Context, s *sheet) error {
	w := &row{r: r, s: s}
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		found, broken := s.t.next()
		if s.t.err != nil {
			return fmt.Errorf("manifest %s: %w", s.t.name, s.t.err)
		}
		if !found {
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
