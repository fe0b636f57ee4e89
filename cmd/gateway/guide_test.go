package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
)

// The guide (docs/sync.md) is run as it is read. Every section that begins with "## " is a story in a folder and with a
// sandbox of its own:
//
//	```console         commands after "$ " are run by one shell, the lines below them are what they print;
//	                   a line "..." stands for any lines. Names of plans and runs, hashes, times and durations may
//	                   differ; a name that was printed stands for the real one in later commands. An exit code other
//	                   than 0 and 2 must be shown: $ echo $?
//	```csv moves.csv   a block with a name is a file, written when the story comes to it
//	<!-- run: CMD -->  is run before what follows, and is not seen by readers
//
// A command that ends in & runs on until the end of the section; 127.0.0.1:9090, :8080, :8081 and :8099 are free ports then.
// "go test ./cmd/gateway -run Guide -update" writes down what was printed where it differs.

var update = flag.Bool("update", false, "rewrite outputs in docs/sync.md")

const guideFile = "../../docs/sync.md"

// guideStep is a command, or a file to write.
type guideStep struct {
	line    int // of the command, from 0
	command string
	output  []string // what is expected, from line+1 on (behind the lines of the command)
	from    int      // first line of the output
	hidden  bool     // its output is not shown
	file    string
	content string
}

// guideSection is one story.
type guideSection struct {
	title string
	steps []guideStep
}

func TestGuideRunsAsItReads(t *testing.T) {
	text, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	sections, err := readGuide(lines)
	if err != nil {
		t.Fatal(err)
	}
	edits := make([][]guideEdit, len(sections))
	commands := 0
	t.Run("sections", func(t *testing.T) {
		for i, s := range sections {
			commands += len(s.steps)
			t.Run(s.title, func(t *testing.T) {
				t.Parallel()
				edits[i] = s.tell(t)
			})
		}
	})
	if commands < 10 {
		t.Errorf("the guide has %d commands and files, want at least 10: are its blocks recognised?", commands)
	}
	if *update {
		applyEdits(t, lines, slices.Concat(edits...))
	}
}

var (
	fence     = regexp.MustCompile("^```(\\w*) ?(.*)$")
	hiddenRun = regexp.MustCompile(`^<!-- run: (.*) -->$`)
)

// readGuide cuts a guide into its sections; those without steps are left out.
func readGuide(lines []string) ([]guideSection, error) {
	var all []guideSection
	section := guideSection{title: "beginning"}
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if m := hiddenRun.FindStringSubmatch(line); m != nil {
			section.steps = append(section.steps, guideStep{line: i, command: m[1], hidden: true})
		}
		if title, ok := strings.CutPrefix(line, "## "); ok {
			all = append(all, section)
			section = guideSection{title: title}
		}
		m := fence.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		end := i + 1
		for end < len(lines) && lines[end] != "```" {
			end++
		}
		if end == len(lines) {
			return nil, fmt.Errorf("line %d: the block has no end", i+1)
		}
		steps, err := readBlock(m[1], m[2], i+1, lines[i+1:end])
		if err != nil {
			return nil, err
		}
		section.steps = append(section.steps, steps...)
		i = end
	}
	all = append(all, section)
	return slices.DeleteFunc(all, func(s guideSection) bool { return len(s.steps) == 0 }), nil
}

// readBlock reads the lines of one fenced block; at is the first of them.
func readBlock(language, name string, at int, lines []string) ([]guideStep, error) {
	switch {
	case language == "console":
		return readConsole(at, lines)
	case name != "":
		return []guideStep{{line: at, file: name, content: strings.Join(lines, "\n") + "\n"}}, nil
	}
	for i, l := range lines {
		if strings.HasPrefix(l, "gateway ") || strings.HasPrefix(l, "$ ") {
			return nil, fmt.Errorf("line %d: a command that is not run: write it in a console block after \"$ \"", at+i+1)
		}
	}
	return nil, nil
}

func readConsole(at int, lines []string) ([]guideStep, error) {
	var steps []guideStep
	for i := 0; i < len(lines); i++ {
		command, ok := strings.CutPrefix(lines[i], "$ ")
		if !ok {
			if len(steps) == 0 {
				return nil, fmt.Errorf("line %d: a console block begins with \"$ \"", at+i+1)
			}
			last := &steps[len(steps)-1]
			last.output = append(last.output, lines[i])
			continue
		}
		step := guideStep{line: at + i}
		for strings.HasSuffix(command, `\`) && i+1 < len(lines) {
			i++
			command += "\n" + lines[i]
		}
		step.command, step.from = command, at+i+1
		steps = append(steps, step)
	}
	return steps, nil
}

// teller is the shell that a section is run by, and what stands for what.
type teller struct {
	t      *testing.T
	folder string
	in     io.Writer
	out    *bufio.Reader
	// real gives what a word of the guide stands for; told the inverse.
	real, told map[string]string
	grpc       string
}

// tell runs the section's steps and gives the outputs that differ, when they are to be written down.
func (s guideSection) tell(t *testing.T) []guideEdit {
	g := newTeller(t, s)
	var edits []guideEdit
	for i, step := range s.steps {
		if step.file != "" {
			if err := os.WriteFile(filepath.Join(g.folder, filepath.Base(step.file)), []byte(step.content), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		printed, code := g.run(step.command)
		if code != 0 && code != 2 && (i+1 == len(s.steps) || s.steps[i+1].command != "echo $?") {
			t.Fatalf("line %d: %s: exit code %d, which the guide does not show:\n%s", step.line+1, step.command, code, printed)
		}
		if step.hidden {
			continue
		}
		got := strings.Split(strings.TrimSuffix(printed, "\n"), "\n")
		if printed == "" {
			got = nil
		}
		switch problem := g.match(step.output, got); {
		case problem == "":
		case *update:
			edits = append(edits, guideEdit{step.from, len(step.output), g.retold(got)})
		default:
			t.Errorf("%s:%d: %s\n%s\nit printed:\n%s", guideFile, step.line+1, step.command, problem, printed)
		}
	}
	return edits
}

func newTeller(t *testing.T, s guideSection) *teller {
	g := &teller{t: t, folder: t.TempDir(), real: map[string]string{}, told: map[string]string{}}
	samples, err := filepath.Abs("../../samples")
	if err == nil {
		err = os.Symlink(samples, filepath.Join(g.folder, "samples"))
	}
	if err != nil {
		t.Fatal(err)
	}
	env := []string{
		"PATH=" + filepath.Dir(program(t).Path) + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + g.folder, "XDG_STATE_HOME=" + filepath.Join(g.folder, "state"), "TERM=dumb", "TZ=UTC", "GORACE=" + os.Getenv("GORACE"),
		"GOCACHE=" + buildCache(t),
	}
	for i, door := range []string{"GRPC", "HTTP", "ADMIN"} {
		address := freeAddress(t)
		env = append(env, "GATEWAY_"+door+"_ADDR="+address)
		g.bind([]string{"127.0.0.1:9090", "127.0.0.1:8080", "127.0.0.1:8081"}[i], address)
	}
	g.grpc = g.real["127.0.0.1:9090"]
	g.bind("127.0.0.1:8099", freeAddress(t))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute) // the shell outlives the test, to end what it began
	shell := exec.CommandContext(ctx, "sh")
	shell.Dir, shell.Env, shell.WaitDelay = g.folder, env, time.Second
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	shell.Stderr = shell.Stdout
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	g.in, g.out = in, bufio.NewReader(out)
	t.Cleanup(func() {
		fmt.Fprintln(in, `kill $background 2>/dev/null; wait; exit`)
		if _, err := io.Copy(io.Discard, g.out); err != nil {
			t.Error(err)
		}
		_ = shell.Wait() // its code is that of the last command
		cancel()
	})
	return g
}

// buildCache is where the go command keeps what it has built; at the guide's own home it would build everything anew.
func buildCache(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// run runs a command and gives what it printed, and its exit code. The shell's $? is the command's afterwards.
func (g *teller) run(command string) (string, int) {
	g.t.Helper()
	for told, real := range g.real {
		command = strings.ReplaceAll(command, told, real)
	}
	fmt.Fprintf(g.in, "{ %s\n} </dev/null\nguide=$?; printf '\\001%%d\\n' $guide; (exit $guide)\n", command)
	printed, err := g.out.ReadString('\001')
	if err != nil {
		g.t.Fatalf("%s: the shell ended: %v\n%s", command, err, printed)
	}
	line, err := g.out.ReadString('\n')
	if err != nil {
		g.t.Fatal(err)
	}
	code, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		g.t.Fatal(err)
	}
	if strings.HasSuffix(command, "&") {
		fmt.Fprintln(g.in, `background="$background $!"`) // "jobs -p" tells a subshell nothing in every sh
		g.await(command)
	}
	return strings.TrimSuffix(printed, "\001"), code
}

// await waits until what a command has begun in the background listens: a gateway at its first door, all else at the address
// that the command names.
func (g *teller) await(command string) {
	g.t.Helper()
	address := g.grpc
	if !strings.Contains(command, "gateway serve") {
		address = anAddress.FindString(command)
	}
	for range 500 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	g.t.Fatalf("nothing listens at %s", address)
}

var anAddress = regexp.MustCompile(`127\.0\.0\.1:\d+`)

func (g *teller) bind(told, real string) { g.real[told], g.told[real] = real, told }

// The words that differ from run to run: names and hashes stand for the real ones, times and durations for any.
var volatile = regexp.MustCompile(`\b(?:plan|run|operation)-\d{8}-\d{6}-[0-9a-f]{6}\b|\b[0-9a-f]{32}\b|127\.0\.0\.1:\d+|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?|\b\d+(?:\.\d+)?(?:ms|s|µs)\b`)

var timed = regexp.MustCompile(`^(\d{4}-\d\d-\d\d[T ]|[\d.]+(ms|s|µs)$)`)

// match compares an output with what is expected; it says what is missing, or nothing.
func (g *teller) match(want, got []string) string {
	for i, w := range want {
		if w == "..." {
			for skip := range len(got) + 1 {
				if g.match(want[i+1:], got[skip:]) == "" {
					return ""
				}
			}
			return fmt.Sprintf("nothing below it matches what follows %q", w)
		}
		if len(got) == 0 {
			return fmt.Sprintf("it does not print %q", w)
		}
		if !g.same(w, got[0]) {
			return fmt.Sprintf("it prints %q, not %q", got[0], w)
		}
		got = got[1:]
	}
	if len(got) > 0 {
		return fmt.Sprintf("it prints more: %q", got[0])
	}
	return ""
}

// same compares two lines and remembers the names that they have in the same place.
func (g *teller) same(want, got string) bool {
	words, others := volatile.FindAllString(want, -1), volatile.FindAllString(got, -1)
	if len(words) != len(others) || !slices.Equal(volatile.Split(want, -1), volatile.Split(got, -1)) {
		return false
	}
	for i, word := range words {
		if timed.MatchString(word) != timed.MatchString(others[i]) {
			return false
		}
		if known, ok := g.real[word]; ok && known != others[i] {
			return false
		}
	}
	for i, word := range words {
		if !timed.MatchString(word) {
			g.bind(word, others[i])
		}
	}
	return true
}

// retold is an output in the guide's own names.
func (g *teller) retold(lines []string) []string {
	all := make([]string, len(lines))
	for i, l := range lines {
		all[i] = volatile.ReplaceAllStringFunc(l, func(word string) string {
			if told, ok := g.told[word]; ok {
				return told
			}
			if !timed.MatchString(word) {
				g.bind(word, word)
			}
			return word
		})
	}
	return all
}

// guideEdit is an output that is to be written down anew: n lines, from the given one.
type guideEdit struct {
	from, n int
	lines   []string
}

func applyEdits(t *testing.T, lines []string, edits []guideEdit) {
	slices.SortFunc(edits, func(a, b guideEdit) int { return b.from - a.from }) // from the end, so that lines keep their numbers
	for _, e := range edits {
		lines = slices.Replace(lines, e.from, e.from+e.n, e.lines...)
	}
	if err := os.WriteFile(guideFile, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestGuideNamesCommandsThatExist parses the commands that stand within the guide's sentences.
func TestGuideNamesCommandsThatExist(t *testing.T) {
	text, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range regexp.MustCompile("`gateway ([a-z][^`]*)`").FindAllSubmatch(bytes.ReplaceAll(text, []byte("\n"), []byte(" ")), -1) {
		found++
		words, _, _ := strings.Cut(string(m[1]), " > ")
		words, _, _ = strings.Cut(words, " | ")
		var cli commandLine
		left := -1
		parser, err := kong.New(&cli, append(config.Options(), kong.Writers(io.Discard, io.Discard), kong.Exit(func(code int) { left = code }))...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(strings.Fields(words)); err != nil && left < 0 {
			t.Errorf("docs/sync.md says \"gateway %s\": %v", m[1], err)
		}
	}
	if found == 0 {
		t.Error("docs/sync.md names no command in its sentences: does the pattern still fit?")
	}
}
