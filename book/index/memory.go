package index

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// memory is a folder that is forgotten: the index without a disk is the same
// index on one of these.
type memory struct {
	mu    sync.Mutex
	files map[string]*memoryFile
}

func newMemory() *memory { return &memory{files: make(map[string]*memoryFile)} }

func (m *memory) path(name string) string { return "memory/" + name }

func (m *memory) create(name string) (file, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := new(memoryFile)
	m.files[name] = f
	return f, nil
}

func (m *memory) open(name string) (file, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.files[name]; f != nil {
		return f, nil
	}
	return nil, m.absent(name)
}

func (m *memory) rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.files[from]
	if f == nil {
		return m.absent(from)
	}
	m.files[to] = f
	delete(m.files, from)
	return nil
}

func (m *memory) remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[name] == nil {
		return m.absent(name)
	}
	delete(m.files, name)
	return nil
}

func (m *memory) names() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.files)), nil
}

func (m *memory) sync() error { return nil }

func (m *memory) absent(name string) error {
	return fmt.Errorf("%s: %w", m.path(name), fs.ErrNotExist)
}

// memoryFile needs no lock: nobody reads it before its writer is done.
type memoryFile struct{ data []byte }

func (f *memoryFile) Write(p []byte) (int, error) {
	f.data = append(f.data, p...)
	return len(p), nil
}

func (f *memoryFile) WriteAt(p []byte, at int64) (int, error) {
	if more := int(at) + len(p) - len(f.data); more > 0 {
		f.data = append(f.data, make([]byte, more)...)
	}
	return copy(f.data[at:], p), nil
}

func (f *memoryFile) ReadAt(p []byte, at int64) (int, error) {
	if at > int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) Map(size int64) ([]byte, error) { return f.data[:size], nil }

func (f *memoryFile) Size() (int64, error) { return int64(len(f.data)), nil }
func (f *memoryFile) Sync() error          { return nil }
func (f *memoryFile) Close() error         { return nil }
