package syncserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// inForce tells whether a plan asks for nothing and its manifest, under its policy, is in force already.
func (s *Server) inForce(ctx context.Context, stored *bulksync.StoredPlan) (bool, error) {
	p := stored.Plan
	if len(p.Operations) > 0 || p.Undoes != "" {
		return false, nil
	}
	applied, err := s.opts.Engine.Store.Applied(ctx, p.Company)
	if errors.Is(err, bulksync.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	wants, err := json.Marshal(p.Policy)
	if err != nil {
		return false, err
	}
	has, err := json.Marshal(applied.Policy)
	return applied.Manifest == p.Manifest && applied.Mode == p.Mode && bytes.Equal(wants, has), err
}
