package book

import "errors"

// Each error here asks the caller for something different; all others are
// faults of the store and mean that nothing was booked.
var (
	// ErrBusy: the queue is full. Wait and send the same commands again.
	ErrBusy = errors.New("book: busy: too many commands are waiting; send again in a moment")
	// ErrUnknown: the commands were taken and may or may not be booked. Send
	// them again with the same ids: the answer then is the first answer.
	ErrUnknown = errors.New("book: outcome unknown: send the same commands again to learn it")
	// ErrStopped: the ledger refuses everything until it is opened again,
	// because it cannot know what the disk holds.
	ErrStopped = errors.New("book: stopped: close the ledger, look at the disk, run audit, open it again")
	// ErrClosed: the ledger was closed in good order.
	ErrClosed = errors.New("book: closed")
	// ErrTooLarge: one call holds more than a batch may.
	ErrTooLarge = errors.New("book: too many commands or bytes in one call: split it")
	// ErrForeign: a role reached for an event or space that is not its own.
	ErrForeign = errors.New("book: not an event or space of this role")
	// ErrDamaged: the store does not hold what was written.
	ErrDamaged = errors.New("book: damaged: do not write to it; run audit to see where, then restore a backup")
)

// What an Engine's Commit says about its failure. A failure that is none of
// these leaves the choice to the ledger, which reads the head again.
var (
	// ErrFull: no room; nothing was committed.
	ErrFull = errors.New("book: the disk is full: nothing was booked; free some space and send again")
	// ErrFenced: another writer took the sequence number.
	ErrFenced = errors.New("book: another writer is using this store")
	// ErrNotDurable: a write or sync failed; the disk may hold either state.
	ErrNotDurable = errors.New("book: the disk failed while writing")
)
