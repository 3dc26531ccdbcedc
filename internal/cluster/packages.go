package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// need skips in short mode and where Debian's packages are missing, but not where they were promised.
func need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts three machines: not in short mode")
	}
	_, noPatroni := exec.LookPath("patroni")
	_, noEtcd := exec.LookPath("etcd")
	_, noPostgres := binaries()
	missing := errors.Join(noPatroni, noEtcd, noPostgres)
	if missing == nil {
		return
	}
	if os.Getenv("CI") == "true" || os.Getenv("JIAOZI_DEPS") == "present" {
		t.Fatalf("PostgreSQL, Patroni and etcd are promised here but incomplete: %v", missing)
	}
	t.Skip("needs postgresql, patroni, etcd-server: scripts/deps install")
}

// binaries is the folder of PostgreSQL's programs, which Debian keeps out of the path. The tests want version 15 or later.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", errors.New("no /usr/lib/postgresql/*/bin/postgres")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// An account is who the processes run as: the Debian user "postgres" if we are root, which PostgreSQL refuses, else we.
type account struct {
	credential *syscall.Credential // nil: we
}

func unprivileged() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return account{}, fmt.Errorf("PostgreSQL does not run as root, and its package made no user: %w", err)
	}
	uid, badUID := strconv.ParseUint(u.Uid, 10, 32)
	gid, badGID := strconv.ParseUint(u.Gid, 10, 32)
	return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, errors.Join(badUID, badGID)
}

// own gives a file or folder to the account.
func (a account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}
