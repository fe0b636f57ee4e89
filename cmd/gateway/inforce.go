package main

import (
	"context"
	"fmt"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// putInForce applies a plan that asks for nothing, unless its manifest is in force: from then on, drift from it is noticed.
// Where it may not be applied as things stand, nothing is lost: what the manifest asks for holds.
func (c *applyCmd) putInForce(ctx context.Context, t *terminal, s *session, plan *syncv1.Plan, files []*syncv1.ManifestFile) error {
	if plan.GetInForce() || plan.GetManifestDigest() == "" || plan.GetUndoes() != "" {
		return nil
	}
	operation, err := c.start(ctx, s, plan, files)
	for err == nil && !operation.GetDone() {
		operation, err = s.operations.WaitOperation(ctx, &longrunningpb.WaitOperationRequest{Name: operation.GetName(), Timeout: durationpb.New(sayEvery)})
	}
	if err == nil && operation.GetError() != nil {
		err = status.ErrorProto(operation.GetError())
	}
	if status.Code(err) == codes.FailedPrecondition {
		fmt.Fprintf(t.stderr, "gateway: the manifest is not put into force: %s\n", status.Convert(err).Message())
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.stdout, "The manifest is in force now: \"gateway drift\" tells what others change of it.")
	return err
}
