package meter

import (
	"fmt"
	"os"
)

// Resident is the memory that the process holds now, in bytes, all of it: heap,
// mapped files that were touched, stacks.
func Resident() (uint64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var size, resident uint64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0, fmt.Errorf("resident memory: %w", err)
	}
	return resident * uint64(os.Getpagesize()), nil
}
