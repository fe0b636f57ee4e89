package syncserver

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// inForce tells whether a plan asks for nothing and its manifest, under its policy, is in force already.
func (s *Server) inForce(ctx context.Context, stored *bulksync.StoredPlan) (bool, error) {
	p := stored.Plan
	if len(p.Operations) > 0 || p.Undoes != "" {
		return false, nil
	}
	all, err := s.opts.Engine.Store.Applied(ctx, p.Company)
	if err != nil {
		return false, err
	}
	own := bulksync.Applied{Policy: p.Policy, Sources: stored.Sources}
	at := slices.IndexFunc(all, func(a *bulksync.Applied) bool { return a.Title() == own.Title() })
	if at < 0 {
		return false, nil
	}
	applied := all[at]
	wants, err := json.Marshal(p.Policy)
	if err != nil {
		return false, err
	}
	has, err := json.Marshal(applied.Policy)
	return applied.Manifest == p.Manifest && applied.Mode == p.Mode && bytes.Equal(wants, has), err
}
