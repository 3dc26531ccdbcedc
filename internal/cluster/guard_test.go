package cluster

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// inhabit starts a shell in the folder, and a child of it in a session of its own, as PostgreSQL is of Patroni. Its output
// ends when both have ended.
func inhabit(t *testing.T, folder string) *bufio.Reader {
	t.Helper()
	cmd := exec.Command("sh", "-c", "echo $$ >pid; setsid sleep 600 & echo ready; sleep 600")
	cmd.Dir = folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Wait() })
	r := bufio.NewReader(out)
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return r
}

func lives(pid string) bool {
	where, err := os.Readlink(filepath.Join("/proc", strings.TrimSpace(pid), "cwd")) // the dead have none
	return err == nil && where != ""
}

// When the guard has ended, no process lives in the folder, in whatever session, and the folder is gone; a folder whose
// name begins alike is nobody's business.
func TestGuardLeavesNothingBehind(t *testing.T) {
	parent := t.TempDir()
	ours, theirs := filepath.Join(parent, "m1"), filepath.Join(parent, "m10")
	for _, dir := range []string{ours, theirs} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	g, err := startGuard(ours)
	if err != nil {
		t.Fatal(err)
	}
	inside, outside := inhabit(t, ours), inhabit(t, theirs)
	if err := g.end(); err != nil {
		t.Fatal(err)
	}
	if _, err := inside.ReadByte(); err == nil {
		t.Error("a process in the folder outlived its guard")
	}
	if _, err := os.Stat(ours); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is left behind: %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(theirs, "pid")); err != nil || !lives(string(got)) {
		t.Errorf("the neighbour's process is gone too: %q, %v", got, err)
	}
	if err := signal(theirs, "KILL"); err != nil {
		t.Fatal(err)
	}
	if _, err := outside.ReadByte(); err == nil {
		t.Error("a process outlived SIGKILL")
	}
}
