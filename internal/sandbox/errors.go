package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
)

// Codes of Rainbow's error envelope that the sandbox answers with
// (errorDetailsCode, six digits of which the first three are the HTTP status).
// Sources: the portal's guides and the vendor's S2S starter kit.
const (
	codeBadParameter       = 400000
	codeExpirationMissing  = 400516
	codeWrongLogin         = 401500
	codeAccountLocked      = 401501
	codeRoleMissing        = 403000
	codeAccessDenied       = 403100
	codeNotInCharge        = 403301
	codeNotFound           = 404000
	codeConflict           = 409000
	codeShortNumberTaken   = 409550
	codeInternalNumberUsed = 409552
	codeFileTooLarge       = 413000
)

// apiError is an answer in Rainbow's error envelope. Details is a sentence, or
// a []paramError for faults of parameters, as upstream.
type apiError struct {
	Status  int
	Code    int // 0: the envelope carries no errorDetailsCode
	Details any
	Data    any // errorDetailsData, nil when absent

	Msg       string // errorMsg, where it is not that of the status
	OAuth     string // error of RFC 6749, which stands beside the envelope
	Challenge string // WWW-Authenticate of a 401
}

func (e *apiError) Error() string {
	return fmt.Sprintf("rainbow error %d (%d): %v", e.Status, e.Code, e.Details)
}

// paramError is one element of errorDetails when a parameter is at fault.
type paramError struct {
	Param string `json:"param"`
	Msg   string `json:"msg"`
	Value any    `json:"value,omitempty"`
}

// MarshalJSON renders Rainbow's envelope.
func (e *apiError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ErrorCode        int    `json:"errorCode"`
		ErrorMsg         string `json:"errorMsg"`
		ErrorDetails     any    `json:"errorDetails"`
		ErrorDetailsCode int    `json:"errorDetailsCode,omitempty"`
		ErrorDetailsData any    `json:"errorDetailsData,omitempty"`
		OAuth            string `json:"error,omitempty"`
		OAuthDetails     any    `json:"error_description,omitempty"`
	}{e.Status, cmp.Or(e.Msg, reason(e.Status)), e.Details, e.Code, e.Data, e.OAuth, e.oauthDetails()})
}

// oauthDetails repeats the sentence where an OAuth client looks for it.
func (e *apiError) oauthDetails() any {
	if e.OAuth == "" {
		return nil
	}
	return e.Details
}

// reason is the errorMsg of a status; upstream says "Resource Not Found" where
// HTTP says "Not Found".
func reason(status int) string {
	if status == http.StatusNotFound {
		return "Resource Not Found"
	}
	return http.StatusText(status)
}

func notFound(format string, args ...any) error {
	return &apiError{Status: http.StatusNotFound, Code: codeNotFound, Details: fmt.Sprintf(format, args...)}
}

func conflict(code int, format string, args ...any) error {
	return &apiError{Status: http.StatusConflict, Code: code, Details: fmt.Sprintf(format, args...)}
}

func forbidden(code int, format string, args ...any) error {
	return &apiError{Status: http.StatusForbidden, Code: code, Details: fmt.Sprintf(format, args...)}
}

// unauthorized answers 401; code 0 leaves errorDetailsCode out, as upstream
// does for tokens.
func unauthorized(code int, format string, args ...any) error {
	return &apiError{Status: http.StatusUnauthorized, Code: code, Details: fmt.Sprintf(format, args...)}
}

// badRequest answers 400 with a sentence.
func badRequest(format string, args ...any) error {
	return &apiError{Status: http.StatusBadRequest, Code: codeBadParameter, Details: fmt.Sprintf(format, args...)}
}

// badParam answers 400 with one {param, msg, value}.
func badParam(param, msg string, value any) error {
	return badParams([]paramError{{Param: param, Msg: msg, Value: value}})
}

func badParams(faults []paramError) error {
	return &apiError{Status: http.StatusBadRequest, Code: codeBadParameter, Details: faults}
}
