package clearing

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"jiaozi/book"
	"jiaozi/book/booktest"
	"jiaozi/book/chart"
	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/clearing"
	"jiaozi/wire/purse"
)

// The scheme of these tests: two issuers, two acquirers, clearing between them.
// Issuers are played by the test, which posts what a real one posts and answers
// with a signed outcome: roles never import one another.

const (
	netInst = ident.Inst("00010000")
	bankA   = ident.Inst("62100001")
	bankB   = ident.Inst("62100002")
	shopsA  = ident.Inst("48010001")
	shopsB  = ident.Inst("48010002")
	midA    = ident.MID("M00000000000001")
	midB    = ident.MID("M00000000000002")
	today   = clock.Date(20261122)
)

func yuan(m money.Minor) money.Amount { return money.New(money.CNY, m) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var errFault = errors.New("the line to the book broke")

// faultyDoor fails at its n-th Apply, before or after the book took the commands.
type faultyDoor struct {
	Door
	failAt int
	after  bool
	calls  int
}

func (d *faultyDoor) Apply(ctx context.Context, cmds []book.Command) ([]book.Result, error) {
	d.calls++
	if d.calls != d.failAt {
		return d.Door.Apply(ctx, cmds)
	}
	if d.after {
		if _, err := d.Door.Apply(ctx, cmds); err != nil {
			return nil, err
		}
	}
	return nil, errFault
}

// signer is clearing's vault, with one key.
type signer struct{ key ed25519.PrivateKey }

func (s signer) Sign(_ vault.Handle, domain string, msg []byte) ([]byte, error) {
	if !bytes.HasPrefix(msg, []byte(domain)) {
		return nil, vault.ErrDomain
	}
	return ed25519.Sign(s.key, msg), nil
}

func keyOf(inst ident.Inst) ed25519.PrivateKey {
	seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	copy(seed, inst)
	return ed25519.NewKeyFromSeed(seed)
}

type scheme struct {
	t        testing.TB
	ledger   *book.Ledger
	door     *faultyDoor
	cfg      Config
	clearing *Clearing
	atc      uint16
	last     map[ident.Inst]uint32 // sequences of files, by sender
	posted   uint64
}

func newScheme(t testing.TB) *scheme { return newSchemeOn(t, &booktest.Memory{}) }

func newSchemeOn(t testing.TB, engine book.Engine) *scheme {
	t.Helper()
	ledger, err := book.Open(t.Context(), engine)
	check(t, err)
	t.Cleanup(func() { check(t, ledger.Close()) })
	s := &scheme{t: t, ledger: ledger, last: make(map[ident.Inst]uint32), cfg: Config{
		Inst: netInst, Currency: money.CNY, Tariffs: DebitTariffs(), Bearer: chart.AcquirerBears,
		Members: map[ident.Inst]Member{
			bankA: {Key: keyOf(bankA).Public().(ed25519.PublicKey), Issuer: true}, bankB: {Key: keyOf(bankB).Public().(ed25519.PublicKey), Issuer: true},
			shopsA: {Key: keyOf(shopsA).Public().(ed25519.PublicKey), Acquirer: true}, shopsB: {Key: keyOf(shopsB).Public().(ed25519.PublicKey), Acquirer: true},
		}}}
	s.door = &faultyDoor{Door: ledger.Door(Events, Spaces(netInst))}
	s.open()
	return s
}

func (s *scheme) open() {
	s.t.Helper()
	var err error
	s.clearing, err = New(s.cfg, s.door, signer{keyOf(netInst)})
	check(s.t, err)
}

// payment is a record as an acquirer carries it. Clearing verifies no cryptogram.
func (s *scheme) payment(issuer ident.Inst, mid ident.MID, sum money.Minor) clearing.Detail {
	s.atc++
	pan, err := ident.ParsePAN(ident.WithLuhn(string(issuer) + "0000001"))
	check(s.t, err)
	r := purse.Record{PAN: pan, PSN: 1, Amount: yuan(sum), Other: yuan(0), When: today.Time().Add(10 * time.Hour),
		TID: "T0000001", MID: mid, STAN: uint32(s.atc), Batch: 1, Entry: purse.Contactless, ATC: s.atc, IAD: make([]byte, 19), Country: 156}
	return clearing.Detail{Issuer: issuer, Record: purse.Append(nil, r), Gross: yuan(sum)}
}

// presentment is an acquirer's next file.
func (s *scheme) presentment(from ident.Inst, date clock.Date, details ...clearing.Detail) []byte {
	s.t.Helper()
	s.last[from]++
	return s.presentmentNo(from, date, s.last[from], details...)
}

func (s *scheme) presentmentNo(from ident.Inst, date clock.Date, sequence uint32, details ...clearing.Detail) []byte {
	s.t.Helper()
	f := &clearing.File{Header: clearing.Header{Kind: clearing.Presentment, From: from, To: netInst, Date: date, Sequence: sequence, Currency: money.CNY}}
	for n, d := range details {
		d.Sequence, d.Acquirer = uint32(n+1), from
		f.Details = append(f.Details, d)
	}
	return s.signed(f)
}

func (s *scheme) signed(f *clearing.File) []byte {
	s.t.Helper()
	b, err := clearing.Append(nil, f, func(msg []byte) ([]byte, error) { return ed25519.Sign(keyOf(f.Header.From), msg), nil })
	check(s.t, err)
	return b
}

func (s *scheme) read(file []byte) *clearing.File {
	s.t.Helper()
	f, err := clearing.Decode(file, func(from ident.Inst, msg, sig []byte) error {
		if !ed25519.Verify(keyOf(from).Public().(ed25519.PublicKey), msg, sig) {
			return errors.New("bad signature")
		}
		return nil
	})
	check(s.t, err)
	return f
}

// judge plays an issuer: it posts what it accepts, once, and answers. The
// verdict is chosen by the amount's last digits: 91 duplicate, 92 clone, 93
// rejected, 94 pending, else accepted.
func (s *scheme) judge(routed []byte) []byte {
	s.t.Helper()
	in := s.read(routed)
	h := in.Header
	out := &clearing.File{Header: clearing.Header{Kind: clearing.Outcome, From: h.To, To: h.From, Date: h.Date, Sequence: h.Sequence, Currency: h.Currency}}
	for _, d := range in.Details {
		pair := chart.Pair{Issuer: d.Issuer, Acquirer: d.Acquirer}
		id := book.DeriveID("played issuer", h.ID[:], d.Sequence)
		switch d.Gross.Minor() % 100 {
		case 91:
			d.Verdict, d.Reason = clearing.Duplicate, reason.Duplicate
		case 92:
			d.Verdict, d.Reason = clearing.Clone, reason.Clone
			s.post(chart.SpendSuspense(pair, d.Gross), id)
		case 93:
			d.Verdict, d.Reason = clearing.Rejected, reason.BadCryptogram
		case 94:
			d.Verdict, d.Reason = clearing.Pending, reason.Flagged
		default:
			d.Verdict, d.Reason = clearing.Accepted, reason.Approved
			// From suspense, so that no float has to be filled first: to clearing it
			// is the same money.
			s.post(chart.SpendSuspense(pair, d.Gross), id)
		}
		out.Details = append(out.Details, d)
	}
	return s.signed(out)
}

func (s *scheme) post(p book.Posting, id book.ID, out ...book.Out) {
	s.t.Helper()
	cmd := p.Command(id, today)
	cmd.Out = out
	results, err := s.ledger.Apply(s.t.Context(), []book.Command{cmd})
	check(s.t, err)
	if results[0].Code != book.OK {
		s.t.Fatalf("played issuer: %s", results[0].Code)
	}
}

// cashLoad plays an issuer that posts a cash load, or undoes it.
func (s *scheme) cashLoad(issuer, acquirer ident.Inst, mid ident.MID, sum money.Minor, undone bool) {
	s.t.Helper()
	d := s.payment(issuer, mid, sum)
	pair, what := chart.Pair{Issuer: issuer, Acquirer: acquirer}, "posted"
	p := chart.LoadCash(pair, ident.CardRef{1}, yuan(sum))
	if undone {
		p, what = chart.LoadCashUndone(pair, ident.CardRef{1}, yuan(sum)), "undone"
	}
	s.posted++
	id := book.DeriveID("played load", binary.BigEndian.AppendUint64(nil, s.posted))
	s.post(p, id, book.Out{Topic: topicClearing, Key: []byte(what + "/" + string(issuer) + "/" + string(acquirer) + "/T0000001/000001/000009"), Body: d.Record})
}

// run sends a presentment through clearing, the issuers and back.
func (s *scheme) run(file []byte) {
	s.t.Helper()
	routed, err := s.clearing.Accept(s.t.Context(), file)
	check(s.t, err)
	for _, r := range routed {
		check(s.t, s.clearing.Outcome(s.t.Context(), s.judge(r.File)))
	}
}

func (s *scheme) balance(a book.Account) money.Minor {
	s.t.Helper()
	b, _, err := s.ledger.Balance(s.t.Context(), a.ID)
	check(s.t, err)
	return b.Minor()
}
