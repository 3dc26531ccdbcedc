package oda

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"filippo.io/bigmod"

	"jiaozi/value/must"
)

// PrivateKey is an RSA private key for raw EMV signatures. It is opaque and
// immutable; copies share one key. The zero PrivateKey is no key.
//
// The key lies behind two pointers, because fmt does not call methods of
// unexported fields and follows one pointer under some verbs.
type PrivateKey struct{ k **private }

// private keeps what the Chinese remainder theorem needs.
type private struct {
	der     []byte
	public  PublicKey
	e       uint
	n, p, q *bigmod.Modulus
	dp, dq  []byte      // d mod p-1 and d mod q-1
	qInv    *bigmod.Nat // 1/q mod p
	qModN   *bigmod.Nat
}

// ErrFault says that a signature did not verify under its own public key and
// was not released: one faulty CRT signature gives the factors away (Boneh,
// DeMillo, Lipton 1997). The machine's memory or processor is not to be trusted.
var ErrFault = errors.New("RSA signature failed its own check and was withheld: suspect the hardware")

// Generate makes a key with the exponent 65537. The machine's randomness is
// used, whatever the caller has: crypto/rsa ignores a reader that is passed to
// it. Seeded runs take their keys from package testkeys.
func Generate(bits int) (PrivateKey, error) {
	if bits%8 != 0 || bits < minModulus*8 || bits > maxModulus*8 {
		return PrivateKey{}, fmt.Errorf("RSA key of %d bits: EMV keys have %d to %d in whole bytes",
			bits, minModulus*8, maxModulus*8)
	}
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("generate RSA key of %d bits: %w", bits, err)
	}
	return fromRSA(k)
}

// Parse reads a PKCS#8 key in DER, as Reveal writes it.
func Parse(der []byte) (PrivateKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return PrivateKey{}, errors.New("RSA private key is not PKCS#8 DER, or its numbers do not fit together")
	}
	k, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return PrivateKey{}, errors.New("private key is not an RSA key")
	}
	return fromRSA(k)
}

func fromRSA(k *rsa.PrivateKey) (PrivateKey, error) {
	if len(k.Primes) != 2 {
		return PrivateKey{}, fmt.Errorf("RSA key of %d primes: it has 2", len(k.Primes))
	}
	public := PublicKey{k.N.Bytes(), minimal(k.E)}
	if err := public.Check(); err != nil {
		return PrivateKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return PrivateKey{}, errors.New("RSA key cannot be written as PKCS#8")
	}
	k.Precompute()
	r := &private{der: der, public: public, e: uint(k.E),
		dp: k.Precomputed.Dp.Bytes(), dq: k.Precomputed.Dq.Bytes()}
	if err := r.setModuli(k); err != nil {
		return PrivateKey{}, errors.New("RSA key has impossible factors")
	}
	return PrivateKey{&r}, nil
}

func (r *private) setModuli(k *rsa.PrivateKey) error {
	var err [5]error
	r.n, err[0] = bigmod.NewModulus(k.N.Bytes())
	r.p, err[1] = bigmod.NewModulus(k.Primes[0].Bytes())
	r.q, err[2] = bigmod.NewModulus(k.Primes[1].Bytes())
	if e := errors.Join(err[:3]...); e != nil {
		return e
	}
	r.qInv, err[3] = bigmod.NewNat().SetBytes(k.Precomputed.Qinv.FillBytes(make([]byte, r.p.Size())), r.p)
	r.qModN, err[4] = bigmod.NewNat().SetBytes(k.Primes[1].FillBytes(make([]byte, r.n.Size())), r.n)
	return errors.Join(err[3:]...)
}

// minimal writes an exponent without leading zeros.
func minimal(e int) []byte {
	var out []byte
	for ; e > 0; e >>= 8 {
		out = append([]byte{byte(e)}, out...)
	}
	return out
}

// raw is the private operation: two half-size powers joined by Garner's formula,
// m = m2 + q*((m1-m2)/q mod p), in constant time, then checked with the public
// exponent before release.
func (r *private) raw(block []byte) ([]byte, error) {
	c, err := bigmod.NewNat().SetBytes(block, r.n)
	if err != nil {
		return nil, fmt.Errorf("block to sign is not below the modulus")
	}
	reduced := bigmod.NewNat()
	m1 := bigmod.NewNat().Exp(reduced.Mod(c, r.p), r.dp, r.p)
	m2 := bigmod.NewNat().Exp(reduced.Mod(c, r.q), r.dq, r.q)
	m1.Sub(reduced.Mod(m2, r.p), r.p).Mul(r.qInv, r.p)
	m1.ExpandFor(r.n).Mul(r.qModN, r.n)
	m := m1.Add(m2.ExpandFor(r.n), r.n)
	if bigmod.NewNat().ExpShortVarTime(m, r.e, r.n).Equal(c) != 1 {
		return nil, ErrFault
	}
	return m.Bytes(r.n), nil
}

// IsZero reports whether there is no key.
func (k PrivateKey) IsZero() bool { return k.k == nil }

// Public gives the public half.
func (k PrivateKey) Public() PublicKey {
	p := k.use().public
	return PublicKey{append([]byte(nil), p.Modulus...), append([]byte(nil), p.Exponent...)}
}

// Size is the length of the modulus, and of every signature, in bytes.
func (k PrivateKey) Size() int { return len(k.use().public.Modulus) }

// Equal reports whether both are the same key, in constant time.
func (k PrivateKey) Equal(o PrivateKey) bool {
	return subtle.ConstantTimeCompare(k.use().der, o.use().der) == 1
}

// Reveal gives the key as PKCS#8 DER, for sealing it. Search for its callers to
// see every place where a private key leaves the type.
func (k PrivateKey) Reveal() []byte { return append([]byte(nil), k.use().der...) }

// String names the key by size and a digest of its modulus.
func (k PrivateKey) String() string {
	if k.IsZero() {
		return "rsa key(none)"
	}
	sum := sha256.Sum256(k.use().public.Modulus)
	return fmt.Sprintf("rsa key(%d bits, %s)", 8*k.Size(), hex.EncodeToString(sum[:4]))
}

// Format is String under every verb.
func (k PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// MarshalText is String, for JSON and every other text encoding.
func (k PrivateKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue is String, for structured logs.
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

func (k PrivateKey) use() *private {
	must.Hold(k.k != nil, "use of an RSA key that was never set")
	return *k.k
}
