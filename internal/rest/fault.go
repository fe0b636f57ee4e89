package rest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
)

const contentTypeJSON = "application/json"

// The values of X-Error-Origin, which tells whether upstream or the gateway refused. Never written to.
var (
	originUpstream = []string{"upstream"}
	originGateway  = []string{"gateway"}
)

// refuse answers with an error of the gateway and logs what the caller is not told.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	h.opts.Log.Debug("request refused", "method", r.Method, "error", facade.Scrub(err.Error()), "peer", r.RemoteAddr)
	writeFault(w, r, err)
}

// writeFault writes an error that upstream did not answer: in Rainbow's shape below /api/rainbow/, else as
// google.rpc.Status, the shape of the gateway's own services.
func writeFault(w http.ResponseWriter, r *http.Request, err error) {
	httpStatus, text := facade.HTTP(err)
	var body []byte
	if strings.HasPrefix(r.URL.Path, rainbowPrefix) {
		body = envelope(httpStatus, text, err)
	} else {
		body = statusJSON(err)
	}
	header := w.Header()
	header.Del("Trailer")
	header.Del("Transfer-Encoding")
	header.Del("Content-Length")
	header.Set("Content-Type", contentTypeJSON)
	header["X-Error-Origin"] = originGateway
	if wait := facade.RetryAfter(err); wait > 0 {
		header.Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	}
	w.WriteHeader(httpStatus)
	_, _ = w.Write(body)
}

// rainbowError is the error envelope of Rainbow's portals.
type rainbowError struct {
	ErrorCode        int    `json:"errorCode"`
	ErrorMsg         string `json:"errorMsg"`
	ErrorDetails     any    `json:"errorDetails"`
	ErrorDetailsCode int    `json:"errorDetailsCode"`
}

// paramError is an element of errorDetails for a parameter, the shape that rainbow-cli prints line by line.
type paramError struct {
	Param string `json:"param"`
	Msg   string `json:"msg"`
}

func envelope(httpStatus int, text string, err error) []byte {
	e := rainbowError{
		ErrorCode:        httpStatus,
		ErrorMsg:         http.StatusText(httpStatus),
		ErrorDetails:     text,
		ErrorDetailsCode: httpStatus * 1000,
	}
	if errors.Is(err, facade.ErrBody) {
		_, reason, _ := strings.Cut(text, facade.ErrBody.Error()+": ")
		e.ErrorDetails = []paramError{{Param: "body", Msg: reason}}
	}
	if violations := facade.ViolationsOf(err); len(violations) > 0 {
		params := make([]paramError, len(violations))
		for i, v := range violations {
			params[i] = paramError{Param: v.Param, Msg: v.Text}
		}
		e.ErrorDetails = params
	}
	if e.ErrorMsg == "" {
		e.ErrorMsg = text
	}
	b, merr := json.Marshal(e)
	if merr != nil { // strings and numbers always encode
		return nil
	}
	return b
}

func statusJSON(err error) []byte {
	st := facade.Status(err)
	b, merr := protojson.Marshal(st.Proto())
	if merr != nil { // a detail of a type that this program does not know
		b, _ = json.Marshal(map[string]any{"code": int(st.Code()), "message": st.Message()})
	}
	return b
}
