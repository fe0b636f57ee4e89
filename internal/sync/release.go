package sync

import (
	"time"
)

// Releases: numbers and devices that a run gave up. A pool does not give them again until their quarantine is over, so that
// who dials an old number does not reach somebody else; the one who had it may get it back.

// Release is a number or device that was given up.
type Release struct {
	// Thing is the key of the extension, DDI or device.
	Thing Key   `json:"thing"`
	Login Login `json:"login"`
	// Time when it was given up, RFC 3339 in UTC.
	Time string `json:"time"`
}

// ReleaseKey names the release of a thing.
func ReleaseKey(thing Key) Key { return Key{KindRelease, thing.String()} }

// Key names the release.
func (r *Release) Key() Key { return ReleaseKey(r.Thing) }

// HeldBy is empty: what was released is nobody's.
func (r *Release) HeldBy() Login { return "" }

// keptReleases is how long releases are kept: as long as the longest quarantine, and a day.
const keptReleases = (MaxQuarantine + 1) * 24 * time.Hour

// MaxQuarantine is the longest quarantine, in days.
const MaxQuarantine = 3650

// over tells whether a release is too old to matter to any pool.
func (r *Release) over(now time.Time) bool {
	at, err := time.Parse(time.RFC3339, r.Time)
	return err != nil || now.Sub(at) > keptReleases
}

// releases are what changes of the recorded state give up and take again, as changes of releases. before is the state that
// the changes are about to be laid over.
func releases(changes []RecordChange, before Observed, now time.Time) []RecordChange {
	var more []RecordChange
	for _, c := range changes {
		switch c.Key.Kind {
		case KindExtension, KindDevice, KindDDI:
		default:
			continue
		}
		was, is := Login(""), Login("")
		if r := before.Record(c.Key); r != nil {
			was = r.HeldBy()
		}
		if c.Record != nil {
			is = c.Record.HeldBy()
		}
		switch key := ReleaseKey(c.Key); {
		case was != "" && is == "" && !paired(before.Record(c.Key)):
			more = append(more, change(&Release{Thing: c.Key, Login: was, Time: now.UTC().Format(time.RFC3339)}))
		case is != "" && before.Record(key) != nil:
			more = append(more, gone(key))
		}
	}
	return more
}

// paired tells whether a record is a number of an equipped PBX, which no pool gives.
func paired(r Record) bool {
	e, ok := r.(*Extension)
	return ok && e.Role == RolePairing
}
