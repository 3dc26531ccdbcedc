package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"jiaozi/book"
)

// Store is where an archive goes; a book.Engine is one. Its tables need nothing:
// the book makes them from the journal when it is opened.
type Store interface {
	Chain() uint16
	Head(ctx context.Context) (book.Head, error)
	Append(ctx context.Context, row *book.Row) error
	View(ctx context.Context) (book.View, error)
}

// Import appends what the store does not have yet. It reads the file twice: the
// store is not touched unless all of the file is right and continues what the
// store holds. If it is interrupted, call it again. Run audit afterwards: the
// import checks form and hashes, the audit checks the books.
func Import(ctx context.Context, r io.ReadSeeker, to Store) (Report, error) {
	head, err := to.Head(ctx)
	if err != nil {
		return Report{}, err
	}
	first, err := compare(ctx, r, to, head)
	if err != nil {
		return first, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return first, fmt.Errorf("read the archive again: %w", err)
	}
	var appended uint64
	second, err := Read(ctx, r, nil, func(row *book.Row) error {
		if row.Seq <= head.Seq {
			return nil
		}
		if row.Seq != head.Seq+1 || row.Prev != head.Hash {
			return ErrOther
		}
		if err := to.Append(ctx, row); err != nil {
			return fmt.Errorf("batch %d: %w", row.Seq, err)
		}
		appended++
		head = book.Head{Seq: row.Seq, Hash: row.Hash}
		return nil
	})
	second.Appended = appended
	return second, err
}

// compare reads the whole file against what the store holds.
func compare(ctx context.Context, r io.Reader, to Store, head book.Head) (Report, error) {
	view, err := to.View(ctx)
	if err != nil {
		return Report{}, err
	}
	begin := func(chain uint16, from uint64) error {
		if chain != to.Chain() {
			return fmt.Errorf("%w: the file is of chain %d, the store of chain %d", ErrOther, chain, to.Chain())
		}
		if from > head.Seq+1 {
			return fmt.Errorf("%w: the file begins with batch %d, the store ends with batch %d", ErrOther, from, head.Seq)
		}
		return nil
	}
	report, err := Read(ctx, r, begin, func(row *book.Row) error {
		switch {
		case row.Seq == head.Seq+1 && row.Prev != head.Hash:
			return fmt.Errorf("%w: batch %d does not follow the last one of the store", ErrOther, row.Seq)
		case row.Seq > head.Seq:
			return nil
		}
		kept, ok, err := view.Row(ctx, row.Seq)
		if err == nil && (!ok || kept.Hash != row.Hash) {
			err = fmt.Errorf("%w: they differ in batch %d", ErrOther, row.Seq)
		}
		return err
	})
	return report, errors.Join(err, view.Close())
}

// Read checks an archive from its first byte to its last and hands out its rows
// in order; begin is told what the file claims to be. Either may be nil. A row is
// the callback's to keep. Errors name the line.
func Read(ctx context.Context, r io.Reader, begin func(chain uint16, from uint64) error, fn func(*book.Row) error) (Report, error) {
	d := decoder{lines: lines{from: bufio.NewReaderSize(r, 64<<10)}, fn: fn}
	err := d.header(begin)
	for more := true; err == nil && more; {
		if err = ctx.Err(); err == nil {
			more, err = d.batch()
		}
	}
	if err == nil {
		err = d.lines.end()
	}
	if err != nil {
		return d.report, fmt.Errorf("line %d: %w", d.lines.number, err)
	}
	return d.report, nil
}

type decoder struct {
	lines  lines
	chain  uint16
	next   uint64
	report Report
	fn     func(*book.Row) error
}

func (d *decoder) header(begin func(chain uint16, from uint64) error) error {
	line, err := d.lines.next()
	if err != nil {
		return err
	}
	h, err := decodeLine[headerLine](line)
	if err != nil {
		return err
	}
	if h.Format != format || h.Version != version || h.From == 0 || h.From > maxSeq {
		return fmt.Errorf("%w: format %q, version %d; this program reads %q, version %d", ErrForm, h.Format, h.Version, format, version)
	}
	d.chain, d.next = h.Chain, h.From
	if begin == nil {
		return nil
	}
	return begin(h.Chain, h.From)
}

// maxSeq is beyond every journal: a position has 50 bits for the sequence.
const maxSeq = 1<<50 - 1

// batch reads a batch with its entries, or the last line of the file.
func (d *decoder) batch() (more bool, err error) {
	line, err := d.lines.next()
	if err != nil {
		return false, err
	}
	if len(line) > 6 && string(line[:6]) == `{"end"` {
		return false, d.end(line)
	}
	b, err := decodeLine[batchLine](line)
	if err != nil {
		return false, err
	}
	if b.Batch != d.next || b.Entries < 1 || b.Entries > book.MaxBatch {
		return false, fmt.Errorf("%w: batch %d of %d entries where batch %d was expected", ErrForm, b.Batch, b.Entries, d.next)
	}
	if prev := hash(d.report.Head.Hash); d.report.Batches > 0 && b.Prev != prev || d.next == 1 && b.Prev != (hash{}) {
		return false, fmt.Errorf("%w: it does not follow the batch before it", ErrHash)
	}
	at := d.lines.number
	body, err := d.body(b)
	if err != nil {
		return false, err
	}
	row := &book.Row{Part: d.chain, Seq: b.Batch, Prev: book.Hash(b.Prev), Body: body}
	row.Hash = book.Link(row.Part, row.Seq, row.Prev, row.Body)
	if row.Hash != book.Hash(b.Hash) {
		return false, fmt.Errorf("batch %d, which begins in line %d: %w", b.Batch, at, ErrHash)
	}
	d.next++
	d.report.Batches++
	d.report.Entries += uint64(b.Entries)
	d.report.Head = book.Head{Seq: row.Seq, Hash: row.Hash}
	if d.fn == nil {
		return true, nil
	}
	return true, d.fn(row)
}

func (d *decoder) body(b *batchLine) ([]byte, error) {
	var raw [][]byte
	for size := 0; len(raw) < b.Entries; {
		line, err := d.lines.next()
		if err != nil {
			return nil, err
		}
		entry, err := decodeEntry(b.Batch, line)
		if err != nil {
			return nil, err
		}
		if size += len(entry); size > book.MaxBody {
			return nil, fmt.Errorf("%w: a batch of more than %d bytes", ErrForm, book.MaxBody)
		}
		raw = append(raw, entry)
	}
	return book.AppendBody(nil, raw), nil
}

func (d *decoder) end(line []byte) error {
	e, err := decodeLine[endLine](line)
	if err != nil {
		return err
	}
	r := &d.report
	if e.End.Batches != r.Batches || e.End.Entries != r.Entries || e.End.Seq != r.Head.Seq || book.Hash(e.End.Hash) != r.Head.Hash {
		return fmt.Errorf("%w: it tells of %d batches, %d entries and head %d; the file has %d, %d and %d", ErrHash,
			e.End.Batches, e.End.Entries, e.End.Seq, r.Batches, r.Entries, r.Head.Seq)
	}
	return nil
}
