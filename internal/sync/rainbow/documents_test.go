package rainbow

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// answers is a connection that answers each call with one document.
type answers string

func (a answers) Invoke(_ context.Context, _ string, _, reply any, _ ...grpc.CallOption) error {
	msg := reply.(proto.Message)
	var tables jsoncodec.Tables
	codec, err := tables.Message(msg.ProtoReflect().Descriptor())
	if err != nil {
		return err
	}
	return codec.Unmarshal([]byte(a), msg)
}

func (answers) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.ErrUnsupported
}

func TestAListThatCannotBeReadIsNoEmptyList(t *testing.T) {
	for document, taken := range map[string]bool{
		`{"data":[{"id":"1"}],"total":1}`:      true,
		`{"data":[],"total":0}`:                true,
		`{"data":[ ],"unknown":[1]}`:           true,
		`{"data":null,"total":"many"}`:         true,
		`{}`:                                   true,
		`null`:                                 false,
		`true`:                                 false,
		`[{"data":[]}]`:                        false,
		`{"data":[{"id":"1"},null],"total":2}`: false,
		`{"data":{"users":[]}}`:                false,
	} {
		_, err := adminv1.NewUsersServiceClient(documents{answers(document)}).ListUsers(t.Context(), &adminv1.ListUsersRequest{})
		if (err == nil) != taken || (err != nil && !(errors.Is(err, upstream.ErrAnswer) && judge(err).lost)) {
			t.Errorf("%s: got %v, taken: want %v", document, err, taken)
		}
	}
}
