package archive

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"jiaozi/book"
)

// Journal is what is exported; a book.View is one.
type Journal interface {
	Journal(ctx context.Context, from uint64, fn func(book.Row) error) error
}

// Export writes the rows of a chain from sequence number from on (0 or 1: all).
// It checks the hash of every row that it writes and the links between them; a
// damaged row ends it with ErrHash. One snapshot is read, beside a running book.
func Export(ctx context.Context, w io.Writer, j Journal, chain uint16, from uint64) (Report, error) {
	from = max(from, 1)
	x := exporter{to: bufio.NewWriter(w), chain: chain, next: from}
	if err := x.line(headerLine{format, version, chain, from}); err != nil {
		return x.done, err
	}
	if err := j.Journal(ctx, from, x.row); err != nil {
		return x.done, err
	}
	var end endLine
	end.End.Batches, end.End.Entries = x.done.Batches, x.done.Entries
	end.End.Seq, end.End.Hash = x.done.Head.Seq, hash(x.done.Head.Hash)
	if err := x.line(end); err != nil {
		return x.done, err
	}
	if err := x.to.Flush(); err != nil {
		return x.done, fmt.Errorf("write the archive: %w", err)
	}
	return x.done, nil
}

type exporter struct {
	to    *bufio.Writer
	chain uint16
	next  uint64
	done  Report
}

func (x *exporter) row(row book.Row) error {
	linked := x.done.Batches == 0 || row.Prev == x.done.Head.Hash
	if row.Seq != x.next || row.Part != x.chain || !linked || row.Hash != book.Link(row.Part, row.Seq, row.Prev, row.Body) {
		return fmt.Errorf("batch %d of the store: %w; run audit", x.next, ErrHash)
	}
	n := 0
	if err := book.Entries(row.Body, func(int, []byte) error { n++; return nil }); err != nil {
		return fmt.Errorf("batch %d of the store: %w", row.Seq, err)
	}
	if err := x.line(batchLine{row.Seq, hash(row.Prev), hash(row.Hash), n}); err != nil {
		return err
	}
	x.next++
	x.done.Batches++
	x.done.Entries += uint64(n)
	x.done.Head = book.Head{Seq: row.Seq, Hash: row.Hash}
	return book.Entries(row.Body, func(i int, raw []byte) error {
		e, err := book.DecodeEntry(row.Seq, raw)
		if err != nil {
			return fmt.Errorf("batch %d, entry %d of the store: %w", row.Seq, i, err)
		}
		return x.line(toLine(&e))
	})
}

func (x *exporter) line(v any) error {
	b, err := encodeLine(v)
	if err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	if _, err := x.to.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	return nil
}
