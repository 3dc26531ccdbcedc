package brands

import (
	"bytes"
	"fmt"
)

// Guilt is the proof that a coin of a chain, or a node of a note, was paid twice, for anyone to check without the mint: two
// points of one line under the mint's signature. Who can make them knows the owner's secret, and after the proof at
// opening nobody but the owner does.
//
// That is so for the first Guilt against an account. It gives the secret away, so that the mint could make up more in the
// same name; what it says later stands on its journal alone.
type Guilt struct {
	Coin          Coin
	Branch        *Branch // of the node; nil unless the coin is a note
	First, Second Point3  // the one with the smaller abscissa first
}

// newGuiltVartime puts two points in order. It fails if they are not two points of the line of this coin or node, so that
// points of different lines, compared by mistake, accuse nobody.
func newGuiltVartime(coin *Coin, branch *Branch, a, b Point3) (*Guilt, error) {
	if bytes.Compare(a.D.enc[:], b.D.enc[:]) > 0 {
		a, b = b, a
	}
	g := &Guilt{Coin: *coin, Branch: branch, First: a, Second: b}
	if _, err := g.traceVartime(); err != nil {
		return nil, err
	}
	return g, nil
}

// Append adds the encoding: coin (208 bytes), two points (96 each), and for a note the branch.
func (g *Guilt) Append(b []byte) []byte {
	b = g.Second.Append(g.First.Append(g.Coin.Append(b)))
	if g.Branch != nil {
		b = g.Branch.append(b)
	}
	return b
}

// ParseGuilt reads exactly one proof, at most 1 KiB. It checks nothing but the form.
func ParseGuilt(b []byte) (*Guilt, error) {
	const fixed = CoinSize + 2*PointSize
	if len(b) < fixed {
		return nil, fmt.Errorf("proof of guilt cut short at %d bytes: %w", len(b), ErrEncoding)
	}
	var g Guilt
	var err error
	if g.Coin, err = ParseCoin(b[:CoinSize]); err != nil {
		return nil, fmt.Errorf("coin in a proof of guilt: %w", err)
	}
	if g.First, err = ParsePoint3(b[CoinSize : CoinSize+PointSize]); err != nil {
		return nil, fmt.Errorf("first point in a proof of guilt: %w", err)
	}
	if g.Second, err = ParsePoint3(b[CoinSize+PointSize : fixed]); err != nil {
		return nil, fmt.Errorf("second point in a proof of guilt: %w", err)
	}
	if bytes.Compare(g.First.D.enc[:], g.Second.D.enc[:]) >= 0 {
		return nil, fmt.Errorf("points in a proof of guilt out of order: %w", ErrEncoding)
	}
	if len(b) == fixed {
		return &g, nil
	}
	branch, rest, err := parseBranch(b[fixed:])
	if err != nil {
		return nil, fmt.Errorf("branch in a proof of guilt: %w", err)
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%d bytes after a proof of guilt: %w", len(rest), ErrEncoding)
	}
	g.Branch = &branch
	return &g, nil
}

// VerifyVartime checks the proof and gives the account that it names. Keys are those that the mint published; nothing else
// is needed.
func (g *Guilt) VerifyVartime(keys Keys) (Element, error) {
	key, ok := keys.Key(g.Coin.Key())
	if !ok {
		return Element{}, fmt.Errorf("coin of key %v: %w", g.Coin.Key(), ErrUnknownKey)
	}
	if err := g.Coin.VerifyVartime(key); err != nil {
		return Element{}, err
	}
	if g.Branch == nil && key.info.Kind == KindNote {
		return Element{}, fmt.Errorf("a note without the node that was paid twice: %w", ErrKind)
	}
	if g.Branch != nil {
		if err := g.Branch.check(&g.Coin, key.info); err != nil {
			return Element{}, err
		}
	}
	return g.traceVartime()
}

// traceVartime gives whom the two points name, if they lie on the line of the coin, or of the node.
func (g *Guilt) traceVartime() (Element, error) {
	line, err := g.line()
	if err != nil {
		return Element{}, err
	}
	for _, p := range []Point3{g.First, g.Second} {
		if point := onLine(&g.Coin.a, &line, p); point.checkVartime() != nil {
			return Element{}, ErrLine
		}
	}
	who, _, err := TraceVartime(g.First, g.Second)
	return who, err
}

// line is the B that both points must lie on.
func (g *Guilt) line() (Element, error) {
	if g.Branch != nil {
		return g.Branch.B, nil
	}
	return g.Coin.lineB()
}
