package cluster

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"jiaozi/internal/pgserver"
)

// need skips in short mode and where Debian's packages are missing, but not where they were promised.
func need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts three machines: not in short mode")
	}
	_, noPatroni := exec.LookPath("patroni")
	_, noEtcd := exec.LookPath("etcd")
	_, noPostgres := pgserver.Programs()
	missing := errors.Join(noPatroni, noEtcd, noPostgres)
	if missing == nil {
		return
	}
	if os.Getenv("CI") == "true" || os.Getenv("JIAOZI_DEPS") == "present" {
		t.Fatalf("PostgreSQL, Patroni and etcd are promised here but incomplete: %v", missing)
	}
	t.Skip("needs postgresql, patroni, etcd-server: scripts/deps install")
}
