package state

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/user"
	"slices"
	"sync"
	"syscall"
	"time"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Holder says who holds a state file for writing. It stands in a file beside the state file, because the state file
// itself cannot be read by those who find it locked.
//
// The side file is itself locked as long as its writer lives. So one that a killed process left behind is told from a
// live one by trying that lock, without trusting process ids, which are used again and differ between containers.
type Holder struct {
	PID int `json:"pid"`
	// Address is where the holder serves gRPC; empty while it does not.
	Address string    `json:"grpc,omitempty"`
	Since   time.Time `json:"since"`
	// User is the operating system's name of whoever started the process; empty when it is not known.
	User string `json:"user,omitempty"`
	// Runs are those that it carries out, ordered by company.
	Runs []HeldRun `json:"runs,omitempty"`
}

// HeldRun is a run that the holder of a state file carries out.
type HeldRun struct {
	Company string    `json:"company"`
	Run     string    `json:"run"`
	Actor   string    `json:"actor,omitempty"`
	Since   time.Time `json:"since"`
}

// holderFile is the side file of a state file that this process holds.
type holderFile struct {
	mu   sync.Mutex // guards the rest
	file *os.File
	says Holder
}

func holderPath(path string) string { return path + ".lock" }

// holdFile creates or takes over the side file. The caller holds the state file for writing.
func holdFile(path, address string) (*holderFile, error) {
	f, err := os.OpenFile(holderPath(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	h := &holderFile{file: f, says: Holder{PID: os.Getpid(), Since: time.Now().UTC().Truncate(time.Second), User: userName()}}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := h.announce(address); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	return h, nil
}

// userName is the operating system's name of whoever runs this process.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// announce says where the holder serves gRPC.
func (h *holderFile) announce(address string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.says.Address = address
	return h.write()
}

// note says that a run goes on, or does not any more.
func (h *holderFile) note(r *bulksync.Run) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	runs := slices.DeleteFunc(h.says.Runs, func(x HeldRun) bool { return x.Company == r.Company && x.Run == r.Name })
	if !r.State.Ended() {
		runs = append(runs, HeldRun{Company: r.Company, Run: r.Name, Actor: r.Actor, Since: r.StartTime})
		slices.SortFunc(runs, func(a, b HeldRun) int { return cmp.Compare(a.Company, b.Company) })
	}
	if len(runs) == 0 && len(h.says.Runs) == 0 {
		return nil
	}
	h.says.Runs = runs
	return h.write()
}

// write writes what the holder says. The caller holds the lock.
func (h *holderFile) write() error {
	b, err := json.Marshal(h.says)
	if err != nil {
		return err
	}
	if err := h.file.Truncate(0); err != nil {
		return err
	}
	_, err = h.file.WriteAt(append(b, '\n'), 0)
	if diskFull(err) { // the books can still be read, and pruned; those who find the file locked learn less
		return h.file.Truncate(0)
	}
	return err
}

// diskFull tells whether there is no room for what was written.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// remove deletes the side file. The caller still holds the state file, so the path is not yet another holder's.
func (h *holderFile) remove() error {
	return errors.Join(os.Remove(h.file.Name()), h.file.Close())
}

// readHolder gives the live holder of a state file, or nil when the side file is absent, left behind, or not yet written.
func readHolder(path string) *Holder {
	f, err := os.Open(holderPath(path))
	if err != nil {
		return nil
	}
	defer f.Close()
	if !isLocked(f) {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f, 1<<16))
	if err != nil {
		return nil
	}
	var h Holder
	if json.Unmarshal(b, &h) != nil {
		return nil
	}
	return &h
}
