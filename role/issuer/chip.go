package issuer

import (
	"errors"
	"fmt"
	"strconv"

	"jiaozi/crypt/pin"
	"jiaozi/value/bcd"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// proof is what a cryptogram proved, once the vault had verified it.
type proof struct {
	genuine  bool // the card of this number made the cryptogram over these data
	decision emv.Decision
	first    emv.Decision // before it was told what the issuer decided, if it asked
	// balance is what the card MACed, if proved.
	balance money.Amount
	proved  bool
	scripts int8 // -1 unless the cryptogram covers the count
	failed  bool // the card refused a script
	full    bool // the cryptogram covers the whole CVR (CVN 01)
}

// verify asks the vault about a record's cryptogram and balance. A record in a
// form that no card of the scheme makes is not genuine.
func (i *Issuer) verify(r *purse.Record) (proof, error) {
	iad, err := emv.ParseIAD(r.IAD)
	if err != nil {
		return proof{}, nil
	}
	input, err := purse.ACInput(*r)
	if err != nil {
		return proof{}, nil
	}
	p := proof{decision: iad.Decision(), first: iad.CVR.First(), scripts: -1, full: iad.CVN == emv.CVN01}
	if p.full {
		p.scripts, p.failed = int8(iad.CVR.Scripts()), iad.CVR.Has(emv.CVRScriptFailed)
	}
	if p.genuine, err = i.vault.VerifyAC(i.cfg.Keys.AC, r.PAN, r.PSN, r.ATC, input, r.AC); err != nil {
		return proof{}, fmt.Errorf("issuer %s: verify cryptogram: %w", i.cfg.Inst, err)
	}
	balance, err := iad.Balance(i.cfg.Currency)
	if err != nil {
		return p, nil // another value than the balance: nothing is proved by it
	}
	p.proved, err = i.vault.VerifyBalance(i.cfg.Keys.MAC, r.PAN, r.PSN, r.ATC, iad.Value, iad.MAC)
	if err != nil {
		return proof{}, fmt.Errorf("issuer %s: verify balance: %w", i.cfg.Inst, err)
	}
	if p.proved {
		p.balance = balance
	}
	return p, nil
}

// carriedOut is the count of scripts for a question about one. Some done and one
// failed says nothing: whoever holds the card can send it a bad one after the good.
func (p proof) carriedOut() int8 {
	if p.failed && p.scripts > 0 {
		return -1
	}
	return p.scripts
}

// online is a request of a card for money, read and verified.
type online struct {
	kind   OrderKind
	record purse.Record
	ref    ident.CardRef
	payer  ident.CardRef // whose PIN and account pay; the card itself as a rule
	source string        // the payer's account
	proof
}

// evidence is what the request tells about the balance. Nothing has been
// ordered yet, so the transaction has changed nothing.
func (o *online) evidence() Evidence {
	return Evidence{ATC: o.record.ATC, Balance: o.balance.Minor(), Proved: true, Before: true, Settled: true, Scripts: o.carriedOut()}
}

// readOnline reads the chip data of a request and has them verified. The code
// refuses what is malformed.
func (i *Issuer) readOnline(q *request, kind OrderKind) (*online, string, error) {
	r, err := q.chipRecord(i.cfg.Currency)
	if err != nil {
		return nil, iso8583.CodeFormat, nil
	}
	sum, err := q.sum(i.cfg.Currency)
	if err != nil || sum.Currency() != r.Amount.Currency() || sum != r.Amount {
		return nil, iso8583.CodeBadAmount, nil // the message and the chip must say the same
	}
	if (kind == Closure) != sum.IsZero() {
		return nil, iso8583.CodeBadAmount, nil
	}
	if fmt.Sprintf("%02X", r.TxnType) != q.m.Text(3)[:2] {
		return nil, iso8583.CodeInvalid, nil // the cryptogram is for another transaction
	}
	o := &online{kind: kind, record: r}
	if o.proof, err = i.verify(&r); err != nil {
		return nil, "", err
	}
	// An order answers a request, is computed from the proved balance, and needs
	// the amount under the cryptogram.
	o.genuine = o.genuine && o.decision == emv.ARQC && o.proved && o.full
	if o.ref, err = i.vault.CardRef(i.cfg.Keys.Ref, r.PAN, r.PSN); err != nil {
		return nil, "", fmt.Errorf("issuer %s: name the card: %w", i.cfg.Inst, err)
	}
	o.payer = o.ref
	return o, "", nil
}

// chipRecord puts the message and its chip data into one record.
func (q *request) chipRecord(c money.Currency) (purse.Record, error) {
	r := purse.Record{TID: q.tid, MID: q.mid, STAN: q.stan, Batch: q.f60.Batch, Entry: purse.Contact}
	var err error
	if r.PAN, err = ident.ParsePAN(q.m.Text(2)); err != nil {
		return r, err
	}
	psn, err := decimal(q.m.Text(23))
	if err != nil || psn > 99 {
		return r, fmt.Errorf("card sequence number: %w", errDigits)
	}
	r.PSN = ident.PSN(psn)
	chip, err := q.completed(c)
	if err != nil {
		return r, err
	}
	if err := r.SetF55(chip); err != nil {
		return r, err
	}
	return r, r.Validate()
}

// completed adds to the chip data what a script notice leaves out because the
// message says it elsewhere: amount, currency and type were the request's.
func (q *request) completed(c money.Currency) ([]byte, error) {
	chip := q.m.Bytes(55)
	list, err := tlv.Decode(chip)
	if err != nil {
		return nil, err
	}
	if _, ok := list.Find(emv.TagAmount); !ok {
		sum, err := q.sum(c)
		if err != nil {
			return nil, err
		}
		n12, err := sum.N12()
		if err != nil {
			return nil, err
		}
		chip = tlv.Append(chip, emv.TagAmount, n12[:])
	}
	if _, ok := list.Find(emv.TagCurrency); !ok {
		code := c.BCD()
		chip = tlv.Append(chip, emv.TagCurrency, code[:])
	}
	if _, ok := list.Find(emv.TagTxnType); !ok {
		kind, err := bcd.Encode(q.m.Text(3)[:2])
		if err != nil {
			return nil, err
		}
		chip = tlv.Append(chip, emv.TagTxnType, kind)
	}
	return chip, nil
}

// sum is the amount of the message; one without is about nothing.
func (q *request) sum(c money.Currency) (money.Amount, error) {
	if code, ok := q.m.Get(49); ok && code != fmt.Sprintf("%03d", uint16(c)) {
		return money.Amount{}, money.ErrCurrency
	}
	text, ok := q.m.Get(4)
	if !ok {
		return money.Zero(c), nil
	}
	n12, err := bcd.Encode(text)
	if err != nil {
		return money.Amount{}, err
	}
	return money.FromN12(c, n12)
}

var errDigits = errors.New("not a number")

// decimal reads the digits of a numeric field.
func decimal(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, errDigits
	}
	return uint32(n), nil
}

// checkPIN has the vault compare the PIN of field 52 with the card's reference
// value. Opens is false if the block is absent or does not open, which says
// nothing about the PIN and costs no try.
func (i *Issuer) checkPIN(q *request, c *Card) (good, opens bool, err error) {
	block := q.m.Bytes(52)
	if len(block) != len([8]byte{}) {
		return false, false, nil
	}
	good, err = i.vault.VerifyPIN(q.zone.PIN, [8]byte(block), c.PAN, i.cfg.Keys.PVK, c.PINRef)
	if errors.Is(err, pin.ErrBlock) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("issuer %s: verify PIN: %w", i.cfg.Inst, err)
	}
	return good, true, nil
}

// scriptResult is the outcome nibble of DF31: what the terminal saw the card
// answer to the script.
type scriptResult uint8

const (
	scriptUnknown scriptResult = 0
	scriptFailed  scriptResult = 1
	scriptDone    scriptResult = 2
)

// scriptOutcome reads DF31. Several results in a row are as good as the worst.
func scriptOutcome(chip []byte) (scriptResult, error) {
	list, err := tlv.Decode(chip)
	if err != nil {
		return 0, err
	}
	v, ok := list.Find(emv.TagScriptResult)
	const one = 5 // nibbles of outcome and number, then the script id
	if !ok || len(v) == 0 || len(v)%one != 0 {
		return 0, fmt.Errorf("%v: %w", emv.TagScriptResult, errDigits)
	}
	result := scriptDone
	for ; len(v) > 0; v = v[one:] {
		nibble := scriptResult(v[0] >> 4)
		if nibble > scriptDone {
			return 0, fmt.Errorf("%v: %w", emv.TagScriptResult, errDigits)
		}
		result = worse(result, nibble)
	}
	return result, nil
}

// worse: a failure is certain, an unknown may still turn out well.
func worse(a, b scriptResult) scriptResult {
	switch {
	case a == scriptFailed || b == scriptFailed:
		return scriptFailed
	case a == scriptUnknown || b == scriptUnknown:
		return scriptUnknown
	}
	return scriptDone
}
