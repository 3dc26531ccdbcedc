package pgtest

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"jiaozi/internal/pgserver"
)

// shared is the one server of a test binary, made when first asked for.
var shared struct {
	once   sync.Once
	server *Server
	err    error
	names  atomic.Int64
}

// Main runs the tests and then ends the shared server. Call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// Shared is the server that all tests of this binary use. Nobody stops it.
func Shared(t testing.TB) *Server {
	t.Helper()
	need(t)
	shared.once.Do(func() {
		shared.server, shared.err = pgserver.Start(Options{TCP: true, Settings: map[string]string{"max_connections": "200"}})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// Database is the DSN of a fresh database on the shared server.
func Database(t testing.TB) string {
	t.Helper()
	s, name := Shared(t), NewName()
	if err := s.CreateDB(name); err != nil {
		t.Fatal(err)
	}
	return s.DSN(name)
}

// Schema is the DSN of a fresh schema on the shared server: as good as a database
// of its own for tables, and made in a hundredth of the time.
func Schema(t testing.TB) string {
	t.Helper()
	s, name := Shared(t), NewName()
	if _, err := s.SQL(pgserver.Superuser, "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	return s.DSN(pgserver.Superuser) + " options=-csearch_path=" + name
}

// NewName is a name for a database or schema that this binary has not used.
func NewName() string { return fmt.Sprintf("test%d", shared.names.Add(1)) }
