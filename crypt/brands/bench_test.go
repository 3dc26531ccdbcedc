package brands

import (
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// BenchmarkIssue is the mint's work for one coin: commit, encode, decode the challenge, respond, encode. The account was
// decoded with the request, which may be for many coins.
func BenchmarkIssue(b *testing.B) {
	w := newTown(b)
	account, session := holderOf("a").Identity(), digestOf("session")
	c := digestOf("c")
	c[31] = 0
	for b.Loop() {
		com := w.coin.Commit(session, account)
		challenge, err := ParseScalar(c[:])
		if err != nil {
			b.Fatal(err)
		}
		r := w.coin.Respond(session, account, challenge)
		_, _ = com.Append(nil), r.Bytes()
	}
}

// BenchmarkIssueMany is BenchmarkIssue for one coin of n that an account withdraws at once.
func BenchmarkIssueMany(b *testing.B) {
	w, identity, session := newTown(b), holderOf("a").Identity(), digestOf("session")
	c := open(rawScalar(0))
	for _, n := range []int{4, 8, 16} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				account := NewAccount(identity, 8, false)
				for range n {
					com := w.coin.CommitForAccount(session, account, false)
					r := w.coin.Respond(session, identity, c)
					_, _ = com.Append(nil), r.Bytes()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/coin")
		})
	}
}

// BenchmarkWithdraw is the holder's work for one coin.
func BenchmarkWithdraw(b *testing.B) {
	w, h, session := newTown(b), holderOf("a"), digestOf("session")
	com := w.coin.Commit(session, h.Identity())
	_, c, err := h.Challenge(w.coin.Public(), DeriveBlinding(session, w.coin.Public().ID(), 0), com, nil)
	if err != nil {
		b.Fatal(err)
	}
	r := w.coin.Respond(session, h.Identity(), c)
	for b.Loop() {
		w, _, _ := h.Challenge(w.coin.Public(), DeriveBlinding(session, w.coin.Public().ID(), 0), com, nil)
		got(w.Finish(r))(b)
	}
}

// BenchmarkPay is the payer's work for one coin.
func BenchmarkPay(b *testing.B) {
	w, spec := newTown(b), digestOf("spec")
	own := withdraw(b, holderOf("a"), w.coin, 0)
	for b.Loop() {
		if _, err := own.Pay(spec); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkVerify(b *testing.B, hops int) {
	w, terms := newTown(b), digestOf("terms")
	enc := payment(b, w, w.coin, terms, "a", hops).Append(nil)
	for b.Loop() {
		p, err := ParsePayment(enc)
		if err != nil || p.VerifyVartime(w, terms, rand.Reader) != nil {
			b.Fatal("refused", err)
		}
	}
}

// BenchmarkVerify is the payee's work for one coin, decoding included; BenchmarkChain1 to 8 the same behind hops.
func BenchmarkVerify(b *testing.B) { benchmarkVerify(b, 0) }
func BenchmarkChain1(b *testing.B) { benchmarkVerify(b, 1) }
func BenchmarkChain4(b *testing.B) { benchmarkVerify(b, 4) }
func BenchmarkChain8(b *testing.B) { benchmarkVerify(b, 8) }

// BenchmarkVerifyEquations is the plain form of BenchmarkVerify.
func BenchmarkVerifyEquations(b *testing.B) {
	w, terms := newTown(b), digestOf("terms")
	enc := payment(b, w, w.coin, terms, "a", 0).Append(nil)
	for b.Loop() {
		if err := got(ParsePayment(enc))(b).VerifyEquationsVartime(w, terms); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBatch is the mint's work for one deposit among n, decoding included.
func BenchmarkBatch(b *testing.B) {
	w, terms := newTown(b), digestOf("terms")
	const most = 4096
	var encs [][]byte
	for i := range 64 { // repeated below: the work is the same as for different coins
		encs = append(encs, payment(b, w, w.coin, terms, fmt.Sprint(i), 0).Append(nil))
	}
	for _, n := range []int{64, 256, 1024, most} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ps, list := make([]*Payment, n), make([]Digest, n)
			for b.Loop() {
				for i := range ps {
					var err error
					if ps[i], err = ParsePayment(encs[i%len(encs)]); err != nil {
						b.Fatal(err)
					}
					list[i] = terms
				}
				if bad, err := VerifyBatchVartime(w, ps, list, rand.Reader); err != nil || len(bad) != 0 {
					b.Fatal(bad, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/deposit")
		})
	}
}

// The group library's own operations: what the figures above are made of.

func BenchmarkRawDecode(b *testing.B) {
	enc, p := new(curve.CompressedRistretto).SetRistrettoPoint(g1), new(curve.RistrettoPoint)
	for b.Loop() {
		_, _ = p.SetCompressed(enc)
	}
}

func BenchmarkRawEncode(b *testing.B) {
	enc := new(curve.CompressedRistretto)
	for b.Loop() {
		enc.SetRistrettoPoint(g1)
	}
}

func rawScalar(i int) *scalar.Scalar { return digestScalar(digestOf("scalar %d", i)) }

func digestScalar(d Digest) *scalar.Scalar {
	k := begin("test").add(d[:]).challenge()
	return k.num()
}

func BenchmarkRawFixedBase(b *testing.B) {
	k := rawScalar(0)
	for b.Loop() {
		times0(k)
	}
}

func BenchmarkRawVariableBase(b *testing.B) {
	k := rawScalar(0)
	for b.Loop() {
		times(g1, k)
	}
}

// BenchmarkFloor is what issuing and checking cannot do without, in calls of the library: for an issue two multiples and
// two encodings, for a check a decoding for each element and one multi-exponentiation. What the figures above have beyond
// it is ours. Compare within one run: a busy neighbour slows the vector instructions of the sums most.
func BenchmarkFloor(b *testing.B) {
	k, enc := rawScalar(0), new(curve.CompressedRistretto)
	b.Run("issue", func(b *testing.B) {
		for b.Loop() {
			enc.SetRistrettoPoint(times0(k))
			enc.SetRistrettoPoint(times(g1, k))
		}
	})
	w, terms := newTown(b), digestOf("terms")
	for _, hops := range []int{0, 1, 4, 8} {
		b.Run(fmt.Sprint("verify/", hops), func(b *testing.B) { benchmarkFloor(b, w, terms, hops, 1) })
	}
	for _, n := range []int{1024, 4096} {
		b.Run(fmt.Sprint("batch/", n), func(b *testing.B) { benchmarkFloor(b, w, terms, 0, n) })
	}
}

func benchmarkFloor(b *testing.B, w *town, terms Digest, hops, n int) {
	p := payment(b, w, w.coin, terms, "a", hops)
	var c claims
	for range n {
		if err := p.state(&c, w, &terms); err != nil {
			b.Fatal(err)
		}
	}
	if err := weigh(c.list, rand.Reader); err != nil {
		b.Fatal(err)
	}
	sum := new(sum).of(c.list)
	enc, point := new(curve.CompressedRistretto).SetRistrettoPoint(g1), new(curve.RistrettoPoint)
	for b.Loop() {
		for range 5 * n * (1 + hops) {
			_, _ = point.SetCompressed(enc)
		}
		if !sum.isZeroVartime() {
			b.Fatal("the sum is not zero")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/payment")
}

func rawMinusOne() *scalar.Scalar { return new(scalar.Scalar).Neg(scalar.NewFromUint64(1)) }
