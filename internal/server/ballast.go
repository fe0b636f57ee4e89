package server

import "os"

// ballastSize is how much the collector is made to believe in, in bytes.
const ballastSize = 48 << 20

// ballast keeps the garbage collector from running after every few megabytes, which is what a door with a small heap
// and many short calls would otherwise pay a tenth of its processor time for: it collects when the heap has doubled,
// and the ballast counts as heap. It is never written to, so it takes address space, no memory; what grows by it is the
// garbage that waits, by at most its size. Whoever sets GOGC or GOMEMLIMIT has decided otherwise.
func ballast() []byte {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, ballastSize)
}
