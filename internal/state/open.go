package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Options say how to open a state file.
type Options struct {
	// UpstreamURL is the upstream that the state is of. A new file is bound to it, an old one must be. It may be empty to
	// open an old file whatever it is bound to. User, password and query of the URL are not stored.
	UpstreamURL string
	// Address is where this process serves gRPC, to tell those who find the file locked; see also [Store.Announce].
	Address string
	// Timeout is how long to wait for a file that another process holds; one second when zero.
	Timeout time.Duration
	// ReadOnly opens an existing file beside other readers. Everything that writes then gives ErrReadOnly.
	ReadOnly bool
}

// Store keeps the engine's books in a bbolt file.
type Store struct {
	db       *bolt.DB
	path     string
	upstream string
	commits  committer
	holder   *holderFile // nil when read only

	refreshing sync.Mutex // held by the one refresh that writes; see refresh.go
	refreshes  refreshes
	views      views
}

var _ bulksync.Store = (*Store)(nil)

const (
	defaultTimeout = time.Second
	// growth is the step in which a larger file grows, in bytes; each step costs an fsync.
	growth = 4 << 20
)

// Open opens a state file for one upstream, and creates it, with its folder, if need be. It gives ErrLocked,
// ErrOtherUpstream, ErrNotState or ErrFormat, or the error of the file system, with the path in the text.
func Open(path string, o Options) (*Store, error) {
	upstream, err := canonicalUpstream(o.UpstreamURL)
	if err != nil {
		return nil, fmt.Errorf("state file %q: %w", path, err)
	}
	if !o.ReadOnly {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("state file %q: folder: %w", path, bareCause(err))
		}
	}
	s := &Store{path: path}
	created, err := s.openFile(o)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(upstream, o); err != nil {
		err = errors.Join(err, s.db.Close())
		if created {
			err = errors.Join(err, os.Remove(path))
		}
		return nil, err
	}
	return s, nil
}

// openFile opens or creates the bbolt file and tells whether it created it. A file that could not be made whole is
// removed again.
func (s *Store) openFile(o Options) (created bool, err error) {
	var file *os.File
	opener := func(name string, flag int, mode fs.FileMode) (*os.File, error) {
		f, isNew, err := openOrCreate(name, flag, mode)
		file, created = f, created || isNew
		return f, err
	}
	options := &bolt.Options{
		Timeout: o.Timeout, ReadOnly: o.ReadOnly, OpenFile: opener,
		FreelistType: bolt.FreelistMapType, NoFreelistSync: true,
	}
	if o.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	s.db, err = openBolt(s.path, options)
	if err == nil {
		s.db.AllocSize = growth
		s.commits.db, s.commits.views = s.db, &s.views
		return created, nil
	}
	if file != nil {
		_ = file.Close() // bbolt has closed it, unless it panicked
	}
	if created && !errors.Is(err, berrors.ErrTimeout) {
		err = errors.Join(err, os.Remove(s.path))
	}
	return false, s.openError(err)
}

// openOrCreate opens a file as flag says and tells whether it was created by that.
func openOrCreate(name string, flag int, mode fs.FileMode) (f *os.File, created bool, err error) {
	f, err = os.OpenFile(name, flag&^os.O_CREATE, mode)
	if !errors.Is(err, fs.ErrNotExist) || flag&os.O_CREATE == 0 {
		return f, false, err
	}
	f, err = os.OpenFile(name, flag|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) { // somebody was faster
		f, err = os.OpenFile(name, flag, mode)
		return f, false, err
	}
	return f, err == nil, err
}

// openBolt opens a bbolt file; one whose pages are cut off or nonsense gives ErrNotState, where bbolt panics or reads
// beyond the file's end, which is a memory fault.
func openBolt(path string, o *bolt.Options) (db *bolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, fmt.Errorf("%w: its pages cannot be read", ErrNotState)
		}
	}()
	db, err = bolt.Open(path, 0o600, o)
	if err != nil {
		return nil, err
	}
	if err := checkWhole(db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// checkWhole refuses a file that is shorter than its own tree says, such as a copy that was cut off.
func checkWhole(db *bolt.DB) error {
	return db.View(func(tx *bolt.Tx) error {
		info, err := os.Stat(db.Path())
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: it has %d bytes and should have %d", ErrNotState, info.Size(), tx.Size())
		}
		return tx.ForEach(func([]byte, *bolt.Bucket) error { return nil }) // reads the trunk, while faults are caught
	})
}

// openError puts an error of bbolt's Open in our words.
func (s *Store) openError(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return &LockedError{Path: s.path, Holder: readHolder(s.path)}
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch),
		errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrInvalidMapping):
		return fmt.Errorf("state file %q: %w (%w)", s.path, ErrNotState, err)
	}
	return fmt.Errorf("state file %q: %w", s.path, bareCause(err))
}

// bareCause strips the path from a file system's error: the text names it already.
func bareCause(err error) error {
	if pe, ok := err.(*fs.PathError); ok { //nolint:errorlint // one that is wrapped has words around it to keep
		return pe.Err
	}
	return err
}

// prepare makes an open file ready: tree, format, upstream, remains of a crash, side file.
func (s *Store) prepare(upstream string, o Options) error {
	if err := s.db.View(func(tx *bolt.Tx) error { return s.check(tx, upstream, o.ReadOnly) }); err != nil {
		return err
	}
	if o.ReadOnly {
		return nil
	}
	if err := s.db.Update(func(tx *bolt.Tx) error { return s.settle(tx, upstream) }); err != nil {
		return fmt.Errorf("state file %q: %w", s.path, err)
	}
	if err := syncFolder(s.path); err != nil {
		return fmt.Errorf("state file %q: folder: %w", s.path, bareCause(err))
	}
	var err error
	if s.holder, err = holdFile(s.path, o.Address); err != nil {
		return fmt.Errorf("state file %q: side file: %w", s.path, err)
	}
	return nil
}

// check refuses a file that cannot be used, before anything is written to it.
func (s *Store) check(tx *bolt.Tx, upstream string, readOnly bool) error {
	version := getFormat(tx)
	isNew := isEmpty(tx)
	switch {
	case isNew && readOnly:
		return fmt.Errorf("state file %q: it is empty", s.path)
	case isNew && upstream == "":
		return fmt.Errorf("state file %q: a new one needs the upstream that it is of", s.path)
	case isNew:
		s.upstream = upstream
		return nil
	case version == 0:
		return fmt.Errorf("state file %q: %w: it is a bbolt file of something else", s.path, ErrNotState)
	case version > format:
		return fmt.Errorf("state file %q: %w: it has format %d, this version knows up to %d; use the newer gateway",
			s.path, ErrFormat, version, format)
	case version < format && readOnly:
		return fmt.Errorf("state file %q: %w: format %d must first be upgraded to %d; open it once for writing",
			s.path, ErrFormat, version, format)
	}
	if waiting, err := anyPending(tx); err != nil || waiting && readOnly {
		return errors.Join(err, fmt.Errorf("state file %q: %w: it was not closed; open it once for writing", s.path, ErrFormat))
	}
	s.upstream = string(getMeta(tx).Get(keyUpstream))
	return checkUpstream(s.path, s.upstream, upstream)
}

// isEmpty tells whether a bbolt file holds nothing at all: it is new, or its creator was stopped.
func isEmpty(tx *bolt.Tx) bool {
	k, _ := tx.Cursor().First()
	return k == nil
}

// settle brings a file that passed check up to date. Its caller holds the file, so no other writer is at work.
func (s *Store) settle(tx *bolt.Tx, upstream string) error {
	if isEmpty(tx) {
		return initialise(tx, upstream)
	}
	if version := getFormat(tx); version < format {
		if err := migrate(tx, version, format, migrations()); err != nil {
			return err
		}
	}
	return errors.Join(dropStrays(tx), s.workInAll(tx))
}

// initialise writes the tree's trunk into a new file.
func initialise(tx *bolt.Tx, upstream string) error {
	if err := putFormat(tx, format); err != nil {
		return err
	}
	meta := getMeta(tx)
	if err := meta.Put(keyUpstream, []byte(upstream)); err != nil {
		return err
	}
	if err := meta.Put(keyCreated, []byte(time.Now().UTC().Format(time.RFC3339))); err != nil {
		return err
	}
	_, err := createBucket(tx, keyCompanies)
	return err
}

// syncFolder makes the file's name durable, as fsync of a file alone does not.
func syncFolder(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err // EINVAL: a file system whose folders do not sync
	}
	return nil
}

// Path is the state file's path as given to Open.
func (s *Store) Path() string { return s.path }

// Upstream is what the file is bound to: a URL in canonical form, or a name such as "sandbox".
func (s *Store) Upstream() string { return s.upstream }

// Announce tells those who find the file locked where this process serves gRPC, once it does.
func (s *Store) Announce(address string) error {
	if s.holder == nil {
		return ErrReadOnly
	}
	if err := s.holder.announce(address); err != nil {
		return fmt.Errorf("state file %q: side file: %w", s.path, err)
	}
	return nil
}

// Close lets go of the file. Calls under way end first; later ones, those of open snapshots included, give ErrClosed.
func (s *Store) Close() error {
	var err error
	if s.holder != nil {
		err = s.holder.remove()
		s.holder = nil
	}
	err = errors.Join(err, s.tidy())
	s.views.shut() // bbolt waits for open transactions
	return errors.Join(err, s.db.Close())
}

// tidy leaves the file as the next Open likes it: with nothing to work in, and with the list of free pages. Commits leave that
// list out, since after a refresh of a large company it has many thousands of entries and would be written anew with every
// call of a run. A file that was not closed is walked over when it is opened, which takes a third of a second for each gigabyte.
func (s *Store) tidy() error {
	if s.db.IsReadOnly() {
		return nil
	}
	err := s.commits.between(func() error {
		return s.commits.write(func(tx *bolt.Tx) error {
			s.db.NoFreelistSync = false // in use by one writer at a time
			return s.workInAll(tx)
		})
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) { // closed already
		return nil
	}
	return err
}
