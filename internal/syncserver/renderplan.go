package syncserver

import (
	"bufio"
	"bytes"
	"context"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// form is how a plan is shown.
type form struct {
	format bulksync.Format
	media  string
}

var forms = map[syncv1.RenderPlanRequest_Format]form{
	syncv1.RenderPlanRequest_FORMAT_UNSPECIFIED: {bulksync.FormatText, "text/plain; charset=utf-8"},
	syncv1.RenderPlanRequest_FORMAT_TEXT:        {bulksync.FormatText, "text/plain; charset=utf-8"},
	syncv1.RenderPlanRequest_FORMAT_JSON:        {bulksync.FormatJSON, "application/json"},
	syncv1.RenderPlanRequest_FORMAT_MARKDOWN:    {bulksync.FormatMarkdown, "text/markdown; charset=utf-8"},
	syncv1.RenderPlanRequest_FORMAT_CSV:         {bulksync.FormatCSV, "text/csv; charset=utf-8"},
	syncv1.RenderPlanRequest_FORMAT_HTML:        {bulksync.FormatHTML, "text/html; charset=utf-8"},
	syncv1.RenderPlanRequest_FORMAT_DOT:         {bulksync.FormatDot, "text/vnd.graphviz; charset=utf-8"},
}

// The columns that a text form may be asked to keep to.
const (
	leastWidth = 40
	mostWidth  = 1000
)

// RenderPlan shows a plan.
func (s planService) RenderPlan(ctx context.Context, req *syncv1.RenderPlanRequest) (*httpbody.HttpBody, error) {
	stored, err := s.planToRender(ctx, req)
	if err != nil {
		return nil, s.status(err)
	}
	f := forms[req.GetFormat()]
	var out bytes.Buffer
	if err := stored.Plan.Render(&out, f.format, renderOptions(stored, req)); err != nil {
		return nil, s.status(err)
	}
	return &httpbody.HttpBody{ContentType: f.media, Data: out.Bytes()}, nil
}

// DownloadPlan shows a plan in chunks.
func (s planService) DownloadPlan(req *syncv1.RenderPlanRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	stored, err := s.planToRender(stream.Context(), req)
	if err != nil {
		return s.status(err)
	}
	f := forms[req.GetFormat()]
	out := chunked(stream, f.media)
	if err := stored.Plan.Render(out, f.format, renderOptions(stored, req)); err != nil {
		return s.status(err)
	}
	return s.status(out.Flush())
}

func (s planService) planToRender(ctx context.Context, req *syncv1.RenderPlanRequest) (*bulksync.StoredPlan, error) {
	var v violations
	v.enum("format", int32(req.GetFormat()), syncv1.RenderPlanRequest_Format_name)
	if req.GetWidth() != 0 {
		v.within("width", req.GetWidth(), leastWidth, mostWidth)
	}
	return s.namedPlan(ctx, "name", req.GetName(), v)
}

func renderOptions(stored *bulksync.StoredPlan, req *syncv1.RenderPlanRequest) bulksync.RenderOptions {
	return bulksync.RenderOptions{Color: req.GetColor(), Width: int(req.GetWidth()), Name: planName(stored.Plan.Company, stored.Name)}
}

// chunkSize is the size of the chunks that documents are streamed in.
const chunkSize = 64 << 10

// chunked writes a document to a stream of chunks; it must be flushed at the end.
func chunked(stream grpc.ServerStreamingServer[httpbody.HttpBody], media string) *bufio.Writer {
	return bufio.NewWriterSize(chunkWriter{stream, media}, chunkSize)
}

type chunkWriter struct {
	stream grpc.ServerStreamingServer[httpbody.HttpBody]
	media  string
}

// Write sends b as one message, or several when it is large.
func (w chunkWriter) Write(b []byte) (n int, err error) {
	for n < len(b) {
		end := min(n+chunkSize, len(b))
		if err := w.stream.Send(&httpbody.HttpBody{ContentType: w.media, Data: bytes.Clone(b[n:end])}); err != nil {
			return n, err
		}
		n = end
	}
	return n, nil
}
