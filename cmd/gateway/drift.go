package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
	"github.com/rainbow-gateway/rainbow-gateway/internal/syncserver"
	"github.com/rainbow-gateway/rainbow-gateway/internal/webhook"
)

type driftCmd struct {
	engineFlags
	NoRefresh bool   `xor:"how" help:"Compare what was recorded last instead of reading Rainbow first."`
	Last      bool   `xor:"how,save" help:"Show what the last comparison found, on schedule or asked for; compare nothing."`
	Save      bool   `xor:"save" help:"Save the plan that would repair it: \"gateway apply NAME\" applies it."`
	Forget    string `xor:"how,save" placeholder:"MANIFEST" help:"Take a manifest out of force, by its lineage or its files: what it asked for may be otherwise from then on."`
	Output    string `short:"o" default:"text" enum:"text,json,markdown" help:"text, json or markdown."`
}

// Help is shown below the usage of the verb.
func (driftCmd) Help() string {
	return `Compares what Rainbow holds with the manifests in force, of each name (--lineage, or else its files) the one that was applied last
and not undone, and tells what others have changed: by user, in words. Where two manifests speak of the same thing, the one
applied later counts; what no manifest speaks of may change, and passwords are not compared. It changes nothing upstream.
A gateway does it by itself with "gateway serve --drift-every 6h"; docs/sync.md has more of it, under "Drift".

Exit code 0: no drift, 2: drift, 1: an error.

Examples:
  gateway drift
  gateway drift --save -o markdown > drift.md
  gateway drift --forget moves.csv`
}

// Run looks for drift and shows it.
func (c *driftCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if c.Forget != "" {
		if _, err := s.drifts.ForgetManifest(ctx, &syncv1.ForgetManifestRequest{Name: s.company + "/drift", Title: c.Forget}); err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.stdout, "The manifest %s is in force no longer.\n", c.Forget)
		return err
	}
	found, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	if err := s.showDrift(ctx, t.stdout, found.GetName(), c.Output); err != nil {
		return err
	}
	if found.GetDifferenceCount() > 0 {
		return exitChanges
	}
	return nil
}

// look compares, or asks for what was found last.
func (c *driftCmd) look(ctx context.Context, s *session) (*syncv1.Drift, error) {
	name := s.company + "/drift"
	if c.Last {
		return s.drifts.GetDrift(ctx, &syncv1.GetDriftRequest{Name: name})
	}
	return s.drifts.CheckDrift(ctx, &syncv1.CheckDriftRequest{Name: name, Refresh: !c.NoRefresh, SavePlan: c.Save})
}

// showDrift writes what the last comparison found in one of the formats.
func (s *session) showDrift(ctx context.Context, w io.Writer, name, format string) error {
	stream, err := s.drifts.DownloadDrift(ctx, &syncv1.RenderDriftRequest{
		Name: name, Color: colorful(w) && format == "text",
		Format: syncv1.RenderDriftRequest_Format(syncv1.RenderDriftRequest_Format_value["FORMAT_"+strings.ToUpper(format)]),
	})
	if err != nil {
		return err
	}
	return copyBody(w, stream)
}

// driftOptions make a gateway look for drift by itself, and tell of it. closeSender ends its connections.
func driftOptions(w config.DriftWatch, p server.Parts) (o syncserver.DriftOptions, closeSender func(), err error) {
	o = syncserver.DriftOptions{Every: w.DriftEvery, Details: w.DriftWebhookDetails, Registry: p.Registry}
	if w.DriftWebhook == "" {
		return o, func() {}, nil
	}
	sender, err := webhook.New(webhook.Options{URL: w.DriftWebhook.Reveal(), Secret: w.DriftWebhookSecret.Reveal(), UserAgent: "rainbow-gateway"})
	if err != nil {
		return o, nil, err
	}
	o.Tell = sender.Send
	return o, sender.Close, nil
}
