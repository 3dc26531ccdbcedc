package clearing

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"jiaozi/value/ident"
	"jiaozi/value/money"
)

const (
	magic        = "JZC1"
	trailerMagic = Domain
	signedLen    = len(trailerMagic) + 4 + 8 + 32
	trailerLen   = signedLen + 64
	maxReason    = 64
)

// Append checks, packs and signs a file behind dst. It sets Header.ID and Trailer.
// Sign makes a plain Ed25519 signature over the trailer, which begins with Domain
// and holds the hash of everything else.
func Append(dst []byte, f *File, sign func(msg []byte) ([]byte, error)) ([]byte, error) {
	f.Header.ID = ID(f.Header)
	if err := f.check(); err != nil {
		return dst, fmt.Errorf("write %s file: %w", f.Header.Kind, err)
	}
	out := appendHeader(append(dst, magic...), f.Header)
	out = binary.BigEndian.AppendUint32(out, uint32(len(f.Details)))
	for i := range f.Details {
		out = appendDetail(out, &f.Details[i], f.Header.Kind)
	}
	out = append(out, trailerMagic...)
	out = binary.BigEndian.AppendUint32(out, f.Trailer.Count)
	out = binary.BigEndian.AppendUint64(out, uint64(f.Trailer.Sum.Minor()))
	f.Trailer.Hash = sha256.Sum256(out[len(dst):])
	out = append(out, f.Trailer.Hash[:]...)
	sig, err := sign(out[len(out)-signedLen:])
	if err != nil {
		return dst, fmt.Errorf("sign %s file %s: %w", f.Header.Kind, f.Header.ID, err)
	}
	if len(sig) != len(f.Trailer.Signature) {
		return dst, fmt.Errorf("sign %s file %s: a signature of %d bytes is not Ed25519", f.Header.Kind, f.Header.ID, len(sig))
	}
	copy(f.Trailer.Signature[:], sig)
	return append(out, sig...), nil
}

func appendDetail(dst []byte, d *Detail, k Kind) []byte {
	dst = binary.BigEndian.AppendUint32(dst, d.Sequence)
	dst = appendString(dst, string(d.Acquirer))
	dst = appendString(dst, string(d.Issuer))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(d.Record)))
	dst = append(dst, d.Record...)
	dst = appendMinor(dst, d.Gross)
	if !k.judged() {
		return dst
	}
	dst = append(dst, byte(d.Verdict))
	dst = appendString(dst, string(d.Reason))
	dst = appendMinor(dst, d.Fees.Interchange)
	dst = appendMinor(dst, d.Fees.NetworkIssuer)
	dst = appendMinor(dst, d.Fees.NetworkAcquirer)
	return appendMinor(dst, d.Fees.Merchant)
}

func appendMinor(dst []byte, a money.Amount) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(a.Minor()))
}

// check holds a file to its own rules, in both directions, and fills count and sum.
func (f *File) check() error {
	if err := f.Header.check(); err != nil {
		return err
	}
	if len(f.Details) > MaxDetails {
		return fmt.Errorf("%d details are more than %d: split the file by sequence", len(f.Details), MaxDetails)
	}
	sum, last := money.Zero(f.Header.Currency), uint32(0)
	for i := range f.Details {
		d := &f.Details[i]
		if d.Sequence <= last {
			return fmt.Errorf("detail %d: sequence %d does not rise", i, d.Sequence)
		}
		last = d.Sequence
		if err := d.check(f.Header); err != nil {
			return fmt.Errorf("detail %d: %w", d.Sequence, err)
		}
		var err error
		if sum, err = sum.Add(d.Gross); err != nil {
			return fmt.Errorf("detail %d: sum: %w", d.Sequence, err)
		}
	}
	f.Trailer.Count, f.Trailer.Sum = uint32(len(f.Details)), sum
	return nil
}

func (h Header) check() error {
	switch {
	case h.Kind < Presentment || h.Kind > Settlement:
		return fmt.Errorf("there is no file of %s", h.Kind)
	case !h.Date.Valid():
		return fmt.Errorf("%d is not a date", uint32(h.Date))
	case h.Sequence == 0:
		return fmt.Errorf("sequences of files start with 1")
	case !h.Currency.Known():
		return fmt.Errorf("currency %d is not known", uint16(h.Currency))
	case h.ID != ID(h):
		return fmt.Errorf("the id does not follow from the header")
	}
	if _, err := ident.ParseInst(string(h.From)); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	if _, err := ident.ParseInst(string(h.To)); err != nil {
		return fmt.Errorf("receiver: %w", err)
	}
	return nil
}

func (d *Detail) check(h Header) error {
	if _, err := ident.ParseInst(string(d.Acquirer)); err != nil {
		return fmt.Errorf("acquirer: %w", err)
	}
	if _, err := ident.ParseInst(string(d.Issuer)); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if len(d.Record) == 0 || len(d.Record) > MaxRecord {
		return fmt.Errorf("a record of %d bytes; 1 to %d are allowed", len(d.Record), MaxRecord)
	}
	if err := positive(d.Gross, h.Currency); err != nil {
		return fmt.Errorf("gross: %w", err)
	}
	if !h.Kind.judged() {
		if d.Verdict != NoVerdict || d.Reason != "" || d.Fees != (Fees{}) {
			return fmt.Errorf("a %s carries no verdict and no fees", h.Kind)
		}
		return nil
	}
	if d.Verdict < Accepted || d.Verdict > Pending {
		return fmt.Errorf("%s is no verdict", d.Verdict)
	}
	if len(d.Reason) == 0 || len(d.Reason) > maxReason {
		return fmt.Errorf("the verdict gives no reason, or one longer than %d", maxReason)
	}
	return d.Fees.check(h.Currency)
}

func (f Fees) check(c money.Currency) error {
	for _, a := range [...]money.Amount{f.Interchange, f.NetworkIssuer, f.NetworkAcquirer, f.Merchant} {
		if err := positive(a, c); err != nil {
			return fmt.Errorf("fee: %w", err)
		}
	}
	return nil
}

// positive accepts zero of no currency too: the zero Amount means nothing is due.
func positive(a money.Amount, c money.Currency) error {
	if a == (money.Amount{}) {
		return nil
	}
	if a.Currency() != c {
		return money.ErrCurrency
	}
	if a.Sign() < 0 {
		return fmt.Errorf("an amount below zero")
	}
	return nil
}
