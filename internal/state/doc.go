// Package state keeps the engine's books in one bbolt file: the recorded upstream state of each company, plans, runs
// and the journal. [Open] gives a [Store], which implements the Store interface of internal/sync.
//
// A Store is safe for concurrent use, and what a method has done is on disk when it returns. Only one process can write
// a state file at a time; [Open] names the one that does ([LockedError]). A state file belongs to one upstream
// ([ErrOtherUpstream]).
//
// Snapshots and writers do not wait for one another. A snapshot that stays open for long keeps the pages of its time
// from being used again, so that the file grows; close it soon. [Store.Close] waits for open snapshots.
//
// The file never holds a secret: the engine's terms have no place for one. It does hold personal data (names, e-mail
// addresses, numbers), so the file and what stands beside it are readable by their owner alone.
package state
