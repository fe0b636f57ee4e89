package upstream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// fileDownloads are the downloads of operations that answer JSON when they are called without one.
func fileDownloads(c grpc.ClientConnInterface) map[string]func(context.Context) (grpc.ServerStreamingClient[httpbody.HttpBody], error) {
	csv := proto.String("csv")
	return map[string]func(context.Context) (grpc.ServerStreamingClient[httpbody.HttpBody], error){
		"audio/* /rvcpprovisioning/v1.0/cloudpbxs/1/greetings/2": func(ctx context.Context) (grpc.ServerStreamingClient[httpbody.HttpBody], error) {
			return rvcpprovisioningv1.NewCloudPbxGreetingServiceClient(c).DownloadGetGreeting(ctx, &rvcpprovisioningv1.GetGreetingRequest{SystemId: "1", FileId: "2"})
		},
		"audio/* /rvcpprovisioning/v1.0/cloudpbxs/1/recordings/2": func(ctx context.Context) (grpc.ServerStreamingClient[httpbody.HttpBody], error) {
			return rvcpprovisioningv1.NewCloudPbxRecordingServiceClient(c).DownloadGetRecording(ctx, &rvcpprovisioningv1.GetRecordingRequest{SystemId: "1", RecordId: "2"})
		},
		"text/csv /massprovisioning/v1.0/users/synchronize?format=csv": func(ctx context.Context) (grpc.ServerStreamingClient[httpbody.HttpBody], error) {
			return massprovisioningv1.NewUsersAndDevicesServiceClient(c).DownloadExportUsers(ctx, &massprovisioningv1.ExportUsersRequest{Format: csv})
		},
		"text/csv /massprovisioning/v1.0/directories/synchronize?format=csv": func(ctx context.Context) (grpc.ServerStreamingClient[httpbody.HttpBody], error) {
			return massprovisioningv1.NewDirectoriesServiceClient(c).DownloadExportDirectory(ctx, &massprovisioningv1.ExportDirectoryRequest{Format: csv})
		},
		"text/csv /massprovisioning/v1.0/users/synchronize/t?format=csv": func(ctx context.Context) (grpc.ServerStreamingClient[httpbody.HttpBody], error) {
			return massprovisioningv1.NewOffice365ServiceClient(c).DownloadSynchronizeTenant(ctx, &massprovisioningv1.SynchronizeTenantRequest{Tenant: "t", Format: csv})
		},
		"text/csv /massprovisioning/v1.0/users/synchronizeTask/t?format=csv": func(ctx context.Context) (grpc.ServerStreamingClient[httpbody.HttpBody], error) {
			return massprovisioningv1.NewOffice365ServiceClient(c).DownloadGetSynchronizeTenantTask(ctx, &massprovisioningv1.GetSynchronizeTenantTaskRequest{Tenant: "t", Format: csv})
		},
	}
}

// TestFilesInsteadOfDocuments asks for the file alone, and hands on what comes: the file, the document all the same, or
// a refusal.
func TestFilesInsteadOfDocuments(t *testing.T) {
	for _, tt := range []struct {
		status            int
		contentType, body string
	}{
		{200, "audio/x-wav", "RIFF\x00\xff"},
		{200, "text/csv; charset=utf-8", "a;b\r\n"},
		{200, "application/json", `{"data" : ["a;b"]}`},
		{404, "application/json", `{"errorCode":404,"errorMsg":"Not Found","errorDetailsCode":404000}`},
	} {
		p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Type", tt.contentType)
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		})
		asked := 0
		for want, open := range fileDownloads(p.client()) {
			body, err := readFile(open)
			asked++
			var refusal *upstream.Error
			switch {
			case tt.status == 404 && (!errors.As(err, &refusal) || refusal.Code != 404000):
				t.Errorf("%s: got %v", want, err)
			case tt.status == 200 && (err != nil || string(body.GetData()) != tt.body || body.GetContentType() != tt.contentType):
				t.Errorf("%s: got %v (%v), want %q", want, body, err, tt.body)
			}
			got := p.requests()[asked-1]
			if line := strings.Join(got.header["Accept"], "+") + " " + strings.TrimPrefix(got.target, "/api/rainbow"); line != want || got.method != "GET" {
				t.Errorf("asked %s, want %s", line, want)
			}
		}
	}
}

// readFile reads a download; the type is that of its last piece.
func readFile(open func(context.Context) (grpc.ServerStreamingClient[httpbody.HttpBody], error)) (*httpbody.HttpBody, error) {
	down, err := open(context.Background())
	if err != nil {
		return nil, err
	}
	whole := &httpbody.HttpBody{}
	for {
		piece, err := down.Recv()
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return nil, err
		}
		whole.ContentType, whole.Data = piece.GetContentType(), append(whole.Data, piece.GetData()...)
	}
}
