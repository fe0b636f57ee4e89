package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

type refreshCmd struct {
	engineFlags
	outputFlag
}

// Help is shown below the usage of the verb.
func (refreshCmd) Help() string {
	return `Reads users, extensions, devices, DDIs and licences of the company from Rainbow and records them in the state file: what plans
are made against. Passwords are not recorded. It changes nothing upstream; when it fails, the old state stays.

Example:
  gateway refresh`
}

// Run refreshes and says what was recorded.
func (c *refreshCmd) Run(ctx context.Context, t *terminal) (err error) {
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	state, err := s.refresh(ctx, t)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return writeJSON(t.stdout, state)
	}
	showState(t.stdout, state)
	return nil
}

// refresh renews the recorded state and waits for it.
func (s *session) refresh(ctx context.Context, t *terminal) (*syncv1.State, error) {
	operation, err := s.states.RefreshState(ctx, &syncv1.RefreshStateRequest{Name: s.company + "/state"})
	if err != nil {
		return nil, err
	}
	for said := time.Now(); !operation.GetDone(); {
		operation, err = s.operations.WaitOperation(ctx, &longrunningpb.WaitOperationRequest{Name: operation.GetName(), Timeout: durationpb.New(sayEvery)})
		if err != nil {
			return nil, err
		}
		var so syncv1.RefreshProgress
		if time.Since(said) >= sayEvery && operation.GetMetadata().UnmarshalTo(&so) == nil {
			said = time.Now()
			fmt.Fprintf(t.stderr, "%d records read\n", so.GetRecords())
		}
	}
	if refused := operation.GetError(); refused != nil {
		return nil, status.ErrorProto(refused)
	}
	var state syncv1.State
	if err := operation.GetResponse().UnmarshalTo(&state); err != nil {
		return nil, fmt.Errorf("answer to refresh: %w", err)
	}
	return &state, nil
}

// recordedNoun is what one record of a kind is called.
func recordedNoun(k syncv1.Kind) string {
	return bulksync.Kind(strings.ToLower(strings.TrimPrefix(k.String(), "KIND_"))).Noun()
}

// showState writes what is recorded, in a line or two.
func showState(w io.Writer, state *syncv1.State) {
	var parts []string
	for _, c := range state.GetCounts() {
		if c.GetKind() == syncv1.Kind_KIND_RELEASE { // Rainbow knows nothing of them
			continue
		}
		parts = append(parts, plural(int(c.GetCount()), recordedNoun(c.GetKind())))
	}
	fmt.Fprintf(w, "Recorded %s of company %s.\n", strings.Join(parts, ", "), strings.Split(state.GetName(), "/")[1])
	if pbx := state.GetCloudPbx(); pbx != nil {
		var ranges []string
		for _, r := range pbx.GetRanges() {
			ranges = append(ranges, r.GetFirst()+"-"+r.GetLast())
		}
		fmt.Fprintf(w, "Cloud PBX %s, numbers %s.\n", pbx.GetId(), strings.Join(ranges, ", "))
	}
}
