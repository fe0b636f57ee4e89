package manifest

import (
	"strconv"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// maxRowRemarks is how many remarks the rows of CSV files get at most; each row could have one.
const maxRowRemarks = 20

// remark notes something about a cell that keeps nobody from applying the manifest.
func (w *row) remark(i int, p *problem) {
	d := w.r.desired
	if len(d.Remarks) < maxRowRemarks {
		d.Remarks = append(d.Remarks, bulksync.Fault{
			Position: w.s.t.position(w.s.t.cells[i].start), Code: p.code, Message: p.message, Hint: p.hint, Field: w.s.columns[i].name,
		})
	}
}

// mixedLogin says that a login may not be what it looks like.
func mixedLogin(login bulksync.Login) *problem {
	return &problem{codeMixedAlphabets, "login " + strconv.QuoteToASCII(string(login)) + " mixes Latin letters with those of another alphabet that look like them", "type it again, unless it is meant"}
}
