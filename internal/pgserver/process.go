package pgserver

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Programs is where Debian keeps the newest version that is installed.
func Programs() (dir string, err error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	newest := 0
	for _, d := range dirs {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(d)))
		if _, noServer := os.Stat(filepath.Join(d, "postgres")); err == nil && noServer == nil && version > newest {
			newest, dir = version, d
		}
	}
	if dir == "" {
		return "", fmt.Errorf("PostgreSQL is not installed")
	}
	return dir, nil
}

// program is the path of one of PostgreSQL's programs.
func program(name string) string {
	dir, _ := Programs()
	return filepath.Join(dir, name)
}

// Unprivileged is whom to run a server as, which refuses root: nil when we are an ordinary user.
func Unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(Superuser) // Debian's package makes it
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// attributes keep a key press at the terminal from reaching the server before
// the test can stop it.
func (s *Server) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: s.user, Setpgid: true}
}

func (s *Server) run(name string, args ...string) error {
	_, err := s.output(name, args...)
	return err
}

func (s *Server) output(name string, args ...string) (string, error) {
	cmd := exec.Command(program(name), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.attributes()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// shortTemp is the system's place for temporary files if the name of a socket
// below it fits in the 107 bytes of a socket's address.
func shortTemp() string {
	if dir := os.TempDir(); len(dir) <= 60 {
		return dir
	}
	return "/var/tmp"
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// watchdog is a shell that waits for the end of the test binary, which it sees
// as the end of its input, and then ends the server and removes its files.
type watchdog struct {
	cmd   *exec.Cmd
	leash io.Closer
}

// The server ends its children itself on SIGQUIT, within five seconds. An initdb
// that is still at work may make a file while its directory is being removed.
const watchScript = `read -r _
read -r pid <"$2/postmaster.pid" && kill -QUIT "$pid" && while kill -0 "$pid"; do sleep 0.1; done
for _ in $(seq 100); do rm -rf "$1" && break; sleep 0.1; done`

func watchOver(dir, data string) (*watchdog, error) {
	cmd := exec.Command("sh", "-c", watchScript, "watchdog", dir, data)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &watchdog{cmd, leash}, cmd.Start()
}

// dismiss lets the watchdog go after the server has ended.
func (w *watchdog) dismiss() error {
	if err := w.leash.Close(); err != nil {
		return err
	}
	return w.cmd.Wait()
}

// children lists the processes whose parent is pid.
func children(pid int) (list []int, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		if fields := statFields(text); len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				return nil, err
			}
			list = append(list, child)
		}
	}
	return list, nil
}

// awaitGone waits until no process of the list runs: a new server refuses to
// start while an old one holds its shared memory. Nobody may reap the orphans
// in a container, so a dead one that is still listed counts as gone.
func awaitGone(list []int) error {
	end := time.Now().Add(deadline)
	for _, pid := range list {
		for running(pid) {
			if time.Now().After(end) {
				return fmt.Errorf("process %d of PostgreSQL does not end", pid)
			}
			time.Sleep(tick)
		}
	}
	return nil
}

func running(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	fields := statFields(text)
	return len(fields) > 0 && fields[0] != "Z" && fields[0] != "X"
}

// statFields are the state, the parent and so on, after the pid and the name in
// parentheses, which may hold anything.
func statFields(text []byte) []string {
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}
