package facade

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// retryDefault is how long to wait after a 429 without Retry-After (the Rainbow Node SDK's default).
const retryDefault = 10 * time.Second

func (f fault) grpcStatus() *status.Status {
	return withDetails(status.New(f.code, f.text), &errdetails.ErrorInfo{Reason: f.reason, Domain: Domain})
}

// answeredStatus carries upstream's envelope as details.
func answeredStatus(e *upstream.Error) *status.Status { return answeredRefusal(e).status() }

// answeredRefusal takes upstream's envelope apart. What is no UTF-8 would cost the status all of its details.
func answeredRefusal(e *upstream.Error) *refusal {
	r := &refusal{
		code: rainbowCode(e.Status),
		text: answeredText(e),
		envelope: &errorsv1.UpstreamError{
			HttpStatus:       int32(e.Status),
			ErrorDetailsCode: int32(e.Code),
			ErrorMsg:         e.Msg,
			ErrorDetailsJson: strings.ToValidUTF8(string(e.Details), "\uFFFD"),
			ExtraJson:        extraMembers(e),
		},
		info: &errdetails.ErrorInfo{Reason: reason(e), Domain: Domain, Metadata: errorMetadata(e)},
		bad:  &errdetails.BadRequest{FieldViolations: violations(e.Details)},
	}
	if wait := retryAfter(e); wait > 0 {
		r.more = append(r.more, protoadapt.MessageV1Of(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)}))
	}
	if e.RequestID != "" {
		id := clipText(strings.ToValidUTF8(e.RequestID, "\uFFFD"))
		r.more = append(r.more, protoadapt.MessageV1Of(&errdetails.RequestInfo{RequestId: id}))
	}
	return r
}

func withDetails(st *status.Status, details ...protoadapt.MessageV1) *status.Status {
	if full, err := st.WithDetails(details...); err == nil {
		return full
	}
	return st
}

// jwtExpired is what errorDetails says when, and only when, a token has expired (Rainbow Node SDK, HttpService.ts).
const jwtExpired = "jwt expired"

// reason is stable per Rainbow code: RAINBOW_409550, or RAINBOW_HTTP_429 when the answer has no code.
func reason(e *upstream.Error) string {
	switch {
	case e.Status == http.StatusUnauthorized && detailsText(e.Details) == jwtExpired:
		return "JWT_EXPIRED"
	case e.Code != 0:
		return "RAINBOW_" + strconv.Itoa(e.Code)
	}
	return "RAINBOW_HTTP_" + strconv.Itoa(e.Status)
}

func errorMetadata(e *upstream.Error) map[string]string {
	m := map[string]string{"http_status": strconv.Itoa(e.Status), "http_method": e.Method, "path": e.Path}
	if e.Code != 0 {
		m["error_details_code"] = strconv.Itoa(e.Code)
	}
	return m
}

func retryAfter(e *upstream.Error) time.Duration {
	if e.RetryAfter == 0 && e.Status == http.StatusTooManyRequests {
		return retryDefault
	}
	return e.RetryAfter
}

// answeredText is errorMsg followed by the sentence of errorDetails.
func answeredText(e *upstream.Error) string {
	text := detailsText(e.Details)
	if e.Foreign && e.Msg != "" {
		return fmt.Sprintf("%d %s: %s", e.Status, http.StatusText(e.Status), e.Msg)
	}
	switch {
	case e.Msg == "" && text == "":
		return http.StatusText(e.Status)
	case text == "":
		return e.Msg
	case e.Msg == "":
		return text
	}
	return e.Msg + ": " + text
}

// detailsText finds the sentence in errorDetails, which is a string, a list of {param, msg}, or an object with
// details or errorMsg (rainbow-cli reads these three shapes).
func detailsText(details []byte) string {
	var text string
	if json.Unmarshal(details, &text) == nil {
		return text
	}
	var lines []string
	for _, v := range violations(details) {
		lines = append(lines, v.GetField()+": "+v.GetDescription())
	}
	if len(lines) > 0 {
		return strings.Join(lines, "; ")
	}
	var object struct {
		Details  string `json:"details"`
		ErrorMsg string `json:"errorMsg"`
	}
	if json.Unmarshal(details, &object) != nil {
		return ""
	}
	if object.Details != "" {
		return object.Details
	}
	return object.ErrorMsg
}

func violations(details []byte) []*errdetails.BadRequest_FieldViolation {
	var items []struct {
		Param string `json:"param"`
		Msg   string `json:"msg"`
	}
	if len(details) == 0 || json.Unmarshal(details, &items) != nil {
		return nil
	}
	var found []*errdetails.BadRequest_FieldViolation
	for _, item := range items {
		if item.Param != "" || item.Msg != "" {
			found = append(found, &errdetails.BadRequest_FieldViolation{Field: item.Param, Description: item.Msg})
		}
	}
	return found
}

// extraMembers returns the members of the envelope that UpstreamError's fields don't carry, as one JSON object, each as
// it is spelt and in its order.
func extraMembers(e *upstream.Error) []byte {
	dec := json.NewDecoder(bytes.NewReader(e.Body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	extra := []byte{'{'}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil
		}
		if text, ok := name.(string); ok && !carried(e, text, value) {
			if len(extra) > 1 {
				extra = append(extra, ',')
			}
			extra = append(appendJSONString(extra, text), ':')
			extra = append(extra, value...)
		}
	}
	if len(extra) == 1 {
		return nil
	}
	return append(extra, '}')
}

// carried tells whether a member of the envelope is in a field of UpstreamError.
func carried(e *upstream.Error, name string, value []byte) bool {
	switch name {
	case "errorCode":
		return string(value) == strconv.Itoa(e.Status)
	case "errorMsg":
		var text string
		return string(value) != "null" && json.Unmarshal(value, &text) == nil
	case "errorDetails":
		return string(value) != "null"
	case "errorDetailsCode":
		return string(value) == strconv.Itoa(e.Code)
	}
	return false
}

func appendJSONString(dst []byte, s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always is one in JSON
	return append(dst, bytes.TrimSpace(b.Bytes())...)
}

// codeOf is the canonical code of an error, for logs and metrics.
func codeOf(err error) codes.Code {
	if err == nil {
		return codes.OK
	}
	if answered := upstreamError(err); answered != nil {
		return rainbowCode(answered.Status)
	}
	if st, ok := status.FromError(err); ok {
		return st.Code()
	}
	return faultOf(err).code
}
