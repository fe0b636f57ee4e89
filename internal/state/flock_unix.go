//go:build unix && !solaris && !illumos && !aix

package state

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the file's exclusive lock; it waits for those who just look whether it is locked.
func lockFile(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// isLocked tells whether somebody holds the file's exclusive lock.
func isLocked(f *os.File) bool {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK)
}
