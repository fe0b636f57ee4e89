// Package reference serves the description of the REST door to people and tools: a page at /docs, and the OpenAPI
// documents behind it.
//
//	/                    leads to the page
//	/docs                the page
//	/docs/openapi.json   OpenAPI 3.1
//	/docs/swagger.json   Swagger 2.0
//	/docs/…              what the page loads
//
// The description is public: no credentials are asked for. The page is Swagger UI, embedded (tools/viewer.sh renews it);
// it loads nothing from another host, and its content security policy would not let it. New makes the handler, which is
// safe for concurrent use.
package reference

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"github.com/rainbow-gateway/rainbow-gateway/gen/openapi"
)

// Path is where the page is; all else is below it.
const Path = "/docs"

// policy lets the page load what is here, call the host it came from, and nothing else. Pictures of the viewer's style
// sheet are data.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed page swagger-ui
var files embed.FS

// Handler serves the reference.
type Handler struct {
	assets map[string]*asset // by path
	packed http.Handler      // answer, compressed for those who take that
}

// New makes a handler.
func New() (*Handler, error) {
	h := &Handler{assets: map[string]*asset{}}
	for _, folder := range []string{"page", "swagger-ui"} {
		entries, err := files.ReadDir(folder)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			body, err := fs.ReadFile(files, folder+"/"+entry.Name())
			if err != nil {
				return nil, err
			}
			h.add(Path+"/"+entry.Name(), body)
		}
	}
	h.add(Path+"/openapi.json", openapi.OpenAPI)
	h.add(Path+"/swagger.json", openapi.Swagger)
	h.assets[Path] = h.assets[Path+"/index.html"]
	delete(h.assets, Path+"/index.html")
	h.packed = gzhttp.GzipHandler(http.HandlerFunc(h.answer))
	return h, nil
}

func (h *Handler) add(at string, body []byte) {
	sum := sha256.Sum256(body) // weak: the same for the compressed form
	h.assets[at] = &asset{body: body, contentType: contentType(at), tag: fmt.Sprintf(`W/"%x"`, sum[:12])}
}

// contentType does not ask the system, whose tables differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json":
		return "application/json"
	case ".png":
		return "image/png"
	}
	return "text/plain; charset=utf-8"
}

// Serves tells whether a path is the handler's.
func (h *Handler) Serves(path string) bool {
	return path == "/" || path == Path+"/" || h.assets[path] != nil
}

// ServeHTTP answers GET and HEAD.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.packed.ServeHTTP(w, r) }

func (h *Handler) answer(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	a := h.assets[r.URL.Path]
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD, OPTIONS")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		http.Error(w, "the reference is only read", http.StatusMethodNotAllowed)
	case r.URL.Path == "/": // who has the address alone looks for what is here
		header.Set("Location", strings.TrimPrefix(Path, "/"))
		w.WriteHeader(http.StatusFound)
	case r.URL.Path == Path+"/": // the page's links are relative, so that it works behind a prefix
		header.Set("Location", "../"+strings.TrimPrefix(Path, "/"))
		w.WriteHeader(http.StatusPermanentRedirect)
	case a == nil:
		http.NotFound(w, r)
	default:
		a.serve(w, r)
	}
}

// asset is one file.
type asset struct {
	body        []byte
	contentType string
	tag         string
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("Cache-Control", "no-cache") // kept, and asked about each time: a new gateway has a new description
	header.Set("ETag", a.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}
