package syncserver

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/emptypb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// DeleteRun forgets a run.
func (s runService) DeleteRun(ctx context.Context, req *syncv1.DeleteRunRequest) (*emptypb.Empty, error) {
	at, err := s.runPlace(ctx, "name", req.GetName(), nil)
	if err != nil {
		return nil, s.status(err)
	}
	if err := s.deleteRun(ctx, at, req.GetForce()); err != nil {
		return nil, s.status(err)
	}
	return &emptypb.Empty{}, nil
}

func (s *Server) deleteRun(ctx context.Context, at runPlace, force bool) error {
	name := runName(at.company, at.id)
	at.mu.Lock() // it is not taken up meanwhile
	defer at.mu.Unlock()
	if at.run != nil && at.run.name == at.id {
		return refusal{reason: "RUN_GOING_ON", subject: name, text: "run " + name + " is going on: wait for it, or cancel it"}
	}
	run, err := s.storedRun(ctx, at.company, at.id)
	if err != nil {
		return err
	}
	if !force {
		if err := s.needed(ctx, run); err != nil {
			return err
		}
	}
	if err := s.opts.Engine.Store.DeleteRun(ctx, at.company, at.id); err != nil {
		return err
	}
	s.shelf.dropRun(at.company, at.id)
	return nil
}

// needed refuses to forget a run that somebody may still want.
func (s *Server) needed(ctx context.Context, run *bulksync.Run) error {
	name := runName(run.Company, run.Name)
	if run.State.Resumable() {
		return refusal{
			reason: "RUN_RESUMABLE", subject: name,
			text: fmt.Sprintf("%s can still be resumed: set force to delete it all the same", name),
		}
	}
	inForce, err := s.opts.Engine.InForce(ctx, run.Company, run.Name)
	if err != nil || !inForce {
		return err
	}
	return refusal{
		reason: "RUN_IN_FORCE", subject: name,
		text: fmt.Sprintf("%s has put a manifest into force, and could not be undone any more: set force to delete it all the same", name),
	}
}
