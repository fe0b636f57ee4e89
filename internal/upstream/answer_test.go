package upstream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// TestWhatIsJSONIsAReply: no answer fails a call because its value is not what the message is.
func TestWhatIsJSONIsAReply(t *testing.T) {
	for _, tt := range []struct {
		name, contentType, answer string
		extra                     string // of the reply
		number                    string // typed
	}{
		{"the documented object", "application/json", `{"data":{"number":"33298300513"}}`, ``, "33298300513"},
		{"a bare value", "application/json", ` true` + "\n", `true`, ""},
		{"a list where an object is documented", "application/json", `[{"data":{"number":"1"}}, 1.10]`, `[{"data":{"number":"1"}}, 1.10]`, ""},
		{"null", "application/json", `null`, `null`, ""},
		{"a text", "application/json", `"\ud800"`, `"\ud800"`, ""},
		{"a list in the envelope", "application/json", `{"data":[1]}`, `{"data":[1]}`, ""},
		{"nothing", "application/json", "", ``, ""},
		{"white space", "application/json", " \r\n\t", ``, ""},
		{"JSON that does not call itself so", "text/html", `{"data":{"number":"1"}}`, ``, "1"},
		{"JSON without a name", "", `7`, `7`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header()["Content-Type"] = nil
				if tt.contentType != "" {
					w.Header().Set("Content-Type", tt.contentType)
				}
				_, _ = io.WriteString(w, tt.answer)
			})
			var x upstream.Exchange
			reply := &rvcpprovisioningv1.DdiResponse{Data: &rvcpprovisioningv1.Ddi{Id: proto.String("old")}, ExtraJson: []byte(`{"old":1}`)}
			err := p.client().Invoke(upstream.WithExchange(context.Background(), &x), "/rainbow.rvcpprovisioning.v1.CloudPbxPhoneNumberService/CreateDdi",
				&rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"}, reply)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(reply.GetExtraJson()); got != tt.extra || reply.GetData().GetNumber() != tt.number || reply.GetData().GetId() != "" {
				t.Errorf("got %v, want number %q and extra_json %s", reply, tt.number, tt.extra)
			}
			if got := string(x.Answer.Document); got != tt.answer {
				t.Errorf("the document is %q, want %q", got, tt.answer)
			}
		})
	}
}

func TestWhatIsNotJSONSaysWhatItCallsItselfAndWhereItStops(t *testing.T) {
	for contentType, want := range map[string]string{
		"application/json; charset=utf-8": `POST /api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/{system_id}/phone-numbers/ddi: malformed answer: content type "application/json; charset=utf-8": unexpected end of JSON at byte 8`,
		"":                                "malformed answer: no content type: unexpected end of JSON at byte 8",
	} {
		p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header()["Content-Type"] = []string{contentType}
			_, _ = io.WriteString(w, `{"data":`)
		})
		_, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()).CreateDdi(context.Background(),
			&rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"})
		if !errors.Is(err, upstream.ErrAnswer) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
}

// TestAFileThatNobodyAskedForNamesItsWay: upstream answers CSV to the unary RPC.
func TestAFileThatNobodyAskedForNamesItsWay(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Type", "text/csv")
		_, _ = io.WriteString(w, "loginEmail;title\n")
	})
	_, err := massprovisioningv1.NewUsersAndDevicesServiceClient(p.client()).ExportUsers(context.Background(),
		&massprovisioningv1.ExportUsersRequest{Format: proto.String("csv")})
	const want = `malformed answer: content type "text/csv": invalid JSON value at byte 0; the operation's Download… twin takes files`
	if !errors.Is(err, upstream.ErrAnswer) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
}

// TestTheDocumentIsReadable: Exchange.Answer keeps the bytes as they came, and the document as it was before
// Content-Encoding.
func TestTheDocumentIsReadable(t *testing.T) {
	const document = `{"data":{"number":"1","x":1.10}} `
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) { answerGzip(w, document) })
	var x upstream.Exchange
	_, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client()).CreateDdi(upstream.WithExchange(context.Background(), &x),
		&rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"})
	if err != nil || string(x.Answer.Document) != document || strings.Contains(string(x.Answer.Body), "number") {
		t.Errorf("got %q, body %q (%v)", x.Answer.Document, x.Answer.Body, err)
	}
}
