package clearing

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"jiaozi/book"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
)

// maxRouted bounds a routed file, so that its outcome fits one record of the book.
const maxRouted = 4096

// accepted is what a presentment became: enough to route it again, the same way.
type accepted struct {
	Hash  []byte     `json:"hash"`
	Day   clock.Date `json:"day"`
	Parts []part     `json:"parts"`
}

// part is one routed file.
type part struct {
	To       ident.Inst `json:"to"`
	Sequence uint32     `json:"sequence"`
	Start    int        `json:"start"` // in the order of the issuer's details
	Count    int        `json:"count"`
}

// routed is what clearing waits for: the verdicts on exactly these details.
type routed struct {
	Acquirer ident.Inst  `json:"acquirer"`
	Issuer   ident.Inst  `json:"issuer"`
	Day      clock.Date  `json:"day"`
	Digest   []byte      `json:"digest"`
	Sum      money.Minor `json:"sum"`
	Answered []byte      `json:"answered,omitempty"` // hash of the outcome
}

// Accept takes a presentment and returns the files for the issuers. The same
// file again returns the same files.
func (c *Clearing) Accept(ctx context.Context, file []byte) ([]Dispatch, error) {
	f, err := clearing.Decode(file, c.verify)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	byIssuer, err := c.admissible(f)
	if err != nil {
		return nil, err
	}
	for range maxStale {
		a, err := c.taken(ctx, f)
		if err != nil {
			return nil, err
		}
		if a != nil {
			return c.route(f, byIssuer, a)
		}
		if err := c.take(ctx, f, byIssuer); err != nil {
			return nil, err
		}
	}
	return nil, ErrBusy
}

// admissible checks the parties and sorts the details by issuer.
func (c *Clearing) admissible(f *clearing.File) (map[ident.Inst][]clearing.Detail, error) {
	h := f.Header
	switch {
	case h.Kind != clearing.Presentment || h.To != c.cfg.Inst || h.Currency != c.cfg.Currency:
		return nil, fmt.Errorf("%w: a %s in %s for %s", ErrFile, h.Kind, h.Currency, h.To)
	case !c.cfg.Members[h.From].Acquirer:
		return nil, fmt.Errorf("%w: %s is not an acquirer", ErrFile, h.From)
	}
	byIssuer := make(map[ident.Inst][]clearing.Detail)
	for _, d := range f.Details {
		if d.Acquirer != h.From {
			return nil, fmt.Errorf("%w: detail %d is of acquirer %s", ErrFile, d.Sequence, d.Acquirer)
		}
		if !c.cfg.Members[d.Issuer].Issuer {
			return nil, fmt.Errorf("%w: detail %d is for %s, which is not an issuer", ErrFile, d.Sequence, d.Issuer)
		}
		byIssuer[d.Issuer] = append(byIssuer[d.Issuer], d)
	}
	return byIssuer, nil
}

// taken looks a presentment up.
func (c *Clearing) taken(ctx context.Context, f *clearing.File) (*accepted, error) {
	var a accepted
	version, err := c.get(ctx, spaceFile, f.Header.ID[:], &a)
	if err != nil || version == 0 {
		return nil, err
	}
	if string(a.Hash) != string(f.Trailer.Hash[:]) {
		return nil, fmt.Errorf("file %s of %s: %w", f.Header.ID, f.Header.From, ErrDiffers)
	}
	return &a, nil
}

// take books a new presentment: its place in the sender's sequence, the numbers
// of the files it becomes, and what is expected back.
func (c *Clearing) take(ctx context.Context, f *clearing.File, byIssuer map[ident.Inst][]clearing.Detail) error {
	st, _, err := c.state(ctx)
	if err != nil {
		return err
	}
	h := f.Header
	a := accepted{Hash: f.Trailer.Hash[:], Day: openDay(h.Date, st)}
	cmd := book.Command{Event: eventFile, Date: a.Day}
	in := append([]byte(h.From), dateKey(h.Date)...)
	last, version, err := c.number(ctx, spaceIn, in)
	if err != nil {
		return err
	}
	if h.Sequence != last+1 {
		return fmt.Errorf("%w: %s sends number %d of %s, number %d comes next", ErrGap, h.From, h.Sequence, h.Date, last+1)
	}
	cmd.Put = append(cmd.Put, c.numberPut(spaceIn, in, version, h.Sequence))
	for _, issuer := range issuers(byIssuer) {
		puts, err := c.parts(ctx, &a, h.From, issuer, byIssuer[issuer])
		if err != nil {
			return err
		}
		cmd.Put = append(cmd.Put, puts...)
	}
	cmd.Put = append(cmd.Put, c.put(spaceFile, h.ID[:], 0, a))
	cmd.ID = book.DeriveID("clr/file", string(c.cfg.Inst), h.ID[:], encode(a), version)
	_, err = c.apply(ctx, "take file "+h.ID.String(), cmd)
	return err // taken or stale: the caller looks again
}

// parts numbers the files that an issuer gets.
func (c *Clearing) parts(ctx context.Context, a *accepted, from, issuer ident.Inst, details []clearing.Detail) ([]book.Put, error) {
	out := append(dateKey(a.Day), issuer...)
	last, version, err := c.number(ctx, spaceOut, out)
	if err != nil {
		return nil, err
	}
	var puts []book.Put
	for start := 0; start < len(details); start += maxRouted {
		last++
		p := part{To: issuer, Sequence: last, Start: start, Count: min(maxRouted, len(details)-start)}
		a.Parts = append(a.Parts, p)
		digest, sum, err := digest(details[start : start+p.Count])
		if err != nil {
			return nil, err
		}
		id := c.outcomeID(issuer, a.Day, last)
		r := routed{Acquirer: from, Issuer: issuer, Day: a.Day, Digest: digest, Sum: sum}
		puts = append(puts, c.put(spaceWait, id[:], 0, r), c.put(spaceOpen, id[:], 0, r))
	}
	return append(puts, c.numberPut(spaceOut, out, version, last)), nil
}

// outcomeID is the id of the file that answers a routed one.
func (c *Clearing) outcomeID(issuer ident.Inst, day clock.Date, sequence uint32) clearing.FileID {
	return clearing.ID(clearing.Header{Kind: clearing.Outcome, From: issuer, To: c.cfg.Inst,
		Date: day, Sequence: sequence, Currency: c.cfg.Currency})
}

// route writes the files for the issuers.
func (c *Clearing) route(f *clearing.File, byIssuer map[ident.Inst][]clearing.Detail, a *accepted) ([]Dispatch, error) {
	var out []Dispatch
	for _, p := range a.Parts {
		details := byIssuer[p.To]
		if p.Start < 0 || p.Count < 0 || p.Start+p.Count > len(details) {
			return nil, fmt.Errorf("file %s: %w", f.Header.ID, errRecord)
		}
		file, err := c.write(&clearing.File{
			Header:  clearing.Header{Kind: clearing.Presentment, To: p.To, Date: a.Day, Sequence: p.Sequence},
			Details: details[p.Start : p.Start+p.Count],
		})
		if err != nil {
			return nil, err
		}
		out = append(out, Dispatch{To: p.To, File: file})
	}
	return out, nil
}

// digest names details by all that an issuer must not change, and adds them up.
func digest(details []clearing.Detail) ([]byte, money.Minor, error) {
	h := sha256.New()
	sum := money.Amount{}
	for n, d := range details {
		var head [4 + 8 + 4]byte
		binary.BigEndian.PutUint32(head[:], d.Sequence)
		binary.BigEndian.PutUint64(head[4:], uint64(d.Gross.Minor()))
		binary.BigEndian.PutUint32(head[12:], uint32(len(d.Record)))
		h.Write(head[:])
		h.Write(d.Record)
		h.Write([]byte(string(d.Acquirer) + "/" + string(d.Issuer) + "/"))
		if n == 0 {
			sum = d.Gross
			continue
		}
		var err error
		if sum, err = sum.Add(d.Gross); err != nil {
			return nil, 0, fmt.Errorf("%w: %w", ErrFile, err)
		}
	}
	return h.Sum(nil), sum.Minor(), nil
}

func issuers(m map[ident.Inst][]clearing.Detail) []ident.Inst {
	list := make([]ident.Inst, 0, len(m))
	for inst := range m {
		list = append(list, inst)
	}
	slices.Sort(list)
	return list
}

func dateKey(d clock.Date) []byte { return binary.BigEndian.AppendUint32(nil, uint32(d)) }

// openDay is the day that something dated d is settled with: its own, or the
// first one that is still open.
func openDay(d clock.Date, st state) clock.Date {
	if d > st.Closed {
		return d
	}
	return st.Closed.AddDays(1)
}

// get reads a JSON record; version 0 means that there is none.
func (c *Clearing) get(ctx context.Context, space string, key []byte, to any) (uint64, error) {
	value, version, err := c.door.Get(ctx, c.space(space), key)
	if err != nil {
		return 0, fmt.Errorf("clearing %s: read %s: %w", c.cfg.Inst, space, err)
	}
	if version == 0 {
		return 0, nil
	}
	return version, decode(value, to)
}

func decode(value []byte, to any) error {
	if err := json.Unmarshal(value, to); err != nil {
		return fmt.Errorf("%w: %w", errRecord, err)
	}
	return nil
}

func (c *Clearing) put(space string, key []byte, expect uint64, value any) book.Put {
	return book.Put{Space: c.space(space), Key: key, Expect: expect, Value: encode(value)}
}

// encode writes a record as JSON, which a person can read in the journal. The
// types here always marshal.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("clearing: a record that is not JSON: " + err.Error())
	}
	return b
}

func (c *Clearing) number(ctx context.Context, space string, key []byte) (last uint32, version uint64, err error) {
	version, err = c.get(ctx, space, key, &last)
	return last, version, err
}

func (c *Clearing) numberPut(space string, key []byte, version uint64, n uint32) book.Put {
	return c.put(space, key, version, n)
}

var keyState = []byte("last")

func (c *Clearing) state(ctx context.Context) (st state, version uint64, err error) {
	version, err = c.get(ctx, spaceState, keyState, &st)
	return st, version, err
}
