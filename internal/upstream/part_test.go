package upstream_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

func TestOnlyDecodesWhatIsNamed(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		answerJSON(w, 200, `{"data":[{"id":"d1","numberE164":"+33298300500","x":1}],"total":1,"y":null}`)
	})
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	list := &rvcpprovisioningv1.ListDdisRequest{SystemId: "1"}
	resp, err := ddis.ListDdis(context.Background(), list, upstream.Only("data.id"))
	if err != nil || len(resp.GetData()) != 1 {
		t.Fatalf("got %v, %v", resp, err)
	}
	if d := resp.GetData()[0]; d.GetId() != "d1" || d.NumberE164 != nil || len(d.GetExtraJson()) > 0 || resp.Total != nil || len(resp.GetExtraJson()) > 0 {
		t.Errorf("got %v, want the id alone", resp)
	}
	if resp, err = ddis.ListDdis(context.Background(), list); err != nil || resp.GetTotal() != 1 || len(resp.GetExtraJson()) == 0 {
		t.Errorf("without the option: got %v, %v, want all of it", resp, err)
	}
}

func TestOnlyOfWhatIsNoFieldIsRefusedBeforeTheCall(t *testing.T) {
	p := newPortal(t, func(w http.ResponseWriter, _ *http.Request, _ int) { answerJSON(w, 200, `{}`) })
	ddis := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(p.client())
	_, err := ddis.CreateDdi(context.Background(), &rvcpprovisioningv1.CreateDdiRequest{SystemId: "1"}, upstream.Only("data.ident"))
	if !errors.Is(err, upstream.ErrInvalid) || upstream.Unknown(err) || !strings.Contains(err.Error(), `no field "ident"`) {
		t.Errorf("got %v, want that the answer has no such field", err)
	}
	if n := len(p.requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
