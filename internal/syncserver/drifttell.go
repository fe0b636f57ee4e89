package syncserver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Telling of drift: a message goes out when the drift is another than the one of the last message that was delivered, so
// that nobody is told twice, and nobody is left untold when a message is lost or the gateway restarts. Which one that was
// stands in the books.

// tellDrift has a company's drift told, if it is news. It does not wait.
func (s *Server) tellDrift(l *lane) {
	if s.drift.Tell == nil || s.enter() != nil {
		return
	}
	go func() {
		defer s.running.Done()
		select {
		case l.telling <- struct{}{}:
			defer func() { <-l.telling }()
		case <-s.drift.life.Done():
			return
		}
		if err := s.tellNews(s.drift.life, l); err != nil && s.drift.life.Err() == nil {
			s.opts.Log.Error("drift: not told", "company", l.company, "error", err.Error())
		}
	}()
}

// tellNews delivers what the last look found, unless it was delivered before.
func (s *Server) tellNews(ctx context.Context, l *lane) error {
	found, err := s.lastDrift(ctx, l.company)
	if err != nil || found.Hash == found.Told {
		return err
	}
	id, body, err := driftMessage(found, s.drift.Details)
	if err != nil {
		return err
	}
	err = s.drift.Tell(ctx, id, body)
	if ctx.Err() != nil {
		return err
	}
	s.drift.metrics.told(l.company, err)
	if err != nil {
		return err
	}
	return s.noteTold(context.WithoutCancel(ctx), l, found.Hash)
}

// noteTold writes down what was delivered, in the report that is there by now.
func (s *Server) noteTold(ctx context.Context, l *lane, hash string) error {
	done, err := l.look(ctx)
	if err != nil {
		return err
	}
	defer done()
	now, err := s.opts.Engine.Store.Drift(ctx, l.company)
	if err != nil {
		return err
	}
	now.Told = hash
	return s.keepDrift(ctx, now)
}

// detailsTold is how many differences a message holds at most.
const detailsTold = 100

// driftNews is a message, in the form that Standard Webhooks recommends.
type driftNews struct {
	Type      string        `json:"type"`
	Timestamp time.Time     `json:"timestamp"`
	Data      driftNewsData `json:"data"`
}

// driftNewsData tells of drift in numbers; of people only when details are asked for.
type driftNewsData struct {
	Name        string                `json:"name"`
	Hash        string                `json:"hash,omitempty"`
	Summary     string                `json:"summary"`
	Differences int                   `json:"differences"`
	Counts      map[bulksync.Kind]int `json:"counts"`
	Users       int                   `json:"users"`
	Operations  int                   `json:"operations"`
	CheckTime   time.Time             `json:"checkTime"`
	StateTime   time.Time             `json:"stateTime,omitzero"`
	Manifest    string                `json:"manifestDigest"`
	Run         string                `json:"run"`
	AppliedTime time.Time             `json:"appliedTime"`
	Details     []driftDetail         `json:"details,omitempty"`
	// More is how many differences are not among the details.
	More int `json:"more,omitempty"`
}

type driftDetail struct {
	Login bulksync.Login          `json:"login,omitempty"`
	Kind  bulksync.Kind           `json:"kind"`
	What  bulksync.DifferenceKind `json:"what"`
	Key   string                  `json:"key,omitempty"`
	Words string                  `json:"words"`
}

// driftMessage makes the message of a report. Its id is the same as long as things are as they are, and another when they
// come to be so again.
func driftMessage(d *bulksync.Drift, details bool) (id string, body []byte, err error) {
	news := driftNews{Type: "drift.found", Timestamp: d.SinceTime, Data: driftNewsData{
		Name: driftName(d.Company), Hash: d.Hash, Summary: d.Summary(), Differences: len(d.Differences), Counts: d.ByKind(), Users: d.Users(),
		Operations: d.Operations(), CheckTime: d.CheckTime, StateTime: d.RecordTime, Manifest: d.Manifest, Run: runName(d.Company, d.Run), AppliedTime: d.AppliedTime,
	}}
	if d.Hash == "" {
		news.Type = "drift.gone"
	}
	if details {
		for i := range d.Differences[:min(len(d.Differences), detailsTold)] {
			x := &d.Differences[i]
			detail := driftDetail{Login: x.Login, Kind: x.Kind, What: x.What, Words: x.Words}
			if x.Key.Kind != "" {
				detail.Key = x.Key.String()
			}
			news.Data.Details = append(news.Data.Details, detail)
		}
		news.Data.More = len(d.Differences) - len(news.Data.Details)
	}
	body, err = json.Marshal(news)
	if err != nil {
		return "", nil, fmt.Errorf("message about drift: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", d.Company, d.Hash, d.SinceTime.UnixNano()))
	return "drift_" + hex.EncodeToString(sum[:12]), body, nil
}
