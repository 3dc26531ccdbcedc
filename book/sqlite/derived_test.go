package sqlite

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// Goal: what is derived is gone, the journal is not, and nobody's tables vanish
// while he uses them.
func TestForgetTakesOnlyWhatIsDerived(t *testing.T) {
	path := closed(t, 3)
	e := openEngine(t, path)
	if err := Forget(path); !errors.Is(err, errInUse) {
		t.Errorf("forgot the tables of an open store: %v", err)
	}
	head, err := e.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeEngine(t, e)
	for range 2 { // a second time finds nothing to do
		if err := Forget(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, gone := range []string{tablesPath(path), tablesPath(path) + "-wal", indexPath(path)} {
		if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there: %v", gone, err)
		}
	}
	e = openEngine(t, path)
	if got, err := e.Head(t.Context()); err != nil || got != head {
		t.Errorf("head %v, then %v (%v)", head, got, err)
	}
	closeEngine(t, e)
	if err := Forget(path + ".none"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "forget") {
		t.Errorf("no store: %v", err)
	}
}
