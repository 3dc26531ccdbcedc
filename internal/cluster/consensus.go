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

// key reads what Patroni keeps in etcd under a name; nil when there is nothing, or nobody to agree on it.
func (m *Machine) key(ctx context.Context, name string) []byte {
	question, err := json.Marshal(map[string]string{"key": base64.StdEncoding.EncodeToString([]byte("/service/jiaozi/" + name))})
	if err != nil {
		return nil
	}
	var answer struct {
		KVs []struct {
			Value []byte `json:"value"`
		} `json:"kvs"`
	}
	resp := m.ask(ctx, http.MethodPost, etcdPort, "/v3/kv/range", question)
	if json.Unmarshal(resp, &answer) != nil || len(answer.KVs) == 0 {
		return nil
	}
	return answer.KVs[0].Value
}

// leads reports whether Patroni on this machine holds the leadership and PostgreSQL takes writes.
func (m *Machine) leads(ctx context.Context) bool {
	return m.ask(ctx, http.MethodGet, restPort, "/primary", nil) != nil
}

// ask returns the body of a positive answer, else nil: machines that do not answer are what this package is about.
func (m *Machine) ask(ctx context.Context, method, port, path string, body []byte) []byte {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+net.JoinHostPort(m.Address, port)+path, bytes.NewReader(body))
	if err != nil {
		return nil
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	const enough = 1 << 16
	out, err := io.ReadAll(io.LimitReader(resp.Body, enough))
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil
	}
	return out
}
