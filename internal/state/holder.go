package state

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"
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
}

// holderFile is the side file of a state file that this process holds.
type holderFile struct {
	file  *os.File
	since time.Time
}

func holderPath(path string) string { return path + ".lock" }

// holdFile creates or takes over the side file. The caller holds the state file for writing.
func holdFile(path, address string) (*holderFile, error) {
	f, err := os.OpenFile(holderPath(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	h := &holderFile{file: f, since: time.Now().UTC().Truncate(time.Second)}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := h.write(address); err != nil {
		return nil, errors.Join(err, h.remove())
	}
	return h, nil
}

// write says where the holder serves gRPC.
func (h *holderFile) write(address string) error {
	b, err := json.Marshal(Holder{PID: os.Getpid(), Address: address, Since: h.since})
	if err != nil {
		return err
	}
	if err := h.file.Truncate(0); err != nil {
		return err
	}
	_, err = h.file.WriteAt(append(b, '\n'), 0)
	return err
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
