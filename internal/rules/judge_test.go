package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	rvcpv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	subscriptionv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/subscription/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rules"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

const (
	createUser       = "/rainbow.admin.v1.UsersService/CreateUser"
	listUsers        = "/rainbow.admin.v1.UsersService/ListUsers"
	listDevices      = "/rainbow.rvcpprovisioning.v1.CloudPbxDeviceService/ListSipDevices"
	getCloudPbx      = "/rainbow.rvcpprovisioning.v1.CloudPbxService/GetCloudPbx"
	createSubscriber = "/rainbow.rvcpprovisioning.v1.CloudPbxSubscriberService/CreateSubscriber"
	updateRestrict   = "/rainbow.rvcpprovisioning.v1.CloudPbxService/UpdateCloudPbxCustomNumbersRestriction"
	updateForward    = "/rainbow.rvcpprovisioning.v1.CloudPbxGroupForwardService/UpdateGroupForward"
	subscribe        = "/rainbow.subscription.v1.SubscriptionsService/CreateSubscription"
	template         = "/rainbow.massprovisioning.v1.UsersAndDevicesService/GetUsersTemplate"
	templateTwin     = "/rainbow.massprovisioning.v1.UsersAndDevicesService/DownloadGetUsersTemplate"
)

// lines shows violations one a line: param, rule, text.
func lines(all []rules.Violation) string {
	var b strings.Builder
	for _, v := range all {
		fmt.Fprintf(&b, "%s %s: %s\n", v.Param, v.Rule, v.Text)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestTypedRequestsAreJudged(t *testing.T) {
	s := set(t)
	name := func(v string) *string { return &v }
	tests := []struct {
		name string
		op   string
		msg  proto.Message
		want string
	}{
		{"what the rules want passes", createSubscriber,
			&rvcpv1.CreateSubscriberRequest{SystemId: "s", Body: &rvcpv1.CreateSubscriberBody{ShortNumber: name("2000"), UserId: name("u")}}, ""},
		{"all that is wrong is named, parameters and body", updateForward,
			&rvcpv1.UpdateGroupForwardRequest{SystemId: "s", CallForwardType: "sometimes", Body: &rvcpv1.UpdateGroupForwardBody{NoReplyDelay: proto.Int32(4)}},
			"groupId required: value is required\n" +
				`callForwardType string.in: must be in list [immediate, overflow], got "sometimes"` + "\n" +
				"activate required: value is required\n" +
				"noReplyDelay int32.gte_lte: must be greater than or equal to 5 and less than or equal to 180, got 4"},
		{"a path variable has to be there", getCloudPbx, &rvcpv1.GetCloudPbxRequest{}, "systemId required: value is required"},
		{"no body lacks all its members", createSubscriber, &rvcpv1.CreateSubscriberRequest{SystemId: "s"},
			"shortNumber required: value is required\nuserId required: value is required"},
		{"a required false is there", updateForward,
			&rvcpv1.UpdateGroupForwardRequest{SystemId: "s", GroupId: "g", CallForwardType: "overflow", Body: &rvcpv1.UpdateGroupForwardBody{Activate: proto.Bool(false)}}, ""},
		{"what is in extra_json is there, though not judged", createSubscriber,
			&rvcpv1.CreateSubscriberRequest{SystemId: "s", Body: &rvcpv1.CreateSubscriberBody{ExtraJson: []byte(`{"x":[1],"shortNumber":2000,"userId":null}`)}}, ""},
		{"what is only deeper in extra_json is not there", createSubscriber,
			&rvcpv1.CreateSubscriberRequest{SystemId: "s", Body: &rvcpv1.CreateSubscriberBody{UserId: name("u"), ExtraJson: []byte(`{"x":{"shortNumber":1}}`)}},
			"shortNumber required: value is required"},
		{"an extra_json that is none helps nobody", createSubscriber,
			&rvcpv1.CreateSubscriberRequest{SystemId: "s", Body: &rvcpv1.CreateSubscriberBody{UserId: name("u"), ExtraJson: []byte(`["shortNumber"`)}},
			"shortNumber required: value is required"},
		{"an empty list in extra_json is there", updateRestrict,
			&rvcpv1.UpdateCloudPbxCustomNumbersRestrictionRequest{SystemId: "s", Body: &rvcpv1.UpdateCloudPbxCustomNumbersRestrictionBody{ExtraJson: []byte(`{"patterns":[]}`)}}, ""},
		{"elements of lists have places", createUser,
			&adminv1.CreateUserRequest{Body: &adminv1.CreateUserBody{LoginEmail: name("a@b.example"), PhoneNumbers: []*adminv1.CreateUserPhoneNumber{
				{Number: name("1"), Type: name("work"), DeviceType: name("landline")}, {Number: name("2"), Type: name("works"), ExtraJson: []byte(`{"deviceType":7}`)}}}},
			`phoneNumbers[1].type string.in: must be in list [home, work, other], got "works"`},
		{"lists have a length, and texts in them", createUser,
			&adminv1.CreateUserRequest{Body: &adminv1.CreateUserBody{LoginEmail: name("a"), Tags: []string{"", strings.Repeat("é", 65), "", "", "", ""}}},
			"tags repeated.max_items: must contain no more than 5 item(s)\n" +
				"tags[1] string.max_len: must be at most 64 characters, got \"" + strings.Repeat("é", 64) + "\"…"},
		{"secrets are not shown", createUser,
			&adminv1.CreateUserRequest{Body: &adminv1.CreateUserBody{LoginEmail: name("a"), Password: name("hunter2")}},
			"password string.min_len: must be at least 8 characters"},
		{"0 takes a monthly duration away", subscribe,
			&subscriptionv1.CreateSubscriptionRequest{CompanyId: "c", Body: &subscriptionv1.CreateSubscriptionBody{OfferId: name("o"), MonthlyDuration: proto.Int32(0)}}, ""},
		{"a monthly duration has a range", subscribe,
			&subscriptionv1.CreateSubscriptionRequest{CompanyId: "c", Body: &subscriptionv1.CreateSubscriptionBody{OfferId: name("o"), MonthlyDuration: proto.Int32(2), ExpirationDate: name("24/08/2019")}},
			`expirationDate string.pattern: does not match regex pattern ` + "`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`" + `, got "24/08/2019"` + "\n" +
				"monthlyDuration monthly_duration: must be 3 to 60, or 0 to take it away, got 2"},
		{"a text stays a text, whatever a REST client would mean", listDevices,
			&rvcpv1.ListSipDevicesRequest{SystemId: "s", SortField: name("undefined")},
			`sortField string.in: must be in list [macAddress, shortNumber, description, deviceTypeId, deviceTypeModel, userDisplayName], got "undefined"`},
		{"a streaming twin has the rules of its unary RPC", templateTwin,
			&massprovisioningv1.GetUsersTemplateRequest{Mode: name("users")},
			`mode string.in: must be in list [user, device, useranddevice, rainbowvoice], got "users"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Operation(tt.op).Judge(tt.msg, nil)
			if err != nil || lines(got) != tt.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, lines(got), tt.want)
			}
		})
	}
}

// TestRawRequestsAreJudged shows requests as a REST caller writes them; strict is what a strict gateway adds.
func TestRawRequestsAreJudged(t *testing.T) {
	s := set(t)
	tests := []struct {
		name, op, query, body string
		want, strict          string
	}{
		{"a query that keeps the rules", listUsers, "format=full&sortOrder=-1&limit=10", "", "", ""},
		{"values outside the documented ones", listUsers, "format=tiny&sortOrder=2", "",
			"format string.in: must be in list [small, medium, full], got \"tiny\"\nsortOrder int32.in: must be in list [-1, 1], got 2", ""},
		{"what the Node SDK sends for nothing", listDevices, "limit=100&offset=undefined&sortOrder=undefined&assigned=undefined&sortField=undefined&description=", "", "", ""},
		{"a limit given twice, the second one meant for something else", listDevices, "limit=100&limit=false", "", "", ""},
		{"no number where one is documented", listDevices, "offset=ten&limit=1e2&name=%zz", "", "",
			"limit number: must be a number, got \"1e2\"\noffset number: must be a number, got \"ten\""},
		{"escaped names and values", listUsers, "f%6Frmat=ti%6Ey&l%69mit=t+n", "",
			`format string.in: must be in list [small, medium, full], got "tiny"`, `limit number: must be a number, got "t n"`},
		{"a CSV route", template, "mode=users", "", `mode string.in: must be in list [user, device, useranddevice, rainbowvoice], got "users"`, ""},
		{"a body that keeps the rules", createSubscriber, "", `{"shortNumber":"2000","userId":"u"}`, "", ""},
		{"no body", createSubscriber, "", "", "shortNumber required: value is required\nuserId required: value is required", ""},
		{"an empty object", createSubscriber, "", "{}", "shortNumber required: value is required\nuserId required: value is required", ""},
		{"members of other types and null are there", createSubscriber, "", `{"shortNumber":2000,"userId":null}`, "", ""},
		{"a body that is no object", createSubscriber, "", `["2000"]`, "body object: must be a JSON object", ""},
		{"an empty list is there", updateRestrict, "", `{"patterns":[]}`, "", ""},
		{"a list with an odd element is there", updateRestrict, "", `{"patterns":[7]}`, "", ""},
		{"no rules", getCloudPbx, "x=y", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			op := s.Operation(tt.op)
			raw := &upstream.RawRequest{Target: "/api/rainbow/x?" + tt.query, Body: []byte(tt.body)}
			got, err := op.Judge(nil, raw)
			if err != nil || lines(got) != tt.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, lines(got), tt.want)
			}
			if got := lines(op.Unread(nil, raw)); got != tt.strict {
				t.Errorf("strict:\ngot  %s\nwant %s", got, tt.strict)
			}
		})
	}
}

func TestAStreamedBodyIsNotJudged(t *testing.T) {
	got, err := set(t).Operation(createSubscriber).Judge(nil, &upstream.RawRequest{Target: "/", BodyReader: strings.NewReader("{}")})
	if err != nil || len(got) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A body may be all violations: neither memory nor time grows with them.
func TestAHostileBodyIsJudgedInBoundedSpace(t *testing.T) {
	op := set(t).Operation(createUser)
	body := []byte(`{"phoneNumbers":[` + strings.Repeat("{},", 300_000) + `{}]}`)
	got, err := op.Judge(nil, &upstream.RawRequest{Target: "/", Body: body})
	if err != nil || len(got) != 100 || got[99].Param == "" {
		t.Fatalf("%d violations, %v", len(got), err)
	}
	if got[0].Param != "loginEmail" || got[1].Param != "phoneNumbers[0].number" || got[1].Field != "phoneNumbers[].number" {
		t.Errorf("got %+v", got[:2])
	}
}

// TestEveryRuleCompiles fills every message of every request, so that each rule is asked.
func TestEveryRuleCompiles(t *testing.T) {
	bindings, err := upstream.CompileBindings(upstream.RainbowServices())
	if err != nil {
		t.Fatal(err)
	}
	s, asked := set(t), 0
	for _, b := range bindings.All() {
		op := s.Operation(b.FullMethod)
		if op == nil || b.VariantOf != nil {
			continue
		}
		asked++
		if _, err := op.Judge(filled(b), nil); err != nil {
			t.Errorf("%s: %v", b.FullMethod, err)
		}
	}
	if asked < 130 {
		t.Errorf("asked %d operations, want at least 130", asked)
	}
}

func BenchmarkJudge(b *testing.B) {
	s := set(b)
	small := "small"
	number, user := "2000", "u"
	get := &adminv1.ListUsersRequest{Format: &small, Limit: proto.Int32(10), SortOrder: proto.Int32(1)}
	post := &rvcpv1.CreateSubscriberRequest{SystemId: "s", Body: &rvcpv1.CreateSubscriberBody{ShortNumber: &number, UserId: &user}}
	body := []byte(`{"loginEmail":"ann@demo.example","firstName":"Ann","lastName":"Demo","country":"FRA","language":"fr","phoneNumbers":[{"number":"0298300513","country":"FRA","type":"work","deviceType":"landline"}],"emails":[{"email":"ann@home.example","type":"home"}],"tags":["a","b"]}`)
	create := &adminv1.CreateUserRequest{}
	cases := []struct {
		name, op string
		msg      proto.Message
		raw      *upstream.RawRequest
	}{
		{"REST GET without rules", getCloudPbx, &rvcpv1.GetCloudPbxRequest{SystemId: "s"}, &upstream.RawRequest{Target: "/x"}},
		{"REST GET with rules", listUsers, get, &upstream.RawRequest{Target: "/x?format=small&limit=10&sortOrder=1"}},
		{"REST POST of 270 bytes", createUser, create, &upstream.RawRequest{Target: "/x", Body: body}},
		{"gRPC GET", getCloudPbx, &rvcpv1.GetCloudPbxRequest{SystemId: "s"}, nil},
		{"gRPC POST", createSubscriber, post, nil},
	}
	for _, c := range cases {
		op := s.Operation(c.op)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if all, err := op.Judge(c.msg, c.raw); err != nil || len(all) > 0 {
					b.Fatal(all, err)
				}
			}
		})
	}
}
