package sandbox

import (
	"net/http"
	"strings"
)

// control serves what steers the sandbox itself, below /sandbox/. It answers
// in the shapes of its own types, not in Rainbow's. It asks for no password,
// so it refuses browsers: a page elsewhere could reset the sandbox of a
// developer who visits it.
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Header.Get("Origin") != "" {
		writeJSON(w, http.StatusForbidden, map[string]string{"error": "the control paths are not for browsers"})
		return
	}
	method, path := r.Method, r.URL.Path
	if path == "/sandbox/snapshots" || strings.HasPrefix(path, "/sandbox/snapshots/") {
		s.controlSnapshots(w, method, path)
		return
	}
	switch method + " " + path {
	case "GET /sandbox/journal":
		s.controlJournal(w, r)
	case "POST /sandbox/reset":
		if err := s.Reset(); err != nil {
			writeJSON(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, map[string]string{"status": "reset"})
	case "GET /sandbox/faults", "POST /sandbox/faults", "DELETE /sandbox/faults":
		s.controlFaults(w, r, body)
	default:
		writeJSON(w, http.StatusNotFound, noSuchControl(method, path))
	}
}

func noSuchControl(method, path string) map[string]string {
	return map[string]string{"error": "no such control: " + method + " " + path}
}

func writeJSON(w http.ResponseWriter, status int, document any) {
	body, err := encode(document)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"errorCode":500,"errorMsg":"Internal Server Error","errorDetails":""}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(body)
}
