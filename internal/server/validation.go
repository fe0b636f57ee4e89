package server

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rules"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// policyOf makes a policy that has to know the operations.
type policyOf func(*upstream.Bindings) (facade.Policy, error)

// validation judges what comes in by the doors; mode is the configuration's. The rules take some milliseconds to
// compile, which only a server needs to spend.
func validation(mode string, log *slog.Logger, reg prometheus.Registerer) policyOf {
	return func(bindings *upstream.Bindings) (facade.Policy, error) {
		v := facade.Validation{Mode: facade.ValidateMode(mode), Registry: reg, Log: log}
		if mode == "" {
			v.Mode = facade.ValidateReport
		}
		if v.Mode == facade.ValidateOff {
			return facade.Validate(v), nil
		}
		var err error
		if v.Rules, err = rules.New(bindings); err != nil {
			return nil, err
		}
		return facade.Validate(v), nil
	}
}
