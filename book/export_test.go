package book

// InPieces makes a ledger plan its batches in pieces of n commands; 0 is as usual.
func InPieces(o Options, n int) Options {
	o.piece = n
	return o
}

// Shared makes other goroutines help with batches and calls of n commands on; 0 is
// as usual.
func Shared(o Options, n int) Options {
	o.large = n
	return o
}

// MaxRuns is how many runs an index has before the keeper waits for a merge.
const MaxRuns = maxRuns
