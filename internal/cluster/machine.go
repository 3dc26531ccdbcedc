package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// A Machine is one computer of the cluster: an address and a folder.
type Machine struct {
	Name    string // m1, m2, m3
	Address string // 127.x.y.z
	witness bool   // etcd only: its vote decides between the other two
	folder  string
	owner   *syscall.Credential // nil: we
	values  map[string]string
}

// install writes the machine's configuration from the templates of deploy/.
func (m *Machine) install() error {
	for _, sub := range []string{"", "etcd", "patroni"} {
		path := filepath.Join(m.folder, sub)
		if err := os.Mkdir(path, 0o700); err != nil {
			return err
		}
		if err := give(path, m.owner); err != nil {
			return err
		}
	}
	config, err := render("patroni/patroni.yml.tmpl", m.values)
	if err != nil {
		return err
	}
	if err := os.WriteFile(m.config(), []byte(config), 0o600); err != nil {
		return err
	}
	return give(m.config(), m.owner)
}

// give makes a file or folder the owner's.
func give(path string, owner *syscall.Credential) error {
	if owner == nil {
		return nil
	}
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}

func (m *Machine) config() string { return filepath.Join(m.folder, "patroni.yml") }

// boot starts what runs on the machine. It does not wait until it is of use.
func (m *Machine) boot() error {
	text, err := render("etcd/etcd.tmpl", m.values)
	if err != nil {
		return err
	}
	if err := m.run("etcd", assignments(text), "etcd"); err != nil || m.witness {
		return err
	}
	return m.run("patroni", nil, "patroni", m.config())
}

// run starts a program of the machine in its own folder, with its own log and none of the environment of the tests.
func (m *Machine) run(name string, env []string, command ...string) error {
	log, err := os.OpenFile(m.log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = filepath.Join(m.folder, name)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + m.folder}, env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: m.owner}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s on %s: %w", name, m.Name, err)
	}
	go cmd.Wait() // the outcome is in the log; this only buries the process
	return nil
}

func (m *Machine) log(name string) string { return filepath.Join(m.folder, name+".log") }

// tail is the end of the machine's logs, for the report of a failed test.
func (m *Machine) tail() string {
	const enough = 6000
	var b strings.Builder
	for _, name := range []string{"etcd", "patroni"} {
		text, err := os.ReadFile(m.log(name))
		if err == nil {
			fmt.Fprintf(&b, "--- %s on %s\n%s\n", name, m.Name, text[max(0, len(text)-enough):])
		}
	}
	return b.String()
}
