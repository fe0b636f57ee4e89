package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal tells whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colorful tells whether to write colours: to a terminal that has not said no (https://no-color.org).
func colorful(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// How wide lines are written for a terminal: longer ones are hard to read, and in less room nothing is.
const (
	widest    = 120
	narrowest = 40
)

// columns is how wide the text on a terminal may be; 0, for the usual width, where it goes elsewhere.
func columns(w io.Writer) int32 {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < narrowest {
		return 0
	}
	return int32(min(width, widest))
}
