package book

// InPieces makes a ledger plan its batches in pieces of n commands; 0 is as usual.
func InPieces(o Options, n int) Options {
	o.piece = n
	return o
}
