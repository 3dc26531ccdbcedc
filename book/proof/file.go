package proof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"jiaozi/book"

	"github.com/transparency-dev/merkle/proof"
	"golang.org/x/mod/sumdb/note"
)

// A proof file is a c2sp.org/tlog-proof whose extra data is the leaf itself.
const (
	proofMagic = "c2sp.org/tlog-proof@v1"
	// extensionMagic opens a file that shows of two checkpoints that the later
	// one only adds to the earlier one.
	extensionMagic = "jiaozi-extension@v1"
)

// maxPath is the longest path in a tree of less than 2^63 leaves; that between
// two trees has one hash more.
const maxPath = 64

// MaxFile bounds a proof file.
const MaxFile = maxLeaf/3*4 + maxPath*48 + 2*maxNote

// Proven is what a proof file shows.
type Proven struct {
	Checkpoint Checkpoint
	Index      uint64 // number of the entry in the whole tree, from 0
	Leaf       Leaf
	Entry      book.Entry
}

// Prove makes the file that shows entry index of batch seq in the tree of a
// signed checkpoint. It reads at most some ten thousand entries.
func (t *Tree) Prove(ctx context.Context, j Journal, seq uint64, index uint16, signed []byte, keys note.Verifiers) ([]byte, error) {
	c, err := OpenCheckpoint(signed, keys)
	if err != nil {
		return nil, err
	}
	if c.Chain != t.chain || seq > c.Seq {
		return nil, ErrLater
	}
	number, leaf, err := t.find(ctx, j, seq, index)
	if err != nil {
		return nil, err
	}
	if number >= c.Size {
		return nil, ErrHistory
	}
	path, err := t.inclusion(ctx, j, number, c.Size)
	if err != nil {
		return nil, err
	}
	f := file{magic: proofMagic, extra: leaf.appendTo(nil), number: number, path: path, signed: signed}
	out := f.bytes()
	// What leaves the bank is what the customer's check will accept.
	if _, err := Verify(out, keys); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHistory, err)
	}
	return out, nil
}

// Verify checks a proof file, alone and offline: the signature by one of keys,
// the path from the entry to the signed root, and the entry's own form.
func Verify(b []byte, keys note.Verifiers) (*Proven, error) {
	f, err := parseFile(b, proofMagic)
	if err != nil {
		return nil, err
	}
	leaf, err := decodeLeaf(f.extra)
	if err != nil {
		return nil, err
	}
	c, err := OpenCheckpoint(f.signed, keys)
	if err != nil {
		return nil, err
	}
	if err := proof.VerifyInclusion(hasher, f.number, c.Size, hasher.HashLeaf(f.extra), f.path, c.Root[:]); err != nil {
		return nil, fmt.Errorf("%w: the path does not lead from the entry to the root", ErrFalse)
	}
	if leaf.Chain != c.Chain || leaf.Seq > c.Seq {
		return nil, fmt.Errorf("%w: the entry is of another chain or a later batch", ErrFalse)
	}
	entry, err := book.DecodeEntry(leaf.Seq, leaf.Entry)
	if err != nil {
		return nil, fmt.Errorf("%w: the entry: %w", ErrForm, err)
	}
	return &Proven{Checkpoint: c, Index: f.number, Leaf: leaf, Entry: entry}, nil
}

// Extend makes the file that shows that the later of two signed checkpoints
// only adds to the earlier one.
func (t *Tree) Extend(ctx context.Context, j Journal, earlier, later []byte, keys note.Verifiers) ([]byte, error) {
	a, err := OpenCheckpoint(earlier, keys)
	if err != nil {
		return nil, err
	}
	b, err := OpenCheckpoint(later, keys)
	if err != nil {
		return nil, err
	}
	if a.Size > b.Size {
		return nil, fmt.Errorf("%w: the earlier checkpoint has %d entries, the later one %d", ErrFalse, a.Size, b.Size)
	}
	path, err := t.consistency(ctx, j, a.Size, b.Size)
	if err != nil {
		return nil, err
	}
	f := file{magic: extensionMagic, extra: earlier, path: path, signed: later}
	out := f.bytes()
	if _, _, err := VerifyExtension(out, keys); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHistory, err)
	}
	return out, nil
}

// VerifyExtension checks a file of Extend and gives the two checkpoints. Compare
// the earlier one with the one that you kept.
func VerifyExtension(b []byte, keys note.Verifiers) (earlier, later Checkpoint, err error) {
	f, err := parseFile(b, extensionMagic)
	if err != nil {
		return earlier, later, err
	}
	if earlier, err = OpenCheckpoint(f.extra, keys); err != nil {
		return earlier, later, err
	}
	if later, err = OpenCheckpoint(f.signed, keys); err != nil {
		return earlier, later, err
	}
	same := earlier.Size == later.Size
	switch {
	case earlier.Origin != later.Origin, earlier.Seq > later.Seq, earlier.Date > later.Date,
		same && (earlier.Seq != later.Seq || earlier.Head != later.Head), f.number != 0:
		return earlier, later, fmt.Errorf("%w: the checkpoints are not one after the other in one log", ErrFalse)
	}
	if err := proof.VerifyConsistency(hasher, earlier.Size, later.Size, f.path, earlier.Root[:], later.Root[:]); err != nil {
		return earlier, later, fmt.Errorf("%w: the later checkpoint changes what the earlier one had", ErrFalse)
	}
	return earlier, later, nil
}

// IsExtension reports which of the two kinds of files b claims to be.
func IsExtension(b []byte) bool { return bytes.HasPrefix(b, []byte(extensionMagic+"\n")) }

// file is the common shape of both: lines of text before a signed checkpoint.
type file struct {
	magic  string
	extra  []byte // the leaf, or the earlier checkpoint
	number uint64 // of the leaf; 0 in an extension
	path   [][]byte
	signed []byte
}

func (f *file) bytes() []byte {
	b := append([]byte(f.magic), "\nextra "...)
	b = base64.StdEncoding.AppendEncode(b, f.extra)
	b = fmt.Appendf(b, "\nindex %d\n", f.number)
	for _, hash := range f.path {
		b = append(base64.StdEncoding.AppendEncode(b, hash), '\n')
	}
	b = append(b, '\n')
	return append(b, f.signed...)
}

// parseFile accepts exactly what bytes writes.
func parseFile(b []byte, magic string) (*file, error) {
	if len(b) > MaxFile {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrForm, len(b), MaxFile)
	}
	head, signed, _ := bytes.Cut(b, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if lines[0] != magic {
		return nil, fmt.Errorf("%w: the first line is not %q", ErrForm, magic)
	}
	if len(lines) < 3 || len(lines)-3 > maxPath {
		return nil, fmt.Errorf("%w: %d lines before the checkpoint", ErrForm, len(lines))
	}
	f := &file{magic: magic, signed: signed}
	var err error
	if f.extra, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")); err != nil {
		return nil, fmt.Errorf("%w: second line: %w", ErrForm, err)
	}
	if f.number, err = strconv.ParseUint(strings.TrimPrefix(lines[2], "index "), 10, 63); err != nil {
		return nil, fmt.Errorf("%w: third line: %w", ErrForm, err)
	}
	for i, line := range lines[3:] {
		var hash [sha256.Size]byte
		if err := unhash(line, &hash); err != nil {
			return nil, fmt.Errorf("%w: line %d is not a hash", ErrForm, i+4)
		}
		f.path = append(f.path, hash[:])
	}
	if !bytes.Equal(f.bytes(), b) {
		return nil, fmt.Errorf("%w: it is not written the one way", ErrForm)
	}
	return f, nil
}
