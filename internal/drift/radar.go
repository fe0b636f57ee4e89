// Package drift is the radar that notices when Rainbow's answers leave what the protos document: members that nobody
// wrote down, documented ones that never come, values of another kind, documents that are no JSON.
//
// Radar is handed the answers of modelled operations by upstream.Client (Answered), samples them, and compares them in a
// goroutine of its own with the descriptor of the reply. It keeps names and counts, never values; a name that may be
// data, such as an id or an address used as a key, counts as "{}". What it has found is read as a Report, as metrics
// (Radar is a prometheus.Collector) and as a page (Handler).
//
// What is documented is what the protos say: a field, or a member that the message's option untyped names. null is a
// value of every kind, since Rainbow writes it for what is absent. Files and other streams are not inspected, nor are
// refusals, whose envelope has its own rules.
//
// Everything exported is safe for concurrent use. All memory is bounded: the queue in bytes, findings and places in
// number; what does not fit is counted. Listeners and who may read the page are the server's.
package drift

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// Options configure a Radar. The zero value of each is a sensible default.
type Options struct {
	// Rate is how many answers of one operation are inspected a second, after the first ones. Default: 1.
	Rate float64

	// First is how many answers of each operation are inspected whatever the rate. Default: 100.
	First int

	// Enough is how many objects must have come without a documented member for it to count as missing. Default: 20.
	Enough int

	// MaxDocument is the size of the largest answer that is inspected in bytes, compressed and not. Default: 1 MiB.
	MaxDocument int

	// Log gets what the radar fails of, with the operation. Default: slog.Default().
	Log *slog.Logger

	// now is time.Now outside tests.
	now func() time.Time
}

// Bounds of what is kept.
const (
	maxQueued        = 256     // answers that wait
	maxPending       = 8 << 20 // their bytes
	maxFindings      = 2000    // distinct findings of all operations
	maxOperationFind = 100     // distinct findings of one
	maxPlaces        = 1000    // objects in the document of one operation
	maxDepth         = 16      // objects within each other
	maxMissing       = 1000    // missing members in the metrics
)

// Radar compares answers with their documents. Make one with New and Close it at the end.
type Radar struct {
	opts    Options
	pause   time.Duration // between two inspections of one operation
	tallies sync.Map      // *upstream.Binding -> *tally
	queue   chan sample
	pending atomic.Int64 // bytes in the queue
	done    chan struct{}
	ended   chan struct{}

	mu       sync.Mutex // guards what follows, and all that books hold
	since    time.Time
	books    map[*upstream.Binding]*book
	shapes   shapes
	findings int
}

// tally counts the answers of one operation, on the callers' path.
type tally struct {
	answered, skipped, dropped, large, unreadable, inspected atomic.Uint64

	taken atomic.Int64 // of the first ones
	next  atomic.Int64 // when the next may be inspected, in nanoseconds of the clock
}

// sample is an answer that waits for inspection.
type sample struct {
	binding               *upstream.Binding
	tally                 *tally
	contentType, encoding string
	body                  []byte
}

// New starts a radar.
func New(opts Options) *Radar {
	opts.Rate = cmp.Or(opts.Rate, 1)
	opts.First = cmp.Or(opts.First, 100)
	opts.Enough = cmp.Or(opts.Enough, 20)
	opts.MaxDocument = cmp.Or(opts.MaxDocument, 1<<20)
	opts.Log = cmp.Or(opts.Log, slog.Default())
	if opts.now == nil {
		opts.now = time.Now
	}
	r := &Radar{
		opts: opts, pause: time.Duration(float64(time.Second) / opts.Rate),
		queue: make(chan sample, maxQueued), done: make(chan struct{}), ended: make(chan struct{}),
		since: opts.now(), books: map[*upstream.Binding]*book{},
	}
	go r.run()
	return r
}

// Close ends the inspection; answers that wait are given up. What was found can still be read. Call it once.
func (r *Radar) Close() {
	close(r.done)
	<-r.ended
}

// Answered takes note of a successful answer whose document is JSON. It returns at once and keeps nothing of body, which
// it copies if the answer is to be inspected.
func (r *Radar) Answered(b *upstream.Binding, contentType, encoding string, body []byte) {
	t := r.tally(b)
	t.answered.Add(1)
	switch {
	case !r.due(t):
		t.skipped.Add(1)
	case len(body) > r.opts.MaxDocument:
		t.large.Add(1)
	case r.pending.Add(int64(len(body))) > maxPending:
		r.pending.Add(-int64(len(body)))
		t.dropped.Add(1)
	default:
		r.enqueue(sample{b, t, contentType, encoding, bytes.Clone(body)})
	}
}

func (r *Radar) enqueue(s sample) {
	select {
	case r.queue <- s:
	default:
		r.pending.Add(-int64(len(s.body)))
		s.tally.dropped.Add(1)
	}
}

func (r *Radar) tally(b *upstream.Binding) *tally {
	if t, ok := r.tallies.Load(b); ok {
		return t.(*tally)
	}
	t, _ := r.tallies.LoadOrStore(b, &tally{})
	return t.(*tally)
}

// due tells whether an answer is to be inspected. Of callers at the same moment one gets the turn.
func (r *Radar) due(t *tally) bool {
	if t.taken.Load() < int64(r.opts.First) {
		t.taken.Add(1)
		return true
	}
	now := r.opts.now().UnixNano()
	next := t.next.Load()
	return now >= next && t.next.CompareAndSwap(next, now+int64(r.pause))
}

// run inspects what waits.
func (r *Radar) run() {
	defer close(r.ended)
	for {
		select {
		case <-r.done:
			return
		case s := <-r.queue:
			r.pending.Add(-int64(len(s.body)))
			r.take(s)
		}
	}
}

// take inspects one answer. A fault of the radar itself is logged and costs no more than this answer.
func (r *Radar) take(s sample) {
	defer func() {
		if v := recover(); v != nil {
			s.tally.unreadable.Add(1)
			r.opts.Log.Error("drift radar: panic", "rpc", s.binding.FullMethod[1:], "error", fmt.Sprintf("%T", v))
		}
	}()
	body, err := r.plain(s)
	switch {
	case errors.Is(err, errLarge):
		s.tally.large.Add(1)
	case err != nil:
		s.tally.unreadable.Add(1)
	default:
		r.inspect(s.binding, s.contentType, body)
		s.tally.inspected.Add(1)
	}
}

var errLarge = errors.New("document too large")

// plain is the body as it was before Content-Encoding.
func (r *Radar) plain(s sample) ([]byte, error) {
	switch strings.ToLower(s.encoding) {
	case "", "identity":
		return s.body, nil
	case "gzip", "x-gzip":
	default:
		return nil, errors.New("unknown encoding")
	}
	z, err := gzip.NewReader(bytes.NewReader(s.body))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(z, int64(r.opts.MaxDocument)+1))
	if err == nil && len(body) > r.opts.MaxDocument {
		err = errLarge
	}
	return body, err
}

// inspect compares a document with what is documented of its operation.
func (r *Radar) inspect(b *upstream.Binding, contentType string, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	media := media(contentType)
	if media != "" && b.File != "" {
		return // the file that the caller asked for
	}
	k := r.books[b]
	if k == nil {
		k = newBook(b, r.shapes.root(b))
		r.books[b] = k
	}
	w := walk{radar: r, book: k, now: r.opts.now()}
	w.document(media, body)
}

// media names the type of a document that does not call itself JSON; "" for one that does, or says nothing. Only well
// known types are named: others are the server's text.
func media(contentType string) string {
	if contentType == "" {
		return ""
	}
	name, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return "another media type"
	}
	switch name {
	case "application/json", "text/json":
		return ""
	case "text/html", "text/plain", "text/csv", "application/xml", "text/xml", "application/octet-stream":
		return name
	}
	if strings.HasSuffix(name, "+json") {
		return ""
	}
	return "another media type"
}

// Reset forgets what was found and counted.
func (r *Radar) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tallies.Clear()
	r.books, r.findings, r.since = map[*upstream.Binding]*book{}, 0, r.opts.now()
}

// expectedKind is what a field's value is in JSON.
func expectedKind(fd protoreflect.FieldDescriptor) kind {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return kindBoolean
	case protoreflect.Int32Kind, protoreflect.Uint32Kind:
		return kindInteger
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return kindNumber
	case protoreflect.MessageKind:
		return kindObject
	}
	return kindString
}
