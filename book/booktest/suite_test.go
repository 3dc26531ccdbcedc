package booktest

import (
	"testing"

	"jiaozi/book"
)

// The engine in memory keeps the promises that it stands in for.
func TestMemoryConforms(t *testing.T) {
	Run(t, func(*testing.T) Store {
		m := &Memory{}
		return func() (book.Engine, error) { return m, nil }
	})
}

// So it does under faults.
func TestMemoryBearsFaults(t *testing.T) {
	RunFaults(t, func(*testing.T) Store {
		m := &Memory{}
		return func() (book.Engine, error) { return m, nil }
	})
}

// Verify names every kind of damage.
func TestMemoryNamesCorruptions(t *testing.T) {
	RunCorruptions(t, func(t *testing.T) Corruptible {
		m := &Memory{Index: t.TempDir()}
		return Corruptible{Store: func() (book.Engine, error) { return m, nil }, Raw: m}
	})
}
