package sandbox

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"time"
)

// hijack takes the connection away from net/http. Without one (HTTP/2, a
// recorder) the request is aborted, which comes close.
func hijack(w http.ResponseWriter) (net.Conn, *bufio.ReadWriter) {
	conn, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http closes the connection silently
	}
	return conn, buffer
}

// reset makes the caller see "connection reset by peer".
func reset(w http.ResponseWriter) {
	conn, _ := hijack(w)
	resetConn(conn)
}

func resetConn(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a connection that is gone needs no reset
	}
	conn.Close()
}

// closeQuietly makes the caller see the end of the stream.
func closeQuietly(w http.ResponseWriter) {
	conn, _ := hijack(w)
	conn.Close()
}

// beforeReset lets what was sent reach the caller; a reset overtakes it.
const beforeReset = 20 * time.Millisecond

// sendPart sends the head and half the body, and breaks the connection.
func (a *capturedAnswer) sendPart(w http.ResponseWriter, cut string) {
	body := a.body.Bytes()
	if len(body) == 0 {
		body = []byte("\r\n") // something must be missing
	}
	half := body[:len(body)/2]
	conn, out := hijack(w)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	status := cmp.Or(a.status, http.StatusOK)
	fmt.Fprintf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, http.StatusText(status), time.Now().UTC().Format(http.TimeFormat))
	if cut == CutOpenChunk {
		a.header.Set("Transfer-Encoding", "chunked")
	} else {
		a.header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	_ = a.header.Write(out)
	_, _ = out.WriteString("\r\n")
	if cut == CutOpenChunk {
		_, _ = httputil.NewChunkedWriter(out).Write(half) // and no Close, which would end the body
	} else {
		_, _ = out.Write(half)
	}
	_ = out.Flush() // who left early misses nothing
	if cut == CutMidBody {
		time.Sleep(beforeReset)
		resetConn(conn)
	}
}

// send sends the whole answer, slowly when asked.
func (a *capturedAnswer) send(w http.ResponseWriter, r *http.Request, pace *Pace) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.header.Get("Content-Type") == "" {
		w.Header()["Content-Type"] = nil // or net/http would guess one
	}
	body := a.body.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(cmp.Or(a.status, http.StatusOK))
	if pace == nil {
		w.Write(body)
		return
	}
	flush := http.NewResponseController(w).Flush
	ends := time.Now().Add(pace.longest())
	for len(body) > 0 && r.Context().Err() == nil {
		n := pace.step(len(body), ends)
		if _, err := w.Write(body[:n]); err != nil || flush() != nil {
			return
		}
		if body = body[n:]; len(body) > 0 {
			pace.pause(r.Context(), ends)
		}
	}
}

func (p *Pace) longest() time.Duration { return cmp.Or(time.Duration(p.Max), 30*time.Second) }

// step is how many of the remaining bytes go next.
func (p *Pace) step(rest int, ends time.Time) int {
	if !time.Now().Before(ends) {
		return rest
	}
	return min(p.Bytes, rest)
}

func (p *Pace) pause(ctx context.Context, ends time.Time) {
	wait(ctx, min(time.Duration(p.Every), time.Until(ends)))
}

// readBody reads the body of a request, slowly when asked.
func readBody(w http.ResponseWriter, r *http.Request, pace *Pace) ([]byte, error) {
	limited := http.MaxBytesReader(w, r.Body, maxBody)
	if pace == nil {
		return io.ReadAll(limited)
	}
	var body bytes.Buffer
	ends := time.Now().Add(pace.longest())
	for {
		_, err := io.CopyN(&body, limited, int64(pace.step(maxBody+1, ends)))
		if errors.Is(err, io.EOF) {
			return body.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		pace.pause(r.Context(), ends)
	}
}
