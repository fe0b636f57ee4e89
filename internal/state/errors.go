package state

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// The kinds of errors of a state file, beyond those of the Store interface.
var (
	// ErrLocked: another process holds the file. The error is a *[LockedError], which names it.
	ErrLocked = errors.New("state file is in use")
	// ErrOtherUpstream: the file is bound to another upstream URL than the one asked for.
	ErrOtherUpstream = errors.New("state file of another upstream")
	// ErrNotState: the file is not a state file, or is damaged beyond reading.
	ErrNotState = errors.New("not a state file, or a damaged one")
	// ErrFormat: the file has a format that this version cannot use, such as that of a newer version.
	ErrFormat = errors.New("state file format not supported")
	// ErrReadOnly: a change was asked of a file that was opened to be read.
	ErrReadOnly = errors.New("state file is open for reading only")
	// ErrClosed: the store was used after Close.
	ErrClosed = errors.New("state file is closed")
)

// LockedError tells which process holds a state file.
type LockedError struct {
	Path string
	// Holder is nil when the holder has not said who it is: it reads the file, or is just starting.
	Holder *Holder
}

// Error names the holder, what it is doing, its gRPC address and how to talk to it.
func (e *LockedError) Error() string {
	h := e.Holder
	switch {
	case h == nil:
		return fmt.Sprintf("state file %q: in use by another process; try again when it has ended", e.Path)
	case h.Address == "":
		return fmt.Sprintf("state file %q: in use by %s since %s%s; try again when it has ended", e.Path, h.process(), h.Since.Format(time.RFC3339), h.doing())
	}
	return fmt.Sprintf("state file %q: in use by the gateway at %s (%s, since %s)%s; talk to it with --server %s",
		e.Path, h.Address, h.process(), h.Since.Format(time.RFC3339), h.doing(), h.Address)
}

// process names the holder's process.
func (h *Holder) process() string {
	if h.User == "" {
		return fmt.Sprintf("process %d", h.PID)
	}
	return fmt.Sprintf("process %d of %s", h.PID, h.User)
}

// doing says which runs the holder carries out.
func (h *Holder) doing() string {
	words := ""
	for _, r := range h.Runs {
		words += fmt.Sprintf(", carrying out %s of company %s (begun by %s at %s)", r.Run, r.Company, cmp.Or(r.Actor, "nobody known"), r.Since.UTC().Format(time.RFC3339))
	}
	return words
}

// Is makes every LockedError an ErrLocked.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }
