package sandbox

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// capturedAnswer is an answer before it is sent.
type capturedAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *capturedAnswer) Header() http.Header         { return a.header }
func (a *capturedAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }
func (a *capturedAnswer) WriteHeader(status int)      { a.status = status }

// misbehave answers a request that rules have hit; its body is read and the
// latency is over.
func (s *Sandbox) misbehave(w http.ResponseWriter, r *http.Request, body []byte, h *hits, entry JournalEntry) {
	end := h.end
	if end == nil {
		end = &Fault{}
	}
	a := &capturedAnswer{header: http.Header{}}
	switch {
	case end.Cut == CutBeforeRead, end.Cut == CutAfterRead, end.Cut == CutSilence:
	case end.Status != 0 || end.Limit != nil:
		end.answer(a, s.options.Clock(), h.retry)
	default:
		if end.Lock != 0 {
			s.lockAccount(s.factsOf(r).login, end.Lock)
		}
		s.rainbow(a, r, body, h)
	}
	for _, b := range h.bend {
		b.apply(a)
	}
	entry.Status, entry.Dropped = a.status, end.Lost != ""
	s.journal.add(entry)
	switch {
	case end.Cut == CutSilence, end.Lost == LostTimeout:
		s.faults.hold(r.Context(), cmp.Or(time.Duration(end.Hold), defaultHold))
		closeQuietly(w)
	case end.Cut == CutBeforeRead, end.Cut == CutAfterRead, end.Lost == LostReset:
		reset(w)
	case end.Lost == LostClose:
		closeQuietly(w)
	case end.Cut != "":
		a.sendPart(w, end.Cut)
	case end.Lost != "":
		status, _ := strconv.Atoi(end.Lost)
		proxy := &capturedAnswer{header: http.Header{}}
		(&Fault{Status: status, Format: "html"}).answer(proxy, s.options.Clock(), 0)
		proxy.send(w, r, h.slowAnswer)
	default:
		a.send(w, r, h.slowAnswer)
	}
}

// defaultHold outlives the 120 seconds after which clients give up.
const defaultHold = 150 * time.Second

// answer writes what a rule answers in place of Rainbow.
func (f *Fault) answer(w http.ResponseWriter, now time.Time, retry time.Duration) {
	status := f.Status
	if f.Limit != nil {
		status = cmp.Or(status, http.StatusTooManyRequests)
	}
	if f.Limit != nil || f.RetryAfter > 0 {
		w.Header().Set("Retry-After", f.retryAfter(now, retry))
	}
	contentType, body := f.page(status)
	if contentType != "" {
		w.Header().Set("Content-Type", contentType)
	}
	w.WriteHeader(status)
	w.Write(body)
}

// retryAfter is the header: seconds, never too few and at least one, or the
// date they lead to.
func (f *Fault) retryAfter(now time.Time, retry time.Duration) string {
	seconds := f.RetryAfter
	if f.Limit != nil {
		seconds = max(int((retry+time.Second-1)/time.Second), 1)
	}
	if f.RetryAfterForm == "date" {
		at := now.Add(time.Duration(seconds)*time.Second + time.Second - 1)
		return at.UTC().Format(http.TimeFormat)
	}
	return strconv.Itoa(seconds)
}

const jsonType = "application/json; charset=utf-8"

// page is the body of such an answer. A text has the reason alone, as rate
// limiters answer (Rainbow Node SDK); the page is as proxies make them.
func (f *Fault) page(status int) (contentType string, body []byte) {
	reason := http.StatusText(status)
	switch {
	case f.Body != "" && (f.Body[0] == '{' || f.Body[0] == '['):
		return jsonType, []byte(f.Body)
	case f.Body != "":
		return "text/plain; charset=utf-8", []byte(f.Body)
	case f.Format == "text":
		return "text/plain; charset=utf-8", []byte(reason)
	case f.Format == "html":
		title := fmt.Sprintf("%d %s", status, reason)
		return "text/html; charset=utf-8", fmt.Appendf(nil, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n<hr><center>sandbox proxy</center>\r\n</body>\r\n</html>\r\n", title, title)
	case f.Format == "empty":
		return "", nil
	}
	body, _ = encode(&apiError{Status: status, Details: "fault of the sandbox"})
	return jsonType, body
}
