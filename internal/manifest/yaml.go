package manifest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// The YAML form. A file is read into nodes, which know their places; the nodes are held against the tables of
// yamlform.go; what they say becomes the same Desired that a CSV manifest becomes. Values are taken by their text, never
// by the type that YAML gives them: 0123, +33298300513 and no stay what is written.
//
// Decoding into Go structs was rejected: it stops at the first fault, loses places, and takes an extension for a number.

// ModeYAML is the mode of a YAML manifest.
const ModeYAML = "yaml"

// The limits of a YAML manifest.
const (
	maxYAMLFile = 256 << 20
	// maxYAMLHeld is how much text is held as nodes, which take about fifty times its room, and up to 130 times.
	maxYAMLHeld  = 8 << 20
	maxYAMLDepth = 32
	// maxAliased is how many nodes may be reached through aliases: what an alias names is read each time it is named.
	maxAliased = 1 << 22
	// maxValues is how long all values may be together, templates, aliases and variables filled in, in bytes.
	maxValues = 512 << 20
	// maxValue is the longest value, in bytes.
	maxValue = 4096
	// maxItems is how many entries a list has at most that is about one user or device: the keys of a phone with all its
	// modules are 1,600.
	maxItems = 2000
)

// isYAML tells whether a source is in YAML, by its media type or name.
func isYAML(src Source) bool {
	kind, _, _ := strings.Cut(strings.ToLower(src.ContentType), ";")
	if kind = strings.TrimSpace(kind); kind != "" && kind != "text/plain" && kind != "application/octet-stream" {
		return strings.Contains(kind, "yaml")
	}
	ext := strings.ToLower(path.Ext(src.Name))
	return ext == ".yaml" || ext == ".yml"
}

// yamlStart is how a YAML manifest begins that no name or media type tells: comments, then a key of the manifest.
var yamlStart = regexp.MustCompile(`^(\x{FEFF})?(#.*\r?\n|\s*\r?\n|---\s*\r?\n)*(version|company|users|include|variables)\s*:`)

// yamlSource tells whether a source is in YAML, by what it says of itself or by how its text begins.
func yamlSource(src Source, start []byte) bool {
	ext := strings.ToLower(path.Ext(src.Name))
	return isYAML(src) || ext != ".csv" && ext != ".txt" && ext != ".tsv" && !strings.Contains(src.ContentType, "csv") && yamlStart.Match(start[:min(len(start), 4096)])
}

// InYAML tells whether a source whose content is held is in YAML: by its media type, its name, or how its text begins.
func InYAML(src Source) bool { return yamlSource(src, src.Content) }

// beginnings tells whether a source is YAML by how its text begins; the sources it gives begin where they began.
func beginnings(sources []Source) (again []Source, inYAML bool) {
	again = slices.Clone(sources)
	for i := range again {
		if again[i].Reader == nil {
			again[i].Reader = bytes.NewReader(again[i].Content)
		}
		size := sizeOf(again[i].Reader)
		reader := bufio.NewReaderSize(again[i].Reader, 4096)
		start, _ := reader.Peek(4096) // what goes wrong goes wrong again when it is read
		again[i].Reader = &sizedReader{reader, size}
		inYAML = inYAML || yamlSource(again[i], start)
	}
	return again, inYAML
}

// sizeOf tells how much a source holds, 0 when it does not say.
func sizeOf(r io.Reader) int {
	switch r := r.(type) {
	case interface{ Len() int }:
		return r.Len()
	case interface{ Stat() (fs.FileInfo, error) }:
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() {
			return int(info.Size())
		}
	}
	return 0
}

// sizedReader is a source whose beginning was looked at, and that still tells how much it holds.
type sizedReader struct {
	io.Reader
	left int
}

func (r *sizedReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.left -= n
	return n, err
}

// Len is about how many bytes are left.
func (r *sizedReader) Len() int { return max(r.left, 0) }

// yamlReader reads one manifest in YAML.
type yamlReader struct {
	opts     Options
	findings findings
	values   *values
	forms    *forms
	desired  *bulksync.Desired
	secrets  *Secrets
	// parts are the documents of all files, each an object of the form "manifest"; lists are the lists of entries that were
	// cut out of them, by what stands there instead (yamltext.go).
	parts []*object
	lists map[*yaml.Node]*list
	// held is how many bytes of all files are held as nodes; entered counts the entries of lists.
	held, entered int
	// valued is how long all values are together, in bytes; keyed is how many keys all devices have.
	valued, keyed int
	// triedWhole are the texts of which it is known that they do not parse as a whole.
	triedWhole map[*text]bool
	// aliased counts the nodes reached through aliases; bombed is set when there were too many.
	aliased int
	bombed  bool
	traps   map[string]*trap
	// files are the names of the sources, reported the faults reported.
	files    map[string]bool
	reported map[bulksync.Fault]bool
	// inherited are templates and defaults by the key of the list that they are for.
	inherited map[string]*inherited
	// pools tells which there are.
	pools map[poolName]bool
	// variables by name.
	variables map[string]variable
	// sharedKeys and sharedModules are those that devices take over, by their lists.
	sharedKeys    map[*yaml.Node]bulksync.Wish[bulksync.DesiredKey]
	sharedModules map[*yaml.Node]bulksync.Wish[bulksync.DeviceModule]
	// claims tell where a thing was asked for first; reading is the login of the user who is being read.
	claims  yamlClaims
	reading bulksync.Login
}

// readYAML reads the files of a YAML manifest. The order in which they are given makes no difference.
func readYAML(ctx context.Context, sources []Source, opts Options) (*bulksync.Desired, *Secrets, error) {
	if opts.MaxFaults <= 0 {
		opts.MaxFaults = defaultMaxFaults
	}
	sources = slices.SortedStableFunc(slices.Values(sources), func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	texts := make([]*text, 0, len(sources))
	var unread bulksync.Faults
	for _, src := range sources {
		t, fault, err := readText(ctx, src)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("manifest %s: %w", src.Name, err)
		case fault != nil:
			unread = append(unread, *fault)
		default:
			texts = append(texts, t)
		}
	}
	whole := map[*text]bool{}
	for {
		r := newYAMLReader(opts)
		for _, f := range unread {
			r.report(f.Position, "", &problem{f.Code, f.Message, f.Hint})
		}
		for _, src := range sources {
			r.files[path.Clean(src.Name)] = true
		}
		for _, t := range texts {
			r.load(t, whole[t] || opts.piece < 0)
		}
		err := r.understand(ctx)
		if again := (*wholeError)(nil); errors.As(err, &again) {
			whole[again.text] = true
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		return r.result()
	}
}

func newYAMLReader(opts Options) *yamlReader {
	r := &yamlReader{
		opts: opts, findings: findings{max: opts.MaxFaults}, values: newValues(), forms: newForms(),
		desired: &bulksync.Desired{Mode: ModeYAML, Strict: opts.Strict, Users: &bulksync.Entries{}},
		secrets: &Secrets{}, lists: map[*yaml.Node]*list{}, pools: map[poolName]bool{},
		sharedKeys: map[*yaml.Node]bulksync.Wish[bulksync.DesiredKey]{}, sharedModules: map[*yaml.Node]bulksync.Wish[bulksync.DeviceModule]{}, triedWhole: map[*text]bool{},
		claims: yamlClaims{seed: maphash.MakeSeed()}, traps: map[string]*trap{}, files: map[string]bool{}, reported: map[bulksync.Fault]bool{}, inherited: map[string]*inherited{},
	}
	if opts.Mode != "" && opts.Mode != ModeYAML {
		r.report(bulksync.Position{}, "", &problem{codeMixedForms, "mode " + quote(opts.Mode) + " is one of CSV, the manifest is YAML", "leave the mode out"})
	}
	return r
}

// result is the desired state, or all faults.
func (r *yamlReader) result() (*bulksync.Desired, *Secrets, error) {
	if err := r.findings.err(); err != nil {
		return nil, nil, err
	}
	r.remarkTraps()
	r.desired.Users = byLogin(r.desired.Users)
	slices.SortFunc(r.desired.Devices, func(a, b bulksync.DesiredDevice) int { return strings.Compare(string(a.Address), string(b.Address)) })
	slices.SortFunc(r.desired.DDIs, func(a, b bulksync.DesiredDDI) int { return strings.Compare(string(a.Number), string(b.Number)) })
	r.desired.Remarks = r.desired.Remarks.Sort()
	r.desired.Digest = digestOf(r.desired)
	return r.desired, r.secrets, nil
}

// byLogin puts users into the order of their logins.
func byLogin(users *bulksync.Entries) *bulksync.Entries {
	logins, order := make([]bulksync.Login, users.Len()), make([]int, users.Len())
	for i := range order {
		logins[i], order[i] = users.Login(i), i
	}
	if slices.IsSorted(logins) {
		return users
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(string(logins[a]), string(logins[b])) })
	sorted := &bulksync.Entries{}
	for _, i := range order {
		sorted.Append(users.At(i))
	}
	return sorted
}

func (r *yamlReader) report(at bulksync.Position, field string, p *problem) {
	if f := (bulksync.Fault{Position: at, Code: p.code, Message: p.message, Hint: p.hint, Field: field}); r.reportOnce(f) {
		r.findings.add(f)
	}
}

func (r *yamlReader) remark(at bulksync.Position, field string, p *problem) {
	r.desired.Remarks = append(r.desired.Remarks, bulksync.Fault{Position: at, Code: p.code, Message: p.message, Hint: p.hint, Field: field})
}

// load reads what stands beside the lists of a file, or everything.
func (r *yamlReader) load(t *text, whole bool) {
	start := bulksync.Position{File: t.name}
	switch err := t.parse(whole, maxYAMLHeld-r.held); {
	case errors.Is(err, errLarge):
		r.report(start, "", &problem{codeYAMLLimit, "more than 8 MiB stand beside the lists of entries",
			"write users:, devices: and ddis: on lines of their own, and each entry below with a dash on a new line"})
		return
	case err != nil:
		r.reportSyntax(t, err)
		return
	case len(t.head.documents) == 0:
		r.report(start, "", &problem{codeYAMLSyntax, "file is empty", "a manifest begins with version: 1"})
		return
	}
	r.held += len(t.content)
	for _, l := range t.head.lists {
		r.held -= len(l.content)
	}
	maps.Copy(r.lists, t.head.instead)
	for _, document := range t.head.documents {
		if len(document.Content) == 0 || isNull(document.Content[0]) {
			continue // a document of comments only
		}
		if o := r.object(entry{value: document.Content[0], file: t.name}, r.forms.manifest, nil); o != nil {
			r.parts = append(r.parts, o)
		}
	}
}

// syntaxHints tell what the parser's words mostly mean.
var syntaxHints = []struct{ words, hint string }{
	{"tab character", "indent with blanks, not with tabs"},
	{"mapping values are not allowed", "put a value with a colon in it into quotes; is the line indented like those above?"},
	{"unexpected end of stream", "close the quotes that open here, or in an entry above"},
	{"unknown anchor", "an alias comes behind its anchor, in the same file; put a value that begins with * into quotes"},
	{"cannot start any token", "put a value that begins with @, ` or % into quotes, and indent with blanks"},
	{"unknown escape", "double a backslash in double quotes, or use single quotes"},
	{"did not find expected ',' or", "close the bracket that opens here; within brackets a value with ${…} in it needs quotes"},
	{"exceeded max depth", "write it with fewer levels"},
}

// reportSyntax reports what is no YAML.
func (r *yamlReader) reportSyntax(t *text, err error) {
	var e *syntaxError
	if !errors.As(err, &e) {
		e = &syntaxError{line: 1, words: err.Error()}
	}
	at := t.line(e.line)
	if e.limit {
		r.report(at, "", &problem{codeYAMLLimit, e.words, "write it shorter"})
		return
	}
	hint := "is the indentation right, and are values that begin with a sign in quotes?"
	for _, known := range syntaxHints {
		if strings.Contains(e.words, known.words) {
			hint = known.hint
		}
	}
	r.report(at, "", &problem{codeYAMLSyntax, "this is no YAML: " + e.words, hint})
}

// understand makes the desired state of the parts.
func (r *yamlReader) understand(ctx context.Context) error {
	r.checkVersions()
	r.readVariables()
	r.checkIncludes()
	r.readTemplates()
	r.readCompany()
	r.readPolicies()
	r.readSettings()
	r.readPools()
	if err := r.readProvisions(ctx); err != nil {
		return err
	}
	return r.readUsers(ctx)
}

// checkVersions wants a version of every file.
func (r *yamlReader) checkVersions() {
	if len(r.parts) == 0 && len(r.findings.faults) == 0 {
		r.report(bulksync.Position{}, "", &problem{codeYAMLSyntax, "manifest is empty", "a manifest begins with version: 1"})
	}
	for _, part := range r.parts {
		e, ok := part.get("version")
		if !ok {
			continue // reported as missing
		}
		if v, ok := r.scalar(e, "version"); ok && v != "1" {
			r.report(e.position(), "version", &problem{codeBadVersion, "version " + quote(v) + " of the form is not known", "write version: 1"})
		}
	}
}

func (r *yamlReader) readCompany() {
	var first bulksync.Position
	for _, part := range r.parts {
		id, ok := part.text("company")
		if !ok || id == "" {
			continue
		}
		at := part.at("company")
		if r.desired.Company != "" && r.desired.Company != id {
			r.report(at, "company", &problem{codeSeveralCompanies, "company " + quote(id) + " is not that of " + first.String() + ", " + quote(r.desired.Company),
				"a manifest is for one company"})
			continue
		}
		if r.desired.Company == "" {
			r.desired.Company, r.desired.CompanyPosition, first = id, at, at
		}
	}
}
