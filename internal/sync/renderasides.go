package sync

import (
	"strings"
)

// asidesNamed is how many entries that need nothing, for a reason that is worth a word, the forms for people name.
const asidesNamed = 5

// toldRemarks are the plan's remarks, and behind them why some entries need nothing though they are not simply as they
// should be: who creates a user who exists must not take "no changes" for done.
func (p *Plan) toldRemarks() []Fault {
	told, more := p.Remarks[:len(p.Remarks):len(p.Remarks)], 0
	for u := range p.Unchanged.All() {
		if u.Login == "" || u.Note == asWanted {
			continue
		}
		if len(told)-len(p.Remarks) == asidesNamed {
			more++
			continue
		}
		words := u.Note
		if !strings.Contains(words, string(u.Login)) {
			words = string(u.Login) + ": " + words
		}
		told = append(told, Fault{Message: words, Position: u.Position})
	}
	if more > 0 {
		told = append(told, Fault{Message: "nothing is to be done for " + strings.Replace(counted(more, "entry"), " ", " more ", 1) + ", for reasons like these; -o json has them all"})
	}
	return told
}
