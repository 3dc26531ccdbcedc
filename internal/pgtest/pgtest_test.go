package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKilledServerComesBack: what was committed before SIGKILL is there after a
// restart, and neither processes nor files are left at the end.
func TestKilledServerComesBack(t *testing.T) {
	var dir string
	t.Run("server", func(t *testing.T) {
		s := Start(t, Options{TCP: true, Settings: map[string]string{"wal_level": "logical"}})
		dir = s.Dir()
		if err := s.CreateDB("a"); err != nil {
			t.Fatal(err)
		}
		mustSQL(t, s, "CREATE TABLE t (v int); INSERT INTO t VALUES (7)")
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SQL("a", "SELECT 1"); err == nil {
			t.Fatal("a killed server answers")
		}
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		if got := mustSQL(t, s, "SELECT v, current_setting('wal_level'), current_setting('fsync') FROM t"); got != "7|logical|on" {
			t.Error(got)
		}
		if !strings.Contains(s.Log(), "not properly shut down") {
			t.Error("the server did not notice that it was killed")
		}
	})
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("files are left: %v", err)
	}
}

func mustSQL(t *testing.T, s *Server, statements string) string {
	t.Helper()
	out, err := s.SQL("a", statements)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestServerDoesNotOutliveItsTest: the test binary itself is killed; its server
// ends and the files go.
func TestServerDoesNotOutliveItsTest(t *testing.T) {
	need(t)
	if os.Getenv("PGTEST_VICTIM") != "" {
		s := Start(t, Options{})
		os.Stdout.WriteString("dir=" + s.Dir() + "\n")
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	victim := exec.Command(os.Args[0], "-test.run=^TestServerDoesNotOutliveItsTest$")
	victim.Env = append(os.Environ(), "PGTEST_VICTIM=1")
	out, _ := victim.Output()
	_, rest, found := strings.Cut(string(out), "dir=")
	dir, _, _ := strings.Cut(rest, "\n")
	if !found {
		t.Fatalf("the victim did not start a server: %s", out)
	}
	for end := time.Now().Add(time.Minute); ; <-time.After(10 * time.Millisecond) {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is still there", dir)
		}
	}
}
