package terminal

import "time"

// Bounds on what a card, a host or a shop can make the terminal do.
const (
	// maxAPDUs ends a conversation that a hostile card keeps alive. The longest
	// honest one (directory, torn recovery with log, insert with PIN and script)
	// takes about 60.
	maxAPDUs = 128
	// maxRecords and maxAFLEntries bound the read phase; real cards have 3 to 8 records.
	maxRecords    = 32
	maxAFLEntries = 16
	// maxDirectory bounds the records of a payment system directory (EMV Book 1, 12.2.3).
	maxDirectory = 10
	// maxCandidates bounds the applications that are tried one after the other.
	maxCandidates = 8
	// maxLogRecords bounds the card's transaction log (9F4D byte 2; 10 is usual).
	maxLogRecords = 30

	// maxBatch is the count that field 48 of a settlement can carry (n3). A fuller
	// batch could not be reconciled, so the next sale is declined before the card
	// is asked.
	maxBatch = 999
	// maxOutbox bounds reversals and notices that wait for the host; beyond it no
	// further load is started.
	maxOutbox = 64
	// maxTries is how often one call sends one outbox item or upload.
	maxTries = 3
	// maxListChunks is what n3 of field 62 can count.
	maxListChunks = 999
	// stanBlock is how many trace numbers one journal entry reserves: a crash skips
	// at most that many, and reserving costs one flush in fifty sales.
	stanBlock = 50
	// lastSTAN is the largest n6; trace numbers and batch numbers start at 1 again.
	lastSTAN  = 999_999
	lastBatch = 999_999

	// shieldWindow is how long after a sale whose success may not have been
	// signalled (the process died between the journal and the beep) the same card
	// with the same amount completes that sale instead of paying again.
	shieldWindow = 5 * time.Minute
	// clockTolerance is the difference to the host's clock that sign-on reports.
	clockTolerance = time.Minute
)
