package upstream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/proto"

	invoicingv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/invoicing/v1"
	subscriptionv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/subscription/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

const invoicesPath = "/api/rainbow/invoicing/v1.0/invoices"

// TestABareListIsTheReplysField calls the one operation whose answer is no JSON object.
func TestABareListIsTheReplysField(t *testing.T) {
	documented, err := os.ReadFile(filepath.Join(specRoot, "examples/invoicing/ListInvoices.response.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, answer string
		want         []string // the file paths
		extra        string
	}{
		{"the documented list", string(documented), []string{"000000001111110001000010/2017-10/services/CDR_SERV_2017-10-10_DR_dr_bp_test.csv"}, ""},
		{"unknown and mistyped members", `[{"filepath":"a","x":1},{"filepath":7}]`, []string{"a", ""}, ""},
		{"an empty list", " [ ] ", nil, "[ ]"},
		{"a list with one odd element", `[{"filepath":"a"}, 1.10 ]`, nil, `[{"filepath":"a"}, 1.10 ]`},
		{"an object", `{"items":[{"filepath":"a"}],"total":1}`, nil, `{"items":[{"filepath":"a"}],"total":1}`},
		{"null", "null\n", nil, "null"},
		{"nothing", " \n", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPortal(t, ok(tt.answer))
			resp, err := invoicingv1.NewInvoicesServiceClient(p.client()).ListInvoices(context.Background(),
				&invoicingv1.ListInvoicesRequest{BillingPeriod: proto.String("2017-10"), FileType: proto.String("CDR")})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.one().target; got != invoicesPath+"?billingPeriod=2017-10&fileType=CDR" {
				t.Errorf("asked %s", got)
			}
			var paths []string
			for _, file := range resp.GetItems() {
				paths = append(paths, file.GetFilepath())
			}
			if strings.Join(paths, " ") != strings.Join(tt.want, " ") || len(paths) != len(tt.want) {
				t.Errorf("files are %q, want %q", paths, tt.want)
			}
			if got := string(resp.GetExtraJson()); got != tt.extra {
				t.Errorf("extra_json is %s, want %s", got, tt.extra)
			}
		})
	}
}

// TestInvoiceFilesKeepTheirPath reads files whose path has slashes, and the literal siblings of that path.
func TestInvoiceFilesKeepTheirPath(t *testing.T) {
	const csv = "\xef\xbb\xbfa;b\r\n\x00\xff"
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Type", "text/csv; charset=iso-8859-1")
		_, _ = io.WriteString(w, csv)
	})
	ctx, invoices := context.Background(), invoicingv1.NewInvoicesServiceClient(p.client())
	calls := []struct {
		want string // below the list
		call func() (*httpbody.HttpBody, error)
	}{
		{"/0001/2017-10/services/CDR%20%C3%A9.csv", func() (*httpbody.HttpBody, error) {
			return invoices.DownloadInvoice(ctx, &invoicingv1.DownloadInvoiceRequest{InvoicePath: "0001/2017-10/services/CDR é.csv"})
		}},
		{"/services?companyId=c&year=2017&month=08", func() (*httpbody.HttpBody, error) {
			return invoices.ListServicesInvoice(ctx, &invoicingv1.ListServicesInvoiceRequest{
				CompanyId: proto.String("c"), Year: proto.String("2017"), Month: proto.String("08")})
		}},
		{"/conference", func() (*httpbody.HttpBody, error) {
			return invoices.ListConferenceInvoice(ctx, &invoicingv1.ListConferenceInvoiceRequest{})
		}},
		{"/0001/a.csv", func() (*httpbody.HttpBody, error) {
			pieces, err := invoices.DownloadDownloadInvoice(ctx, &invoicingv1.DownloadInvoiceRequest{InvoicePath: "0001/a.csv"})
			if err != nil {
				return nil, err
			}
			return pieces.Recv()
		}},
	}
	for i, c := range calls {
		body, err := c.call()
		if err != nil || string(body.GetData()) != csv || body.GetContentType() != "text/csv; charset=iso-8859-1" {
			t.Errorf("%s: got %v, %v", c.want, body, err)
		}
		if got := p.requests()[i].target; got != invoicesPath+c.want {
			t.Errorf("asked %s, want %s%s", got, invoicesPath, c.want)
		}
	}
	for _, path := range []string{"", "../about", "a//b", "a/../b", "/a"} {
		if _, err := invoices.DownloadInvoice(ctx, &invoicingv1.DownloadInvoiceRequest{InvoicePath: path}); !errors.Is(err, upstream.ErrInvalid) {
			t.Errorf("path %q: got %v", path, err)
		}
	}
}

// TestActisFilesKeepTheirType sends both kinds of file, whole and in pieces.
func TestActisFilesKeepTheirType(t *testing.T) {
	p := newPortal(t, ok(`{"data":[],"report":{},"warnings":[],"errors":[{"line":3}],"status":"done"}`))
	files, ctx := subscriptionv1.NewSubscriptionsFromFileServiceClient(p.client()), context.Background()
	for i, tt := range []struct{ given, want string }{{"", "application/xml"}, {"application/zip", "application/zip"}} {
		request := &subscriptionv1.CreateSubscriptionsFromFileRequest{CompanyId: "c", Preview: proto.Bool(true), Body: &httpbody.HttpBody{ContentType: tt.given, Data: []byte("PK\x03\x04\x00")}}
		reply, err := files.CreateSubscriptionsFromFile(ctx, request)
		if err != nil || len(reply.GetErrors()) != 1 || string(reply.GetErrors()[0].GetExtraJson()) != `{"line":3}` {
			t.Fatalf("got %v, %v", reply, err)
		}
		request.Body.Data = nil
		up, err := files.UploadCreateSubscriptionsFromFile(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []*subscriptionv1.UploadCreateSubscriptionsFromFileRequest{
			{Part: &subscriptionv1.UploadCreateSubscriptionsFromFileRequest_Request{Request: request}},
			{Part: &subscriptionv1.UploadCreateSubscriptionsFromFileRequest_Chunk{Chunk: []byte("PK\x03")}},
			{Part: &subscriptionv1.UploadCreateSubscriptionsFromFileRequest_Chunk{Chunk: []byte("\x04\x00")}},
		} {
			if err := up.Send(m); err != nil {
				t.Fatal(err)
			}
		}
		if reply, err := up.CloseAndRecv(); err != nil || reply.GetStatus() != "done" {
			t.Fatalf("in pieces: got %v, %v", reply, err)
		}
		for _, got := range p.requests()[2*i:] {
			if got.body != "PK\x03\x04\x00" || got.header.Get("Content-Type") != tt.want || !strings.HasSuffix(got.target, "/companies/c/subscriptions/files?preview=true") {
				t.Errorf("got %s, %q as %s, want %s", got.target, got.body, got.header.Get("Content-Type"), tt.want)
			}
		}
	}
}
