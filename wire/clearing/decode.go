package clearing

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
)

// What makes a file unusable. Ask the sender for it again.
var (
	ErrShort     = errors.New("the file is cut short")
	ErrForm      = errors.New("the file is not in its canonical form")
	ErrHash      = errors.New("the file was changed: its hash does not fit")
	ErrSignature = errors.New("the file's signature does not verify")
)

// minDetail is the least that one detail takes; it bounds the count that a header
// may announce before anything is allocated.
const minDetail = 4 + 9 + 9 + 2 + 1 + 8

// Decode gives a file that is whole and signed. Hash and signature are checked
// before the details are read. Verify gets the institution, the signed message
// (which begins with Domain) and its Ed25519 signature. Records alias b.
func Decode(b []byte, verify func(from ident.Inst, msg, sig []byte) error) (*File, error) {
	if len(b) < len(magic)+trailerLen || string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("read clearing file: %w, or it is something else", ErrShort)
	}
	cut := len(b) - trailerLen
	r := reader{b: b[len(magic):cut]}
	f := &File{Header: r.header()}
	count := r.u32()
	if r.err != nil {
		return nil, fmt.Errorf("read clearing file: header: %w", r.err)
	}
	if err := f.trailer(b[cut:], sha256.Sum256(b[:len(b)-len(f.Trailer.Hash)-len(f.Trailer.Signature)]), verify); err != nil {
		return nil, fmt.Errorf("read clearing file of %s: %w", f.Header.From, err)
	}
	if err := f.details(&r, count); err != nil {
		return nil, fmt.Errorf("read clearing file of %s: %w", f.Header.From, err)
	}
	return f, nil
}

// trailer reads the end of the file and proves that the rest belongs to it.
func (f *File) trailer(b []byte, sum [32]byte, verify func(from ident.Inst, msg, sig []byte) error) error {
	if string(b[:len(trailerMagic)]) != trailerMagic {
		return fmt.Errorf("%w: no trailer", ErrForm)
	}
	t := &f.Trailer
	t.Count = binary.BigEndian.Uint32(b[4:])
	minor := binary.BigEndian.Uint64(b[8:])
	if minor > math.MaxInt64 {
		return fmt.Errorf("%w: sum", ErrForm)
	}
	t.Sum = money.New(f.Header.Currency, money.Minor(minor))
	copy(t.Hash[:], b[16:])
	copy(t.Signature[:], b[signedLen:])
	if subtle.ConstantTimeCompare(t.Hash[:], sum[:]) != 1 {
		return ErrHash
	}
	if err := verify(f.Header.From, b[:signedLen], t.Signature[:]); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

func (f *File) details(r *reader, count uint32) error {
	if count > MaxDetails || int(count) > len(r.b)/minDetail {
		return fmt.Errorf("%w: it announces %d details", ErrForm, count)
	}
	f.Details = make([]Detail, count)
	for i := range f.Details {
		f.Details[i] = r.detail(f.Header)
		if r.err != nil {
			return fmt.Errorf("detail %d of %d: %w", i+1, count, r.err)
		}
	}
	if len(r.b) != 0 {
		return fmt.Errorf("%w: bytes follow the last detail", ErrForm)
	}
	claimed := f.Trailer
	if err := f.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	if claimed != f.Trailer {
		return fmt.Errorf("%w: the trailer's count or sum is not that of the details", ErrForm)
	}
	return nil
}

// reader takes fields off the front; after the first error it gives zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err == nil && len(r.b) < n {
		r.err = ErrShort
	}
	if r.err != nil {
		return make([]byte, n)
	}
	head := r.b[:n:n]
	r.b = r.b[n:]
	return head
}

func (r *reader) u8() uint8        { return r.take(1)[0] }
func (r *reader) u16() uint16      { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32      { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) text() string     { return string(r.take(int(r.u8()))) }
func (r *reader) inst() ident.Inst { return ident.Inst(r.text()) }

func (r *reader) amount(c money.Currency) money.Amount {
	v := binary.BigEndian.Uint64(r.take(8))
	if r.err == nil && v > math.MaxInt64 {
		r.err = ErrForm
	}
	return money.New(c, money.Minor(v))
}

func (r *reader) header() Header {
	return Header{
		Kind: Kind(r.u8()), ID: FileID(r.take(16)), From: r.inst(), To: r.inst(),
		Date: clock.Date(r.u32()), Sequence: r.u32(), Currency: money.Currency(r.u16()),
	}
}

func (r *reader) detail(h Header) Detail {
	d := Detail{Sequence: r.u32(), Acquirer: r.inst(), Issuer: r.inst()}
	d.Record = r.take(int(r.u16()))
	d.Gross = r.amount(h.Currency)
	if !h.Kind.judged() {
		return d
	}
	d.Verdict, d.Reason = Verdict(r.u8()), reason.Code(r.text())
	d.Fees.Interchange = r.amount(h.Currency)
	d.Fees.NetworkIssuer = r.amount(h.Currency)
	d.Fees.NetworkAcquirer = r.amount(h.Currency)
	d.Fees.Merchant = r.amount(h.Currency)
	return d
}
