package facade_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	subscriptionv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/subscription/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rules"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// judging is a gateway with a mode, the log of its validation, and a count of the requests that reach upstream.
type judging struct {
	*gateway
	log      *lockedBuffer
	registry *prometheus.Registry
	reached  atomic.Int64
}

// ruleSet compiles the rules once for all tests of the package.
var ruleSet = sync.OnceValues(func() (*rules.Set, error) {
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		return nil, err
	}
	return rules.New(bindings)
})

func setupJudging(t *testing.T, mode facade.ValidateMode) *judging {
	t.Helper()
	set, err := ruleSet()
	if err != nil {
		t.Fatal(err)
	}
	j := &judging{log: &lockedBuffer{}, registry: prometheus.NewRegistry()}
	j.gateway = setup(t, func(w http.ResponseWriter, r *http.Request) {
		j.reached.Add(1)
		if strings.Contains(r.URL.Path, "template") {
			answer(200, "text/csv", "a;b\r\n")(w, r)
			return
		}
		answer(200, "application/json", `{"data":{"id":"1"}}`)(w, r)
	}, false, facade.Validate(facade.Validation{
		Mode: mode, Rules: set, Registry: j.registry, Log: slog.New(slog.NewTextHandler(j.log, nil)),
	}))
	return j
}

// violations counts what the metric has, by field and rule.
func (j *judging) violations(t *testing.T) map[string]float64 {
	t.Helper()
	families, err := j.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			all[labels["field"]+" "+labels["rule"]] += m.GetCounter().GetValue()
		}
	}
	return all
}

// wrongUser is against three rules; its password is one that must not show.
func wrongUser() *adminv1.CreateUserRequest {
	return &adminv1.CreateUserRequest{Body: &adminv1.CreateUserBody{
		Password: proto.String("hunter2"), AccountType: proto.String("golden"),
		PhoneNumbers: []*adminv1.CreateUserPhoneNumber{{Number: proto.String("1"), Type: proto.String("work")}},
	}}
}

func TestStrictRefusesBeforeAnythingIsSent(t *testing.T) {
	j := setupJudging(t, facade.ValidateStrict)
	_, err := adminv1.NewUsersServiceClient(j).CreateUser(bearer(t.Context()), wrongUser())
	st := status.Convert(err)
	if st.Code() != codes.InvalidArgument || j.reached.Load() != 0 {
		t.Fatalf("got %v; upstream was asked %d times", err, j.reached.Load())
	}
	var got []string
	reason := ""
	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			reason = d.GetReason()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				got = append(got, v.GetField()+": "+v.GetDescription())
			}
		}
	}
	want := []string{
		"loginEmail: value is required",
		"password: must be at least 8 characters",
		"phoneNumbers[0].deviceType: value is required",
		`accountType: must be in list [free, basic, advanced], got "golden"`,
	}
	if reason != "CONSTRAINTS_VIOLATED" || !slices.Equal(got, want) {
		t.Errorf("%s\ngot  %q\nwant %q", reason, got, want)
	}
	if n := j.violations(t); len(n) != 4 || n["phoneNumbers[].deviceType required"] != 1 {
		t.Errorf("counted %v", n)
	}
	for _, text := range []string{j.log.String(), j.gateway.log.String(), st.Message()} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "golden") {
			t.Errorf("a value shows: %s", text)
		}
	}
}

func TestReportLetsThroughAndTells(t *testing.T) {
	j := setupJudging(t, facade.ValidateReport)
	for range 3 {
		var header metadata.MD
		if _, err := adminv1.NewUsersServiceClient(j).CreateUser(bearer(t.Context()), wrongUser(), grpc.Header(&header)); err != nil {
			t.Fatal(err)
		}
		const want = "loginEmail required, password string.min_len, phoneNumbers[0].deviceType required, accountType string.in"
		if got := header.Get(facade.ViolationsHeader); len(got) != 1 || got[0] != want {
			t.Errorf("header %q, want %q", got, want)
		}
	}
	if n := j.violations(t); j.reached.Load() != 3 || n["accountType string.in"] != 3 {
		t.Errorf("upstream was asked %d times; counted %v", j.reached.Load(), n)
	}
	log := j.log.String()
	if strings.Count(log, "field=accountType rule=string.in") != 1 || strings.Count(log, "\n") != 4 {
		t.Errorf("a rule has one line an hour:\n%s", log)
	}
	if strings.Contains(log, "golden") || strings.Contains(log, "hunter2") {
		t.Errorf("values in the log: %s", log)
	}
}

func TestWhatKeepsTheRulesIsNotMentioned(t *testing.T) {
	for _, mode := range []facade.ValidateMode{facade.ValidateOff, facade.ValidateReport, facade.ValidateStrict} {
		j := setupJudging(t, mode)
		var header metadata.MD
		_, err := adminv1.NewUsersServiceClient(j).GetUser(bearer(t.Context()), &adminv1.GetUserRequest{UserId: "u"}, grpc.Header(&header))
		if err != nil || len(header.Get(facade.ViolationsHeader)) > 0 || len(j.violations(t)) > 0 || j.log.String() != "" {
			t.Errorf("%s: %v, %v, %v, %s", mode, err, header, j.violations(t), j.log.String())
		}
	}
}

func TestOffJudgesNothing(t *testing.T) {
	j := setupJudging(t, facade.ValidateOff)
	_, err := adminv1.NewUsersServiceClient(j).CreateUser(bearer(t.Context()), wrongUser())
	if err != nil || j.reached.Load() != 1 {
		t.Errorf("got %v", err)
	}
}

// The first message of a stream is judged; what comes behind it is not.
func TestStreamsAreJudgedByTheirFirstMessage(t *testing.T) {
	j := setupJudging(t, facade.ValidateStrict)
	down, err := massprovisioningv1.NewUsersAndDevicesServiceClient(j).DownloadGetUsersTemplate(bearer(t.Context()),
		&massprovisioningv1.GetUsersTemplateRequest{Mode: proto.String("users")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = down.Recv(); status.Code(err) != codes.InvalidArgument || j.reached.Load() != 0 {
		t.Errorf("download: %v; upstream was asked %d times", err, j.reached.Load())
	}
	up, err := subscriptionv1.NewSubscriptionsFromFileServiceClient(j).UploadCreateSubscriptionsFromFile(bearer(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	_ = up.Send(&subscriptionv1.UploadCreateSubscriptionsFromFileRequest{
		Part: &subscriptionv1.UploadCreateSubscriptionsFromFileRequest_Request{Request: &subscriptionv1.CreateSubscriptionsFromFileRequest{}}})
	if _, err = up.CloseAndRecv(); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "companyId required") || j.reached.Load() != 0 {
		t.Errorf("upload: %v; upstream was asked %d times", err, j.reached.Load())
	}

	down, err = massprovisioningv1.NewUsersAndDevicesServiceClient(j).DownloadGetUsersTemplate(bearer(t.Context()),
		&massprovisioningv1.GetUsersTemplateRequest{Mode: proto.String("user")})
	if err != nil {
		t.Fatal(err)
	}
	if chunk, err := down.Recv(); err != nil || string(chunk.GetData()) != "a;b\r\n" {
		t.Errorf("got %v, %v", chunk, err)
	}
	if _, err = down.Recv(); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

// The engine's own calls, which have no arrival, are its own responsibility.
func TestTheEnginesOwnCallsAreNotJudged(t *testing.T) {
	j := setupJudging(t, facade.ValidateStrict)
	reply := &rvcpprovisioningv1.SubscriberResponse{}
	err := j.dispatcher.Invoke(context.Background(), rvcpprovisioningv1.CloudPbxSubscriberService_CreateSubscriber_FullMethodName,
		&rvcpprovisioningv1.CreateSubscriberRequest{SystemId: "s", Body: &rvcpprovisioningv1.CreateSubscriberBody{}}, reply)
	if status.Code(err) == codes.InvalidArgument || len(j.violations(t)) > 0 {
		t.Errorf("got %v, %v", err, j.violations(t))
	}
}

// BenchmarkValidate is the policy alone, for what a REST caller sends.
func BenchmarkValidate(b *testing.B) {
	set, err := ruleSet()
	if err != nil {
		b.Fatal(err)
	}
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		b.Fatal(err)
	}
	d := facade.NewDispatcher(bindings, nil, slog.New(slog.DiscardHandler))
	policy := facade.Validate(facade.Validation{
		Mode: facade.ValidateReport, Rules: set, Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
	})
	small := "small"
	body := []byte(`{"login":"81011","shortNumber":"81011","userId":"5703e0f8b7b3c7d0000000aa"}`)
	for _, c := range []struct {
		name, method string
		msg          proto.Message
		raw          *upstream.RawRequest
	}{
		{"GET", adminv1.UsersService_GetUser_FullMethodName, &adminv1.GetUserRequest{UserId: "u"}, &upstream.RawRequest{Target: "/x"}},
		{"GET with a query", adminv1.UsersService_ListUsers_FullMethodName, &adminv1.ListUsersRequest{Format: &small}, &upstream.RawRequest{Target: "/x?format=small"}},
		{"POST", rvcpprovisioningv1.CloudPbxSubscriberService_CreateSubscriber_FullMethodName,
			&rvcpprovisioningv1.CreateSubscriberRequest{SystemId: "s"}, &upstream.RawRequest{Target: "/x", Body: body}},
	} {
		ctx := upstream.WithExchange(context.Background(), &upstream.Exchange{Request: c.raw})
		call := &facade.Call{Operation: d.Operation(c.method), Arrival: &facade.Arrival{Door: facade.DoorREST}, Request: c.msg}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := policy(ctx, call, func(context.Context) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
