package rest

import (
	"context"
	"mime"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/proto"
)

// Documents that the gateway's own services make, such as a rendered plan, hold text of manifests and of Rainbow, and come from
// the origin at which a browser on this machine may use the service account. The renderers keep such text from being more
// than text; the headers see to it that a mistake of theirs does no harm.

// pagePolicy lets a page run what stands in it, in an origin of its own, from which it reaches nothing.
const pagePolicy = "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// documentForms are the endings of documents' names by media type, and whether a browser shows them.
var documentForms = map[string]struct {
	ending string
	shown  bool
}{
	"text/plain": {".txt", true}, "text/html": {".html", true}, "application/json": {".json", true},
	"text/markdown": {".md", false}, "text/csv": {".csv", false}, "text/vnd.graphviz": {".dot", false},
}

type documentNameKey struct{}

// withDocumentName keeps the name of the resource that a document is of.
func withDocumentName(ctx context.Context, resource string) context.Context {
	return context.WithValue(ctx, documentNameKey{}, resource[strings.LastIndexByte(resource, '/')+1:])
}

// document says of a document that it is what its type says, what its name is, and of a page what it may do.
func document(ctx context.Context, w http.ResponseWriter, m proto.Message) error {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	body, ok := m.(*httpbody.HttpBody)
	if !ok {
		return nil
	}
	media, _, err := mime.ParseMediaType(body.GetContentType())
	if err != nil {
		return nil //nolint:nilerr // an answer of no known type has no name
	}
	form := documentForms[media]
	how := "attachment"
	if form.shown {
		how = "inline"
	}
	name, _ := ctx.Value(documentNameKey{}).(string)
	if disposition := mime.FormatMediaType(how, map[string]string{"filename": name + form.ending}); name != "" && disposition != "" {
		header.Set("Content-Disposition", disposition)
	}
	if media == "text/html" {
		header.Set("Content-Security-Policy", pagePolicy)
	}
	return nil
}
