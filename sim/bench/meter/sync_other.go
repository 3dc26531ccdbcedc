//go:build !linux

package meter

import "os"

func dataSync(f *os.File) error { return f.Sync() }
