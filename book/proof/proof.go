// Package proof lets a customer check, without the bank's help, that an entry of
// the book is the one that the bank has signed for.
//
//	journal --> leaves --> Merkle tree --> checkpoint, signed each day
//	            one for    (RFC 6962)      origin, size, root, chain, head, date
//	            an entry        |
//	                            +--> proof file: entry, path, checkpoint
//
// Promises: a checkpoint is signed only over a journal that extends the one of
// the checkpoint before it (Open); a proof that Verify accepts shows the entry
// byte for byte as the signed tree holds it; what two checkpoints agree on can
// be shown as well (Extend). A proof gives away no other entry: what it says of
// its neighbours is hashes, salted with what only the journal holds.
//
// It does not promise that an entry is right, nor that the bank shows everyone
// the same checkpoint: for that, compare checkpoints, or have them witnessed.
//
// Forms are public ones: C2SP signed note, tlog-checkpoint and tlog-proof. The
// Tree keeps one hash for 4096 leaves, so that a proof reads a few thousand
// entries of a journal of any length; it is derived, and made again when it does
// not fit the last checkpoint. The package has no clock, file or key of its own.
// Start with Open, Sign and Prove for the bank, Verify for the customer.
package proof

import (
	"context"
	"errors"

	"jiaozi/book"
)

// What callers tell apart.
var (
	// ErrHistory: the journal does not hold what was signed. Stop, run audit,
	// and restore a backup; never sign again over the changed journal.
	ErrHistory = errors.New("proof: the journal is not the one that the last checkpoint was signed over")
	// ErrLater: the entry was booked after the checkpoint; take a later one.
	ErrLater = errors.New("proof: the entry is not in this checkpoint: it was booked after it; take a later checkpoint")
	// ErrNoEntry: there is no such entry in the journal.
	ErrNoEntry = errors.New("proof: there is no such entry in the journal")
	// ErrForm: the bytes are not of the form that they should have.
	ErrForm = errors.New("proof: not in the expected form: damaged, shortened, or another kind of file")
	// ErrSignature: no signature by the given key. Ask whoever gave the file.
	ErrSignature = errors.New("proof: the checkpoint is not signed by this key")
	// ErrFalse: the form is right and the signature too, but what is claimed
	// does not follow from what was signed.
	ErrFalse = errors.New("proof: false: this is not what was signed")
)

// Journal is what leaves are made of; a book.View is one.
type Journal interface {
	// Journal visits the rows from sequence number from on, in order.
	Journal(ctx context.Context, from uint64, fn func(book.Row) error) error
	// Row reads one row.
	Row(ctx context.Context, seq uint64) (book.Row, bool, error)
}
