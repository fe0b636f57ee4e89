package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Faults of snapshots, to be found with errors.Is.
var (
	ErrNoSnapshot       = errors.New("no such snapshot")
	ErrSnapshotName     = errors.New("not a snapshot name")
	ErrTooManySnapshots = errors.New("too many snapshots")
)

// maxSnapshots bounds what snapshots may hold back from the garbage collector.
const maxSnapshots = 32

// Snapshot is a picture of the world that Restore can bring back.
type Snapshot struct {
	Name      string    `json:"name"`
	Taken     time.Time `json:"taken"`
	Documents int       `json:"documents"`

	kinds map[string][]any // the documents of each kind, by id
}

// snapshots holds the pictures by name. Documents never change once they are
// in a table (see table), so a picture is lists of pointers: it costs memory
// only for what changes afterwards. Rejected: encoding the world, which takes
// seconds and a second copy at 100,000 users.
type snapshots struct {
	mu    sync.Mutex
	named map[string]*Snapshot
}

// snapshotName tells whether a name is one: 1 to 64 letters, digits, dots,
// hyphens and underscores.
func snapshotName(name string) error {
	if ok, _ := regexp.MatchString(`^[A-Za-z0-9._-]{1,64}$`, name); !ok || strings.Trim(name, ".") == "" {
		return fmt.Errorf("snapshot %q: %w: 1 to 64 letters, digits, dots, hyphens and underscores are", name, ErrSnapshotName)
	}
	return nil
}

// Snapshot keeps a picture of the world under a name, in place of an earlier
// one of that name. Pictures are kept in memory only: they outlive Reset, not
// the sandbox. The error is about the name, or about more than 32 pictures.
func (s *Sandbox) Snapshot(name string) (Snapshot, error) {
	if err := snapshotName(name); err != nil {
		return Snapshot{}, err
	}
	taken := &Snapshot{Name: name, Taken: s.options.Clock().UTC(), kinds: map[string][]any{}}
	s.store.mu.RLock()
	for kind, table := range s.store.world.kinds() {
		documents := table.documents()
		taken.kinds[kind] = documents
		taken.Documents += len(documents)
	}
	s.store.mu.RUnlock()
	s.snapshots.mu.Lock()
	defer s.snapshots.mu.Unlock()
	if s.snapshots.named[name] == nil && len(s.snapshots.named) >= maxSnapshots {
		return Snapshot{}, fmt.Errorf("snapshot %q: %w: there are %d already, the most", name, ErrTooManySnapshots, maxSnapshots)
	}
	s.snapshots.named[name] = taken
	return taken.summary(), nil
}

func (p *Snapshot) summary() Snapshot {
	return Snapshot{Name: p.Name, Taken: p.Taken, Documents: p.Documents}
}

// Restore brings the world of a snapshot back, at once for all callers: a
// request sees the world before or the one after. Ids go on counting from
// where they stood in the snapshot, so the same calls make the same ids again.
// Tokens stay valid as long as their user exists, and what was logged out
// stays so; failed logins are forgotten. An import that was Pending in the
// snapshot goes on at the row where it stood then; one that started later is
// gone, and no further row of it is carried out. Journal and faults stay.
func (s *Sandbox) Restore(name string) error {
	s.snapshots.mu.Lock()
	picture := s.snapshots.named[name]
	s.snapshots.mu.Unlock()
	if picture == nil {
		return fmt.Errorf("snapshot %q: %w", name, ErrNoSnapshot)
	}
	err := s.replaceWorld(func() *world {
		w := newWorld()
		for kind, table := range w.kinds() {
			table.load(picture.kinds[kind])
		}
		return w
	})
	s.imports.poke()
	return err
}

// replaceWorld puts another world in the place of the present one, and in its
// file.
func (s *Sandbox) replaceWorld(next func() *world) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	w := next()
	w.dirty.clear()
	w.dirty.tracking = s.store.file != nil
	s.store.world = w
	s.sessions.clear()
	if s.store.file != nil {
		return s.store.file.rewrite(w)
	}
	return nil
}

// Snapshots lists the pictures by name.
func (s *Sandbox) Snapshots() []Snapshot {
	s.snapshots.mu.Lock()
	defer s.snapshots.mu.Unlock()
	list := []Snapshot{}
	for _, name := range slices.Sorted(maps.Keys(s.snapshots.named)) {
		list = append(list, s.snapshots.named[name].summary())
	}
	return list
}

// DropSnapshot forgets a picture.
func (s *Sandbox) DropSnapshot(name string) error {
	s.snapshots.mu.Lock()
	defer s.snapshots.mu.Unlock()
	if s.snapshots.named[name] == nil {
		return fmt.Errorf("snapshot %q: %w", name, ErrNoSnapshot)
	}
	delete(s.snapshots.named, name)
	return nil
}

// controlSnapshots answers /sandbox/snapshots and what is below.
func (s *Sandbox) controlSnapshots(w http.ResponseWriter, method, path string) {
	name, action, _ := strings.Cut(strings.Trim(strings.TrimPrefix(path, "/sandbox/snapshots"), "/"), "/")
	var answer any
	var err error
	switch {
	case name == "" && method == http.MethodGet:
		answer = s.Snapshots()
	case name != "" && action == "" && method == http.MethodPut:
		answer, err = s.Snapshot(name)
	case name != "" && action == "" && method == http.MethodDelete:
		answer, err = map[string]string{"status": "deleted"}, s.DropSnapshot(name)
	case name != "" && action == "restore" && method == http.MethodPost:
		answer, err = map[string]string{"status": "restored"}, s.Restore(name)
	default:
		writeJSON(w, http.StatusNotFound, noSuchControl(method, path))
		return
	}
	if err != nil {
		writeJSON(w, snapshotStatus(err), map[string]string{"error": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func snapshotStatus(err error) int {
	switch {
	case errors.Is(err, ErrNoSnapshot):
		return http.StatusNotFound
	case errors.Is(err, ErrSnapshotName):
		return http.StatusBadRequest
	case errors.Is(err, ErrTooManySnapshots):
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}
