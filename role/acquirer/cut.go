package acquirer

import (
	"context"
	"fmt"
	"slices"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/wire/clearing"
	"jiaozi/wire/purse"
)

const (
	eventCut = "acq/cut"

	// fileDetails bounds one presentment, so that a file stays small enough to be
	// kept whole in the book.
	fileDetails = 1000
)

// Cut puts every captured payment that is in no file yet into presentments of the
// date, one issuer each, and gives all files of that date, those of earlier cuts
// included: clearing counts a file once, so a cut whose files were lost on the way is
// simply done again.
func (a *Acquirer) Cut(ctx context.Context, date clock.Date) ([][]byte, error) {
	issuers := make([]ident.Inst, 0, len(a.cfg.Issuers))
	for issuer := range a.cfg.Issuers {
		issuers = append(issuers, issuer)
	}
	slices.Sort(issuers)
	for _, issuer := range issuers {
		for more := true; more; {
			err := retry(func() (done bool, err error) {
				done, more, err = a.cutFile(ctx, date, issuer)
				return done, err
			})
			if err != nil {
				return nil, fmt.Errorf("cut %s for issuer %s: %w", date, issuer, err)
			}
		}
	}
	return a.Files(ctx, date)
}

// Files gives the presentments of a date.
func (a *Acquirer) Files(ctx context.Context, date clock.Date) ([][]byte, error) {
	var files [][]byte
	err := a.door.Scan(ctx, spaceFile, []byte(filePrefix(date)), func(_, value []byte, _ uint64) error {
		files = append(files, slices.Clone(value))
		return nil
	})
	return files, err
}

// filePrefix begins the keys of a date's files. They are numbered through, because
// clearing takes a sender's files of a date in order, whoever they are for.
func filePrefix(date clock.Date) string { return date.String() + "/" }

// cutFile makes the next file of an issuer. The file and the end of its captures'
// waiting are one commit.
func (a *Acquirer) cutFile(ctx context.Context, date clock.Date, issuer ident.Inst) (done, more bool, err error) {
	pending, err := a.door.Outbox(ctx, topicPresent+string(issuer), 0, fileDetails)
	if err != nil || len(pending) == 0 {
		return true, false, err
	}
	sequence := uint32(1)
	err = a.door.Scan(ctx, spaceFile, []byte(filePrefix(date)), func(_, _ []byte, _ uint64) error {
		sequence++
		return nil
	})
	if err != nil {
		return false, false, err
	}
	header := clearing.Header{Kind: clearing.Presentment, From: a.cfg.Inst, To: a.cfg.Clearing,
		Date: date, Sequence: sequence, Currency: a.cfg.Currency}
	file, taken, err := a.fileOf(header, issuer, pending)
	if err != nil {
		return false, false, err
	}
	raw, err := clearing.Append(nil, file, func(msg []byte) ([]byte, error) {
		return a.vault.Sign(a.cfg.Sign, clearing.Domain, msg)
	})
	if err != nil {
		return false, false, err
	}
	key := fmt.Sprintf("%s%06d", filePrefix(date), sequence)
	done, err = a.book(ctx, eventCut, date, book.Command{
		Put: []book.Put{{Space: spaceFile, Key: []byte(key), Value: raw}}, Done: taken})
	return done, true, err
}

// fileOf puts waiting payments into a file.
func (a *Acquirer) fileOf(h clearing.Header, issuer ident.Inst, pending []book.Pending) (*clearing.File, []uint64, error) {
	f := &clearing.File{Header: h}
	var taken []uint64
	for i, p := range pending {
		r, err := purse.Decode(p.Body)
		if err != nil {
			return nil, nil, fmt.Errorf("capture %s is damaged, run audit: %w", p.Key, err)
		}
		f.Details = append(f.Details, clearing.Detail{
			Sequence: uint32(i + 1), Acquirer: a.cfg.Inst, Issuer: issuer, Record: p.Body, Gross: r.Amount})
		taken = append(taken, p.Number)
	}
	return f, taken, nil
}
