package syncserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/manifest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// stateService reads and renews the recorded state.
type stateService struct {
	syncv1.UnimplementedStateServiceServer
	*Server
}

const statePattern = "companies/*/state"

// observe opens a view of a company's recorded state for fn.
func (s *Server) observe(ctx context.Context, company string, fn func(bulksync.Observed) error) error {
	view, err := s.opts.Engine.Store.Observed(ctx, company)
	if errors.Is(err, bulksync.ErrNotFound) {
		return fmt.Errorf("company %s: %w", company, bulksync.ErrNotRecorded)
	}
	if err != nil {
		return err
	}
	return errors.Join(fn(view), view.Close())
}

// recordedCompany is a company as recorded.
func (s *Server) recordedCompany(ctx context.Context, company string) (c bulksync.Company, err error) {
	err = s.observe(ctx, company, func(view bulksync.Observed) error {
		c = view.Company()
		return nil
	})
	return c, err
}

// GetState tells what is recorded, in numbers.
func (s stateService) GetState(ctx context.Context, req *syncv1.GetStateRequest) (*syncv1.State, error) {
	company, err := s.stateCompany(ctx, "name", req.GetName(), nil)
	if err != nil {
		return nil, s.status(err)
	}
	state, err := s.stateOf(ctx, company)
	return state, s.status(err)
}

// stateCompany is the company whose state a name names. v holds what else was found wrong with the request.
func (s *Server) stateCompany(ctx context.Context, field, name string, v violations) (string, error) {
	id := v.name(field, name, statePattern)[0]
	if err := v.err(); err != nil {
		return "", err
	}
	return s.company(ctx, id)
}

func (s *Server) stateOf(ctx context.Context, company string) (state *syncv1.State, err error) {
	err = s.observe(ctx, company, func(view bulksync.Observed) error {
		state = stateProto(view.Company())
		for _, kind := range bulksync.Kinds() {
			n, err := countOf(ctx, view, kind)
			if err != nil {
				return err
			}
			if n == 0 && !bulksync.Refreshed(kind) {
				continue
			}
			state.Counts = append(state.Counts, &syncv1.KindCount{Kind: kindProtos[kind], Count: n})
		}
		return nil
	})
	return state, err
}

// Views of a store that can do so are asked to count records, and to begin in the midst of them; others are walked.
type (
	counter interface{ Count(kind bulksync.Kind) int }
	seeker  interface {
		RecordsAfter(kind bulksync.Kind, id string) iter.Seq[bulksync.Record]
	}
)

// countOf counts the records of a kind.
func countOf(ctx context.Context, view bulksync.Observed, kind bulksync.Kind) (n int32, err error) {
	if c, ok := view.(counter); ok {
		return int32(c.Count(kind)), ctx.Err()
	}
	for range view.Records(kind) {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return n, ctx.Err()
		}
	}
	return n, nil
}

// recordsFrom walks the records of a kind, if possible from where the page before ended.
func recordsFrom(view bulksync.Observed, f recordFilter) iter.Seq[bulksync.Record] {
	if s, ok := view.(seeker); ok && f.after.Kind == f.kind {
		return s.RecordsAfter(f.kind, f.after.ID)
	}
	return view.Records(f.kind)
}

// RefreshState starts a refresh.
func (s stateService) RefreshState(ctx context.Context, req *syncv1.RefreshStateRequest) (*longrunningpb.Operation, error) {
	op, err := s.refreshState(ctx, req)
	return op, s.status(err)
}

func (s stateService) refreshState(ctx context.Context, req *syncv1.RefreshStateRequest) (*longrunningpb.Operation, error) {
	var v violations
	v.requestID(req.GetRequestId())
	company, err := s.stateCompany(ctx, "name", req.GetName(), v)
	if err != nil {
		return nil, err
	}
	name, _, err := s.requests.once(ctx, requestKey{"RefreshState", s.opts.Caller(ctx), company, req.GetRequestId()}, req, func() (string, error) {
		r, err := s.beginRefresh(ctx, company)
		if err != nil {
			return "", err
		}
		return r.name, nil
	})
	if err != nil {
		return nil, err
	}
	t, err := s.target(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.operation(ctx, t)
}

// ListStateRecords pages through the records.
func (s stateService) ListStateRecords(ctx context.Context, req *syncv1.ListStateRecordsRequest) (*syncv1.ListStateRecordsResponse, error) {
	var v violations
	p := v.page(req, 100)
	after, err := placeOf(p)
	if err != nil {
		v.add("page_token", "not a token of this list")
	}
	v.enum("kind", int32(req.GetKind()), syncv1.Kind_name)
	company, err := s.stateCompany(ctx, "parent", req.GetParent(), v)
	if err != nil {
		return nil, s.status(err)
	}
	resp := &syncv1.ListStateRecordsResponse{}
	err = s.observe(ctx, company, func(view bulksync.Observed) error {
		for _, kind := range bulksync.Kinds() {
			if want := kindOf(req.GetKind()); want != "" && want != kind || after.ID != "" && (bulksync.Key{Kind: kind, ID: "\xff"}).Compare(after) < 0 {
				continue
			}
			if !fill(resp, p, view, recordFilter{kind, req.GetKeyPrefix(), after}) {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.status(err)
	}
	return resp, nil
}

// placeOf is the key at which the page before ended.
func placeOf(p page) (bulksync.Key, error) {
	if p.after == "" {
		return bulksync.Key{}, nil
	}
	return bulksync.ParseKey(p.after)
}

// recordFilter chooses records of one kind.
type recordFilter struct {
	kind   bulksync.Kind
	prefix string
	after  bulksync.Key
}

// fill adds records of one kind to a page; false when the page is full and another follows.
func fill(resp *syncv1.ListStateRecordsResponse, p page, view bulksync.Observed, f recordFilter) bool {
	for record := range recordsFrom(view, f) {
		key := record.Key()
		if !strings.HasPrefix(key.ID, f.prefix) {
			if key.ID > f.prefix { // keys come in order: none of that prefix follows
				return true
			}
			continue
		}
		if f.after.ID != "" && key.Compare(f.after) <= 0 {
			continue
		}
		if len(resp.Records) == p.size {
			resp.NextPageToken = p.token(resp.Records[p.size-1].GetKey())
			return false
		}
		resp.Records = append(resp.Records, recordProto(record))
	}
	return true
}

// manifestMedia is the type of a manifest exported in a mode.
func manifestMedia(mode string) string {
	if mode == manifest.ModeYAML {
		return "application/yaml"
	}
	return "text/csv; charset=utf-8"
}

// ExportManifest writes the recorded state as a manifest.
func (s stateService) ExportManifest(ctx context.Context, req *syncv1.ExportManifestRequest) (*httpbody.HttpBody, error) {
	var out bytes.Buffer
	if err := s.export(ctx, req, &out); err != nil {
		return nil, s.status(err)
	}
	return &httpbody.HttpBody{ContentType: manifestMedia(req.GetMode()), Data: out.Bytes()}, nil
}

// DownloadManifest writes the recorded state as a manifest, in chunks.
func (s stateService) DownloadManifest(req *syncv1.ExportManifestRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	out := chunked(stream, manifestMedia(req.GetMode()))
	if err := s.export(stream.Context(), req, out); err != nil {
		return s.status(err)
	}
	return s.status(out.Flush())
}

func (s stateService) export(ctx context.Context, req *syncv1.ExportManifestRequest, out io.Writer) error {
	var v violations
	v.oneOf("mode", req.GetMode(), append(manifest.Modes(), manifest.ModeYAML))
	company, err := s.stateCompany(ctx, "name", req.GetName(), v)
	if err != nil {
		return err
	}
	return s.observe(ctx, company, func(view bulksync.Observed) error {
		mode := req.GetMode()
		if mode == "" && view.Company().CloudPbx == nil {
			mode = "useranddevice"
		}
		_, err := manifest.Export(out, view, manifest.ExportOptions{Mode: mode})
		return err
	})
}
