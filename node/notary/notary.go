// Package notary keeps the signed checkpoints of one chain of the book in a
// folder, and makes proofs from them.
//
//	DIR/2026-11-22-000000001234.checkpoint   business date, last batch; public
//	DIR/tree                                 derived: may be deleted at any time
//
// Promises: a checkpoint that was written is never replaced; a new one is signed
// only after the journal was found to extend the last one (proof.ErrHistory
// otherwise); a crash between any two steps costs at most the work of the step.
// One process at a time may Sign; anyone may read beside it.
//
// It knows neither keys nor engines: it is handed a signer and a view. Start with
// Open, then Sign at the end of a day, Prove for a customer, Extend and Check for
// an auditor.
package notary

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"jiaozi/book"
	"jiaozi/book/proof"
	"jiaozi/node/durable"
	"jiaozi/value/clock"

	"golang.org/x/mod/sumdb/note"
)

// ErrNone: no checkpoint was made yet that fits the question.
var ErrNone = errors.New("there is no such checkpoint: one is made at the end of each business day, or by `jiaozi checkpoint`")

const (
	suffix    = ".checkpoint"
	cacheName = "tree"
	maxFile   = 64 << 10
)

// Notary is the folder of one chain.
type Notary struct {
	dir   string
	chain uint16
	keys  note.Verifiers
	names []name // oldest first
}

// Open lists the checkpoints of a folder, which need not exist yet. Those that
// another process adds later are not seen, so that a view taken after Open is
// never older than a checkpoint. Keys are those that checkpoints are checked with.
func Open(dir string, chain uint16, keys note.Verifiers) (*Notary, error) {
	n := &Notary{dir: dir, chain: chain, keys: keys}
	return n, n.list()
}

// View is what the notary reads; a book.View is one. Take it after Open.
type View interface {
	proof.Journal
	Head(ctx context.Context) (book.Head, error)
}

// Kept is a checkpoint in the folder.
type Kept struct {
	Path       string
	Note       []byte // the signed note, as it is handed out
	Checkpoint proof.Checkpoint
}

// name is what the name of a file says.
type name struct {
	file string
	date clock.Date
	seq  uint64
}

func fileName(c *proof.Checkpoint) string { return fmt.Sprintf("%s-%012d%s", c.Date, c.Seq, suffix) }

func parseName(file string) (name, bool) {
	base, ok := strings.CutSuffix(file, suffix)
	if !ok || len(base) < 12 {
		return name{}, false
	}
	date, err := clock.ParseDate(base[:10])
	seq, err2 := strconv.ParseUint(base[11:], 10, 63)
	n := name{file, date, seq}
	return n, errors.Join(err, err2) == nil && fileName(&proof.Checkpoint{Date: date, Seq: seq}) == file
}

func (n *Notary) list() error {
	entries, err := os.ReadDir(n.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read checkpoints: %w", err)
	}
	for _, e := range entries {
		if got, ok := parseName(e.Name()); ok {
			n.names = append(n.names, got)
		}
	}
	slices.SortFunc(n.names, func(a, b name) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.date, b.date))
	})
	return nil
}

// Last gives the newest checkpoint, or ErrNone.
func (n *Notary) Last() (*Kept, error) { return n.newest(func(name) bool { return true }) }

// Of gives the newest checkpoint of a business date, or ErrNone.
func (n *Notary) Of(date clock.Date) (*Kept, error) {
	return n.newest(func(got name) bool { return got.date == date })
}

func (n *Notary) newest(fits func(name) bool) (*Kept, error) {
	for _, got := range slices.Backward(n.names) {
		if fits(got) {
			return n.read(got)
		}
	}
	return nil, ErrNone
}

func (n *Notary) read(from name) (*Kept, error) {
	path := filepath.Join(n.dir, from.file)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w", from.file, err)
	}
	c, err := proof.OpenCheckpoint(raw, n.keys)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", from.file, err)
	}
	if fileName(&c) != from.file || c.Chain != n.chain {
		return nil, fmt.Errorf("checkpoint %s: %w: the file holds another one", from.file, proof.ErrFalse)
	}
	return &Kept{path, raw, c}, nil
}

// Sign makes the checkpoint of the journal as the view shows it, for the business
// date. If that very checkpoint is there, it is the answer.
func (n *Notary) Sign(ctx context.Context, view View, date clock.Date, s *proof.Signer) (*Kept, error) {
	head, err := view.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("make checkpoint: %w", err)
	}
	tree, last, err := n.tree(ctx, view)
	if err != nil {
		return nil, fmt.Errorf("make checkpoint: %w", err)
	}
	if last != nil {
		if last.Checkpoint.Date > date {
			return nil, fmt.Errorf("make checkpoint: the last one is of %s, so this cannot be of %s", last.Checkpoint.Date, date)
		}
		if last.Checkpoint.Seq == head.Seq && last.Checkpoint.Date == date {
			return last, nil
		}
	}
	tip, err := tree.Grow(ctx, view, head.Seq)
	if err != nil {
		return nil, fmt.Errorf("make checkpoint: %w", err)
	}
	c := tip.Checkpoint(s.Name(), n.chain, date)
	signed, err := proof.Sign(c, s)
	if err != nil {
		return nil, err
	}
	return n.keep(tree, c, signed)
}

// keep writes the tree first: it may run ahead of the last checkpoint, and a
// checkpoint without it would be read from the whole journal again.
func (n *Notary) keep(tree *proof.Tree, c proof.Checkpoint, signed []byte) (*Kept, error) {
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep checkpoint: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(n.dir, cacheName), tree.Append(nil), 0o600); err != nil {
		return nil, err
	}
	path := filepath.Join(n.dir, fileName(&c))
	if err := durable.WriteFile(path, signed, 0o644); err != nil {
		return nil, err
	}
	n.names = append(n.names, name{fileName(&c), c.Date, c.Seq})
	return &Kept{path, signed, c}, nil
}

// tree opens the tree of the last checkpoint and checks the journal against it,
// as far as the kept tree does not stand for it.
func (n *Notary) tree(ctx context.Context, view View) (*proof.Tree, *Kept, error) {
	last, err := n.Last()
	if errors.Is(err, ErrNone) {
		return proof.New(n.chain), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	cache, err := os.ReadFile(filepath.Join(n.dir, cacheName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read the kept tree: %w", err)
	}
	tree, err := proof.Open(ctx, view, n.chain, cache, &last.Checkpoint)
	return tree, last, err
}

// Check reads the whole journal and finds whether it still holds the last
// checkpoint, which it gives; ErrNone if there is none, proof.ErrHistory if not.
func (n *Notary) Check(ctx context.Context, view View) (*Kept, error) {
	last, err := n.Last()
	if err != nil {
		return nil, err
	}
	_, err = proof.Open(ctx, view, n.chain, nil, &last.Checkpoint)
	return last, err
}

// Prove makes the proof file of entry index of batch seq, in the checkpoint of a
// business date (0: the newest).
func (n *Notary) Prove(ctx context.Context, view View, seq uint64, index uint16, date clock.Date) ([]byte, error) {
	tree, in, err := n.tree(ctx, view)
	if err != nil {
		return nil, err
	}
	if date != 0 || in == nil {
		if in, err = n.Of(date); err != nil {
			return nil, err
		}
	}
	return tree.Prove(ctx, view, seq, index, in.Note, n.keys)
}

// Extend makes the file that shows that the checkpoint of one date (0: the
// newest) continues that of an earlier one.
func (n *Notary) Extend(ctx context.Context, view View, from, to clock.Date) ([]byte, error) {
	tree, last, err := n.tree(ctx, view)
	if err != nil {
		return nil, err
	}
	a, err := n.Of(from)
	if err != nil {
		return nil, fmt.Errorf("checkpoint of %s: %w", from, err)
	}
	b := last
	if to != 0 {
		b, err = n.Of(to)
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint of %s: %w", to, err)
	}
	return tree.Extend(ctx, view, a.Note, b.Note, n.keys)
}
