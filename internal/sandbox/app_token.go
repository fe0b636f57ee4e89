package sandbox

import (
	"crypto/subtle"
	"net/http"
)

// checkAppToken holds the rule of every guide's preamble: an application token
// in the header APIKey that does not match answers 403 Not Allowed. No public
// client sends the header, so it may be absent.
func checkAppToken(r *http.Request) error {
	for _, sent := range r.Header.Values("APIKey") {
		if subtle.ConstantTimeCompare([]byte(sent), []byte(AppToken)) != 1 {
			return &apiError{Status: http.StatusForbidden, Code: codeAccessDenied, Msg: "Not Allowed", Details: "The application token of the header APIKey does not match"}
		}
	}
	return nil
}
