package sync

import "fmt"

// Seats is what a plan does with the seats of one licence.
type Seats struct {
	Licence string `json:"licence"`
	Offer   Offer  `json:"offer"`
	Now     int    `json:"now"`
	// Peak is the most that are ever taken at once, in whatever order a parallel run carries the plan out.
	Peak  int `json:"peak"`
	After int `json:"after"`
	// Max is the number of seats bought; -1 when unlimited.
	Max int `json:"max"`
}

func (s Seats) String() string {
	of := "without limit"
	if s.Max >= 0 {
		of = fmt.Sprintf("of %d", s.Max)
	}
	return fmt.Sprintf("%s: %d now, %d at the peak, %d after, %s", s.Offer, s.Now, s.Peak, s.After, of)
}

// seats lists the licences of which the plan gives or takes any. What is held back does not count.
func (p *planner) seats() []Seats {
	created := 0
	for _, d := range p.drafts {
		if d.op.Key.Kind == KindUser && d.op.Action == ActionCreate && d.op.Held == "" {
			created++
		}
	}
	var all []Seats
	for _, l := range p.licences {
		takes, frees := goingOn(p.seatTakes[l.Key()]), goingOn(p.seatFrees[l.Key()])
		if l.Default && l.Status == "active" { // every new user gets it (admin guide, CreateUser)
			takes += created
		}
		if takes+frees == 0 {
			continue
		}
		s := Seats{Licence: l.ID, Offer: l.Offer, Now: l.Assigned, Peak: l.Assigned + takes, After: l.Assigned + takes - frees, Max: l.Max}
		if l.Max >= 0 && s.Peak > l.Max { // then takes wait for seats that are given back (checkSeats)
			s.Peak = max(l.Max, l.Assigned)
		}
		all = append(all, s)
	}
	return all
}

// goingOn counts drafts, less those that are held back.
func goingOn(drafts []*draft) int {
	n := 0
	for _, d := range drafts {
		if d.op.Held == "" {
			n++
		}
	}
	return n
}
