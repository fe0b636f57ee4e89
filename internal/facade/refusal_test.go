package facade_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	errorsv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
)

// narrow connects to the gateway as a client that takes 8 KiB of headers, the default of some.
func narrow(t *testing.T, g *gateway) adminv1.UsersServiceClient {
	t.Helper()
	return usersAt(t, g, facade.Listener{Loopback: true}, grpc.WithMaxHeaderListSize(8<<10))
}

// usersAt connects to a further listener of the gateway.
func usersAt(t *testing.T, g *gateway, l facade.Listener, opts ...grpc.DialOption) adminv1.UsersServiceClient {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(facade.Codec())
	facade.RegisterGRPC(server, g.dispatcher, l)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return adminv1.NewUsersServiceClient(conn)
}

// detailOf finds the detail of a type; nil when there is none.
func detailOf[T proto.Message](st *status.Status) (found T) {
	for _, d := range st.Details() {
		if d, ok := d.(T); ok {
			found = d
		}
	}
	return found
}

func TestALongRefusalFitsIntoTheHeadersOfAClient(t *testing.T) {
	list := func(n int, msg string) string {
		return `[` + strings.Repeat(fmt.Sprintf(`{"param":"x","msg":%q},`, msg), n-1) + fmt.Sprintf(`{"param":"x","msg":%q}]`, msg)
	}
	long := strings.Repeat("é%", 100_000)
	tests := []struct {
		name, members     string
		shortened, filled string
	}{
		{"a short one is whole", `"errorMsg":"no","errorDetails":` + list(3, "m") + `,"x":1`, "", "extra_json error_details_json field_violations"},
		{"a long member that nobody knows", `"errorMsg":"no","errorDetails":` + list(3, "m") + `,"x":"` + long + `"`, "extra_json", "error_details_json field_violations"},
		{"a list that fits once", `"errorMsg":"no","errorDetails":` + list(25, strings.Repeat("m", 100)), "error_details_json", "field_violations"},
		{"a long list", `"errorMsg":"no","errorDetails":` + list(2000, strings.Repeat("é", 50)), "error_details_json, field_violations", "field_violations"},
		{"a long sentence", `"errorMsg":"no","errorDetails":"` + long + `"`, "error_details_json", ""},
		{"a long message", `"errorMsg":"` + long + `"`, "error_msg", ""},
		{"all of it", `"errorMsg":"` + long + `","errorDetails":` + list(9, long[:3000]) + `,"x":"` + long + `"`, "extra_json, error_details_json, field_violations, error_msg", ""},
	}
	for _, tt := range tests {
		g := setup(t, answer(http.StatusConflict, "application/json", `{"errorCode":409,"errorDetailsCode":409123,`+tt.members+`}`), true)
		for _, wish := range []string{"false", "true"} {
			t.Run(tt.name+", raw document "+wish, func(t *testing.T) {
				ctx := metadata.AppendToOutgoingContext(bearer(t.Context()), facade.DocumentKey, wish)
				_, err := narrow(t, g).ListUsers(ctx, &adminv1.ListUsersRequest{})
				st := status.Convert(err)
				envelope, info := detailOf[*errorsv1.UpstreamError](st), detailOf[*errdetails.ErrorInfo](st)
				if st.Code() != codes.AlreadyExists || info.GetReason() != "RAINBOW_409123" || envelope.GetErrorDetailsCode() != 409123 || !strings.HasPrefix(st.Message(), "no") && !strings.HasPrefix(st.Message(), "é%") {
					t.Fatalf("got %v %.100q %v", st.Code(), st.Message(), info)
				}
				if wish == "true" {
					if envelope.GetBodySize() < 60 || len(envelope.GetBody()) < 60 {
						t.Errorf("body has %d of %d bytes", len(envelope.GetBody()), envelope.GetBodySize())
					}
					return
				}
				if got := info.GetMetadata()["shortened"]; got != tt.shortened {
					t.Errorf("shortened: got %q, want %q", got, tt.shortened)
				}
				for part, there := range map[string]bool{
					"extra_json": len(envelope.GetExtraJson()) > 0, "error_details_json": envelope.GetErrorDetailsJson() != "",
					"field_violations": len(detailOf[*errdetails.BadRequest](st).GetFieldViolations()) > 0,
				} {
					if want := strings.Contains(tt.filled, part); there != want {
						t.Errorf("%s: there is %v, want %v", part, there, want)
					}
				}
			})
		}
	}
}

func TestARefusalThatIsNoUTF8KeepsItsDetails(t *testing.T) {
	g := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-Rainbow-Request-Id"] = []string{"d\xe9j\xe0"}
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte("{\"errorCode\":409,\"errorMsg\":\"d\xe9j\xe0\",\"errorDetails\":\"d\xe9j\xe0\",\"errorDetailsCode\":409123}"))
	}, true)
	_, err := narrow(t, g).ListUsers(bearer(t.Context()), &adminv1.ListUsersRequest{})
	st := status.Convert(err)
	if got := detailOf[*errdetails.ErrorInfo](st).GetReason(); got != "RAINBOW_409123" {
		t.Errorf("reason %q of %v", got, st)
	}
	if got := detailOf[*errorsv1.UpstreamError](st).GetErrorDetailsJson(); got != "\"d\uFFFDj\uFFFD\"" {
		t.Errorf("details %q", got)
	}
}

// TestAReplyBeyondTheLargestMessageSaysSo: grpc-go's own refusal had no reason, and the log called the call a success.
func TestAReplyBeyondTheLargestMessageSaysSo(t *testing.T) {
	g := setup(t, answer(http.StatusOK, "application/json", `{"data":[{"loginEmail":"`+strings.Repeat("x", 5000)+`"}]}`), true)
	for wish, limit := range map[string]int{"false": 4096, "true": 8192} {
		ctx := metadata.AppendToOutgoingContext(bearer(t.Context()), facade.DocumentKey, wish)
		_, err := usersAt(t, g, facade.Listener{Loopback: true, MaxMessage: limit}).ListUsers(ctx, &adminv1.ListUsersRequest{})
		st := status.Convert(err)
		if st.Code() != codes.ResourceExhausted || detailOf[*errdetails.ErrorInfo](st).GetReason() != "ANSWER_TOO_LARGE" {
			t.Errorf("raw document %s: got %v, %v", wish, st, st.Details())
		}
		if _, err := usersAt(t, g, facade.Listener{Loopback: true, MaxMessage: 4 * limit}).ListUsers(ctx, &adminv1.ListUsersRequest{}); err != nil {
			t.Errorf("raw document %s, with room: %v", wish, err)
		}
	}
	if log := g.log.String(); !strings.Contains(log, "code=ResourceExhausted") {
		t.Errorf("log: %s", log)
	}
}
