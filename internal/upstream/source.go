package upstream

import (
	"errors"
	"io"
	"sync"
)

// source is the body of a streamed request on its way out. It remembers why it could not be read to its end: that is
// the failure of who sends it, and none of upstream's. The transport reads and closes it in goroutines of its own; mu
// guards what is below it.
type source struct {
	reader io.Reader

	mu     sync.Mutex
	closed bool
	err    error
}

// Read remembers an error, unless the transport has given the body up: it is then the consequence of another one.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.mu.Lock()
		if !s.closed && s.err == nil {
			s.err = err
		}
		s.mu.Unlock()
	}
	return n, err
}

// Close closes the reader, if it can be closed.
func (s *source) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if closer, ok := s.reader.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// failure is why the body could not be read, nil when there is no body.
func (s *source) failure() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
