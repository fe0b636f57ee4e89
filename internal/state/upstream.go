package state

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// canonicalUpstream gives the form of an upstream URL under which a state file is bound to it: two spellings of one
// upstream have one form, and user, password and query are left out. A name that is no URL, such as "sandbox", stays.
func canonicalUpstream(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	if !strings.Contains(raw, "://") {
		return raw, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "", errors.New("upstream URL: not a URL with a host") // the text may hold a password
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch {
	case scheme == "https":
		host = strings.TrimSuffix(host, ":443")
	case scheme == "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + host + strings.TrimRight(u.EscapedPath(), "/"), nil
}

// checkUpstream compares what a file is bound to with what is asked for; empty asks for nothing.
func checkUpstream(path, bound, asked string) error {
	if asked == "" || bound == asked {
		return nil
	}
	return fmt.Errorf("state file %q: %w: it belongs to %s, not to %s; choose another file with --state",
		path, ErrOtherUpstream, bound, asked)
}
