package rest

import (
	"net/http"
	"slices"
)

// exposed are the headers of an answer that pages may read beside those that every browser shows.
const exposed = "Content-Disposition, Retry-After, X-Error-Origin, X-Gateway-Violations, X-Rainbow-Request-Id, X-Request-Id, X-Upstream-Request-Id"

// cors lets pages of the configured origins, and of no others, send what a browser asks about first, and read the
// answers. It tells whether the request was that question, and answers it then.
func (h *Handler) cors(w http.ResponseWriter, r *http.Request) (answered bool) {
	if len(h.opts.Listener.Origins) == 0 {
		return false
	}
	header := w.Header()
	header.Set("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(h.opts.Listener.Origins, origin) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", exposed)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
	header.Set("Access-Control-Max-Age", "600")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		header.Set("Access-Control-Allow-Headers", asked)
	}
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" { // a public page that calls a loopback listener
		header.Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}
