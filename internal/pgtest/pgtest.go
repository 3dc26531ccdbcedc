// Package pgtest gives tests a real PostgreSQL, started by internal/pgserver.
//
// Promises: a server and its files do not outlive the test binary, however that
// ends; without the Debian package postgresql a test skips and says how to get
// it, and fails where it was promised (CI=true or JIAOZI_DEPS=present).
//
// Start with Schema or Database, which give a fresh one on a server shared by all
// tests of a binary whose TestMain calls Main; a test that kills, stops or
// configures a server takes one of its own from Start.
package pgtest

import (
	"os"
	"testing"

	"jiaozi/internal/pgserver"
)

// Server is one cluster.
type Server = pgserver.Server

// Options says how a server differs from what initdb makes.
type Options = pgserver.Options

// Start makes a cluster and starts it; it is gone when the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	need(t)
	s, err := pgserver.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// need skips where PostgreSQL is missing, but not where it was promised.
func need(t testing.TB) {
	t.Helper()
	_, missing := pgserver.Programs()
	if missing == nil {
		return
	}
	if os.Getenv("CI") == "true" || os.Getenv("JIAOZI_DEPS") == "present" {
		t.Fatalf("PostgreSQL is promised here: %v", missing)
	}
	t.Skip("needs postgresql: scripts/deps install")
}
