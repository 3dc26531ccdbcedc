package coins

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"jiaozi/crypt/brands"
	"jiaozi/node"
	"jiaozi/node/durable"
	"jiaozi/sim/story"
	"jiaozi/value/lang"
	"jiaozi/wire/coin"
)

// copyWallet opens a copy of somebody's wallet file, and of the card if there is
// one: every bit of it, as an attacker would get who reads out the chip.
func (s *stage) copyWallet(who string) error {
	p, err := s.person(who)
	if err != nil {
		return err
	}
	twin := &person{options: p.options, words: p.words}
	twin.options.Path = s.path(who + "-copy")
	if err := copyFile(p.options.Path, twin.options.Path); err != nil {
		return err
	}
	if p.options.Card != nil {
		card := *p.options.Card
		card.Path = filepath.Join(s.dir, who+"-copy.card")
		if err := copyFile(p.options.Card.Path, card.Path); err != nil {
			return err
		}
		twin.options.Card = &card
	}
	if twin.Purse, err = node.OpenWallet(twin.options); err != nil {
		return fmt.Errorf("copy of %s: %w", who, err)
	}
	s.people[who+"-copy"] = twin
	return nil
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return durable.WriteFile(to, b, 0o600)
}

// payAndCopy copies somebody's wallet a moment before it pays.
func payAndCopy(from, to, amount string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		if err := s.copyWallet(from); err != nil {
			return result{}, err
		}
		return pay(from, to, amount)(ctx, s)
	}
}

// withoutCard has a wallet pay whose card stays at home.
func withoutCard(from, to, amount string) playFunc {
	return func(_ context.Context, s *stage) (result, error) {
		p, err := s.person(from)
		if err != nil {
			return result{}, err
		}
		payee, err := s.person(to)
		if err != nil {
			return result{}, err
		}
		if err := p.Close(); err != nil {
			return result{}, err
		}
		alone := &person{options: p.options}
		alone.options.Card = nil
		if alone.Purse, err = node.OpenWallet(alone.options); err != nil {
			return result{}, err
		}
		r, err := s.pay(alone, payee, amount)
		if err != nil {
			return r, err
		}
		if err := alone.Close(); err != nil {
			return r, err
		}
		p.Purse, err = node.OpenWallet(p.options)
		return r, err
	}
}

// namedAll checks every proof of this run as a stranger would, with nothing but the
// mint's published keys, and that they name those who cheated and nobody else.
func namedAll(ctx context.Context, s *stage) (result, error) {
	now, err := s.read(ctx)
	if err != nil {
		return result{}, err
	}
	raw, err := s.mint.Keys(ctx)
	if err != nil {
		return result{}, err
	}
	published, err := coin.Parse[coin.Keys](raw)
	if err != nil {
		return result{}, err
	}
	named := map[string]bool{}
	for _, g := range now.guilt {
		if slices.ContainsFunc(s.began.guilt, func(had node.GuiltState) bool { return string(had.File) == string(g.File) }) {
			continue
		}
		if err := proves(published, g.File); err != nil {
			return result{}, fmt.Errorf("%w: a proof against %s: %w", node.ErrIntegrity, g.Account, err)
		}
		s.summary.DoubleSpends++
		named[g.Account] = true
	}
	return s.verdict(named)
}

// verdict compares who is named with who cheated.
func (s *stage) verdict(named map[string]bool) (result, error) {
	s.summary.Named, s.summary.AccusedHonest = len(named), len(named)
	var away []string
	for _, who := range cheats {
		if named[s.named(who)] {
			s.summary.AccusedHonest--
		} else {
			away = append(away, who)
		}
	}
	if s.summary.AccusedHonest > 0 {
		return result{}, fmt.Errorf("%w: somebody honest is accused: %v", node.ErrIntegrity, named)
	}
	if len(away) > 0 {
		return result{}, fmt.Errorf("%w: %v paid twice and are not named", story.ErrAstray, away)
	}
	n, coins := s.summary.Named, s.summary.DoubleSpends
	return story.Done(result{Detail: lang.Text{
		EN: fmt.Sprintf("%d coins, %d people, nobody else", coins, n), ZH: fmt.Sprintf("%d 枚电子币，%d 人，别无他人", coins, n)}}), nil
}

// proves checks a proof of guilt.
func proves(published *coin.Keys, file []byte) error {
	f, err := coin.Parse[coin.GuiltFile](file)
	if err != nil {
		return err
	}
	if err := f.Verify(published.Sign); err != nil {
		return err
	}
	if !slices.ContainsFunc(published.Keys, func(k []byte) bool { return string(k) == string(f.Key) }) {
		return brands.ErrUnknownKey
	}
	key, err := brands.ParsePublicKey(f.Key)
	if err != nil {
		return err
	}
	guilt, err := brands.ParseGuilt(f.Guilt)
	if err != nil {
		return err
	}
	who, err := guilt.VerifyVartime(brands.RingOf(key))
	if err == nil && who.Bytes() != f.Identity {
		err = brands.ErrTrace
	}
	return err
}
