package clearing

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/value/reason"
)

const (
	acquirer = ident.Inst("48010001")
	issuer   = ident.Inst("62123400")
)

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, ed25519.SeedSize))

func sign(msg []byte) ([]byte, error) { return ed25519.Sign(key, msg), nil }

func verify(from ident.Inst, msg, sig []byte) error {
	if from != acquirer || !bytes.HasPrefix(msg, []byte(Domain)) ||
		!ed25519.Verify(key.Public().(ed25519.PublicKey), msg, sig) {
		return errors.New("not the acquirer's")
	}
	return nil
}

func yuan(m money.Minor) money.Amount { return money.New(money.CNY, m) }

func sample(k Kind) *File {
	f := &File{Header: Header{Kind: k, From: acquirer, To: issuer, Date: 20261122, Sequence: 1, Currency: money.CNY}}
	for i, m := range []money.Minor{1000, 250, 99999} {
		d := Detail{Sequence: uint32(i + 1), Acquirer: acquirer, Issuer: issuer, Record: []byte("proof"), Gross: yuan(m)}
		if k.judged() {
			d.Verdict, d.Reason = Accepted, reason.Approved
			d.Fees = Fees{Interchange: yuan(3), NetworkIssuer: yuan(1), NetworkAcquirer: yuan(1), Merchant: yuan(6)}
		}
		f.Details = append(f.Details, d)
	}
	return f
}

func pack(t testing.TB, f *File) []byte {
	t.Helper()
	b, err := Append(nil, f, sign)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var sameAmounts = cmp.Comparer(func(a, b money.Amount) bool { return a == b })

// A file of each kind arrives as it was sent, with count and sum filled in.
func TestFilesSurviveTheJourney(t *testing.T) {
	for _, k := range []Kind{Presentment, Outcome, Settlement} {
		f := sample(k)
		b := pack(t, f)
		got, err := Decode(b, verify)
		if err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		if d := cmp.Diff(f, got, sameAmounts); d != "" {
			t.Errorf("%s: %s", k, d)
		}
		if got.Trailer.Count != 3 || got.Trailer.Sum != yuan(101249) {
			t.Errorf("%s: trailer %+v", k, got.Trailer)
		}
	}
}

// Any list of details survives, and packs to the same bytes again.
func TestEveryFileSurvives(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := sample(rapid.SampledFrom([]Kind{Presentment, Outcome, Settlement}).Draw(r, "kind"))
		f.Details = nil
		seq := uint32(0)
		for range rapid.IntRange(0, 5).Draw(r, "details") {
			seq += rapid.Uint32Range(1, 9).Draw(r, "step")
			d := Detail{Sequence: seq, Acquirer: acquirer, Issuer: issuer,
				Record: rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(r, "record"),
				Gross:  yuan(money.Minor(rapid.Int64Range(0, 1e12).Draw(r, "gross")))}
			if f.Header.Kind.judged() {
				d.Verdict = Verdict(rapid.Uint8Range(1, 5).Draw(r, "verdict"))
				d.Reason = reason.Code(rapid.StringMatching(`[a-z_]{1,20}`).Draw(r, "reason"))
				d.Fees.Merchant = yuan(money.Minor(rapid.Int64Range(0, 1e6).Draw(r, "fee")))
			}
			f.Details = append(f.Details, d)
		}
		b := pack(t, f)
		got, err := Decode(b, verify)
		if err != nil {
			r.Fatal(err)
		}
		if again := pack(t, got); !bytes.Equal(again, b) {
			r.Fatal("packed otherwise the second time")
		}
	})
}

// The id depends on what names the file and on nothing else, so a file sent twice
// has one id and the next file another.
func TestIDIsTheSameForTheSameFile(t *testing.T) {
	a, b := sample(Presentment), sample(Presentment)
	b.Details = b.Details[:1]
	pack(t, a)
	pack(t, b)
	if a.Header.ID != b.Header.ID {
		t.Error("the id must follow from the header alone")
	}
	seen := map[FileID]bool{a.Header.ID: true}
	for _, change := range []func(*Header){
		func(h *Header) { h.Sequence++ },
		func(h *Header) { h.Date = 20261123 },
		func(h *Header) { h.Kind = Outcome },
		func(h *Header) { h.To = "62999900" },
		func(h *Header) { h.From, h.To = h.To, h.From },
		func(h *Header) { h.Currency = money.HKD },
	} {
		h := a.Header
		change(&h)
		if id := ID(h); seen[id] {
			t.Errorf("%+v has an id that is taken", h)
		} else {
			seen[id] = true
		}
	}
}

// One flipped bit anywhere or a cut anywhere: refused.
func TestChangedFileIsRefused(t *testing.T) {
	b := pack(t, sample(Outcome))
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if _, err := Decode(bad, verify); err == nil {
			t.Fatalf("bit in byte %d", i)
		}
		if _, err := Decode(b[:i], verify); err == nil {
			t.Fatalf("cut at %d", i)
		}
	}
	if _, err := Decode(append(bytes.Clone(b), 0), verify); err == nil {
		t.Fatal("one byte more")
	}
	deny := func(ident.Inst, []byte, []byte) error { return errors.New("no such key") }
	if _, err := Decode(b, deny); !errors.Is(err, ErrSignature) {
		t.Fatal(err)
	}
}

// resign signs anything: what a careless sender could have signed.
func resign(b []byte) []byte {
	out := bytes.Clone(b)
	cut := len(out) - trailerLen
	hash := sha256.Sum256(out[:cut+16])
	copy(out[cut+16:], hash[:])
	sig, _ := sign(out[cut : cut+signedLen])
	copy(out[cut+signedLen:], sig)
	return out
}

// A file that is signed and wrong is refused for its form, not believed.
func TestSignedNonsenseIsRefused(t *testing.T) {
	good := pack(t, sample(Presentment))
	count := len(magic) + 1 + 16 + 9 + 9 + 4 + 4 + 2
	for why, spoil := range map[string]func(b []byte){
		"count too high":        func(b []byte) { b[count+3]++ },
		"count too low":         func(b []byte) { b[count+3]-- },
		"count absurd":          func(b []byte) { binary.BigEndian.PutUint32(b[count:], math.MaxUint32) },
		"trailer's count":       func(b []byte) { b[len(b)-trailerLen+7]++ },
		"trailer's sum":         func(b []byte) { b[len(b)-trailerLen+15]++ },
		"sum below zero":        func(b []byte) { b[len(b)-trailerLen+8] = 0x80 },
		"sequence zero":         func(b []byte) { b[count+7] = 0 },
		"sequence repeated":     func(b []byte) { b[count+7] = 2 },
		"an id that is made up": func(b []byte) { b[5] ^= 1 },
		"no such kind":          func(b []byte) { b[4] = 9 },
		"sender is no number":   func(b []byte) { b[count-19] = 'x' },
	} {
		bad := bytes.Clone(good)
		spoil(bad)
		if _, err := Decode(resign(bad), func(ident.Inst, []byte, []byte) error { return nil }); err == nil {
			t.Error(why)
		}
	}
	if _, err := Decode(resign(good), verify); err != nil {
		t.Errorf("signed again without change: %v", err)
	}
}

// Append refuses what Decode would refuse.
func TestAppendRefusesBadFiles(t *testing.T) {
	for why, spoil := range map[string]func(f *File){
		"no kind":                    func(f *File) { f.Header.Kind = 0 },
		"no date":                    func(f *File) { f.Header.Date = 20261301 },
		"sequence zero":              func(f *File) { f.Header.Sequence = 0 },
		"no currency":                func(f *File) { f.Header.Currency = 0 },
		"sender":                     func(f *File) { f.Header.From = "x" },
		"receiver":                   func(f *File) { f.Header.To = "" },
		"detail's acquirer":          func(f *File) { f.Details[0].Acquirer = "" },
		"detail's issuer":            func(f *File) { f.Details[0].Issuer = "" },
		"no record":                  func(f *File) { f.Details[0].Record = nil },
		"record too long":            func(f *File) { f.Details[0].Record = make([]byte, MaxRecord+1) },
		"amount below zero":          func(f *File) { f.Details[0].Gross = yuan(-1) },
		"foreign amount":             func(f *File) { f.Details[0].Gross = money.New(money.HKD, 1) },
		"fee below zero":             func(f *File) { f.Details[0].Fees.Interchange = yuan(-1) },
		"no verdict":                 func(f *File) { f.Details[0].Verdict = NoVerdict },
		"no reason":                  func(f *File) { f.Details[0].Reason = "" },
		"sequence falls":             func(f *File) { f.Details[1].Sequence = 1 },
		"sum overflows":              func(f *File) { f.Details[0].Gross, f.Details[1].Gross = yuan(math.MaxInt64), yuan(1) },
		"a presentment with verdict": func(f *File) { f.Header.Kind = Presentment },
	} {
		f := sample(Outcome)
		spoil(f)
		if out, err := Append([]byte("kept"), f, sign); err == nil || string(out) != "kept" {
			t.Errorf("%s: %v", why, err)
		}
	}
	if _, err := Append(nil, sample(Outcome), func([]byte) ([]byte, error) { return nil, errors.New("no key") }); err == nil {
		t.Error("unsigned")
	}
}

// Every name of a kind or verdict is a word.
func TestNames(t *testing.T) {
	if Presentment.String() != "presentment" || Kind(9).String() != "kind 9" || Clone.String() != "clone" || Verdict(9).String() != "verdict 9" {
		t.Error("names")
	}
}

func FuzzDecode(f *testing.F) {
	for _, k := range []Kind{Presentment, Outcome} {
		f.Add(pack(f, sample(k)))
	}
	f.Add([]byte(magic + Domain))
	trusting := func(ident.Inst, []byte, []byte) error { return nil }
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > trailerLen { // so that the fuzzer gets past the hash
			b = resign(b)
		}
		file, err := Decode(b, trusting)
		if err != nil {
			return
		}
		if again := pack(t, file); !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}
