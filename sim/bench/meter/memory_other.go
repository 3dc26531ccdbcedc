//go:build !linux

package meter

import "errors"

// Resident is the memory that the process holds now; only Linux tells.
func Resident() (uint64, error) { return 0, errors.ErrUnsupported }
