// Command example is a client of Rainbow Gateway: what a service of your own would do, in the generated Go.
//
// It expects a gateway with the embedded Rainbow (gateway serve --upstream sandbox) and prints what it does:
//
//	go run . [address [manifest]]
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	invoicingv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/invoicing/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

func main() {
	gateway, manifest := "127.0.0.1:9090", "../../samples/rainbowvoice.csv"
	if len(os.Args) > 1 {
		gateway = os.Args[1]
	}
	if len(os.Args) > 2 {
		manifest = os.Args[2]
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, gateway, manifest); err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, gateway, manifest string) error {
	// On the gateway's own machine; elsewhere credentials.NewTLS, with a TLS front end before the gateway.
	conn, err := grpc.NewClient(gateway, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	users := adminv1.NewUsersServiceClient(conn)
	company, err := cloudPbx(ctx, rvcpprovisioningv1.NewCloudPbxServiceClient(conn))
	if err != nil {
		return err
	}
	user, err := walkUsers(ctx, users, company)
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return asOneself(ctx, conn) },
		func() error { return absentAndNull(ctx, users, user) },
		func() error { return refusal(ctx, users, user) },
		func() error { return download(ctx, invoicingv1.NewInvoicesServiceClient(conn), company) },
		func() error { return plan(ctx, conn, manifest) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// cloudPbx shows the first Cloud PBX and returns the company that it is of.
func cloudPbx(ctx context.Context, client rvcpprovisioningv1.CloudPbxServiceClient) (string, error) {
	title("The Cloud PBX")
	answer, err := client.ListCloudPbxs(ctx, &rvcpprovisioningv1.ListCloudPbxsRequest{Limit: proto.Int32(1)})
	if err != nil {
		return "", err
	}
	if len(answer.GetData()) == 0 {
		return "", errors.New("no Cloud PBX")
	}
	pbx := answer.GetData()[0]
	fmt.Printf("%s, %s, reached as %s\n", pbx.GetName(), pbx.GetStatus(), pbx.GetCloudpbx().GetInstallationNumber())
	for _, numbers := range pbx.GetCloudpbx().GetNumberingPlan() {
		fmt.Printf("  %s: prefix %s, %d digits\n", numbers.GetDescription(), numbers.GetPrefix(), numbers.GetDigits())
	}
	return pbx.GetCompanyId(), nil
}

// walkUsers walks all users of a company and returns the first who has an extension.
func walkUsers(ctx context.Context, client adminv1.UsersServiceClient, company string) (*adminv1.User, error) {
	title("All users, page by page")
	page := func(ctx context.Context, offset, limit int32) ([]*adminv1.User, int32, error) {
		fmt.Printf("  asking for %d users from %d on\n", limit, offset)
		answer, err := client.ListUsers(ctx, &adminv1.ListUsersRequest{
			CompanyId: proto.String(company), Format: proto.String("full"),
			SortField: proto.String("loginEmail"), // unique, so that the order is the same for each page
			Offset:    proto.Int32(offset), Limit: proto.Int32(limit),
		})
		return answer.GetData(), answer.GetTotal(), err
	}
	var first *adminv1.User
	count, extensions := 0, 0
	for user, err := range All(ctx, 10, (*adminv1.User).GetId, page) {
		if err != nil {
			return nil, err
		}
		count++
		if len(user.GetPhoneNumbers()) > 0 {
			extensions++
			first = cmp.Or(first, user)
		}
	}
	fmt.Printf("%d users, %d of them with an extension\n", count, extensions)
	if first == nil {
		return nil, errors.New("no user has an extension")
	}
	return first, nil
}

// absentAndNull changes a user. A member that is not set is not sent, so Rainbow leaves it; null, and members that the
// protos do not know, travel in extra_json both ways.
func absentAndNull(ctx context.Context, client adminv1.UsersServiceClient, user *adminv1.User) error {
	title("Absent, null, and members without a field")
	show := func(answer *adminv1.UpdateUserResponse, err error) error {
		u := answer.GetData()
		if err == nil {
			fmt.Printf("title %s, job title %s, custom data %s\n",
				said(u.Title), said(u.JobTitle), cmp.Or(string(u.GetCustomData().GetExtraJson()), "{}"))
		}
		return err
	}
	if err := show(client.UpdateUser(ctx, &adminv1.UpdateUserRequest{UserId: user.GetId(), Body: &adminv1.UpdateUserBody{
		Title: proto.String("Dr"), JobTitle: proto.String("Operator"),
		CustomData: &adminv1.UserCustomData{ExtraJson: []byte(`{"badge":"0017","floor":null}`)},
	}})); err != nil {
		return err
	}
	return show(client.UpdateUser(ctx, &adminv1.UpdateUserRequest{UserId: user.GetId(), Body: &adminv1.UpdateUserBody{
		ExtraJson: []byte(`{"jobTitle":null}`), // Title is absent and stays
	}}))
}

func said(value *string) string {
	if value == nil {
		return "absent"
	}
	return fmt.Sprintf("%q", *value)
}

// refusal asks for what Rainbow refuses and reads why.
func refusal(ctx context.Context, client adminv1.UsersServiceClient, user *adminv1.User) error {
	title("A refusal, with its details")
	_, err := client.UpdateUser(ctx, &adminv1.UpdateUserRequest{UserId: user.GetId(), Body: &adminv1.UpdateUserBody{
		Password: proto.String("short"), Tags: []string{"1", "2", "3", "4", "5", "6"},
	}})
	if err == nil {
		return errors.New("six tags were taken")
	}
	fmt.Println(status.Code(err))
	for _, detail := range status.Convert(err).Details() {
		switch d := detail.(type) {
		case *errorsv1.UpstreamError:
			fmt.Printf("  Rainbow said %d %s, code %d\n", d.GetHttpStatus(), d.GetErrorMsg(), d.GetErrorDetailsCode())
		case *errdetails.ErrorInfo: // stable: what programs decide by
			fmt.Printf("  reason %s\n", d.GetReason())
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				fmt.Printf("  %s: %s\n", v.GetField(), v.GetDescription())
			}
		}
	}
	return nil
}

// download reads a file in pieces, whatever its size; here the first line is enough.
func download(ctx context.Context, client invoicingv1.InvoicesServiceClient, company string) error {
	title("A file, in pieces")
	list, err := client.ListInvoices(ctx, &invoicingv1.ListInvoicesRequest{
		CompanyId: proto.String(company), InvoiceType: proto.String("services"), FileType: proto.String("INV"),
	})
	if err != nil {
		return err
	}
	if len(list.GetItems()) == 0 {
		return errors.New("no invoice")
	}
	path := list.GetItems()[0].GetFilepath()
	stream, err := client.DownloadDownloadInvoice(ctx, &invoicingv1.DownloadInvoiceRequest{InvoicePath: path})
	if err != nil {
		return err
	}
	size := 0
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			fmt.Printf("%s: %d bytes\n", path, size)
			return nil
		}
		if err != nil {
			return err
		}
		if size == 0 {
			fmt.Println(piece.GetContentType())
		}
		size += len(piece.GetData())
	}
}

// plan hands a manifest over and shows what would be done; nothing is changed.
func plan(ctx context.Context, conn *grpc.ClientConn, manifest string) error {
	title("A manifest, planned")
	content, err := os.ReadFile(manifest)
	if err != nil {
		return err
	}
	plans := syncv1.NewPlanServiceClient(conn)
	made, err := plans.CreatePlan(ctx, &syncv1.CreatePlanRequest{
		Parent: "companies/-", Refresh: true,
		Manifest: []*syncv1.ManifestFile{{Name: "rainbowvoice.csv", Content: content}},
	})
	if err != nil {
		return err
	}
	fmt.Println(made.GetSummary())
	steps, err := plans.ListPlanOperations(ctx, &syncv1.ListPlanOperationsRequest{Parent: made.GetName(), PageSize: 5})
	if err != nil {
		return err
	}
	for _, step := range steps.GetOperations() {
		fmt.Printf("  %d. %s: %s\n", step.GetId(), step.GetTitle(), step.GetReason())
	}
	fmt.Printf("  … and %d more\n", made.GetOperationCount()-int32(len(steps.GetOperations())))
	return nil
}

func title(words string) { fmt.Printf("\n== %s\n", words) }
