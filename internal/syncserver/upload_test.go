package syncserver_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

func codeOf(err error) codes.Code { return status.Code(err) }

// download puts the chunks of a document together.
func download(t *testing.T, stream grpc.ServerStreamingClient[httpbody.HttpBody]) string {
	t.Helper()
	var b strings.Builder
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if chunk.GetContentType() == "" {
			t.Error("a chunk has no content type")
		}
		b.Write(chunk.GetData())
	}
}

func TestALargeManifestIsUploaded(t *testing.T) {
	g := newGateway(t, 1)
	manifest := newUsers(0, 3000) // in files of two, in small chunks that cut rows
	stream, err := g.plans.UploadPlan(g.ctx())
	if err != nil {
		t.Fatal(err)
	}
	send := func(req *syncv1.UploadPlanRequest) {
		if err := stream.Send(req); err != nil {
			t.Fatal(err)
		}
	}
	send(&syncv1.UploadPlanRequest{Part: &syncv1.UploadPlanRequest_Request{Request: &syncv1.CreatePlanRequest{Parent: parent}}})
	send(&syncv1.UploadPlanRequest{Part: &syncv1.UploadPlanRequest_File{File: &syncv1.ManifestFile{Name: "big.csv"}}})
	for chunk := []byte(manifest); len(chunk) > 0; {
		n := min(len(chunk), 1000)
		send(&syncv1.UploadPlanRequest{Part: &syncv1.UploadPlanRequest_Chunk{Chunk: chunk[:n]}})
		chunk = chunk[n:]
	}
	more := header + "upsert;last@demo.example;New;Last;89999;;Passw0rd!-1\n"
	send(&syncv1.UploadPlanRequest{Part: &syncv1.UploadPlanRequest_File{File: &syncv1.ManifestFile{Name: "more.csv", Content: []byte(more)}}})
	plan, err := stream.CloseAndRecv()
	if err != nil {
		t.Fatal(err)
	}
	if plan.GetOperationCount() != 6002 || len(plan.GetSources()) != 2 {
		t.Errorf("plan is %v", plan)
	}
	seen, token := 0, ""
	for {
		resp, err := g.plans.ListPlanOperations(g.ctx(), &syncv1.ListPlanOperationsRequest{Parent: plan.GetName(), PageSize: 1000, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		seen += len(resp.GetOperations())
		if token = resp.GetNextPageToken(); token == "" {
			break
		}
	}
	if seen != 6002 {
		t.Errorf("%d operations are listed", seen)
	}
}

func TestAnUploadHasItsOrder(t *testing.T) {
	g := newGateway(t, 1)
	head := &syncv1.UploadManifestRequest{Part: &syncv1.UploadManifestRequest_Request{Request: &syncv1.ValidateManifestRequest{}}}
	file := &syncv1.UploadManifestRequest{Part: &syncv1.UploadManifestRequest_File{File: &syncv1.ManifestFile{}}}
	chunk := &syncv1.UploadManifestRequest{Part: &syncv1.UploadManifestRequest_Chunk{Chunk: []byte(header)}}
	for name, c := range map[string]struct {
		parts []*syncv1.UploadManifestRequest
		want  codes.Code
	}{
		"request, file, chunk": {[]*syncv1.UploadManifestRequest{head, file, chunk}, codes.OK},
		"nothing":              {nil, codes.InvalidArgument},
		"no request":           {[]*syncv1.UploadManifestRequest{file, chunk}, codes.InvalidArgument},
		"an empty message":     {[]*syncv1.UploadManifestRequest{{}}, codes.InvalidArgument},
		"two requests":         {[]*syncv1.UploadManifestRequest{head, head}, codes.InvalidArgument},
		"a chunk of no file":   {[]*syncv1.UploadManifestRequest{head, chunk}, codes.InvalidArgument},
		"a request alone":      {[]*syncv1.UploadManifestRequest{head}, codes.InvalidArgument},
	} {
		stream, err := g.plans.UploadManifest(g.ctx())
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range c.parts {
			_ = stream.Send(part) // the verdict is CloseAndRecv's
		}
		if _, err := stream.CloseAndRecv(); codeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
