package mint

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"time"

	"jiaozi/book"
	"jiaozi/crypt/brands"
	"jiaozi/value/clock"
	"jiaozi/wire/coin"
	"jiaozi/wire/observer"
)

// holder is who an identity belongs to.
type holder struct {
	identity brands.Element
	account  string
	auth     [32]byte // Ed25519 key of his requests
	opening  []byte   // his proof, for the proofs of guilt
	card     []byte   // certificate of his card; nil without one
	at       int64    // Unix seconds of his enrolment
}

func (h *holder) record() []byte {
	w := newRecord()
	w.text(h.account)
	w.fixed(h.auth[:])
	w.bytes(h.opening)
	w.bytes(h.card)
	w.uint(uint64(h.at))
	return w.b
}

func readHolder(identity brands.Element, b []byte) (*holder, error) {
	r := openRecord(b)
	h := &holder{identity: identity, account: r.text(), auth: [32]byte(r.fixed(32)), opening: r.bytes()}
	if card := r.bytes(); len(card) > 0 {
		h.card = card
	}
	h.at = int64(r.uint(1<<62 - 1))
	return h, r.done("holder")
}

// same reports whether an enrolment asks for what was enrolled before. Proofs that
// are made again differ, and say the same.
func (h *holder) same(o *holder) bool {
	return h.account == o.account && h.auth == o.auth && (h.card == nil) == (o.card == nil)
}

func (h *holder) enrolled() *coin.Enrolled {
	return &coin.Enrolled{Account: h.account, Identity: h.identity.Bytes(), Time: h.at}
}

// holder finds whose an identity is; nil if it was not enrolled. An identity
// counts only if its account agrees.
func (m *Mint) holder(ctx context.Context, identity brands.Element) (*holder, error) {
	h, err := m.claimant(ctx, identity)
	if h == nil || err != nil {
		return nil, err
	}
	bound, err := m.identityOf(ctx, h.account)
	if err != nil || bound != identity.Bytes() {
		return nil, err
	}
	return h, nil
}

// claimant is who enrolled, or began to enrol, with an identity.
func (m *Mint) claimant(ctx context.Context, identity brands.Element) (*holder, error) {
	id := identity.Bytes()
	value, version, err := m.door.Get(ctx, m.space(spaceID), id[:])
	if err != nil {
		return nil, fmt.Errorf("mint %s: look up an identity: %w", m.cfg.Inst, err)
	}
	if version == 0 {
		return nil, nil
	}
	return readHolder(identity, value)
}

// identityOf is the identity of an account; zeros if it has none.
func (m *Mint) identityOf(ctx context.Context, account string) (id [32]byte, err error) {
	a := m.customer(account)
	value, version, err := m.door.Get(ctx, m.space(spaceHolder), a.ID[:])
	if err != nil {
		return id, fmt.Errorf("mint %s: look up the holder of an account: %w", m.cfg.Inst, err)
	}
	if version == 0 {
		return id, nil
	}
	r := openRecord(value)
	id = [32]byte(r.fixed(32))
	return id, r.done("holder of an account")
}

// Enroll makes the code with which the owner of a customer's account opens it for
// coins, once. The bank hands it over as it would a card; the mint keeps a hash.
func (m *Mint) Enroll(ctx context.Context, account string, now time.Time) (coin.EnrolCode, error) {
	if err := sane(now); err != nil {
		return "", err
	}
	a := m.customer(account)
	if _, open, err := m.door.Balance(ctx, a.ID); err != nil {
		return "", fmt.Errorf("mint %s: look up account: %w", m.cfg.Inst, err)
	} else if !open {
		return "", fmt.Errorf("%w: there is no account %q in %s: open it first", ErrRefused, account, m.cfg.Currency.Code())
	}
	if id, err := m.identityOf(ctx, account); err != nil {
		return "", err
	} else if id != [32]byte{} {
		return "", fmt.Errorf("%w: account %q is enrolled already: its wallet is restored from its phrase", ErrRefused, account)
	}
	raw := make([]byte, 15)
	if _, err := io.ReadFull(m.rand, raw); err != nil {
		return "", fmt.Errorf("mint %s: no randomness for a code: %w", m.cfg.Inst, err)
	}
	text := base32.StdEncoding.EncodeToString(raw)
	code := coin.EnrolCode(text[:6] + "-" + text[6:12] + "-" + text[12:18] + "-" + text[18:])
	key, w := codeKey(a.ID, code), newRecord()
	w.uint(uint64(now.Add(m.cfg.CodeLife).Unix()))
	results, err := m.apply(ctx, book.Command{
		ID:    book.DeriveID(eventEnrol, "code", string(m.cfg.Inst), key),
		Event: eventEnrol, Date: clock.DateOf(now),
		Put: []book.Put{{Space: m.space(spaceCode), Key: key, Value: w.b}},
	})
	if err != nil {
		return "", err
	}
	if results[0].Code != book.OK {
		return "", m.unexpected("keep an enrolment code", results[0])
	}
	return code, nil
}

// codeKey hashes a code, which has 120 random bits, together with its account.
func codeKey(account book.AccountID, code coin.EnrolCode) []byte {
	sum := sha256.Sum256([]byte("jiaozi enrolment code v1\x00" + string(account[:]) + code.Reveal()))
	return near(account, sum[:])
}

// OpeningContext is what the opening of an enrolment is bound to.
func OpeningContext(auth [32]byte) []byte { return auth[:] }

// enrol joins identity, authentication key and account. First the identity is
// taken, where it lives, then the account, where that lives; a crash in between is
// finished by the same request, and no other one can take either.
func (m *Mint) enrol(ctx context.Context, s *coin.Signed, e *coin.Enrol, now time.Time) (coin.Message, error) {
	want, code, err := m.applicant(s, e, now)
	if code != 0 {
		return refuse(code), err
	}
	had, err := m.holder(ctx, want.identity)
	if err != nil {
		return nil, err
	}
	if had != nil && had.same(want) {
		return had.enrolled(), nil // the same again, whatever became of the code
	}
	a := m.customer(e.Account)
	codeVersion, code, err := m.redeem(ctx, a.ID, e.Code, now)
	if code != 0 || err != nil {
		return refuse(code), err
	}
	bound, err := m.identityOf(ctx, e.Account)
	if err != nil {
		return nil, err
	}
	if had != nil || bound != [32]byte{} {
		return refuse(coin.AlreadyEnrolled), nil
	}
	return m.join(ctx, want, a, codeKey(a.ID, e.Code), codeVersion, now)
}

// applicant checks all of an enrolment that needs no book.
func (m *Mint) applicant(s *coin.Signed, e *coin.Enrol, now time.Time) (*holder, coin.Code, error) {
	if brands.Network(e.Network) != m.cfg.Network {
		return nil, coin.WrongNetwork, nil
	}
	opening, err := brands.ParseOpening(e.Opening)
	if err != nil || opening.Verify(m.cfg.Network, OpeningContext(e.AuthKey)) != nil || opening.Account.Bytes() != s.Account {
		return nil, coin.Invalid, nil
	}
	if e.Card != nil && !m.guarded(opening.Account, e, clock.DateOf(now)) {
		return nil, coin.Invalid, nil
	}
	return &holder{identity: opening.Account, account: e.Account, auth: e.AuthKey, opening: e.Opening, card: certificate(e.Card), at: now.Unix()}, 0, nil
}

// certificate is the lasting part of what was shown of a card; nil without one.
func certificate(card []byte) []byte { return card[:min(len(card), observer.CertificateBytes)] }

// guarded reports whether a holder with a card needs it. Two things say so: the
// issuer's certificate of the card, and behind it the phone's proof that it knows
// the rest of the account's secret (brands.Holder.OpenPhone). Who knew both parts
// would know the card's, which no card gives away.
func (m *Mint) guarded(account brands.Element, e *coin.Enrol, today clock.Date) bool {
	if len(e.Card) < observer.CertificateBytes {
		return false
	}
	card, bad := observer.ParseCertificate(e.Card[:observer.CertificateBytes])
	if bad != nil || card.Verify(m.cfg.CardKey, today) != nil {
		return false
	}
	inside, bad := brands.ParseElement(card.Identity[:])
	if bad != nil {
		return false
	}
	phone, bad := brands.ParseOpening(e.Card[observer.CertificateBytes:])
	if bad != nil || phone.Verify(m.cfg.Network, OpeningContext(e.AuthKey)) != nil {
		return false
	}
	return brands.Guarded(account, phone.Account, inside) == nil
}

// redeem looks an unused code up.
func (m *Mint) redeem(ctx context.Context, account book.AccountID, code coin.EnrolCode, now time.Time) (uint64, coin.Code, error) {
	value, version, err := m.door.Get(ctx, m.space(spaceCode), codeKey(account, code))
	if err != nil {
		return 0, 0, fmt.Errorf("mint %s: look up an enrolment code: %w", m.cfg.Inst, err)
	}
	if value == nil {
		return 0, coin.BadEnrolCode, nil
	}
	r := openRecord(value)
	until := r.uint(1<<62 - 1)
	if err := r.done("enrolment code"); err != nil {
		return 0, 0, err
	}
	if uint64(now.Unix()) >= until {
		return 0, coin.BadEnrolCode, nil
	}
	return version, 0, nil
}

// join books an enrolment: identity first, then account and code.
func (m *Mint) join(ctx context.Context, h *holder, a book.Account, code []byte, version uint64, now time.Time) (coin.Message, error) {
	id, date := h.identity.Bytes(), clock.DateOf(now)
	results, err := m.apply(ctx, book.Command{
		ID:    book.DeriveID(eventEnrol, "identity", string(m.cfg.Inst), id[:], h.record(), date),
		Event: eventEnrol, Date: date,
		Put: []book.Put{{Space: m.space(spaceID), Key: id[:], Value: h.record()}},
	})
	if err != nil {
		return nil, err
	}
	switch results[0].Code {
	case book.OK:
	case book.VersionConflict: // taken by somebody, or by this request before a crash
		first, err := m.claimant(ctx, h.identity)
		if err != nil {
			return nil, err
		}
		if first == nil || !first.same(h) {
			return refuse(coin.AlreadyEnrolled), nil
		}
		h = first
	default:
		return nil, m.unexpected("enrol an identity", results[0])
	}
	w := newRecord()
	w.fixed(id[:])
	results, err = m.apply(ctx, book.Command{
		ID:    book.DeriveID(eventEnrol, "account", string(m.cfg.Inst), a.ID[:], id[:], code, date),
		Event: eventEnrol, Date: date,
		Put: []book.Put{
			{Space: m.space(spaceHolder), Key: a.ID[:], Value: w.b},
			{Space: m.space(spaceCode), Key: code, Expect: version}, // used: deleted
		},
	})
	if err != nil {
		return nil, err
	}
	switch results[0].Code {
	case book.OK:
		return h.enrolled(), nil
	case book.VersionConflict: // another wallet was faster, or this one twice at once
		if had, err := m.holder(ctx, h.identity); err != nil {
			return nil, err
		} else if had != nil && had.same(h) {
			return had.enrolled(), nil
		}
		return refuse(coin.AlreadyEnrolled), nil
	}
	return nil, m.unexpected("enrol an account", results[0])
}
