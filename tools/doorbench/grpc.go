package main

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	rvcpv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
)

// measureGRPC makes the same typed call to the gateway, which loses nothing, and to the server with protojson.
func measureGRPC(ctx context.Context, opts options) error {
	stub, err := startContender(ctx, "stub", "")
	if err != nil {
		return err
	}
	base, err := startContender(ctx, "protojson", "http://"+stub.addr)
	if err != nil {
		return err
	}
	gateway, err := startGateway(ctx, opts.gateway, "http://"+stub.addr)
	if err != nil {
		return err
	}
	defer func() { _, _, _ = gateway.stop(), base.stop(), stub.stop() }()
	head("gRPC, typed read of 2 KB, gateway against a protojson server")
	for _, callers := range []int{16, 64} {
		connect := func(p *process) ([]caller, error) { return grpcCallers(ctx, p.grpc, callers) }
		rounds, err := interleave(ctx, opts, connect, base, gateway)
		if err != nil {
			return err
		}
		var speed, cpu, allocs ratios
		for _, round := range rounds {
			b, g := round[0], round[1]
			speed = append(speed, b.took.Seconds()/g.took.Seconds())
			cpu = append(cpu, g.cpu.Seconds()/b.cpu.Seconds())
			allocs = append(allocs, float64(g.mallocs)/float64(b.mallocs))
		}
		at := strconv.Itoa(callers) + " callers: "
		speed.print(at+"requests a second", "≥ 1.3")
		cpu.print(at+"CPU per request of the process", "≤ 0.70")
		allocs.print(at+"allocations per request", "")
	}
	fmt.Println()
	return nil
}

// grpcCaller shares a connection with the others; its messages stay bytes, so that the caller costs next to nothing.
type grpcCaller struct {
	ctx     context.Context
	conn    *grpc.ClientConn
	request []byte
}

func grpcCallers(ctx context.Context, addr string, n int) ([]caller, error) {
	limit := int32(100)
	request, err := proto.Marshal(&rvcpv1.ListDdisRequest{SystemId: "5b7d0c0ffee0000000000101", Limit: &limit})
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(bytesCodec{})))
	if err != nil {
		return nil, err
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer 5b7d0c0ffee")
	var callers []caller
	for range n {
		callers = append(callers, &grpcCaller{ctx: ctx, conn: conn, request: request})
	}
	return callers, nil
}

func (c *grpcCaller) call() error {
	var reply []byte
	if err := c.conn.Invoke(c.ctx, rvcpv1.CloudPbxPhoneNumberService_ListDdis_FullMethodName, c.request, &reply); err != nil {
		return err
	}
	if len(reply) < 1000 {
		return fmt.Errorf("answer of %d bytes", len(reply))
	}
	return nil
}

func (c *grpcCaller) close() { _ = c.conn.Close() }

// bytesCodec leaves messages as they are.
type bytesCodec struct{}

// Marshal takes []byte.
func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

// Unmarshal fills a *[]byte.
func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// Name is that of the codec that servers know.
func (bytesCodec) Name() string { return "proto" }
