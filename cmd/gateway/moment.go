package main

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// moment is a time on the command line: a day, a time, or how long ago.
type moment struct{ time time.Time }

// UnmarshalText reads 2026-11-22, 2026-11-22T10:15:00Z, 7d or 36h.
func (m *moment) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if day, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		m.time = day
		return nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		m.time = at
		return nil
	}
	if span, err := bulksync.ParseSpan(s); err == nil && span.Age > 0 {
		m.time = time.Now().Add(-span.Age)
		return nil
	}
	return fmt.Errorf("%q is no time: want a day such as 2026-11-22, a time such as 2026-11-22T10:15:00Z, or how long ago, such as 7d or 36h", s)
}

// timestamp is absent for no time.
func (m moment) timestamp() *timestamppb.Timestamp {
	if m.time.IsZero() {
		return nil
	}
	return timestamppb.New(m.time)
}
