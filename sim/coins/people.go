package coins

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"jiaozi/crypt/phrase"
	"jiaozi/crypt/pin"
	"jiaozi/node"
	"jiaozi/node/mintapi"
	"jiaozi/node/walletfile"
	"jiaozi/role/wallet"
	"jiaozi/sim/story"
	"jiaozi/value/lang"
	"jiaozi/value/reason"
	"jiaozi/wire/coin"
)

// openShops publishes the mint's keys and lets two shops take coins.
func openShops(ctx context.Context, s *stage) (result, error) {
	answer, err := node.MintKeys{}.Run(ctx, s.node)
	if err != nil {
		return result{}, err
	}
	for shop, mid := range shops {
		order := node.MerchantOrder{Account: s.named(shop), MID: mid, Groups: []string{}}
		if _, err := order.Run(ctx, s.node); err != nil {
			return result{}, err
		}
		if err := s.moveIn(ctx, shop, nil); err != nil {
			return result{}, err
		}
		s.people[shop].shop = s.named(shop)
	}
	n := answer.(node.PublishedKeys).Keys
	return story.Done(result{Detail: lang.Text{EN: fmt.Sprintf("%d keys, run %d", n, s.run), ZH: fmt.Sprintf("密钥 %d 个，第 %d 次运行", n, s.run)}}), nil
}

// openAccounts opens everybody's account at the bank and enrols his wallet.
func openAccounts(ctx context.Context, s *stage) (result, error) {
	total := s.none()
	for _, who := range cast {
		card, err := s.account(ctx, who.name, who.card)
		if err != nil {
			return result{}, fmt.Errorf("account of %s: %w", who.name, err)
		}
		if who.money != "" {
			amount, err := s.money(who.money)
			if err != nil {
				return result{}, err
			}
			if err := s.node.Deposit(ctx, s.named(who.name), amount, "opening-"+s.named(who.name)); err != nil {
				return result{}, err
			}
			if total, err = total.Add(amount); err != nil {
				return result{}, err
			}
		}
		if err := s.moveIn(ctx, who.name, card); err != nil {
			return result{}, fmt.Errorf("wallet of %s: %w", who.name, err)
		}
		if err := s.enrol(ctx, who.name); err != nil {
			return result{}, fmt.Errorf("enrol %s: %w", who.name, err)
		}
	}
	n := len(cast)
	return story.Done(result{Amount: total, Detail: lang.Text{EN: fmt.Sprintf("%d wallets", n), ZH: fmt.Sprintf("钱包 %d 个", n)}}), nil
}

// account opens an account, with a card or without.
func (s *stage) account(ctx context.Context, who string, withCard bool) (*node.WalletCard, error) {
	if !withCard {
		_, err := node.OpenAccount{Account: s.named(who)}.Run(ctx, s.node)
		return nil, err
	}
	made, err := s.node.IssueCard(ctx, node.CardOrder{Name: s.named(who), Account: s.named(who), PIN: cardPIN})
	if err != nil {
		return nil, err
	}
	digits, err := pin.Parse(cardPIN)
	return &node.WalletCard{Path: made.Path, Key: s.node.Key(), PIN: digits}, err
}

// moveIn makes a wallet file and fetches the mint's keys.
func (s *stage) moveIn(ctx context.Context, who string, card *node.WalletCard) error {
	secret, err := walletfile.Passphrase("the passphrase of "+s.named(who), 1)
	if err != nil {
		return err
	}
	p := &person{options: node.WalletOptions{Path: s.path(who), Secret: secret, Mint: s.line.at, Card: card, Currency: s.node.Currency(), Clock: s.clock}}
	if p.words, err = phrase.New(rand.Reader); err != nil {
		return err
	}
	if p.Purse, err = node.MakeWallet(p.options, p.words); err != nil {
		return err
	}
	s.people[who] = p
	return p.RefreshKeys(ctx)
}

func (s *stage) enrol(ctx context.Context, who string) error {
	code, err := node.EnrolOrder{Account: s.named(who)}.Run(ctx, s.node)
	if err != nil {
		return err
	}
	p := s.people[who]
	if err := p.Enrol(ctx, s.named(who), coin.EnrolCode(code.(node.EnrolCode).Code)); err != nil {
		return err
	}
	_, err = p.FillBlanks(ctx)
	return err
}

func withdraw(who, amount string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) { return s.withdraw(ctx, who, amount, false) }
}

func withdrawNotes(who, amount string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) { return s.withdraw(ctx, who, amount, true) }
}

func (s *stage) withdraw(ctx context.Context, who, text string, notes bool) (result, error) {
	p, err := s.person(who)
	if err != nil {
		return result{}, err
	}
	amount, err := s.money(text)
	if err != nil {
		return result{}, err
	}
	report, err := p.Withdraw(ctx, wallet.Order{Amount: amount, Notes: notes})
	if errors.Is(err, mintapi.ErrUnreachable) {
		return result{Ending: story.End(story.Unknown, reason.MintUnreachable), Amount: p.Balance().Pending, Detail: each("pending", "待定", p.Balance().Pending)}, nil
	}
	if err != nil {
		return result{}, err
	}
	return story.Done(result{Amount: report.Withdrawn, Detail: s.holding(p)}), nil
}

func (s *stage) holding(p *person) lang.Text {
	n := len(p.Coins())
	return lang.Text{EN: fmt.Sprintf("coins: %d", n), ZH: fmt.Sprintf("电子币 %d 枚", n)}
}

// withdrawDeaf plays a withdrawal whose answers never arrive.
func withdrawDeaf(who, amount string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		defer s.line.be(deaf)()
		return s.withdraw(ctx, who, amount, false)
	}
}

// resume ends what is pending, and looks whether the wallet then holds the sum.
func resume(who, want string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		p, err := s.person(who)
		if err != nil {
			return result{}, err
		}
		if _, err := p.Resume(ctx); err != nil {
			return result{}, err
		}
		if err := s.holds(p, want); err != nil {
			return result{}, err
		}
		return story.Done(result{Amount: p.Balance().Available, Detail: s.holding(p)}), nil
	}
}

// holds compares what can be paid, when nothing should be pending.
func (s *stage) holds(p *person, text string) error {
	want, err := s.money(text)
	if err != nil {
		return err
	}
	if b := p.Balance(); b.Available != want || !b.Pending.IsZero() {
		return fmt.Errorf("%w: %s available, %s pending, not %s", errShort, b.Available, b.Pending, want)
	}
	return nil
}
