package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/book"
	"jiaozi/book/postgres"
	"jiaozi/book/shard"
	"jiaozi/book/sqlite"
	"jiaozi/internal/pgtest"
	"jiaozi/value/clock"
	"jiaozi/value/money"
)

// realm is the map of a sharded book in a folder.
type realm struct {
	*testing.T
	dir, file string
}

func newRealm(t *testing.T, text string) *realm {
	dir := t.TempDir()
	r := &realm{t, dir, filepath.Join(dir, "map.json")}
	if err := os.WriteFile(r.file, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return r
}

// run runs a verb on the map and reads its answer.
func (r *realm) run(into any, verb string, more ...string) {
	r.Helper()
	out := runOK(r.T, append([]string{"shards", verb, "--map", r.file, "-o", "json"}, more...)...)
	dec := json.NewDecoder(strings.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		r.Fatalf("shards %s: %v: %s", verb, err, out)
	}
}

func (r *realm) exit(verb string, more ...string) int {
	r.Helper()
	_, code := run(r.T, r.Context(), "", append([]string{"shards", verb, "--map", r.file}, more...)...)
	return code
}

// sound audits, and gives the pairs as "from to sent received on-the-way".
func (r *realm) sound() string {
	r.Helper()
	var doc betweenDoc
	r.run(&doc, "audit", "--data", filepath.Join(r.dir, "local"))
	if !doc.Sound || len(doc.Findings) != 0 || len(doc.Unclaimed) != 0 {
		r.Fatalf("%+v", doc)
	}
	var pairs []string
	for _, p := range doc.Pairs {
		pairs = append(pairs, fmt.Sprint(p.From, " ", p.To, " ", p.Sent, " ", p.Received, " ", p.InFlight))
	}
	return strings.Join(pairs, ", ")
}

const goodMap = `[
	{"name": "a", "parts": "0-999", "store": "a.db", "chain": 0},
	{"name": "b", "parts": "1000-4095", "store": "postgres://jiaozi@db.example/b", "chain": 1000}
]`

// Goal: the check of a map says what is in it, and refuses one that could lose or
// double a part, or tell a password, before anything is opened.
func TestShardMapIsChecked(t *testing.T) {
	r := newRealm(t, goodMap)
	var doc mapDoc
	r.run(&doc, "check")
	if len(doc.Shards) != 2 || doc.Shards[0].Count != 1000 || doc.Shards[1].Count != 3096 || doc.Shards[1].Chain != 1000 {
		t.Errorf("%+v", doc)
	}
	if out := runOK(t, "shards", "check", "--map", r.file); !strings.Contains(out, "b      1000   3096   postgres://jiaozi@db.example/b\n") {
		t.Errorf("%s", out)
	}
	for name, change := range map[string][2]string{
		"a gap":                       {"0-999", "0-998"},
		"an overlap":                  {"0-999", "0-1000"},
		"an unknown key":              {`"store": "a.db"`, `"store": "a.db", "password": "secret"`},
		"a home elsewhere":            {`"chain": 1000`, `"chain": 999`},
		"a password":                  {"jiaozi@db", "jiaozi:secret@db"},
		"a password among settings":   {"example/b", "example/b?password=secret"},
		"a DSN in another form":       {"postgres://jiaozi@db.example/b", "host=db.example password=secret"},
		"a file with another chain":   {"postgres://jiaozi@db.example/b", "b.db"},
		"an address of something new": {"postgres:", "mysql:"},
	} {
		text := strings.Replace(goodMap, change[0], change[1], 1)
		bad := newRealm(t, text)
		out, code := run(t, t.Context(), "", "shards", "check", "--map", bad.file)
		if text == goodMap || code != exitUsage || out != "" {
			t.Errorf("%s: exit %d, %s", name, code, out)
		}
		if _, err := os.Stat(filepath.Join(bad.dir, "b.db")); err == nil {
			t.Errorf("%s: a file was made", name)
		}
	}
	for _, bad := range [][]string{{"check", "-o", "xml"}, {"pump", "--date", "2026-02-30"}, {"audit"}, {"move", "--part", "4096", "--to", "b"}} {
		if code := r.exit(bad[0], bad[1:]...); code != exitUsage { // there is no a.db, and none is made
			t.Errorf("%v: exit %d", bad, code)
		}
	}
	if _, err := os.Stat(filepath.Join(r.dir, "a.db")); err == nil {
		t.Error("a file was made")
	}
}

// Goal: an audit finds that a journal was changed, and a whole one sound.
func TestShardAuditFindsAChangedJournal(t *testing.T) {
	r := newRealm(t, `[{"name": "a", "parts": "0-4095", "store": "a.db", "chain": 0}]`)
	path := filepath.Join(r.dir, "a.db")
	payer, payee := person(3, "payer"), person(1500, "payee")
	r.book(path, fund(payer, 100), fund(payee, 0))
	if pairs := r.sound(); pairs != "" {
		t.Errorf("pairs %q", pairs)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.ReplaceAll(string(raw), "payer", "prior")
	if changed == string(raw) {
		t.Fatal("nothing to change")
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := r.exit("audit"); code != exitIntegrity {
		t.Errorf("exit %d", code)
	}
}

// Goal: value gets from shard to shard, and a part too, by commands alone, and
// the map tells. Method: a file and two servers; a payment on its way is shown,
// delivered and moved with its payee.
func TestShardsDeliverAndMove(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two servers: not in short mode")
	}
	b, c := replicating(t), replicating(t)
	r := newRealm(t, fmt.Sprintf(`[
		{"name": "a", "parts": "0-999", "store": "a.db", "chain": 0},
		{"name": "b", "parts": "1000-1999", "store": %q, "chain": 1000},
		{"name": "c", "parts": "2000-4095", "store": %q, "chain": 2000}
	]`, b.SocketURL("postgres"), c.SocketURL("postgres")))
	r.book(filepath.Join(r.dir, "a.db"), fund(person(3, "payer"), 100))
	r.pay(30)
	if have := r.sound(); have != "a b 0.30 0.00 0.30" {
		t.Fatal(have)
	}
	for _, want := range []int{1, 0} {
		var doc arrivedDoc
		if r.run(&doc, "pump", "--date", "2026-11-22"); doc.Arrived != want {
			t.Fatalf("%d arrived", doc.Arrived)
		}
	}
	for name, bad := range map[string][]string{
		"a file sends":  {"--part", "3", "--to", "c"},
		"a home":        {"--part", "1000", "--to", "c"},
		"to nobody":     {"--part", "1500", "--to", "d"},
		"a password":    {"--part", "1500", "--to", "c", "--reach", "postgres://u:secret@db/b"},
		"no date":       {"--part", "1500", "--to", "c", "--date", "tomorrow"},
		"abandon, done": {"--part", "1500", "--to", "b", "--abandon"},
	} {
		if code := r.exit("move", bad...); code != exitUsage {
			t.Errorf("%s: exit %d", name, code)
		}
	}
	move := []string{"--part", "1500", "--to", "c", "--date", "2026-11-22", "--data", filepath.Join(r.dir, "local")}
	if code := r.exit("move", append(move, "--reach", "postgres://nobody@127.0.0.1:1/b")...); code == 0 {
		t.Error("moved by a way that leads nowhere")
	}
	r.fence("b", 1500, 2000)
	if code := r.exit("move", "--part", "1500", "--to", "b"); code != exitUsage {
		t.Errorf("a part on its way out is called at home: exit %d", code)
	}
	var doc mapDoc
	for _, more := range []string{"--abandon", "--abandon=false", "--abandon=false"} { // give that up, move, and move again
		r.run(&doc, "move", append(move, more)...)
		left, err := b.SQL("postgres", "SELECT count(*) FROM pg_publication")
		if err != nil || left != "0" {
			t.Errorf("%s: %q publications are left (%v)", more, left, err)
		}
	}
	if doc.Shards[1].Count != 999 || doc.Shards[2].Count != 2097 {
		t.Errorf("%+v", doc)
	}
	if info, err := os.Stat(r.file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v %v", info, err)
	}
	r.pay(20)
	if have := r.sound(); have != "a b 0.30 0.30 0.00, a c 0.20 0.00 0.20" {
		t.Fatal(have)
	}
	r.run(&arrivedDoc{}, "pump")
	r.has(person(1500, "payee"), "0.50")
}

// replicating is a server that can send parts.
func replicating(t *testing.T) *pgtest.Server {
	return pgtest.Start(t, pgtest.Options{Settings: map[string]string{"wal_level": "logical", "wal_retrieve_retry_interval": "200ms"}})
}

const shardDay clock.Date = 20261122

// person is an account that lives in a part.
func person(part uint16, name string) book.Account {
	id := book.DeriveID("account", name).At(part)
	return book.Account{ID: book.AccountID(id), Name: name, Normal: book.Credit, Currency: 156, NeverNegative: true}
}

// fund opens an account and puts value on it, from a bank in the same part.
func fund(a book.Account, amount money.Minor) book.Command {
	bank := person(a.ID.Part(), "bank of "+a.Name)
	bank.Normal, bank.NeverNegative = book.Debit, false
	c := book.Command{ID: book.DeriveID("fund", a.Name), Event: "fund", Date: shardDay, Open: []book.Account{a, bank}}
	if amount > 0 {
		c.Legs = []book.Leg{
			{Account: bank.ID, Side: book.Debit, Amount: money.New(156, amount)},
			{Account: a.ID, Side: book.Credit, Amount: money.New(156, amount)},
		}
	}
	return c
}

func accepted(t *testing.T, results []book.Result, err error) {
	t.Helper()
	for _, r := range results {
		if r.Code != book.OK {
			err = errors.Join(err, errors.New(r.Code.Explain()))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// book makes a file and books on it.
func (r *realm) book(path string, cmds ...book.Command) {
	r.Helper()
	engine, err := sqlite.Open(path)
	if err != nil {
		r.Fatal(err)
	}
	ledger, err := book.Open(r.Context(), engine)
	if err != nil {
		r.Fatal(err)
	}
	results, err := ledger.Apply(r.Context(), cmds)
	accepted(r.T, results, errors.Join(err, ledger.Close()))
}

// open opens the shards as a program does that runs them.
func (r *realm) open() *shard.Shards {
	r.Helper()
	text, err := os.ReadFile(r.file)
	if err != nil {
		r.Fatal(err)
	}
	m, err := shard.Parse(text)
	if err != nil {
		r.Fatal(err)
	}
	s, err := shard.Open(r.Context(), m, func(ctx context.Context, at shard.Shard) (book.Engine, error) {
		if at.Name == "a" {
			return sqlite.Open(filepath.Join(r.dir, at.Store))
		}
		return postgres.Open(ctx, at.Store, postgres.Options{Chain: at.Chain})
	}, shard.Options{})
	if err != nil {
		r.Fatal(err)
	}
	return s
}

// pay sends value from the payer to the payee, opened if need be, and stops
// before it is delivered.
func (r *realm) pay(amount money.Minor) {
	r.Helper()
	s := r.open()
	payee := person(1500, "payee")
	results, err := s.Apply(r.Context(), []book.Command{fund(payee, 0)})
	accepted(r.T, results, err)
	results, err = s.Transfer(r.Context(), []shard.Transfer{{ID: book.DeriveID("pay", int64(amount)), From: person(3, "payer").ID, To: payee.ID,
		Amount: money.New(156, amount), Event: "pay", Date: shardDay}})
	accepted(r.T, results, errors.Join(err, s.Close()))
}

// fence is what a move that was stopped may leave: a part that nobody books on.
func (r *realm) fence(name string, part, to uint16) {
	r.Helper()
	s := r.open()
	l, err := s.Ledger(name)
	if err == nil {
		err = l.Leave(r.Context(), part, to, shardDay)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		r.Fatal(err)
	}
}

func (r *realm) has(a book.Account, want string) {
	r.Helper()
	s := r.open()
	have, open, err := s.Balance(r.Context(), a.ID)
	if err = errors.Join(err, s.Close()); err != nil || !open || have.String() != want {
		r.Errorf("%s has %s (open %v, %v), want %s", a.Name, have, open, err, want)
	}
}
