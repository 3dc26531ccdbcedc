package cluster

import (
	_ "embed"
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

//go:embed guard.sh
var guardScript string

func guardCommand(folder, signal, remove string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", guardScript, "guard", folder, signal, remove)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C ends the tests, and must not end who cleans up after them
	return cmd
}

// A guard waits, in a process of its own, for the test program to end.
type guard struct {
	cmd  *exec.Cmd
	pipe io.WriteCloser
}

func startGuard(folder string) (*guard, error) {
	cmd := guardCommand(folder, "KILL", "remove")
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("nobody would clean up after the cluster: %w", err)
	}
	return &guard{cmd, pipe}, nil
}

// end has the guard do its work now; when it returns, nothing is left.
func (g *guard) end() error {
	g.pipe.Close()
	return g.cmd.Wait()
}

// signal reaches every process of the folder; KILL returns when they are gone.
func signal(folder, name string) error {
	if out, err := guardCommand(folder, name, "").CombinedOutput(); err != nil {
		return fmt.Errorf("SIG%s to the processes in %s: %w %s", name, folder, err, out)
	}
	return nil
}
