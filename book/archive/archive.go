// Package archive writes a journal as text and reads it back: one JSON object a
// line, in the open, for another engine, another program or another decade.
//
//	{"format":"jiaozi-journal","version":1,"chain":0,"from":1}
//	{"batch":1,"prev":"00..","hash":"5b..","entries":2}
//	{"id":"..","kind":"transfer","event":"..","date":"2026-11-22","legs":[..],"result":{..}}
//	{"id":"..", ..}
//	...
//	{"end":{"batches":1,"entries":2,"seq":1,"hash":"5b.."}}
//
// Promises: the bytes of every row are made again from the text and must give
// the row's own hash, so that a journal that went SQLite -> text -> PostgreSQL
// is the same journal; a line has one form, and any other is refused (an unknown
// or repeated key, a space, a number written differently); the book is touched
// only after the whole file was read and found right; an import that was
// interrupted goes on where it ended. Memory is that of one batch.
//
// Amounts are strings of minor units, ids and keys hex, values base64; numbers
// that JavaScript would round are strings. The package opens no files. Start
// with Export and Import.
package archive

import (
	"errors"

	"jiaozi/book"
)

// What callers tell apart. Each comes with the number of the line.
var (
	// ErrForm: not a line of an archive. The text says where.
	ErrForm = errors.New("not an archive as `jiaozi book export` writes it")
	// ErrShort: the end of the file is missing. Get all of it.
	ErrShort = errors.New("the file ends too early: copy all of it again")
	// ErrHash: a line was changed, or the store that was exported is damaged.
	ErrHash = errors.New("the content does not give the hash that stands beside it: it was changed; use another copy")
	// ErrOther: the store holds another journal than the file.
	ErrOther = errors.New("the store and the file hold different journals: import into an empty store, or into one that this file continues")
)

// Bounds of what is read.
const (
	// MaxLine is the longest line in bytes: an entry of book.MaxCommand whose
	// names are all escapes and whose values are base64 stays below it.
	MaxLine = 32 << 20
	// maxItems bounds the commas of a line, so that a small line cannot ask for
	// much memory: every list of a command at its limit has fewer.
	maxItems = 32 * book.MaxLegs
)

const (
	format  = "jiaozi-journal"
	version = 1
)

// Report is what an archive holds, or what was done with it.
type Report struct {
	Batches, Entries uint64    // of the file
	Head             book.Head // the last batch of the file
	Appended         uint64    // Import: batches that the store did not have
}

type headerLine struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Chain   uint16 `json:"chain"`
	From    uint64 `json:"from"`
}

type batchLine struct {
	Batch   uint64 `json:"batch"`
	Prev    hash   `json:"prev"`
	Hash    hash   `json:"hash"`
	Entries int    `json:"entries"`
}

type endLine struct {
	End struct {
		Batches uint64 `json:"batches"`
		Entries uint64 `json:"entries"`
		Seq     uint64 `json:"seq"`
		Hash    hash   `json:"hash"`
	} `json:"end"`
}
