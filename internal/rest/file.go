package rest

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// document serves an operation that answers a file of the given media type instead of its JSON document when it is
// asked to: what may be a file passes as a stream. The document, and the little else that a caller may send with a GET,
// is mirrored.
func (h *Handler) document(rt *route, file string) serveFunc {
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request, p *path) {
		if r.ContentLength == 0 && asksForFile(r, file) {
			h.stream(ctx, w, r, rt.op, rt.method)
			return
		}
		h.mirror(ctx, w, r, rt, p)
	}
}

// asksForFile tells whether the answer may be a file: Accept names something else than JSON, or the parameter format is
// what the media type ends in (csv of text/csv). Without either, or with */*, upstream answers the document.
func asksForFile(r *http.Request, file string) bool {
	for _, accept := range r.Header["Accept"] {
		for media := range strings.SplitSeq(accept, ",") {
			media, _, _ = strings.Cut(media, ";")
			switch media = strings.ToLower(strings.TrimSpace(media)); media {
			case "", "*/*", "application/*", contentTypeJSON:
			default:
				return true
			}
		}
	}
	_, format, _ := strings.Cut(file, "/")
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, value, _ := strings.Cut(pair, "="); name == "format" {
			if plain, err := url.QueryUnescape(value); err == nil && strings.EqualFold(plain, format) {
				return true
			}
		}
	}
	return false
}
