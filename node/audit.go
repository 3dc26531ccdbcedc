package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"jiaozi/book"
	"jiaozi/book/proof"
	"jiaozi/crypt/vault"
	"jiaozi/node/cardfile"
	"jiaozi/node/durable"
	"jiaozi/role/acquirer"
	"jiaozi/role/auditor"
	"jiaozi/role/card"
	"jiaozi/role/issuer"
	"jiaozi/role/terminal"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/wire/purse"

	"filippo.io/age"
)

// auditTries bounds how often an audit beside a running server looks again: a
// payment that falls between two of its looks is no fault.
const auditTries = 3

const (
	// codeFile is the finding that a file of evidence cannot be read.
	codeFile auditor.Code = "file"
	// codeCheckpoint is the finding that the book is not the one that was signed.
	codeCheckpoint auditor.Code = "checkpoint"
)

// AuditDir audits a data directory without changing it. It may run beside the
// server. An error means that it could not look; what is wrong is in the report.
func AuditDir(ctx context.Context, o Options) (auditor.Report, error) {
	scheme, err := LoadScheme(o.Dir)
	if err != nil {
		return auditor.Report{}, err
	}
	key, err := OpenKey(o.keyPath())
	if err != nil {
		return auditor.Report{}, err
	}
	v, err := openSafe(filepath.Join(o.Dir, "vault.age"), key, scheme.Test)
	if errors.Is(err, vault.ErrSealed) {
		return withoutVault(err), nil
	}
	if err != nil {
		return auditor.Report{}, err
	}
	return auditDir(ctx, o.Dir, scheme, key, v.Vault, o.clock())
}

// withoutVault is the report on a scheme whose vault is damaged: without it no
// card can be named, so that is the one finding.
func withoutVault(err error) auditor.Report {
	l := look{}
	l.damaged("vault.age", err)
	return auditor.Report{Findings: l.broken}
}

// Audit audits the open scheme.
func (n *Node) Audit(ctx context.Context) (auditor.Report, error) {
	return auditDir(ctx, n.dir, n.scheme, n.key, n.vault.Vault, n.options.clock())
}

func auditDir(ctx context.Context, dir string, s *Scheme, key *age.X25519Identity, v *vault.Vault, clk clock.Clock) (auditor.Report, error) {
	var report auditor.Report
	for range auditTries {
		l := &look{dir: dir, scheme: s, key: key, vault: v, clock: clk}
		var err error
		if report, err = l.audit(ctx); err != nil || report.Conserved {
			return report, err
		}
	}
	return report, nil
}

// look gathers the evidence of one audit.
type look struct {
	dir      string
	scheme   *Scheme
	key      *age.X25519Identity
	vault    *vault.Vault
	clock    clock.Clock
	evidence auditor.Evidence
	broken   []auditor.Finding
}

func (l *look) audit(ctx context.Context) (auditor.Report, error) {
	verified, err := verifyBook(ctx, l.dir, l.scheme)
	if err != nil {
		return auditor.Report{}, fmt.Errorf("audit the book: %w", err)
	}
	l.evidence = auditor.Evidence{Currency: l.scheme.currency(), Book: verified}
	// A book that does not hold together is finding enough: its records are not
	// evidence about anything else.
	if len(verified.Findings) > 0 || verified.Books == nil {
		return auditor.Audit(ctx, l.evidence)
	}
	store, err := openEvidence(ctx, l.dir, l.scheme)
	if err != nil {
		return auditor.Report{}, fmt.Errorf("audit the book: %w", err)
	}
	defer store.Close()
	reader, err := book.OpenReader(ctx, chain, store)
	if err != nil {
		return auditor.Report{}, fmt.Errorf("audit the book: %w", err)
	}
	defer reader.Close()
	l.evidence.Journal = reader
	if err := l.checkpoint(ctx); err != nil {
		return auditor.Report{}, fmt.Errorf("audit the checkpoints: %w", err)
	}
	if err := l.gather(ctx, readDoor{reader}); err != nil {
		return auditor.Report{}, err
	}
	report, err := auditor.Audit(ctx, l.evidence)
	report.Findings = append(l.broken, report.Findings...)
	report.Conserved = len(report.Findings) == 0
	return report, err
}

// checkpoint compares the journal with what was signed at the end of a day.
func (l *look) checkpoint(ctx context.Context) error {
	office, err := ownNotary(l.dir, l.scheme, l.vault)
	if err != nil {
		return err
	}
	_, err = signed(ctx, l.dir, l.scheme, office)
	if errors.Is(err, proof.ErrHistory) || errors.Is(err, proof.ErrSignature) || errors.Is(err, proof.ErrFalse) || errors.Is(err, proof.ErrForm) {
		l.broken = append(l.broken, auditor.Finding{Code: codeCheckpoint, Where: "checkpoints", Text: lang.Text{
			EN: "the book is not the one that was signed: " + err.Error(), ZH: "账簿与已签名的检查点不符：" + err.Error(),
		}})
		return nil
	}
	return err
}

func (l *look) gather(ctx context.Context, door readDoor) error {
	if err := l.coins(); err != nil {
		return fmt.Errorf("audit the coins: %w", err)
	}
	if err := l.cards(ctx, door); err != nil {
		return fmt.Errorf("audit the cards: %w", err)
	}
	if err := l.terminals(); err != nil {
		return fmt.Errorf("audit the terminals: %w", err)
	}
	if err := l.captures(ctx, door); err != nil {
		return fmt.Errorf("audit the captures: %w", err)
	}
	return nil
}

// coins says whose coins are in the book, if the scheme makes any.
func (l *look) coins() error {
	if l.scheme.Coins == nil || !l.vault.Has(keyMint) {
		return nil // the second: a vault from before coins, never opened since
	}
	network, err := networkOf(l.vault)
	if err != nil {
		return err
	}
	sign, err := l.vault.Public(keyMint)
	if err != nil {
		return err
	}
	l.evidence.Mint = &auditor.Mint{Inst: l.scheme.Issuer, Network: network, Sign: [32]byte(sign)}
	return nil
}

// cards reads every registered card whose file is at hand. A file that is not
// there is a card in somebody's pocket; one that cannot be read is a finding.
func (l *look) cards(ctx context.Context, door readDoor) error {
	register, err := issuer.New(issuer.Config{Inst: l.scheme.Issuer, Currency: l.scheme.currency(), Country: l.scheme.Country,
		Keys: issuer.Keys{Ref: keyPseudonym}}, door, l.vault, nil)
	if err != nil {
		return err
	}
	return register.Cards(ctx, func(ref ident.CardRef, c issuer.Card) error {
		path := c.Label
		if path == "" {
			return nil
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(l.dir, path)
		}
		e, err := readCard(path, l.key)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			l.damaged("card "+c.Label, err)
		default:
			l.evidence.Cards = append(l.evidence.Cards, witness(ref, c, e))
		}
		return nil
	})
}

func readCard(path string, key *age.X25519Identity) (card.Evidence, error) {
	image, err := cardfile.Read(path, key)
	if err != nil {
		return card.Evidence{}, err
	}
	c, err := card.Open(image, nil)
	if err != nil {
		return card.Evidence{}, err
	}
	return c.Evidence(), nil
}

// witness is what a card's file says, in the auditor's words. Of the issuer's
// record it takes only that a closure is under way.
func witness(ref ident.CardRef, c issuer.Card, e card.Evidence) auditor.Card {
	out := auditor.Card{Ref: ref, ATC: e.ATC, Balance: e.Balance, LogComplete: e.LogComplete}
	if c.Close != nil {
		out.Closing = c.Close.Before
	}
	for _, entry := range e.Log {
		out.Log = append(out.Log, auditor.Debit{ATC: entry.ATC, Amount: entry.Amount})
	}
	return out
}

// terminals reads the journals of the points of sale in this directory.
func (l *look) terminals() error {
	tids, err := ListTerminals(l.dir)
	if err != nil {
		return err
	}
	for _, tid := range tids {
		if err := l.terminal(tid); err != nil {
			l.damaged("terminal "+string(tid), err)
		}
	}
	return nil
}

func (l *look) terminal(tid ident.TID) error {
	spec, err := LoadTerminal(l.dir, tid)
	if err != nil {
		return err
	}
	journal := filepath.Join(terminalDir(l.dir, tid), "journal")
	if info, err := os.Stat(journal); err != nil || info.Size() == 0 {
		return nil // registered, never opened
	}
	cfg, err := tillConfig(l.dir, l.scheme, spec, lang.EN)
	if err != nil {
		return err
	}
	t, err := terminal.Open(cfg, readStore(journal), nil, nil, l.clock, nil)
	if err != nil {
		return err
	}
	for _, r := range t.Uncleared() {
		if err := l.payment("terminal "+string(tid), r); err != nil {
			return err
		}
	}
	return nil
}

// captures reads what the acquirer holds. What the book has accepted already
// does no harm in the evidence.
func (l *look) captures(ctx context.Context, door readDoor) error {
	a, err := acquirer.New(acquirer.Config{Inst: l.scheme.Acquirer, Clearing: l.scheme.Network, Currency: l.scheme.currency()}, door, nil, nil)
	if err != nil {
		return err
	}
	return a.Uncleared(ctx, func(r purse.Record) error { return l.payment("acquirer "+string(l.scheme.Acquirer), r) })
}

func (l *look) payment(where string, r purse.Record) error {
	ref, err := l.vault.CardRef(keyPseudonym, r.PAN, r.PSN)
	if err != nil {
		return err
	}
	l.evidence.Payments = append(l.evidence.Payments, auditor.Payment{Ref: ref, Where: where, Record: r})
	return nil
}

func (l *look) damaged(where string, err error) {
	l.broken = append(l.broken, auditor.Finding{Code: codeFile, Where: where, Text: lang.Text{
		EN: "a file of evidence cannot be read: " + err.Error(), ZH: "证据文件无法读取：" + err.Error(),
	}})
}

// readStore is a terminal's journal as evidence.
type readStore string

var errEvidence = errors.New("evidence is not written to")

func (s readStore) Append([]byte) error    { return errEvidence }
func (s readStore) Rewrite([][]byte) error { return errEvidence }
func (s readStore) Replay(fn func(entry []byte) error) error {
	return durable.ReadJournal(string(s), fn)
}

// readDoor shows a role the book as evidence.
type readDoor struct{ *book.Reader }

func (readDoor) Apply(context.Context, []book.Command) ([]book.Result, error) {
	return nil, errEvidence
}
