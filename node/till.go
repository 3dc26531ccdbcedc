package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"jiaozi/crypt/vault"
	"jiaozi/link/framed"
	"jiaozi/node/durable"
	"jiaozi/role/terminal"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/iso8583"

	"filippo.io/age"
)

// Till is an open terminal with its stores. It works on the terminal's own
// folder only, so that a point of sale may run beside the server.
type Till struct {
	*terminal.Terminal
	spec    TerminalSpec
	lock    *os.File
	journal *durable.Journal
	host    io.Closer
}

// OpenTill opens the terminal tid of the data directory for a point of sale
// that speaks to the server at host, "127.0.0.1:5200".
func OpenTill(o Options, tid ident.TID, host string, l lang.Lang) (*Till, error) {
	scheme, err := LoadScheme(o.Dir)
	if err != nil {
		return nil, err
	}
	key, err := OpenKey(o.keyPath())
	if err != nil {
		return nil, err
	}
	client := framed.NewClient(host, nil)
	t, err := openTill(o.Dir, scheme, key, tid, patient{client, tillPatience}, o.clock(), rand.Reader, l)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	t.host = client
	return t, nil
}

func openTill(dir string, s *Scheme, key *age.X25519Identity, tid ident.TID, host terminal.Host, clk clock.Clock, rand io.Reader, l lang.Lang) (*Till, error) {
	spec, err := LoadTerminal(dir, tid)
	if err != nil {
		return nil, err
	}
	t := &Till{spec: spec}
	folder := terminalDir(dir, tid)
	if t.lock, err = durable.Lock(filepath.Join(folder, "lock")); err != nil {
		return nil, fmt.Errorf("terminal %s: %w", tid, err)
	}
	if t.journal, err = durable.OpenJournal(filepath.Join(folder, "journal")); err != nil {
		return nil, errors.Join(fmt.Errorf("terminal %s: %w", tid, err), t.Close())
	}
	keys, err := openSafe(filepath.Join(folder, "vault.age"), key, s.Test)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("terminal %s: %w", tid, err), t.Close())
	}
	cfg, err := tillConfig(dir, s, spec, l)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	if t.Terminal, err = terminal.Open(cfg, t.journal, keys, host, clk, rand); err != nil {
		return nil, errors.Join(fmt.Errorf("terminal %s: %w", tid, err), t.Close())
	}
	return t, nil
}

// Terminal opens a terminal of the scheme in this process; it speaks to the
// acquirer over TCP like any other. wrap stands between it and the line.
func (n *Node) Terminal(tid ident.TID, l lang.Lang, wrap func(terminal.Host) terminal.Host) (*Till, error) {
	client := framed.NewClient(n.Bound().POS, nil)
	t, err := openTill(n.dir, n.scheme, n.key, tid, wrap(patient{client, tillPatience}), n.options.clock(), n.stream("terminal/"+string(tid)), l)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	t.host = client
	return t, nil
}

// patient is a terminal's line to its host. A host that takes a question and says
// nothing must not hold the till for ever: no answer is what reversals are for.
type patient struct {
	host terminal.Host
	wait time.Duration
}

// Exchange asks and waits for the answer, but not longer than a customer would.
func (p patient) Exchange(ctx context.Context, frame []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	return p.host.Exchange(ctx, frame)
}

// Spec is what the operator said of the terminal.
func (t *Till) Spec() TerminalSpec { return t.spec }

// Close releases the terminal; nothing is lost without it.
func (t *Till) Close() error {
	var errs []error
	if t.Terminal != nil {
		errs = append(errs, t.Terminal.Close())
	}
	if t.host != nil {
		errs = append(errs, t.host.Close())
	}
	if t.journal != nil {
		errs = append(errs, t.journal.Close())
	}
	if t.lock != nil {
		errs = append(errs, t.lock.Close())
	}
	return errors.Join(errs...)
}

// tillConfig turns the operator's words into the terminal's configuration.
func tillConfig(dir string, s *Scheme, spec TerminalSpec, l lang.Lang) (terminal.Config, error) {
	insert, tap, holder, err := spec.limits()
	if err != nil {
		return terminal.Config{}, err
	}
	profile, err := vault.ParseProfile(spec.Profile)
	if err != nil {
		return terminal.Config{}, err
	}
	trust, err := loadTrust(dir)
	if err != nil {
		return terminal.Config{}, err
	}
	aid, err := s.aid()
	if err != nil {
		return terminal.Config{}, err
	}
	currency, err := money.ParseCurrency(spec.Currency)
	return terminal.Config{
		TID: spec.TID, MID: spec.MID, MerchantName: spec.MerchantName, Serial: "JIAOZI" + string(spec.TID),
		Country: s.Country, Currency: currency,
		ECLimit: insert, TapLimit: tap, CVMLimit: holder, OfflineOnly: spec.OfflineOnly,
		AIDs: []ident.AID{aid}, CAKeys: trust.caKeys(), ListKey: trust.List,
		Profile: profile, TMK: tmk(spec.TID), TPK: tpk(spec.TID), TAK: tak(spec.TID),
		TPDU: iso8583.TPDU{0x60, 0x00, 0x03, 0x00, 0x00}, Lang: l,
	}, err
}
