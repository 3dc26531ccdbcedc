package meter

import (
	"errors"
	"os"
	"syscall"
)

// dataSync is fdatasync: the least that makes bytes durable.
func dataSync(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
