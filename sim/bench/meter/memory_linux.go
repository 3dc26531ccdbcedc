package meter

import (
	"fmt"
	"os"
)

// Memory is what the process holds now, in bytes: private is its own, heap and
// stacks, which nobody can take from it; mapped are pages of files that it has
// touched, which the kernel keeps in its cache and takes back when it likes.
func Memory() (private, mapped uint64, err error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0, err
	}
	var size, resident, shared uint64
	if _, err := fmt.Sscan(string(text), &size, &resident, &shared); err != nil {
		return 0, 0, fmt.Errorf("resident memory: %w", err)
	}
	page := uint64(os.Getpagesize())
	return (resident - shared) * page, shared * page, nil
}
