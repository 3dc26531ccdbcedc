// Package pgserver starts real PostgreSQL servers from the programs that Debian
// installs: each a cluster of its own in a temporary directory, reached through a
// Unix socket that only this user can open, and through the loopback if asked.
//
// Promises: a server and its files do not outlive this process, however that
// ends; Kill is a power cut for the processes, not for the disk. It is for tests
// (internal/pgtest) and measurements, not for anybody's money.
//
// Start with Start; Programs says whether PostgreSQL is installed.
package pgserver

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options says how a server differs from what initdb makes.
type Options struct {
	// TCP also listens on a free port of 127.0.0.1, with a password; see URL.
	TCP bool
	// Settings go to the command line, as in "wal_level": "logical".
	Settings map[string]string
}

// Server is one cluster.
type Server struct {
	dir      string
	port     int
	password string
	options  Options
	user     *syscall.Credential // nil when we are an ordinary user
	watch    *watchdog
	process  *exec.Cmd // nil while stopped
	ended    chan struct{}
}

// Superuser owns a cluster, and a database of that name is in it.
const Superuser = "postgres"

const (
	deadline = 60 * time.Second // for a server under load to start or stop
	tick     = 10 * time.Millisecond
)

// Start makes a cluster and starts it. End it with Close.
func Start(o Options) (*Server, error) {
	dir, err := os.MkdirTemp(shortTemp(), "jzpg")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, options: o, port: 5432, password: rand.Text()}
	if err := s.make(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) make() (err error) {
	if s.user, err = Unprivileged(); err != nil {
		return err
	}
	if s.user != nil {
		if err := os.Chown(s.dir, int(s.user.Uid), int(s.user.Gid)); err != nil {
			return err
		}
	}
	if s.watch, err = watchOver(s.dir, s.data()); err != nil {
		return err
	}
	if s.options.TCP {
		if s.port, err = freePort(); err != nil {
			return err
		}
	}
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(s.password), 0o644); err != nil { // in a directory of mode 0700
		return err
	}
	err = s.run("initdb", "--pgdata="+s.data(), "--username="+Superuser, "--pwfile="+secret, "--auth-local=trust",
		"--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--data-checksums", "--no-instructions")
	if err != nil {
		return err
	}
	return s.Restart()
}

// Dir is where the server's socket is.
func (s *Server) Dir() string { return s.dir }

func (s *Server) data() string { return filepath.Join(s.dir, "data") }
func (s *Server) log() string  { return filepath.Join(s.dir, "log") }

// DSN names a database of the server through its socket.
func (s *Server) DSN(db string) string {
	return fmt.Sprintf("host=%s port=%d user=%s dbname=%s", s.dir, s.port, Superuser, db)
}

// SocketURL is DSN as a URL. There is no password in it, nor need of one.
func (s *Server) SocketURL(db string) string {
	q := url.Values{"host": {s.dir}, "port": {strconv.Itoa(s.port)}}
	u := url.URL{Scheme: "postgres", User: url.User(Superuser), Path: "/" + db, RawQuery: q.Encode()}
	return u.String()
}

// URL names a database of a server with TCP, password included.
func (s *Server) URL(db string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(Superuser, s.password), Path: "/" + db,
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), RawQuery: "sslmode=disable"}
	return u.String()
}

// CreateDB makes an empty database.
func (s *Server) CreateDB(name string) error {
	return s.run("createdb", "--host="+s.dir, "--port="+strconv.Itoa(s.port), "--username="+Superuser, name)
}

// SQL runs statements through psql and returns what it prints, columns parted
// by | and rows by newlines.
func (s *Server) SQL(db, statements string) (string, error) {
	return s.output("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
		"--dbname="+s.DSN(db), "--command="+statements)
}

// Restart starts a server that was stopped or killed and returns when it has
// recovered.
func (s *Server) Restart() error {
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-c", "unix_socket_directories=" + s.dir,
		"-c", "unix_socket_permissions=0700", "-c", "listen_addresses="}
	if s.options.TCP {
		args[len(args)-1] += "127.0.0.1"
	}
	for name, value := range s.options.Settings {
		args = append(args, "-c", name+"="+value)
	}
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(program("postgres"), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = s.dir, log, log, s.attributes()
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended stands in its log
		close(ended)
	}()
	s.process, s.ended = cmd, ended
	return s.await()
}

// await watches the file in which the server says that it is ready.
func (s *Server) await() error {
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		text, _ := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
		lines := strings.Split(string(text), "\n")
		if len(lines) > 7 && lines[0] == strconv.Itoa(s.process.Process.Pid) && strings.TrimSpace(lines[7]) == "ready" {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("PostgreSQL ended while starting:\n%s", s.Log())
		case <-time.After(tick):
		}
	}
	return fmt.Errorf("PostgreSQL did not start in %v:\n%s", deadline, s.Log())
}

// Stop ends the server in good order, connections and all.
func (s *Server) Stop() error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
		s.process = nil
		return nil
	case <-time.After(deadline):
		return errors.Join(fmt.Errorf("PostgreSQL did not stop in %v", deadline), s.Kill())
	}
}

// Kill ends every process of the server with SIGKILL. The first one is frozen
// meanwhile, so that it can neither make new ones nor clean up.
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	first := s.process.Process.Pid
	if err := syscall.Kill(first, syscall.SIGSTOP); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	others, err := children(first)
	if err != nil {
		return err
	}
	for _, pid := range append(others, first) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	<-s.ended
	s.process = nil
	return awaitGone(others)
}

// Log is what the server wrote.
func (s *Server) Log() string {
	text, _ := os.ReadFile(s.log())
	return string(text)
}

// Close ends the server, however it is, and removes its files.
func (s *Server) Close() error {
	err := s.Stop()
	if s.watch != nil {
		err = errors.Join(err, s.watch.dismiss())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
