package sandboxtest

// Snapshot keeps a picture of the world under a name, of letters, digits, dots,
// hyphens and underscores, in place of an earlier one of that name. A server
// has at most 32.
func (s *Server) Snapshot(name string) {
	s.tb.Helper()
	_, err := s.sandbox.Snapshot(name)
	s.must(err)
}

// Restore brings a picture of the world back, at once for all callers. Tokens
// stay valid while their user exists, ids go on counting from where they stood
// then, and an import that was pending then goes on at its row. Journal and
// faults stay as they are.
func (s *Server) Restore(name string) {
	s.tb.Helper()
	s.must(s.sandbox.Restore(name))
}

// Reset puts the world back to its seed, ends running imports, and empties the
// journal, the faults and the failed logins. Tokens and snapshots stay valid.
func (s *Server) Reset() {
	s.tb.Helper()
	s.must(s.sandbox.Reset())
}
