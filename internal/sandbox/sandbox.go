package sandbox

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// The accounts and ids of the seeded world; other tools rely on them.
const (
	AdminLogin    = "admin@sandbox.example"
	AdminPassword = "Sandbox-Pass-1"
	UserPassword  = "Sandbox-User-1" // of every seeded user
	AppID         = "sandbox-app"
	AppSecret     = "sandbox-secret"
	AppToken      = "sandbox-app-token" // of the header APIKey

	CompanyID          = "5b7d0c0ffee0000000000001"
	CloudPbxID         = "5b7d0c0ffee0000000000101"
	EquippedPbxID      = "5b7d0c0ffee0000000000102"
	EquippedPbxPbxID   = "PBXa1b2-c3d4-e5f6-4711-8899-aabb-ccdd-eeff"
	NeighbourCompanyID = "5b7d0c0ffee0000000000002"

	terminatedCompanyID = "5b7d0c0ffee0000000000003"
)

// Options says what world a sandbox starts with and how it behaves. The zero
// value is a usable sandbox: 20 users, nothing kept.
type Options struct {
	// SeedUsers is the number of users beside the administrator; 0 means 20,
	// a negative number none. A world read from DataFile keeps its own.
	SeedUsers int
	// TokenLifetime is how long a token lives; 0 means 20 minutes.
	TokenLifetime time.Duration
	// TokenRenewals is how often a token can be renewed before a new login is
	// needed; 0 means 5, the number in the vendor's sample.
	TokenRenewals int
	// OrderDelay is how long a bought or changed subscription synchronises
	// with Business Store and Zuora; 0 ends it with the next request.
	OrderDelay time.Duration
	// ImportDelay is how long an import stays Pending before its first row.
	ImportDelay time.Duration
	// ImportRowDelay is the pause after each row of an import.
	ImportRowDelay time.Duration
	// DataFile keeps the world across restarts; empty keeps nothing. It holds
	// secrets (see dataFile) and belongs to one sandbox at a time.
	DataFile string
	// Clock tells the time of tokens and documents; nil is time.Now.
	Clock func() time.Time
	// Logger gets the life of the sandbox, never a secret; nil is silence.
	Logger *slog.Logger
	// JournalSize bounds the request journal; 0 means 200,000 entries.
	JournalSize int
	// Faults are in force from the start; see SetFaults.
	Faults []Fault
	// FaultSeed makes the chances of faults reproducible.
	FaultSeed uint64
}

// Sandbox is one running Rainbow.
type Sandbox struct {
	options  Options
	store    *store
	sessions *sessions
	journal  *journal
	faults   *faults
	imports  *importWorker
	routes   *routeNode

	snapshots snapshots

	closing  sync.Once
	closeErr error
}

// New makes a sandbox. The error is about the data file: unreadable, not a
// world, or its folder not writable.
func New(options Options) (*Sandbox, error) {
	options.SeedUsers = cmp.Or(options.SeedUsers, 20)
	options.TokenLifetime = cmp.Or(options.TokenLifetime, 20*time.Minute)
	options.TokenRenewals = cmp.Or(options.TokenRenewals, 5)
	options.JournalSize = cmp.Or(options.JournalSize, 200_000)
	if options.Clock == nil {
		options.Clock = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	st, err := openStore(options)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s := &Sandbox{
		options:  options,
		store:    st,
		sessions: newSessions(),
		journal:  newJournal(options.JournalSize),
		faults:   newFaults(),
		routes:   routeTree(),

		snapshots: snapshots{named: map[string]*Snapshot{}},
	}
	if err := s.SetFaults(options.Faults); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s.imports = startImports(s)
	return s, nil
}

// openStore reads the kept world, or seeds a new one.
func openStore(options Options) (*store, error) {
	var w *world
	var size int64
	var err error
	if options.DataFile != "" {
		if w, size, err = loadWorld(options.DataFile); err != nil {
			return nil, err
		}
	}
	if w == nil {
		w = seedWorld(max(options.SeedUsers, 0), newSigningKey())
	}
	st := &store{world: w}
	if options.DataFile != "" {
		if st.file, err = openDataFile(options.DataFile, w, size); err != nil {
			return nil, err
		}
	}
	if len(w.catalogues.rows) == 0 { // a world kept by a sandbox that had no partners
		w.seedPartners()
		if err := st.flush(); err != nil {
			return nil, err
		}
	}
	m := w.meta.get(metaID)
	if len(w.trunks.rows) == 0 { // one that had no services
		w.seedVoice(m.SeedUsers)
		if err := st.flush(); err != nil {
			return nil, err
		}
	}
	options.Logger.Info("sandbox world ready", "seedUsers", m.SeedUsers, "users", len(w.users.rows), "dataFile", options.DataFile)
	return st, nil
}

func newSigningKey() []byte {
	key := make([]byte, 32)
	rand.Read(key) // never fails; see crypto/rand
	return key
}

// Handler serves the sandbox: Rainbow below /api/rainbow/, and below /sandbox/
// what controls it. The control paths have no authentication, so the handler
// belongs on a loopback address.
func (s *Sandbox) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Journal lists the recorded requests, oldest first.
func (s *Sandbox) Journal() []JournalEntry { return s.journal.list() }

// Reset puts the world back to its seed, cancels running imports, and empties
// the journal, the faults and the failed logins. Tokens and snapshots stay
// valid.
func (s *Sandbox) Reset() error {
	s.journal.clear()
	if err := s.SetFaults(nil); err != nil {
		return err
	}
	s.store.mu.RLock()
	m := *s.store.world.meta.get(metaID)
	s.store.mu.RUnlock()
	seeded := seedWorld(m.SeedUsers, m.SigningKey) // takes seconds for a large company, which others need not wait for
	return s.replaceWorld(func() *world { return seeded })
}

// Close stops the imports where they are (a kept world resumes them) and
// writes the data file. It may be called twice.
func (s *Sandbox) Close() error {
	s.closing.Do(func() {
		s.imports.stop()
		s.store.mu.Lock()
		defer s.store.mu.Unlock()
		if s.store.file != nil {
			s.closeErr = s.store.file.close(s.store.world)
			s.store.file = nil
		}
	})
	return s.closeErr
}
