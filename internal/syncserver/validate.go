package syncserver

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/manifest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// ValidateManifest gives a manifest's faults.
func (s planService) ValidateManifest(ctx context.Context, req *syncv1.ValidateManifestRequest) (*syncv1.ValidateManifestResponse, error) {
	resp, err := s.validate(ctx, req)
	return resp, s.status(err)
}

// UploadManifest is ValidateManifest for a large manifest.
func (s planService) UploadManifest(stream grpc.ClientStreamingServer[syncv1.UploadManifestRequest, syncv1.ValidateManifestResponse]) error {
	req, files, err := receive(stream.Recv)
	if err != nil {
		return s.status(err)
	}
	req.Manifest = files
	resp, err := s.validate(stream.Context(), req)
	if err != nil {
		return s.status(err)
	}
	return stream.SendAndClose(resp)
}

func (s planService) validate(ctx context.Context, req *syncv1.ValidateManifestRequest) (*syncv1.ValidateManifestResponse, error) {
	var v violations
	id := defaultCompany
	if req.GetParent() != "" || req.GetAgainstState() {
		id = v.name("parent", req.GetParent(), "companies/*")[0]
	}
	if len(req.GetRenumber()) == 0 || !req.GetAgainstState() {
		v.someFile(req.GetManifest())
	}
	sources, opts := v.manifest(req)
	v.oneOf("mode", req.GetMode(), manifest.Modes())
	policy := v.policy(req)
	if err := v.err(); err != nil {
		return nil, err
	}
	opts.Mode, opts.Strict = req.GetMode(), req.GetStrict()
	desired, _, err := planOrder{sources: sources, opts: opts}.desired(ctx)
	if err == nil && req.GetAgainstState() {
		err = s.tryPlan(ctx, id, desired, policy)
	}
	if faults := faultsOf(err); faults != nil {
		resp := &syncv1.ValidateManifestResponse{Faults: faultProtos(faults)}
		return resp, addSARIF(resp, req, faults, nil)
	}
	if err != nil {
		return nil, err
	}
	resp := &syncv1.ValidateManifestResponse{Valid: true, UserCount: int32(desired.Users.Len()), Mode: desired.Mode, Digest: desired.Digest}
	resp.Remarks = faultProtos(desired.Remarks[:min(len(desired.Remarks), mostRemarks)])
	return resp, addSARIF(resp, req, nil, desired.Remarks)
}

// mostRemarks is how many remarks an answer lists.
const mostRemarks = 1000

// mostFindings is how many faults stand in a SARIF document: with its places it is larger than the list of faults, and
// the answer has to fit what a gRPC client takes, 4 MiB.
const mostFindings = 4000

// addSARIF adds faults and remarks in that form, when it was asked for.
func addSARIF(resp *syncv1.ValidateManifestResponse, req *syncv1.ValidateManifestRequest, faults, remarks bulksync.Faults) error {
	if !req.GetSarif() {
		return nil
	}
	var text strings.Builder
	err := manifest.WriteSARIF(&text, faults[:min(len(faults), mostFindings)], remarks[:min(len(remarks), mostRemarks)], "")
	resp.Sarif = text.String()
	return err
}

// tryPlan gives the faults of a manifest in view of the recorded state.
func (s *Server) tryPlan(ctx context.Context, id string, desired *bulksync.Desired, policy bulksync.Policy) error {
	company, err := s.company(ctx, id)
	if err != nil {
		return err
	}
	_, err = s.opts.Engine.Plan(ctx, company, desired, policy)
	return err
}

// faultProtos lists faults, the ones above the limit summed up in a last one.
func faultProtos(faults bulksync.Faults) []*syncv1.ManifestFault {
	var list []*syncv1.ManifestFault
	for i, f := range faults {
		if i == mostFaults && len(faults) > mostFaults+1 {
			return append(list, &syncv1.ManifestFault{
				Position: positionProto(f.Position), Code: "too-many-faults",
				Message: fmt.Sprintf("and %d more faults", len(faults)-i),
				Hint:    "mend the ones above first; this is where the first one not listed stands",
			})
		}
		list = append(list, faultProto(f))
	}
	return list
}
