package syncserver

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// domain is the domain of every ErrorInfo.
const domain = "rainbow-gateway"

// errClosing: the server takes no new work.
var errClosing = errors.New("the gateway is stopping")

// refusal is a call that can't be granted as things stand; it becomes FAILED_PRECONDITION.
type refusal struct {
	reason, subject, text string
}

func (r refusal) Error() string { return r.text }

// manifestError is a manifest at fault, with how many faults its caller wants to see.
type manifestError struct {
	faults bulksync.Faults
	max    int
}

func (e manifestError) Error() string { return e.faults.Error() }

// kind is how a sentinel shows to callers.
type kind struct {
	err    error
	code   codes.Code
	reason string
	hint   string
}

// kinds is read from the top; the first that the error is, counts.
var kinds = []kind{
	{bulksync.ErrNotRecorded, codes.FailedPrecondition, "STATE_NOT_RECORDED", "refresh the recorded state first"},
	{bulksync.ErrNotApplied, codes.FailedPrecondition, "NO_MANIFEST_IN_FORCE", "apply one first"},
	{bulksync.ErrNotFound, codes.NotFound, "NOT_FOUND", ""},
	{bulksync.ErrConflict, codes.Aborted, "CONFLICT", "read it again and repeat"},
	{errClosing, codes.Unavailable, "STOPPING", ""},
	{context.DeadlineExceeded, codes.DeadlineExceeded, "DEADLINE_EXCEEDED", ""},
	{context.Canceled, codes.Canceled, "CANCELLED", ""},
}

// status translates an error into what the caller gets. An unknown one becomes Internal, and its text stays in the log.
func (s *Server) status(err error) error {
	if err == nil {
		return nil
	}
	var refused refusal
	var manifest manifestError
	switch {
	case errors.As(err, &refused):
		return detailed(codes.FailedPrecondition, refused.text,
			&errdetails.ErrorInfo{Reason: refused.reason, Domain: domain},
			&errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{
				{Type: refused.reason, Subject: refused.subject, Description: refused.text},
			}}).Err()
	case errors.As(err, &manifest):
		return manifest.status().Err()
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	if s.opts.Status != nil && !own(err) {
		if st := s.opts.Status(err); st != nil {
			if st.Code() == codes.Internal {
				s.opts.Log.Error("sync server", "error", err.Error())
			}
			return st.Err()
		}
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			text := err.Error()
			if k.hint != "" {
				text += ": " + k.hint
			}
			return detailed(k.code, text, &errdetails.ErrorInfo{Reason: k.reason, Domain: domain}).Err()
		}
	}
	s.opts.Log.Error("sync server", "error", err.Error())
	return detailed(codes.Internal, "internal error", &errdetails.ErrorInfo{Reason: "INTERNAL", Domain: domain}).Err()
}

// own tells whether an error is the engine's or ours, rather than the target's.
func own(err error) bool {
	for _, mine := range []error{bulksync.ErrNotRecorded, bulksync.ErrNotApplied, bulksync.ErrNotFound, bulksync.ErrConflict, errClosing} {
		if errors.Is(err, mine) {
			return true
		}
	}
	return false
}

// faultBudget is what the faults in a status may take, in bytes: a status travels in HTTP/2 headers, twice encoded, and
// many clients take 8 KiB of these.
const faultBudget = 5 << 10

// maxFaults is the most faults that an error carries.
const maxFaults = 1000

// status carries the faults, as Google's field violations and as our own.
func (e manifestError) status() *status.Status {
	own, fields := &syncv1.ManifestFaults{}, &errdetails.BadRequest{}
	size := 0
	for i, f := range e.faults {
		if i == e.most() {
			break
		}
		fault := faultProto(f)
		violation := &errdetails.BadRequest_FieldViolation{Field: "manifest", Description: f.String()}
		if size += proto.Size(fault) + proto.Size(violation) + 4; e.max == 0 && size > faultBudget && i > 0 {
			break
		}
		own.Faults = append(own.Faults, fault)
		fields.FieldViolations = append(fields.FieldViolations, violation)
	}
	own.More = int32(len(e.faults) - len(own.Faults))
	return detailed(codes.InvalidArgument, e.text(),
		&errdetails.ErrorInfo{Reason: "INVALID_MANIFEST", Domain: domain, Metadata: map[string]string{"faults": fmt.Sprint(len(e.faults))}},
		own, fields)
}

func (e manifestError) most() int {
	if e.max == 0 {
		return maxFaults
	}
	return e.max
}

func (e manifestError) text() string {
	if len(e.faults) == 1 {
		return "manifest: " + e.faults[0].String()
	}
	return fmt.Sprintf("manifest: %d faults; the first is %s", len(e.faults), e.faults[0])
}

// detailed makes a status with details.
func detailed(code codes.Code, text string, details ...proto.Message) *status.Status {
	st := status.New(code, text)
	old := make([]protoadapt.MessageV1, len(details))
	for i, d := range details {
		old[i] = protoadapt.MessageV1Of(d)
	}
	if full, err := st.WithDetails(old...); err == nil {
		return full
	}
	return st
}

func faultProto(f bulksync.Fault) *syncv1.ManifestFault {
	return &syncv1.ManifestFault{Position: positionProto(f.Position), Code: f.Code, Message: f.Message, Hint: f.Hint, Field: f.Field}
}

func positionProto(p bulksync.Position) *syncv1.Position {
	return &syncv1.Position{File: p.File, Line: int32(p.Line), Column: int32(p.Column)}
}
