package facade_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
)

func upload(t *testing.T, ctx context.Context, g *gateway) massprovisioningv1.UsersAndDevicesService_UploadImportUsersClient {
	t.Helper()
	up, err := massprovisioningv1.NewUsersAndDevicesServiceClient(g).UploadImportUsers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Send(&massprovisioningv1.UploadImportUsersRequest{Part: &massprovisioningv1.UploadImportUsersRequest_Request{Request: &massprovisioningv1.ImportUsersRequest{}}}); err != nil {
		t.Fatal(err)
	}
	if err := up.Send(&massprovisioningv1.UploadImportUsersRequest{Part: &massprovisioningv1.UploadImportUsersRequest_Chunk{Chunk: []byte("a;b\n")}}); err != nil && !errors.Is(err, io.EOF) { // answered already
		t.Fatal(err)
	}
	return up
}

// TestAnAnswerEndsAnUploadThatPauses: upstream answers after the head; the caller sees it without sending more.
func TestAnAnswerEndsAnUploadThatPauses(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		want   codes.Code
	}{
		{http.StatusUnauthorized, `{"errorCode":401,"errorMsg":"Unauthorized","errorDetails":"jwt malformed"}`, codes.Unauthenticated},
		{http.StatusOK, `{"data":{"reqId":"r"}}`, codes.OK},
	} {
		g := setup(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close") // answer before the body has come
			answerHead(w, tt.status, tt.body)
		}, false)
		ctx, cancel := context.WithTimeout(bearer(t.Context()), 20*time.Second)
		up := upload(t, ctx, g)
		reply := new(massprovisioningv1.ImportUsersResponse)
		err := up.RecvMsg(reply)
		if status.Code(err) != tt.want || (err == nil && reply.GetData().GetReqId() != "r") {
			t.Errorf("%d: got %v (%v)", tt.status, reply, err)
		}
		if ctx.Err() != nil {
			t.Errorf("%d: the answer came too late", tt.status)
		}
		cancel()
		for deadline := time.Now().Add(5 * time.Second); counted(t, g, tt.want.String()) != 1; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) { // it is counted when the stream has ended on this side, too
				t.Errorf("%d: %v calls counted as %s", tt.status, counted(t, g, tt.want.String()), tt.want)
				break
			}
		}
	}
}

func answerHead(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// TestABrokenUploadIsNotTakenForAWholeOne: what the caller did wrong is the answer, and upstream sees no end of the body.
func TestABrokenUploadIsNotTakenForAWholeOne(t *testing.T) {
	ended := make(chan error, 1)
	g := setup(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
		answerHead(w, http.StatusOK, `{}`)
	}, false)
	up := upload(t, bearer(t.Context()), g)
	again := &massprovisioningv1.UploadImportUsersRequest{Part: &massprovisioningv1.UploadImportUsersRequest_Request{Request: &massprovisioningv1.ImportUsersRequest{}}}
	if err := up.Send(again); err != nil {
		t.Fatal(err)
	}
	if err := up.RecvMsg(new(massprovisioningv1.ImportUsersResponse)); status.Code(err) != codes.InvalidArgument {
		t.Errorf("parameters twice: got %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("upstream saw the end of the body")
	}
	ctx, cancel := context.WithCancel(bearer(t.Context()))
	up = upload(t, ctx, g)
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := up.RecvMsg(new(massprovisioningv1.ImportUsersResponse)); status.Code(err) != codes.Canceled {
		t.Errorf("given up: got %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("upstream saw the end of the body of a call that was given up")
	}
}
