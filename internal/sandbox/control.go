package sandbox

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// control serves what steers the sandbox itself, below /sandbox/. It answers
// in the shapes of its own types, not in Rainbow's. It asks for no password,
// so it refuses pages of other sites: one could reset the sandbox of a
// developer who visits it. Browsers name the page's site in Origin, but not
// with a GET; then the name by which the page came here tells (DNS rebinding).
func (s *Sandbox) control(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.Header.Get("Origin") != "" {
		writeJSON(w, http.StatusForbidden, map[string]string{"error": "the control paths are not for browsers"})
		return
	}
	if onLoopback(r) && !namesLoopback(r.Host) {
		writeJSON(w, http.StatusForbidden, map[string]string{"error": "the control paths want a loopback name of this machine as Host, such as localhost"})
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

// onLoopback tells whether a request came to a loopback address. One that came
// by the network is for who guards that.
func onLoopback(r *http.Request) bool {
	at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if at == nil {
		return false
	}
	address, err := netip.ParseAddrPort(at.String())
	return err == nil && address.Addr().Unmap().IsLoopback()
}

// namesLoopback tells whether a Host header, with or without port, is a
// loopback address or localhost.
func namesLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
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
