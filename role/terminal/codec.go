package terminal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// errEntry: the store checks that bytes come back as they were written, so an
// entry that does not read is another program's file or a newer version.
var errEntry = errors.New("not an entry of a terminal's journal (is it another terminal's file, or from a newer version?)")

// maxBlob bounds one variable field of an entry; the signed blacklist is longest.
const maxBlob = 512 << 10

func appendU32(dst []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(dst, v) }
func appendU64(dst []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(dst, v) }

func appendBlob(dst, v []byte) []byte { return append(appendU32(dst, uint32(len(v))), v...) }

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendAmount(dst []byte, a money.Amount) []byte {
	currency := a.Currency().BCD()
	return appendU64(append(dst, currency[:]...), uint64(a.Minor()))
}

func appendTime(dst []byte, t time.Time) []byte { return appendU64(dst, uint64(t.Unix())) }

// reader takes an entry apart. After the first fault every further read gives
// zero values, so that the decoders read straight down; end reports the fault.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) u8() byte {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	if v := r.take(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if v := r.take(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (r *reader) bool() bool {
	v := r.u8()
	r.bad = r.bad || v > 1
	return v == 1
}

// blob copies: entries outlive the buffer that the store hands out.
func (r *reader) blob() []byte {
	n := r.u32()
	if n > maxBlob {
		r.bad = true
	}
	return append([]byte(nil), r.take(int(n))...)
}

func (r *reader) amount() money.Amount {
	currency, err := money.CurrencyFromBCD(r.take(2))
	minor := money.Minor(r.u64())
	if err != nil || minor < 0 || minor > money.MaxN12 {
		r.bad = true
		return money.Amount{}
	}
	return money.New(currency, minor)
}

// time reads seconds within the years that a two-digit card date can mean.
func (r *reader) time() time.Time {
	seconds := r.u64()
	if seconds > uint64(1)<<33 {
		r.bad = true
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).In(clock.Zone)
}

func (r *reader) pan() ident.PAN {
	p, err := ident.UncheckedPAN(string(r.blob()))
	r.bad = r.bad || err != nil
	return p
}

func (r *reader) end() error {
	if r.bad || len(r.b) != 0 {
		return fmt.Errorf("malformed content: %w", errEntry)
	}
	return nil
}
