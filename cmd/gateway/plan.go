package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"

	"google.golang.org/genproto/googleapis/api/httpbody"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// planFlags say how a plan is made.
type planFlags struct {
	Manifest       manifestFlags `embed:""`
	Refresh        bool          `help:"Record what Rainbow holds now before planning."`
	Strict         bool          `help:"A row whose effect already holds is an error, as upstream says, not \"no change\"."`
	ResetPasswords bool          `help:"Send the manifest's passwords of existing users too."`
	Guards         guardFlags    `embed:""`
	Identity       identityFlags `embed:""`
}

type planCmd struct {
	engineFlags
	planFlags
	Output string `short:"o" default:"text" enum:"text,json,markdown,html,csv,dot" help:"text, json (docs/plan.schema.json), markdown, html, csv or dot (Graphviz)."`
}

// Help is shown below the usage of the verb.
func (planCmd) Help() string {
	return `Compares the manifest with the recorded state and prints the ordered plan: what would be done, why, and what each step waits
for. It changes nothing upstream. The plan is saved: "gateway apply NAME" applies just that.

Exit code 0: nothing to do, 2: the plan has changes, or entries of which it is in doubt who they are; 1: an error.

Examples:
  gateway plan -f samples/rainbowvoice.csv
  gateway plan -f team.csv -f moves.csv --refresh -o markdown > plan.md
  gateway plan -f samples/company-1000.csv -o html > plan.html
  gateway plan -f team.csv --match userInfo1
  gateway plan --renumber 23xx=43xx@department=Brest
  gateway plan -f sales.csv --prune delete --scope department=Sales --max delete-user=5`
}

// Run makes and shows a plan.
func (c *planCmd) Run(ctx context.Context, t *terminal) (err error) {
	files, err := c.files(t)
	if err != nil {
		return err
	}
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	plan, err := s.createPlan(ctx, &c.planFlags, files)
	if err != nil {
		return err
	}
	if err := s.showPlan(ctx, t.stdout, plan.GetName(), c.Output); err != nil {
		return err
	}
	if plan.GetOperationCount()+plan.GetDoubtCount() > 0 {
		return exitChanges
	}
	return nil
}

// files reads the manifest; with rules there may be none.
func (f *planFlags) files(t *terminal) ([]*syncv1.ManifestFile, error) {
	if len(f.Manifest.File) == 0 && len(f.Identity.Renumber) > 0 {
		return nil, nil
	}
	return f.Manifest.read(t.stdin)
}

// put writes the policy into a request.
func (f *planFlags) put(req *syncv1.CreatePlanRequest) *syncv1.CreatePlanRequest {
	return f.Identity.put(f.Guards.put(req))
}

// maxFaults is how many of a manifest's faults are asked for.
const maxFaults = 1000

// createPlan uploads the manifest and has it planned.
func (s *session) createPlan(ctx context.Context, f *planFlags, files []*syncv1.ManifestFile) (*syncv1.Plan, error) {
	stream, err := s.plans.UploadPlan(ctx)
	if err != nil {
		return nil, err
	}
	return upload(stream, files, envelope[syncv1.UploadPlanRequest]{
		request: &syncv1.UploadPlanRequest{Part: &syncv1.UploadPlanRequest_Request{Request: f.put(&syncv1.CreatePlanRequest{
			Parent: s.company, Mode: f.Manifest.Mode, Delimiter: f.Manifest.Delimiter, Comment: f.Manifest.Comment, Variables: f.Manifest.Var,
			Strict: f.Strict, ResetPasswords: f.ResetPasswords, Refresh: f.Refresh, MaxFaults: maxFaults,
		})}},
		file: func(file *syncv1.ManifestFile) *syncv1.UploadPlanRequest {
			return &syncv1.UploadPlanRequest{Part: &syncv1.UploadPlanRequest_File{File: file}}
		},
		chunk: func(b []byte) *syncv1.UploadPlanRequest {
			return &syncv1.UploadPlanRequest{Part: &syncv1.UploadPlanRequest_Chunk{Chunk: b}}
		},
	})
}

// showPlan writes a stored plan in one of the formats.
func (s *session) showPlan(ctx context.Context, w io.Writer, name, format string) error {
	stream, err := s.plans.DownloadPlan(ctx, &syncv1.RenderPlanRequest{
		Name: name, Color: colorful(w) && format == "text", Width: columns(w),
		Format: syncv1.RenderPlanRequest_Format(syncv1.RenderPlanRequest_Format_value["FORMAT_"+strings.ToUpper(format)]),
	})
	if err != nil {
		return err
	}
	return copyBody(w, stream)
}

// copyBody writes a streamed body.
func copyBody(w io.Writer, stream grpc.ServerStreamingClient[httpbody.HttpBody]) error {
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := w.Write(part.GetData()); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
}
