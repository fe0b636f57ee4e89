package main

import (
	"fmt"
	"io"
	"strings"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

const (
	// alikeShown is how many operations are named that came to the same end for the same reason, troubleShown how many in all.
	alikeShown   = 5
	troubleShown = 50
)

// cause is why an operation is not done: equal for those that share it.
type cause struct {
	status  syncv1.RunOutcome_Status
	code    int32
	message string
}

// writeTrouble names the operations of a run that are not done, with the reason: a few of each reason, so that one that keeps
// thousands from being done does not bury the others.
func writeTrouble(w io.Writer, e *ending) {
	var causes []cause
	alike := map[cause][]*syncv1.RunOutcome{}
	for _, o := range e.trouble {
		c := cause{o.GetStatus(), o.GetCode(), o.GetMessage()}
		if alike[c] == nil {
			causes = append(causes, c)
		}
		alike[c] = append(alike[c], o)
	}
	left, room := 0, troubleShown
	for _, c := range causes {
		all := alike[c]
		shown := all[:min(len(all), alikeShown, room)]
		room -= len(shown)
		left += len(all) - len(shown)
		for _, o := range shown {
			op := o.GetOperation()
			fmt.Fprintf(w, "%s %d: %s%s\n", strings.ToLower(strings.TrimPrefix(o.GetStatus().String(), "STATUS_")), op.GetId(), op.GetTitle(), at(op))
			if c.code != 0 {
				fmt.Fprintf(w, "    Rainbow says %d: %s\n", c.code, c.message)
			} else {
				fmt.Fprintf(w, "    %s\n", c.message)
			}
		}
		if more := len(all) - len(shown); more > 0 && len(shown) > 0 {
			fmt.Fprintf(w, "    … and %d more for this reason\n", more)
		}
	}
	if left > 0 {
		fmt.Fprintf(w, "All of them: gateway runs show %s -o csv\n", lastPart(e.run.GetName()))
	}
}
