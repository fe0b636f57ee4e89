package upstream_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox/sandboxtest"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// The sandbox's Cloud PBX and company (docs/design.md, "Command line and addresses").
const (
	sandboxPbx     = "5b7d0c0ffee0000000000101"
	sandboxCompany = "5b7d0c0ffee0000000000001"
)

// rainbow starts a sandbox and a client of it.
func rainbow(t *testing.T, options sandbox.Options, change ...func(*upstream.Options)) (*sandboxtest.Server, *upstream.Client) {
	t.Helper()
	server := sandboxtest.Start(t, options)
	opts := upstream.Options{BaseURL: server.URL, Bindings: bindings(t), Account: account(),
		Retry: upstream.Retry{First: time.Millisecond, Longest: 5 * time.Millisecond}}
	for _, f := range change {
		f(&opts)
	}
	c, err := upstream.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return server, c
}

func TestSandboxReadAndWrite(t *testing.T) {
	_, c := rainbow(t, sandbox.Options{SeedUsers: 5})
	ctx := context.Background()
	users, err := adminv1.NewUsersServiceClient(c).ListUsers(ctx, &adminv1.ListUsersRequest{CompanyId: proto.String(sandboxCompany), Format: proto.String("full"), Limit: proto.Int32(3)})
	if err != nil || len(users.GetData()) != 3 || users.GetTotal() < 5 {
		t.Fatalf("users: %v, %v", users, err)
	}
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(c)
	created, err := ddis.CreateDdi(ctx, &rvcpprovisioningv1.CreateDdiRequest{SystemId: sandboxPbx, Body: &rvcpprovisioningv1.CreateDdiBody{Number: proto.String("0298300700")}})
	if err != nil {
		t.Fatal(err)
	}
	if created.GetData().GetId() == "" || !strings.HasSuffix(created.GetData().GetNumberE164(), "298300700") {
		t.Errorf("created %v", created)
	}
	_, err = ddis.CreateDdi(ctx, &rvcpprovisioningv1.CreateDdiRequest{SystemId: sandboxPbx, Body: &rvcpprovisioningv1.CreateDdiBody{Number: proto.String("0298300700")}})
	var e *upstream.Error
	if !errors.As(err, &e) || e.Status != 409 || upstream.Unknown(err) {
		t.Errorf("the same again: %v", err)
	}
	if _, err := ddis.DeleteDdi(ctx, &rvcpprovisioningv1.DeleteDdiRequest{SystemId: sandboxPbx, PhoneNumberId: created.GetData().GetId()}); err != nil {
		t.Error(err)
	}
}

func TestSandboxImport(t *testing.T) {
	_, c := rainbow(t, sandbox.Options{SeedUsers: 5})
	ctx := context.Background()
	imports := massprovisioningv1.NewUsersAndDevicesServiceClient(c)
	const rows = "__action__;loginEmail;firstName;lastName\ncreate;new@sandbox.example;New;One\n"
	up, err := imports.UploadCheckUsersImport(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*massprovisioningv1.UploadCheckUsersImportRequest{
		{Part: &massprovisioningv1.UploadCheckUsersImportRequest_Request{Request: &massprovisioningv1.CheckUsersImportRequest{}}},
		{Part: &massprovisioningv1.UploadCheckUsersImportRequest_Chunk{Chunk: []byte(rows[:20])}},
		{Part: &massprovisioningv1.UploadCheckUsersImportRequest_Chunk{Chunk: []byte(rows[20:])}},
	} {
		if err := up.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	checked, err := up.CloseAndRecv()
	if err != nil || checked.GetData().GetActions().GetAdd() != 1 {
		t.Fatalf("check: %v, %v", checked, err)
	}
	started, err := imports.ImportUsers(ctx, &massprovisioningv1.ImportUsersRequest{Body: &httpbody.HttpBody{Data: []byte(rows)}})
	if err != nil || started.GetData().GetReqId() == "" {
		t.Fatalf("import: %v, %v", started, err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		report, err := imports.GetUsersImportReport(ctx, &massprovisioningv1.GetUsersImportReportRequest{ReqId: started.GetData().GetReqId()})
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("report: %v, %v", report, err)
		}
		if report.GetData().GetStatus() == "Terminated" {
			if n := report.GetData().GetCounters().GetSucceeded(); n != 1 {
				t.Errorf("report is %v", report)
			}
			return
		}
	}
}

func TestSandboxTokenRunsOut(t *testing.T) {
	server, c := rainbow(t, sandbox.Options{SeedUsers: 1})
	err := server.Sandbox.SetFaults([]sandbox.Fault{{Method: "POST", Path: "/api/rainbow/rvcpprovisioning/**", Status: 401, Times: 1,
		Body: `{"errorCode":401,"errorMsg":"Unauthorized","errorDetails":"jwt expired"}`}})
	if err != nil {
		t.Fatal(err)
	}
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(c)
	if _, err := ddis.CreateDdi(context.Background(), &rvcpprovisioningv1.CreateDdiRequest{SystemId: sandboxPbx, Body: &rvcpprovisioningv1.CreateDdiBody{Number: proto.String("0298300700")}}); err != nil {
		t.Fatal(err)
	}
	if got := countPath(server, "/login"); got != 2 {
		t.Errorf("%d logins, want 2", got)
	}
}

func TestSandboxTokenIsRenewedBeforeItRunsOut(t *testing.T) {
	t.Parallel() // it takes a token's life; times in tokens are whole seconds, so a shorter life leaves a busy machine no slack
	server, c := rainbow(t, sandbox.Options{SeedUsers: 1, TokenLifetime: 4 * time.Second})
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(c)
	for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(50 * time.Millisecond) {
		if _, err := ddis.ListDdis(context.Background(), &rvcpprovisioningv1.ListDdisRequest{SystemId: sandboxPbx, Limit: proto.Int32(1)}); err != nil {
			t.Fatal(err)
		}
	}
	if logins, renewals := countPath(server, "/login"), countPath(server, "/renew"); logins != 1 || renewals < 1 {
		t.Errorf("%d logins, %d renewals; want 1 and at least 1", logins, renewals)
	}
}

func TestSandboxWrongPassword(t *testing.T) {
	server, c := rainbow(t, sandbox.Options{SeedUsers: 1}, func(o *upstream.Options) { o.Account.Password = "Wrong-Pass-1" })
	for range 10 {
		if err := get(context.Background(), rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(c)); !errors.Is(err, upstream.ErrCredentials) {
			t.Fatalf("got %v", err)
		}
	}
	if got := countPath(server, "/login"); got != 1 {
		t.Errorf("%d logins: the account would be locked", got)
	}
}

func TestSandboxLostAnswerOfAPost(t *testing.T) {
	server, c := rainbow(t, sandbox.Options{SeedUsers: 1})
	if err := server.Sandbox.SetFaults([]sandbox.Fault{{Method: "POST", Path: "/api/rainbow/rvcpprovisioning/**", Lost: sandbox.LostClose, Times: 1}}); err != nil {
		t.Fatal(err)
	}
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(c)
	_, err := ddis.CreateDdi(context.Background(), &rvcpprovisioningv1.CreateDdiRequest{SystemId: sandboxPbx, Body: &rvcpprovisioningv1.CreateDdiBody{Number: proto.String("0298300700")}})
	if !errors.Is(err, upstream.ErrUnreachable) || !upstream.Unknown(err) {
		t.Errorf("got %v, unknown %v", err, upstream.Unknown(err))
	}
	if got := countPath(server, "/phone-numbers/ddi"); got != 1 {
		t.Errorf("the POST was sent %d times", got)
	}
}

// countPath counts the requests whose path ends so.
func countPath(server *sandboxtest.Server, suffix string) int {
	n := 0
	for _, entry := range server.Sandbox.Journal() {
		path, _, _ := strings.Cut(entry.Path, "?")
		if strings.HasSuffix(path, suffix) {
			n++
		}
	}
	return n
}
