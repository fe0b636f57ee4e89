package syncserver

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// driftService looks for drift and shows what was found.
type driftService struct {
	syncv1.UnimplementedDriftServiceServer
	*Server
}

const driftPattern = "companies/*/drift"

func driftName(company string) string { return "companies/" + company + "/drift" }

// CheckDrift compares now.
func (s driftService) CheckDrift(ctx context.Context, req *syncv1.CheckDriftRequest) (*syncv1.Drift, error) {
	company, err := s.driftCompany(ctx, "name", req.GetName(), nil)
	if err != nil {
		return nil, s.status(err)
	}
	found, err := s.checkDrift(ctx, company, driftOrder{refresh: req.GetRefresh(), save: req.GetSavePlan(), creator: s.opts.Caller(ctx)})
	if err != nil {
		return nil, s.status(err)
	}
	return driftProto(found), nil
}

// driftCompany is the company whose drift a name names. v holds what else was found wrong with the request.
func (s *Server) driftCompany(ctx context.Context, field, name string, v violations) (string, error) {
	id := v.name(field, name, driftPattern)[0]
	if err := v.err(); err != nil {
		return "", err
	}
	return s.company(ctx, id)
}

// ForgetManifest takes a manifest out of force.
func (s driftService) ForgetManifest(ctx context.Context, req *syncv1.ForgetManifestRequest) (*emptypb.Empty, error) {
	var v violations
	if req.GetTitle() == "" {
		v.add("title", "want the title of a manifest in force, as Drift.manifests has it")
	}
	company, err := s.driftCompany(ctx, "name", req.GetName(), v)
	if err == nil {
		err = s.opts.Engine.Store.ForgetApplied(ctx, company, req.GetTitle())
	}
	if err != nil {
		return nil, s.status(err)
	}
	return &emptypb.Empty{}, nil
}

// GetDrift gives what the last look found.
func (s driftService) GetDrift(ctx context.Context, req *syncv1.GetDriftRequest) (*syncv1.Drift, error) {
	found, err := s.namedDrift(ctx, "name", req.GetName(), nil)
	if err != nil {
		return nil, s.status(err)
	}
	return driftProto(found), nil
}

func (s *Server) namedDrift(ctx context.Context, field, name string, v violations) (*bulksync.Drift, error) {
	company, err := s.driftCompany(ctx, field, name, v)
	if err != nil {
		return nil, err
	}
	return s.lastDrift(ctx, company)
}

// ListDriftDifferences pages through the differences. A page token names the look that it is of.
func (s driftService) ListDriftDifferences(ctx context.Context, req *syncv1.ListDriftDifferencesRequest) (*syncv1.ListDriftDifferencesResponse, error) {
	var v violations
	p := v.page(req, 100)
	look, at, _ := strings.Cut(p.after, "/")
	v.enum("kind", int32(req.GetKind()), syncv1.Kind_name)
	found, err := s.namedDrift(ctx, "parent", req.GetParent(), v)
	if err != nil {
		return nil, s.status(err)
	}
	now := strconv.FormatInt(found.CheckTime.UnixNano(), 10)
	from := 0
	if p.after != "" {
		if from, err = strconv.Atoi(at); err != nil || from < 0 || look != now {
			return nil, s.status(invalid("page_token", "it is of an older comparison: begin anew"))
		}
	}
	kind := kindOf(req.GetKind())
	resp := &syncv1.ListDriftDifferencesResponse{}
	for i := min(from, len(found.Differences)); i < len(found.Differences); i++ {
		d := &found.Differences[i]
		if kind != "" && d.Kind != kind {
			continue
		}
		if len(resp.Differences) == p.size {
			resp.NextPageToken = p.token(now + "/" + strconv.Itoa(i))
			break
		}
		resp.Differences = append(resp.Differences, differenceProto(d))
	}
	return resp, nil
}

var driftForms = map[syncv1.RenderDriftRequest_Format]form{
	syncv1.RenderDriftRequest_FORMAT_UNSPECIFIED: {bulksync.FormatText, "text/plain; charset=utf-8"},
	syncv1.RenderDriftRequest_FORMAT_TEXT:        {bulksync.FormatText, "text/plain; charset=utf-8"},
	syncv1.RenderDriftRequest_FORMAT_JSON:        {bulksync.FormatJSON, "application/json"},
	syncv1.RenderDriftRequest_FORMAT_MARKDOWN:    {bulksync.FormatMarkdown, "text/markdown; charset=utf-8"},
}

// RenderDrift shows what the last look found.
func (s driftService) RenderDrift(ctx context.Context, req *syncv1.RenderDriftRequest) (*httpbody.HttpBody, error) {
	found, err := s.driftToRender(ctx, req)
	if err != nil {
		return nil, s.status(err)
	}
	f := driftForms[req.GetFormat()]
	var out bytes.Buffer
	if err := found.Render(&out, f.format, bulksync.RenderOptions{Color: req.GetColor()}); err != nil {
		return nil, s.status(err)
	}
	return &httpbody.HttpBody{ContentType: f.media, Data: out.Bytes()}, nil
}

// DownloadDrift shows it in chunks.
func (s driftService) DownloadDrift(req *syncv1.RenderDriftRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	found, err := s.driftToRender(stream.Context(), req)
	if err != nil {
		return s.status(err)
	}
	f := driftForms[req.GetFormat()]
	out := chunked(stream, f.media)
	if err := found.Render(out, f.format, bulksync.RenderOptions{Color: req.GetColor()}); err != nil {
		return s.status(err)
	}
	return s.status(out.Flush())
}

func (s driftService) driftToRender(ctx context.Context, req *syncv1.RenderDriftRequest) (*bulksync.Drift, error) {
	var v violations
	v.enum("format", int32(req.GetFormat()), syncv1.RenderDriftRequest_Format_name)
	return s.namedDrift(ctx, "name", req.GetName(), v)
}

// driftProto is a report without its differences.
func driftProto(d *bulksync.Drift) *syncv1.Drift {
	view := &syncv1.Drift{
		Name: driftName(d.Company), Hash: d.Hash, ManifestDigest: d.Manifest, Sources: d.Sources, Run: runName(d.Company, d.Run),
		AppliedTime: timestamp(d.AppliedTime), StateTime: timestamp(d.RecordTime), CheckTime: timestamp(d.CheckTime), SinceTime: timestamp(d.SinceTime),
		DifferenceCount: int32(len(d.Differences)), UserCount: int32(d.Users()), OperationCount: int32(d.Operations()),
		Obstacle: d.Obstacle, Summary: d.Summary(),
	}
	for _, m := range d.Manifests {
		shown := &syncv1.DriftManifest{
			Title: m.Title, ManifestDigest: m.Manifest, Run: runName(d.Company, m.Run), AppliedTime: timestamp(m.AppliedTime),
			DifferenceCount: int32(m.Differences), OperationCount: int32(m.Operations), Obstacle: m.Obstacle,
		}
		if m.Plan != "" {
			shown.Plan = planName(d.Company, m.Plan)
		}
		view.Manifests = append(view.Manifests, shown)
	}
	if d.Plan != "" {
		view.Plan = planName(d.Company, d.Plan)
	}
	counts := d.ByKind()
	for _, kind := range bulksync.Kinds() {
		if n := counts[kind]; n > 0 {
			view.Counts = append(view.Counts, &syncv1.DriftCount{Kind: kindProtos[kind], Count: int32(n)})
		}
	}
	return view
}

var whatProtos = map[bulksync.DifferenceKind]syncv1.DriftDifference_What{
	bulksync.Missing: syncv1.DriftDifference_WHAT_MISSING,
	bulksync.Extra:   syncv1.DriftDifference_WHAT_EXTRA,
	bulksync.Moved:   syncv1.DriftDifference_WHAT_MOVED,
	bulksync.Changed: syncv1.DriftDifference_WHAT_CHANGED,
	bulksync.Blocked: syncv1.DriftDifference_WHAT_BLOCKED,
}

func differenceProto(d *bulksync.Difference) *syncv1.DriftDifference {
	view := &syncv1.DriftDifference{
		Login: string(d.Login), Kind: kindProtos[d.Kind], What: whatProtos[d.What], Words: d.Words,
		Position: positionProto(d.Position), Code: d.Code, Hint: d.Hint, Held: d.Held, Manifest: d.Manifest,
	}
	if d.Key.Kind != "" {
		view.Key = d.Key.String()
	}
	for _, c := range d.Changes {
		view.Changes = append(view.Changes, &syncv1.DriftChange{Name: c.Name, Found: c.Found, Wanted: c.Wanted})
	}
	for _, id := range d.Operations {
		view.Operations = append(view.Operations, int32(id))
	}
	return view
}
