package bench

import (
	"context"
	"fmt"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
)

// batches are the numbers of payments that are booked in one call.
var batches = []int{1, 100, 1000}

// benchBook measures how long a caller of the book waits for a durable answer,
// against the time in which the disk takes the same journal bytes.
func benchBook(ctx context.Context, dir string, emit Emit) error {
	engine, ledger, err := openBook(ctx, dir, "book.db")
	if err != nil {
		return err
	}
	defer ledger.Close()
	b := &booking{engine: engine, ledger: ledger}
	if err := b.fill(ctx); err != nil {
		return err
	}
	for _, n := range batches {
		if err := b.measure(ctx, dir, n, emit); err != nil {
			return err
		}
	}
	return nil
}

// booking books payments of many cards to one acquirer: the clearing account is
// in every batch, as a busy one is.
type booking struct {
	engine book.Engine
	ledger *book.Ledger
	next   uint64
}

const bookCards = 1000

func cardRef(n int) ident.CardRef { return ident.CardRef{byte(n >> 8), byte(n)} }

// fill puts money on every card.
func (b *booking) fill(ctx context.Context) error {
	var cmds []book.Command
	for n := range bookCards {
		cmds = append(cmds, b.command(chart.InitialBalance(issuerInst, cardRef(n), yuan(1_000_000))))
	}
	return b.apply(ctx, cmds)
}

func (b *booking) command(p book.Posting) book.Command {
	b.next++
	return p.Command(book.DeriveID("bench", b.next), today)
}

func (b *booking) apply(ctx context.Context, cmds []book.Command) error {
	results, err := b.ledger.Apply(ctx, cmds)
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.Code != book.OK {
			return fmt.Errorf("a payment was refused: %s", r.Code.Explain())
		}
	}
	return nil
}

// spend books n payments in one call.
func (b *booking) spend(ctx context.Context, n int) error {
	pair := chart.Pair{Issuer: issuerInst, Acquirer: acquirerInst}
	cmds := make([]book.Command, n)
	for i := range cmds {
		cmds[i] = b.command(chart.Spend(pair, cardRef(int(b.next%bookCards)), money.New(currency, 1)))
	}
	return b.apply(ctx, cmds)
}

func (b *booking) measure(ctx context.Context, dir string, n int, emit Emit) error {
	size, err := b.rowSize(ctx, n)
	if err != nil {
		return err
	}
	raw, err := newRawFile(dir)
	if err != nil {
		return err
	}
	defer raw.Close()
	took, err := meter(wall).race(ctx, func() error { return b.spend(ctx, n) }, raw.append(size))
	if err != nil {
		return err
	}
	return emit(Figure{Name: fmt.Sprintf("book/apply-%d", n), Value: took[0] / microsecond, Unit: "us by the clock", Limit: took[1] / microsecond, About: lang.Text{
		EN: fmt.Sprintf("%d payments booked in one call; limit: the %d bytes of its journal row written and flushed", n, size),
		ZH: fmt.Sprintf("一次调用入账 %d 笔；极限：其 %d 字节的日志行直接写入并刷盘", n, size)}})
}

// rowSize books once and looks how long the new row of the journal is.
func (b *booking) rowSize(ctx context.Context, n int) (size int, err error) {
	if err := b.spend(ctx, n); err != nil {
		return 0, err
	}
	view, err := b.engine.View(ctx)
	if err != nil {
		return 0, err
	}
	defer view.Close()
	head, err := view.Head(ctx)
	if err != nil {
		return 0, err
	}
	return size, view.Journal(ctx, head.Seq, func(r book.Row) error {
		size = len(r.Body)
		return nil
	})
}
