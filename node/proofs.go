package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/book/proof"
	"jiaozi/crypt/vault"
	"jiaozi/node/durable"
	"jiaozi/node/notary"
	"jiaozi/value/clock"
)

// bookKeyPath is where the public half of keyBook lies, for everyone to copy.
func bookKeyPath(dir string) string { return filepath.Join(dir, "book.pub") }

func (s *Scheme) origin() string { return proof.Origin(string(s.Network), chain) }

// bookKeyLine is the public key of the book as the vault knows it.
func bookKeyLine(s *Scheme, v *vault.Vault) (string, error) {
	public, err := v.Public(keyBook)
	if err != nil {
		return "", fmt.Errorf("public key of the book: %w", err)
	}
	return proof.PublicKey(s.origin(), public)
}

// publishBookKey writes the public key that customers check proofs with.
func publishBookKey(dir string, s *Scheme, v *vault.Vault) error {
	line, err := bookKeyLine(s, v)
	if err != nil {
		return err
	}
	text := "# public key of this scheme's book: jiaozi verify FILE --key THIS\n" + line + "\n"
	return durable.WriteFile(bookKeyPath(dir), []byte(text), 0o644)
}

// publicNotary needs no secret: it believes the published key. What it makes is
// for people who have that key from elsewhere.
func publicNotary(dir string) (*notary.Notary, error) {
	raw, err := os.ReadFile(bookKeyPath(dir))
	if err != nil {
		return nil, fmt.Errorf("public key of the book (a running scheme writes it again if it is lost): %w", err)
	}
	return openNotary(dir, string(raw))
}

// ownNotary believes only the vault.
func ownNotary(dir string, s *Scheme, v *vault.Vault) (*notary.Notary, error) {
	line, err := bookKeyLine(s, v)
	if err != nil {
		return nil, err
	}
	return openNotary(dir, line)
}

func openNotary(dir, lines string) (*notary.Notary, error) {
	keys, err := proof.ParseKeys(lines)
	if err != nil {
		return nil, err
	}
	return notary.Open(filepath.Join(dir, "checkpoints", strconv.Itoa(chain)), chain, keys)
}

// viewBook lends out the book of a directory as it is at one moment, beside a
// server or without one.
func viewBook(ctx context.Context, dir string, s *Scheme, fn func(evidence, book.View) error) error {
	store, err := openEvidence(ctx, dir, s)
	if err != nil {
		return err
	}
	defer store.Close()
	view, err := store.View(ctx)
	if err != nil {
		return err
	}
	return errors.Join(fn(store, view), view.Close())
}

// MakeCheckpoint is the order to sign the book as it is now.
type MakeCheckpoint struct{}

// Verb names the order.
func (MakeCheckpoint) Verb() string { return "checkpoint" }

// Run signs.
func (MakeCheckpoint) Run(ctx context.Context, n *Node) (any, error) {
	n.dayMu.Lock()
	defer n.dayMu.Unlock()
	date, err := n.BusinessDate(ctx)
	if err != nil {
		return nil, err
	}
	return n.checkpoint(ctx, date)
}

// CheckpointDoc is a signed checkpoint in the numbers a person asks for.
type CheckpointDoc struct {
	File    string `json:"file"`
	Date    string `json:"date"`
	Batches uint64 `json:"batches"`
	Entries uint64 `json:"entries"`
	Note    string `json:"note"` // what is published
}

// checkpoint signs the book for a business date; the caller holds dayMu. If the
// journal is not the one that was signed before, it is proof.ErrHistory.
func (n *Node) checkpoint(ctx context.Context, date clock.Date) (*CheckpointDoc, error) {
	public, err := n.vault.Public(keyBook)
	if err != nil {
		return nil, err
	}
	signer, err := proof.NewSigner(n.scheme.origin(), public, func(domain string, msg []byte) ([]byte, error) {
		return n.vault.Sign(keyBook, domain, msg)
	})
	if err != nil {
		return nil, err
	}
	office, err := ownNotary(n.dir, n.scheme, n.vault.Vault)
	if err != nil {
		return nil, err
	}
	var made *notary.Kept
	err = viewBook(ctx, n.dir, n.scheme, func(_ evidence, view book.View) error {
		made, err = office.Sign(ctx, view, date, signer)
		return err
	})
	if err != nil {
		return nil, err
	}
	c := &made.Checkpoint
	return &CheckpointDoc{made.Path, c.Date.String(), c.Seq, c.Size, string(made.Note)}, nil
}

// ProofOrder asks for a proof. One of ID and Account is set: an account stands
// for its last entry in the checkpoint, which says what it held then. Date is
// that of the checkpoint, 0 the newest.
type ProofOrder struct {
	ID      book.ID
	Account string
	Date    clock.Date
}

// Prove makes a proof file that a customer can check without us. It may run
// beside the server and needs no secret.
func Prove(ctx context.Context, o Options, order ProofOrder) (file []byte, err error) {
	s, err := LoadScheme(o.Dir)
	if err != nil {
		return nil, err
	}
	office, err := publicNotary(o.Dir)
	if err != nil {
		return nil, err
	}
	var in *notary.Kept
	if order.Date == 0 {
		in, err = office.Last()
	} else {
		in, err = office.Of(order.Date)
	}
	if err != nil {
		return nil, err
	}
	err = viewBook(ctx, o.Dir, s, func(store evidence, view book.View) error {
		at, err := find(ctx, store, s, order, in.Checkpoint.Seq)
		if err != nil {
			return err
		}
		file, err = office.Prove(ctx, view, at.Seq, uint16(at.Index), order.Date)
		return err
	})
	return file, err
}

// statementPage bounds one step of looking for an account's last entry.
const statementPage = 1000

// find gives the place of the entry that is asked for, up to batch until.
func find(ctx context.Context, store evidence, s *Scheme, order ProofOrder, until uint64) (at book.Position, err error) {
	r, err := book.OpenReader(ctx, chain, store)
	if err != nil {
		return at, err
	}
	defer r.Close()
	if order.Account != "" {
		return lastOn(ctx, r, chart.Customer(s.Issuer, order.Account, s.currency()), until)
	}
	_, at, found, err := r.Entry(ctx, order.ID)
	if err == nil && !found {
		err = fmt.Errorf("%w: no command %s was answered", proof.ErrNoEntry, order.ID)
	}
	return at, err
}

func lastOn(ctx context.Context, r *book.Reader, account book.Account, until uint64) (at book.Position, err error) {
	found := false
	for from := uint64(0); ; {
		lines, next, err := r.Statement(ctx, account.ID, from, statementPage)
		if err != nil {
			return at, err
		}
		for i := range lines {
			if p := lines[i].Place(); p.Seq <= until {
				at, found = p, true
			}
		}
		if from = next; next == 0 {
			break
		}
	}
	if !found {
		return at, fmt.Errorf("%w: nothing stands on account %s up to that checkpoint", proof.ErrNoEntry, account.Name)
	}
	return at, nil
}

// ProveExtension makes a file that shows that the checkpoint of one date only
// adds to that of an earlier one.
func ProveExtension(ctx context.Context, o Options, from, to clock.Date) (file []byte, err error) {
	s, err := LoadScheme(o.Dir)
	if err != nil {
		return nil, err
	}
	office, err := publicNotary(o.Dir)
	if err != nil {
		return nil, err
	}
	err = viewBook(ctx, o.Dir, s, func(_ evidence, view book.View) error {
		file, err = office.Extend(ctx, view, from, to)
		return err
	})
	return file, err
}
