package facade_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	invoicingv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/invoicing/v1"
	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
)

const documented = " {\"data\" : {\"number\":\"33298300513\",\"x\":1.10}, \"data2\":null}\n"

func TestTheWholeDocumentIsAnOption(t *testing.T) {
	var seen http.Header
	g := setup(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		answer(200, "application/json", documented)(w, r)
	}, false)
	numbers := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(g)
	req := &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"}
	for wish, extra := range map[string]string{"true": documented, "1": documented, "false": `{"data2":null}`, "": `{"data2":null}`} {
		ctx := bearer(t.Context())
		if wish != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, facade.DocumentKey, wish)
		}
		reply, err := numbers.CreateDdi(ctx, req)
		if err != nil || string(reply.GetExtraJson()) != extra || reply.GetData().GetNumber() != "33298300513" {
			t.Errorf("%q: got %v (%v), want extra_json %s", wish, reply, err, extra)
		}
		for name := range seen {
			if strings.Contains(strings.ToLower(name), "document") {
				t.Errorf("%q: upstream got the header %s", wish, name)
			}
		}
	}
	_, err := numbers.CreateDdi(metadata.AppendToOutgoingContext(bearer(t.Context()), facade.DocumentKey, "yes please"), req)
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), facade.DocumentKey) || counted(t, g, "InvalidArgument") != 1 {
		t.Errorf("an unreadable wish: got %v", err)
	}
}

// TestTheWholeDocumentOfEveryKindOfAnswer: compressed, a bare list, none at all, and of an upload.
func TestTheWholeDocumentOfEveryKindOfAnswer(t *testing.T) {
	const list = `[ {"filepath":"a"} ]`
	g := setup(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case strings.HasSuffix(r.URL.Path, "/invoices"):
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, list)
			_ = z.Close()
		case strings.HasSuffix(r.URL.Path, "/users/imports"):
			_, _ = io.WriteString(w, `{"data":{"reqId":"r"}} `)
		case strings.HasSuffix(r.URL.Path, "/users/template"):
			w.Header().Set("Content-Type", "text/csv")
			_, _ = io.WriteString(w, "a;b\n")
		}
	}, false)
	ctx := metadata.AppendToOutgoingContext(bearer(t.Context()), facade.DocumentKey, "true")
	files, err := invoicingv1.NewInvoicesServiceClient(g).ListInvoices(ctx, &invoicingv1.ListInvoicesRequest{})
	if err != nil || string(files.GetExtraJson()) != list || len(files.GetItems()) != 1 {
		t.Errorf("a bare list: got %v (%v)", files, err)
	}
	none, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(g).CreateDdi(ctx, &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"})
	if err != nil || proto.Size(none) != 0 {
		t.Errorf("nothing: got %v (%v)", none, err)
	}
	users := massprovisioningv1.NewUsersAndDevicesServiceClient(g)
	template, err := users.GetUsersTemplate(ctx, &massprovisioningv1.GetUsersTemplateRequest{})
	if err != nil || string(template.GetData()) != "a;b\n" {
		t.Errorf("no JSON: got %v (%v)", template, err)
	}
	up, err := users.UploadImportUsers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Send(&massprovisioningv1.UploadImportUsersRequest{Part: &massprovisioningv1.UploadImportUsersRequest_Request{Request: &massprovisioningv1.ImportUsersRequest{}}}); err != nil {
		t.Fatal(err)
	}
	reply, err := up.CloseAndRecv()
	if err != nil || string(reply.GetExtraJson()) != `{"data":{"reqId":"r"}} ` || reply.GetData().GetReqId() != "r" {
		t.Errorf("an upload: got %v (%v)", reply, err)
	}
}

func TestTheBodyOfARefusalIsAnOption(t *testing.T) {
	long := `{"errorCode":400,"x":"` + strings.Repeat("x", 10_000) + `"}`
	for _, tt := range []struct{ name, contentType, body string }{
		{"an envelope", "application/json", ` {"errorCode":400, "errorMsg":"<Bad>", "x":1.10, "errorDetails":"a", "errorDetails":"b"}`},
		{"no JSON", "text/html", "<html>\x00bad\xff</html>"},
		{"a long one", "application/json", long},
	} {
		g := setup(t, answer(400, tt.contentType, tt.body), false)
		for _, wish := range []string{"true", "false"} {
			ctx := metadata.AppendToOutgoingContext(bearer(t.Context()), facade.DocumentKey, wish)
			_, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(g).CreateDdi(ctx, &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"})
			want, size := "", 0
			if wish == "true" {
				want, size = tt.body[:min(len(tt.body), 4096)], len(tt.body)
			}
			var got *errorsv1.UpstreamError
			for _, d := range status.Convert(err).Details() {
				if e, ok := d.(*errorsv1.UpstreamError); ok {
					got = e
				}
			}
			if string(got.GetBody()) != want || int(got.GetBodySize()) != size || got.GetHttpStatus() != 400 {
				t.Errorf("%s, wish %s: got %d of %d bytes of body: %v", tt.name, wish, len(got.GetBody()), got.GetBodySize(), err)
			}
		}
	}
}
