// Package state keeps the engine's books in one bbolt file: the recorded upstream state of each company, plans, runs
// and the journal. [Open] gives a [Store], which implements the Store interface of internal/sync.
//
// A Store is safe for concurrent use, and what a method has done is on disk when it returns. Only one process can write
// a state file at a time; [Open] names the one that does ([LockedError]). A state file belongs to one upstream
// ([ErrOtherUpstream]).
//
// A snapshot does not hold writers up, nor they it, and it may stay open as long as a run takes: it costs memory for what
// has changed since it was opened, and disk for a state that was since replaced (snapshot.go).
//
// The file never holds a secret: the engine's terms have no place for one. It does hold personal data (names, e-mail
// addresses, numbers), so the file and what stands beside it are readable by their owner alone.
package state
