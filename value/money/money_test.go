package money

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"jiaozi/value/lang"

	"pgregory.net/rapid"
)

var minor = rapid.OneOf(rapid.Int64(), rapid.Int64Range(-5, 5),
	rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1}))

// Goal: arithmetic is exact or refused. Method: compare with big integers.
func TestArithmeticIsExactOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := minor.Draw(t, "x"), minor.Draw(t, "y")
		a, b := New(CNY, Minor(x)), New(CNY, Minor(y))
		sum, err := a.Add(b)
		exact(t, "add", new(big.Int).Add(big.NewInt(x), big.NewInt(y)), sum, err)
		diff, err := a.Sub(b)
		exact(t, "sub", new(big.Int).Sub(big.NewInt(x), big.NewInt(y)), diff, err)
		neg, err := a.Neg()
		exact(t, "neg", new(big.Int).Neg(big.NewInt(x)), neg, err)
	})
}

func exact(t *rapid.T, op string, want *big.Int, got Amount, err error) {
	if !want.IsInt64() {
		if !errors.Is(err, ErrOverflow) {
			t.Fatalf("%s: overflow not refused: %v", op, err)
		}
		return
	}
	if err != nil || int64(got.Minor()) != want.Int64() {
		t.Fatalf("%s: got %d (%v), want %s", op, got.Minor(), err, want)
	}
}

// Goal: a fee is rounded half away from zero. Method: compare with rationals.
func TestRateRoundsHalfAwayFromZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, r := minor.Draw(t, "x"), rapid.Uint32().Draw(t, "ppm")
		n := new(big.Int).Mul(new(big.Int).Abs(big.NewInt(x)), big.NewInt(int64(r)))
		n.Add(n, big.NewInt(500_000)).Div(n, big.NewInt(1_000_000))
		if x < 0 {
			n.Neg(n)
		}
		if n.IsInt64() && n.Int64() == math.MinInt64 {
			t.Skip("the one magnitude that only a negative number has")
		}
		got, err := New(CNY, Minor(x)).Rate(RatePPM(r))
		exact(t, "rate", n, got, err)
	})
}

func TestCurrenciesDoNotMix(t *testing.T) {
	a, b := New(CNY, 1), New(HKD, 1)
	if _, err := a.Add(b); !errors.Is(err, ErrCurrency) {
		t.Fatal(err)
	}
	if _, err := a.Sub(b); !errors.Is(err, ErrCurrency) {
		t.Fatal(err)
	}
	if _, err := a.Cmp(b); !errors.Is(err, ErrCurrency) {
		t.Fatal(err)
	}
}

func TestTextAndN12ReadBackTheSameAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom([]Currency{CNY, JPY, HKD}).Draw(t, "currency")
		a := New(c, Minor(rapid.Int64Range(0, int64(MaxN12)).Draw(t, "minor")))
		if back, err := Parse(c, a.String()); err != nil || back != a {
			t.Fatalf("%s read back as %v (%v)", a, back, err)
		}
		n12, err := a.N12()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := FromN12(c, n12[:]); err != nil || back != a {
			t.Fatalf("n12 %x read back as %v (%v)", n12, back, err)
		}
	})
}

func TestWhatDoesNotFitN12IsRefused(t *testing.T) {
	for _, m := range []Minor{-1, MaxN12 + 1, math.MinInt64} {
		if _, err := New(CNY, m).N12(); !errors.Is(err, ErrOverflow) {
			t.Errorf("%d: %v", m, err)
		}
	}
	if _, err := FromN12(CNY, []byte{0, 0, 0, 0, 0, 0x1A}); err == nil {
		t.Error("a nibble above nine was taken")
	}
	if _, err := FromN12(CNY, []byte{0}); err == nil {
		t.Error("one byte was taken")
	}
}

func TestParseRefusesWhatIsNotAnAmount(t *testing.T) {
	for _, s := range []string{"", "-", ".", "1.", ".5", "1.234", "1e2", " 1", "1,000", "+1", "--1", "99999999999999999999"} {
		if a, err := Parse(CNY, s); err == nil {
			t.Errorf("%q read as %s", s, a)
		}
	}
	if a, err := Parse(JPY, "1.5"); err == nil {
		t.Errorf("yen have no decimals, read %s", a)
	}
}

func ExampleAmount_Format() {
	a := New(CNY, -123456789)
	fmt.Println(a, a.Format(lang.EN), a.Format(lang.ZH))
	fmt.Println(New(JPY, 1200).Format(lang.EN), New(CNY, 5).Format(lang.ZH))
	// Output:
	// -1234567.89 -CNY 1,234,567.89 -¥1,234,567.89
	// JPY 1,200 ¥0.05
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0", "12.34", "-0.01", "92233720368547758.07"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(CNY, s)
		if err != nil {
			return
		}
		if back, err := Parse(CNY, a.String()); err != nil || back != a {
			t.Fatalf("%q -> %s -> %v (%v)", s, a, back, err)
		}
	})
}
