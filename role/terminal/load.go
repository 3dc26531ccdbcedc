package terminal

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/crypt/pin"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
)

// Load moves money from an account, or from cash at the till, into the purse of
// an inserted card. Declined means that nothing moved, or that the host has
// confirmed its reversal. Unknown means that a reversal or a notice still waits
// in the outbox, or that the script may be in the card: the issuer settles it
// when the card next proves its balance.
func (t *Terminal) Load(ctx context.Context, card apdu.Card, order LoadOrder) Outcome {
	if !order.Kind.valid() || order.Kind == closure || order.Amount.Sign() <= 0 || (order.Kind == Other) == order.Source.IsZero() {
		return t.refused(0, order.Amount, because(reason.FormatError, nil))
	}
	return t.serve(ctx, card, order)
}

// CloseCard empties and blocks the purse of an inserted card; the issuer refunds
// the balance that the card proved. ask is nil where the issuer wants no PIN.
func (t *Terminal) CloseCard(ctx context.Context, card apdu.Card, ask func() (pin.PIN, error)) Outcome {
	return t.serve(ctx, card, LoadOrder{Amount: money.Zero(t.cfg.Currency), Kind: closure, PIN: ask})
}

// service is an online service under way with one card.
type service struct {
	*session
	order   LoadOrder
	request *iso8583.Message
	last    cryptogram // the younger of the two
	result  scriptResult
}

func (t *Terminal) serve(ctx context.Context, card apdu.Card, order LoadOrder) Outcome {
	if st := t.canServe(ctx, order); st != nil {
		return t.refused(order.Kind, order.Amount, st)
	}
	s, st := t.present(card, order.Amount, purse.Contact)
	if st != nil {
		return s.declined(st)
	}
	s.txnType, s.service = order.Kind.profile().txnType, order.Kind
	v := &service{session: s, order: order}
	for _, step := range []func() *stop{s.begin, s.dates, s.currency, v.askPIN, v.firstCryptogram, v.compose, v.guard} {
		if st := step(); st != nil {
			return s.declined(st)
		}
	}
	return v.ask(ctx)
}

// canServe: a sound journal, room for what may have to be reversed, and a host
// that has first heard of everything older.
func (t *Terminal) canServe(ctx context.Context, order LoadOrder) *stop {
	if err := t.sound(); err != nil {
		return because(reason.SystemError, err)
	}
	if order.Amount.Currency() != t.cfg.Currency {
		return because(reason.ForeignCurrency, nil)
	}
	if len(t.state.outbox) >= maxOutbox {
		return because(reason.StorageFull, errors.New("too many reversals and notices wait for the host"))
	}
	err := t.line(ctx)
	if err == nil {
		err = t.Flush(ctx)
	}
	switch {
	case t.unknown:
		return because(reason.SystemError, err)
	case !t.signedOn, errors.Is(err, errNoAnswer), errors.Is(err, errBadMAC):
		return because(reason.HostUnreachable, err)
	}
	return nil // what the host has heard and refuses does not stop the next customer
}

// askPIN makes the PIN block for the host; the clear PIN stays in the vault's call.
func (v *service) askPIN() *stop {
	if v.order.PIN == nil {
		if v.order.Kind.profile().pin {
			return because(reason.PINRequired, nil)
		}
		v.cvm = [3]byte{cvmNone, 0, cvmSucceeded}
		return nil
	}
	typed, err := v.order.PIN()
	if err != nil {
		return because(reason.PINRequired, err)
	}
	payer := v.pan
	if v.order.Kind == Other {
		payer = v.order.Source // whose account pays is whose PIN it is
	}
	block, err := v.t.keys.EncryptPIN(v.t.cfg.TPK, typed, payer)
	if err != nil {
		return because(reason.SystemError, err)
	}
	v.pinBlock = block[:]
	v.tvr.Set(emv.TVROnlinePIN)
	v.cvm = [3]byte{cvmOnlinePIN, 0, cvmUnknown}
	return nil
}

// firstCryptogram asks the card for its ARQC; a card may refuse, never approve.
func (v *service) firstCryptogram() *stop {
	data, st := v.cdol(emv.TagCDOL1)
	if st != nil {
		return st
	}
	c, st := v.generateAC(apdu.RequestARQC, data)
	if st != nil {
		return st
	}
	v.atc, v.last = c.atc, c
	v.balance = c.balance(v.amount.Currency())
	switch c.decision() {
	case emv.ARQC:
		return nil
	case emv.AAC:
		return because(reason.DeclinedByCard, nil)
	}
	return because(reason.ProtocolError, errors.New("the card approves what it was to ask the issuer"))
}

// compose builds the 0200.
func (v *service) compose() *stop {
	p := v.order.Kind.profile()
	m := v.t.message(0x0200, v.trace, v.when, iso8583.F60{Type: p.kind, Cap: readContact, Parts: 5})
	v.t.setCard(m, v.pan, v.psn, purse.Contact)
	m.Set(3, p.processing)
	m.Set(4, fmt.Sprintf("%012d", v.amount.Minor()))
	m.Set(25, conditionEC)
	m.Set(49, fmt.Sprintf("%03d", v.amount.Currency()))
	if v.pinBlock != nil {
		m.Set(26, pinCapture)
		m.SetBytes(52, v.pinBlock)
		m.Set(53, pinWithPAN)
	}
	if !v.order.Source.IsZero() {
		m.Set(62, v.order.Source.Reveal())
	}
	m.SetBytes(55, v.chipData(requestTags, v.last))
	v.request = m
	return nil
}

// Values of fields 22, 26, 53 and 60.4.
const (
	readContact     = 5
	readContactless = 6
	pinCapture      = "12"               // up to twelve digits
	pinWithPAN      = "2600000000000000" // ISO 9564 format 0, double-length key
)

// setCard sets the card number, its sequence number and how it was read.
func (t *Terminal) setCard(m *iso8583.Message, pan ident.PAN, psn ident.PSN, entry purse.Entry) {
	m.Set(2, pan.Reveal())
	m.Set(22, fmt.Sprintf("%02X1", byte(entry))) // 1: there is a PIN pad
	m.Set(23, fmt.Sprintf("%03d", psn))
}

// guard makes the reversal durable before the request can be out.
func (v *service) guard() *stop {
	if err := v.save(stageReverse, v.reversal(iso8583.CodeTimeout)); err != nil {
		return because(reason.StorageFull, err)
	}
	return nil
}

func (v *service) save(at stage, m *iso8583.Message) error {
	body, err := iso8583.POS.Append(nil, m)
	if err != nil {
		return fmt.Errorf("build %v: %w", m.MTI, err)
	}
	return v.t.record(step{
		Trace: v.trace, Kind: v.order.Kind, Stage: at, Amount: v.amount,
		PAN: v.pan, PSN: v.psn, When: v.when, Message: body,
	})
}

// ask sends the request and follows the answer.
func (v *service) ask(ctx context.Context) Outcome {
	r, err := v.t.exchange(ctx, v.request)
	switch {
	case errors.Is(err, errBadMAC):
		return v.undo(ctx, iso8583.CodeMAC, because(reason.MACError, err))
	case err != nil:
		return v.undo(ctx, iso8583.CodeTimeout, because(reason.LoadLost, err))
	case r.approved():
		return v.carryOut(ctx, r)
	case r.authentic && !r.code.Reverse:
		return v.refusedByHost(r)
	default:
		// A no that anybody could have sent proves nothing: undo, which does no
		// harm if the host has done nothing.
		return v.undo(ctx, iso8583.CodeTimeout, because(hostReason(r.code.Code), r.refusal("the host")))
	}
}

// refusedByHost ends with a no that the host has signed: nothing to undo.
func (v *service) refusedByHost(r *reply) Outcome {
	st := because(hostReason(r.code.Code), r.refusal("the host"))
	if err := v.t.record(ended{v.trace}); err != nil {
		st.err = errors.Join(st.err, err) // the reversal will go out; it does no harm
	}
	v.finishDeclined()
	return v.declined(st)
}

// undo leaves the reversal in the outbox, with its reason, and tries to send it
// at once. Until the host confirms, the outcome is not known.
func (v *service) undo(ctx context.Context, code string, st *stop) Outcome {
	v.finishDeclined()
	if code != iso8583.CodeTimeout {
		if err := v.save(stageReverse, v.reversal(code)); err != nil {
			st.err = errors.Join(st.err, err) // the first reversal, with another reason, stands
		}
	}
	return v.conclude(ctx, Declined, st)
}

// conclude flushes and names the result: what still waits is not known.
func (v *service) conclude(ctx context.Context, result Result, st *stop) Outcome {
	err := v.t.Flush(ctx)
	if result == Declined && (v.t.unknown || v.t.waiting(v.trace)) {
		result, st = Unknown, because(reason.LoadLost, errors.Join(st.err, err))
	}
	out := v.outcome(result, st.code, st.err)
	out.Receipt = v.t.slip(v.order.Kind, out, v.when)
	return out
}

// hostReason names a response code in the catalogue's words.
func hostReason(code string) reason.Code {
	switch code {
	case iso8583.CodeInsufficient:
		return reason.AccountInsufficient
	case iso8583.CodeWrongPIN, iso8583.CodePINFormat:
		return reason.PINWrong
	case iso8583.CodePINTries, "38":
		return reason.PINBlocked
	case iso8583.CodeExpired, "33":
		return reason.Expired
	case iso8583.CodeUnknownCard, iso8583.CodeNoIssuer:
		return reason.UnknownCard
	case iso8583.CodeOverLimit:
		return reason.OverBalanceLimit
	case iso8583.CodeRepeat:
		return reason.LoadInFlight
	case iso8583.CodeRestricted, "41", "43":
		return reason.CardBlocked
	case iso8583.CodeUnknownTerminal, iso8583.CodeUnknownMerchant:
		return reason.UnknownTerminal
	case iso8583.CodeMAC:
		return reason.MACError
	case iso8583.CodeFormat:
		return reason.FormatError
	case iso8583.CodeIssuerDown, iso8583.CodeUnreachable, iso8583.CodeTimeout, iso8583.CodeSystem, "68":
		return reason.HostUnreachable
	}
	return reason.HostDeclined
}
