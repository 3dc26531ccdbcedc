//go:build !linux

package meter

import "errors"

// Memory is what the process holds now; only Linux tells.
func Memory() (private, mapped uint64, err error) { return 0, 0, errors.ErrUnsupported }
