package cluster

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
)

// agreement is what etcd's members agree on about the cluster. Patroni's own answers may be a moment old, and just after
// a failover they are about the cluster before it.
type agreement struct {
	leader  string // who leads; "" when nobody does
	standby string // who may take over from that leader; "" when nobody may
}

// agreed asks the witness, which no test strikes.
func (c *Cluster) agreed(ctx context.Context) agreement {
	var a agreement
	var sync struct {
		Leader  string `json:"leader"`
		Standby string `json:"sync_standby"`
	}
	witness := c.Machines[len(c.Machines)-1]
	leader := witness.key(ctx, "leader")
	if leader == nil || json.Unmarshal(witness.key(ctx, "sync"), &sync) != nil {
		return a
	}
	a.leader = string(leader)
	if sync.Leader == a.leader {
		a.standby = sync.Standby
	}
	return a
}

// patience with one question; a machine that does not answer is what this package is about.
const patience = 3 * time.Second

// key reads what Patroni keeps in etcd under a name; nil when there is nothing, or nobody to agree on it.
func (m *Machine) key(ctx context.Context, name string) []byte {
	question, err := json.Marshal(map[string]string{"key": base64.StdEncoding.EncodeToString([]byte("/service/jiaozi/" + name))})
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// etcd 3.4 answers its own protocol as JSON under /v3.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+net.JoinHostPort(m.Address, etcdPort)+"/v3/kv/range", bytes.NewReader(question))
	if err != nil {
		return nil
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	var answer struct {
		KVs []struct {
			Value []byte `json:"value"`
		} `json:"kvs"`
	}
	const enough = 1 << 16
	if json.NewDecoder(io.LimitReader(resp.Body, enough)).Decode(&answer) != nil || len(answer.KVs) == 0 {
		return nil
	}
	return answer.KVs[0].Value
}

// leads reports whether PostgreSQL on this machine takes writes. Patroni says so a moment before it is true.
func (m *Machine) leads(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, m.DSN()+"&target_session_attrs=read-write")
	if err != nil {
		return false
	}
	conn.Close(ctx)
	return true
}
