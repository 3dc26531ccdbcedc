package cluster

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"jiaozi/internal/pgserver"
)

// Patience is how long a cluster may take to start or to fail over before a test gives up. An idle computer needs a tenth.
const Patience = 3 * time.Minute

// password serves every role: the cluster lives for a minute, on loopback addresses.
const password = "jiaozi"

// A Cluster is three machines that keep one database.
type Cluster struct {
	Machines []*Machine // the last one is the witness: etcd, no PostgreSQL
	folder   string
}

// Start builds the cluster and returns when commits are acknowledged: a primary leads and its synchronous standby follows.
// It ends with the test. It skips where Debian's packages are missing, and fails there if CI=true or JIAOZI_DEPS=present.
func Start(t testing.TB) *Cluster {
	t.Helper()
	need(t)
	c, err := build(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Machines {
		if err := m.boot(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if _, err := c.Primary(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitSynchronous(ctx); err != nil {
		t.Fatal(err)
	}
	return c
}

// build makes the folders and configurations, and the guard that ends everything with the test.
func build(t testing.TB) (*Cluster, error) {
	owner, err := pgserver.Unprivileged()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "jz")
	if err != nil {
		return nil, err
	}
	watch, err := startGuard(folder)
	if err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	c := &Cluster{folder: folder}
	t.Cleanup(func() {
		if t.Failed() {
			for _, m := range c.Machines {
				t.Log(m.tail())
			}
		}
		if err := watch.end(); err != nil {
			t.Error(err)
		}
	})
	if err := give(folder, owner); err != nil {
		return nil, err
	}
	return c, c.install(owner)
}

func (c *Cluster) install(owner *syscall.Credential) error {
	bin, err := pgserver.Programs()
	if err != nil {
		return err
	}
	list, err := addresses(3)
	if err != nil {
		return err
	}
	var hosts, members []string
	for i, address := range list {
		name := fmt.Sprintf("m%d", i+1)
		hosts = append(hosts, net.JoinHostPort(address, etcdPort))
		members = append(members, name+"=http://"+net.JoinHostPort(address, etcdPeerPort))
		c.Machines = append(c.Machines, &Machine{Name: name, Address: address, witness: i == 2, folder: filepath.Join(c.folder, name), owner: owner})
	}
	for _, m := range c.Machines {
		m.values = m.settings(bin, strings.Join(hosts, ","), strings.Join(members, ","))
		if err := m.install(); err != nil {
			return err
		}
	}
	return nil
}

// settings are the values of deploy/machine.env for this machine: quicker to fail over than in life, else the same.
func (m *Machine) settings(bin, hosts, members string) map[string]string {
	return map[string]string{
		"CLUSTER": "jiaozi", "NETWORK": "127.0.0.0/8", "ETCD_HOSTS": hosts, "ETCD_MEMBERS": members,
		"SUPERUSER_PASSWORD": password, "REPLICATION_PASSWORD": password, "REWIND_PASSWORD": password, "REST_PASSWORD": password,
		"NAME": m.Name, "ADDRESS": m.Address, "SHARED_BUFFERS": "32MB", "WATCHDOG": "off",
		"TTL": "8", "LOOP_WAIT": "1", "RETRY_TIMEOUT": "3",
		"POSTGRES_PORT": postgresPort, "REST_PORT": restPort, "ETCD_PORT": etcdPort, "ETCD_PEER_PORT": etcdPeerPort,
		"ETCD_DIR": filepath.Join(m.folder, "etcd", "data"), "DATA_DIR": filepath.Join(m.folder, "data"), "BIN_DIR": bin,
		"SOCKET_DIR": m.folder, "PGPASS": filepath.Join(m.folder, "pgpass"),
	}
}

// DSN names both database machines and lets the client find the one that takes writes, as an application should.
func (c *Cluster) DSN() string {
	var hosts []string
	for _, m := range c.Machines {
		if !m.witness {
			hosts = append(hosts, net.JoinHostPort(m.Address, postgresPort))
		}
	}
	return "postgres://postgres:" + password + "@" + strings.Join(hosts, ",") + "/postgres?target_session_attrs=read-write&connect_timeout=5"
}

// DSN reaches PostgreSQL on this machine, whatever its role.
func (m *Machine) DSN() string {
	return "postgres://postgres:" + password + "@" + net.JoinHostPort(m.Address, postgresPort) + "/postgres?connect_timeout=5"
}

// Primary waits for a machine that leads and takes writes.
func (c *Cluster) Primary(ctx context.Context) (*Machine, error) {
	var leader *Machine
	err := wait(ctx, "no machine leads the cluster", func() bool {
		leader = c.machine(c.agreed(ctx).leader)
		return leader != nil && leader.leads(ctx)
	})
	return leader, err
}

// WaitSynchronous waits until the primary has a standby that may take over. Before that, commits wait, or are acknowledged
// by a standby that Patroni would not promote yet.
func (c *Cluster) WaitSynchronous(ctx context.Context) error {
	return wait(ctx, "no standby may take over", func() bool { return c.machine(c.agreed(ctx).standby) != nil })
}

func (c *Cluster) machine(name string) *Machine {
	i := slices.IndexFunc(c.Machines, func(m *Machine) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return c.Machines[i]
}

// wait asks again and again until the answer is yes.
func wait(ctx context.Context, otherwise string, done func() bool) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", otherwise, ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// Kill is a power cut: when it returns, nothing runs on the machine.
func (c *Cluster) Kill(m *Machine) error { return signal(m.folder, "KILL") }

// Freeze stops everything on the machine and closes nothing: its connections stay open and silent. Kill ends that too.
func (c *Cluster) Freeze(m *Machine) error { return signal(m.folder, "STOP") }

// Boot starts a killed machine again on the disk that it had.
func (c *Cluster) Boot(m *Machine) error { return m.boot() }
