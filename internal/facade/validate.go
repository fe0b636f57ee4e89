package facade

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/rainbow-gateway/rainbow-gateway/internal/rules"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// ValidateMode says what a request against Rainbow's documented constraints gets.
type ValidateMode string

// The modes. Upstream is the judge unless a gateway is told otherwise: its guides are neither complete nor always right,
// and its own clients don't keep to them.
const (
	// ValidateOff looks at nothing.
	ValidateOff ValidateMode = "off"
	// ValidateReport lets the call through and tells of it: a count, a line in the log, a header of the answer.
	ValidateReport ValidateMode = "report"
	// ValidateStrict refuses the call before anything is sent, with all that is wrong.
	ValidateStrict ValidateMode = "strict"
)

// ViolationsHeader is the header, and in lower case the metadata key, of an answer to a request that was let through.
const ViolationsHeader = "X-Gateway-Violations"

// Validation is what Validate is made of.
type Validation struct {
	Mode     ValidateMode
	Rules    *rules.Set
	Registry prometheus.Registerer
	Log      *slog.Logger
}

// Validate judges requests for Rainbow by the documented constraints. It stands behind Authenticate, so that whom that
// refuses learns and costs nothing. The engine's own calls, local services and paths that no RPC models are not judged.
func Validate(v Validation) Policy {
	if v.Mode == ValidateOff {
		return func(ctx context.Context, _ *Call, next Next) error { return next(ctx) }
	}
	j := &validator{Validation: v, found: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gateway_violations_total",
		Help: "Documented constraints that requests did not keep, by RPC, field and rule.",
	}, []string{"rpc", "field", "rule"})}
	v.Registry.MustRegister(j.found)
	return j.policy
}

type validator struct {
	Validation
	found *prometheus.CounterVec
	told  sync.Map // violationKey to *toldOf; as many as the protos have rules
}

func (j *validator) policy(ctx context.Context, call *Call, next Next) error {
	if call.Arrival == nil || call.Operation.Binding == nil {
		return next(ctx)
	}
	op := j.Rules.Operation(call.Operation.FullMethod)
	if op == nil {
		return next(ctx)
	}
	x := call.exchange
	if x == nil {
		x = upstream.ExchangeFrom(ctx)
	}
	var raw *upstream.RawRequest
	if x != nil {
		raw = x.Request
	}
	msg, _ := call.Request.(proto.Message)
	if msg == nil && raw == nil { // a stream, whose first message is yet to come
		call.first = func(msg proto.Message) error { return j.judge(ctx, call, op, msg, nil) }
		return next(ctx)
	}
	if err := j.judge(ctx, call, op, msg, raw); err != nil {
		return err
	}
	return next(ctx)
}

// judge returns the refusal of a request, nil to let it through.
func (j *validator) judge(ctx context.Context, call *Call, op *rules.Operation, msg proto.Message, raw *upstream.RawRequest) error {
	all, err := op.Judge(msg, raw)
	if err != nil {
		j.Log.Error("rules of an operation are broken; it is not validated", "rpc", call.Operation.Name, "error", Scrub(err.Error()))
	}
	if j.Mode == ValidateStrict && raw != nil {
		all = append(all, op.Unread(msg, raw)...)
	}
	if len(all) == 0 {
		return nil
	}
	j.tell(ctx, call, all)
	violations := &Violations{List: all}
	if j.Mode == ValidateStrict {
		return violations
	}
	switch {
	case call.Arrival.Answer != nil:
		call.Arrival.Answer[ViolationsHeader] = []string{violations.names()}
	case call.Arrival.Door == DoorGRPC:
		_ = grpc.SetHeader(ctx, metadata.Pairs(ViolationsHeader, violations.names())) // too late only for a caller who left
	}
	return nil
}

// violationKey is one rule of one field of one operation.
type violationKey struct{ rpc, field, rule string }

// toldOf remembers the log's last line about a rule.
type toldOf struct {
	at    atomic.Int64 // nanoseconds since 1970
	since atomic.Int64 // violations without a line
}

// quietFor is how long the log is quiet about a rule after a line on it.
const quietFor = time.Hour

// tell counts and logs; names only, since values may be anything.
func (j *validator) tell(ctx context.Context, call *Call, all []rules.Violation) {
	for _, v := range all {
		key := violationKey{call.Operation.Name, v.Field, v.Rule}
		j.found.WithLabelValues(key.rpc, key.field, key.rule).Inc()
		entry, _ := j.told.LoadOrStore(key, new(toldOf))
		told, _ := entry.(*toldOf)
		now, last := time.Now().UnixNano(), told.at.Load()
		if last != 0 && now-last < int64(quietFor) || !told.at.CompareAndSwap(last, now) {
			told.since.Add(1)
			continue
		}
		j.Log.LogAttrs(ctx, slog.LevelInfo, "documented constraint not kept",
			slog.String("rpc", key.rpc), slog.String("field", key.field), slog.String("rule", key.rule),
			slog.String("door", string(call.Door())), slog.String("request_id", call.Arrival.RequestID),
			slog.Int64("not_logged_before", told.since.Swap(0)))
	}
}
