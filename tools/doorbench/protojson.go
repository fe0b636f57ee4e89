package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"

	rvcpv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
)

// newProtojson is the baseline of gRPC: the service as one would write it by hand, with net/http and protojson. It
// loses what is not modelled.
func newProtojson(upstream string) (func(net.Listener) error, error) {
	server := grpc.NewServer()
	rvcpv1.RegisterCloudPbxPhoneNumberServiceServer(server, &handwritten{
		upstream: upstream, client: &http.Client{Transport: tunedTransport()},
	})
	return server.Serve, nil
}

type handwritten struct {
	rvcpv1.UnimplementedCloudPbxPhoneNumberServiceServer
	upstream string
	client   *http.Client
}

// ListDdis makes the call that is measured.
func (h *handwritten) ListDdis(ctx context.Context, req *rvcpv1.ListDdisRequest) (*rvcpv1.ListDdisResponse, error) {
	query := url.Values{}
	if req.Limit != nil {
		query.Set("limit", strconv.Itoa(int(req.GetLimit())))
	}
	target := fmt.Sprintf("%s/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/%s/phone-numbers/ddi?%s",
		h.upstream, url.PathEscape(req.GetSystemId()), query.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		r.Header["Authorization"] = md["authorization"]
	}
	r.Header.Set("Accept", "application/json")
	resp, err := h.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("upstream: %s", resp.Status)
	}
	reply := new(rvcpv1.ListDdisResponse)
	return reply, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, reply)
}
