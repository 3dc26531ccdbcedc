//go:build !linux

package meter

import "runtime"

// OneCore lets one thread run Go code at a time; where threads cannot be pinned, it may change its core.
func OneCore() (restore func() error, err error) {
	procs := runtime.GOMAXPROCS(1)
	return func() error { runtime.GOMAXPROCS(procs); return nil }, nil
}
