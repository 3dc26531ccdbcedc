package node

import (
	"errors"
	"path/filepath"
	"testing"

	"jiaozi/book"
	"jiaozi/book/postgres"
	"jiaozi/internal/pgtest"
)

// TestStoreIsAnAddressWithoutAPassword: one server or several that fail over, and
// no secret on the way into scheme.json, however it is spelled.
func TestStoreIsAnAddressWithoutAPassword(t *testing.T) {
	for _, dsn := range []string{
		"",
		"postgres://jiaozi@db.example/jiaozi",
		"postgresql://jiaozi@10.0.0.1:5432/jiaozi?sslmode=verify-full",
		"postgres:///jiaozi?host=/run/postgresql",
		"postgres://jiaozi@10.0.0.1:5432,10.0.0.2:5432/jiaozi?target_session_attrs=read-write&connect_timeout=5",
		"postgres://jiaozi@db1.example,db2.example/jiaozi?target_session_attrs=read-write",
	} {
		if err := checkStore(dsn); err != nil {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	for _, dsn := range []string{
		"mysql://jiaozi@10.0.0.1/jiaozi",
		"host=10.0.0.1 dbname=jiaozi",
		"10.0.0.1:5432,10.0.0.2:5432",
		"postgres://jiaozi:secret@10.0.0.1/jiaozi",
		"postgres://jiaozi:secret@10.0.0.1:5432,10.0.0.2:5432/jiaozi",
		"postgres://jiaozi:@10.0.0.1/jiaozi",
		"postgres://jiaozi@10.0.0.1:5432,10.0.0.2:5432/jiaozi?password=secret",
		"postgres://jiaozi@10.0.0.1/jiaozi?p%61ssword=secret",
		"postgres://jiaozi@10.0.0.1/jiaozi?sslpassword=secret",
		"postgres://jiaozi@10.0.0.1/jiaozi?a=%zz",
		"postgres://jiaozi@10.0.0.1:54x2/jiaozi",
	} {
		if checkStore(dsn) == nil {
			t.Errorf("accepted: %s", dsn)
		}
	}
}

// A second writer takes the book over, as a fail-over does: the first process must
// not go on as if it still kept a book, but end and say why.
func TestServerEndsWhenItsBookHasStopped(t *testing.T) {
	server := pgtest.Start(t, pgtest.Options{})
	if err := server.CreateDB("scheme"); err != nil {
		t.Fatal(err)
	}
	seed := uint64(7)
	o := Options{Dir: filepath.Join(t.TempDir(), "data"), Test: true, Seed: &seed, Store: server.SocketURL("scheme")}
	if err := Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	n := opened(t, o)
	if err := n.ServeRoles(t.Context(), Addresses{}); err != nil {
		t.Fatal(err)
	}
	taker, err := postgres.Open(t.Context(), o.Store, postgres.Options{Chain: chain, TakeOver: true})
	if err != nil {
		t.Fatal(err)
	}
	defer taker.Close()
	if _, err := n.BeginRun(t.Context()); !errors.Is(err, book.ErrStopped) {
		t.Fatalf("the first writer went on: %v", err)
	}
	if err := n.Wait(t.Context()); !errors.Is(err, book.ErrStopped) {
		t.Fatalf("the server ended with: %v", err)
	}
}
