package facade

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// foreign tells whether a browser sends the request for a page of another origin. Sec-Fetch-Site catches what
// carries no Origin, such as an image whose address is a route of ours; localhost with another port is "same-site"
// there, and foreign here.
func (l Listener) foreign(host string, header http.Header) bool {
	for _, origin := range header.Values("Origin") {
		own := origin == "http://"+host || origin == "https://"+host
		if !own && !slices.Contains(l.Origins, origin) {
			return true
		}
	}
	if len(header.Values("Origin")) > 0 {
		return false
	}
	switch site := header.Get("Sec-Fetch-Site"); site {
	case "", "none", "same-origin":
		return false
	default:
		return true
	}
}

// loopbackHost tells whether a Host header, with or without port, names this machine.
func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
