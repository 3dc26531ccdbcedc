package coins

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"jiaozi/role/wallet"
	"jiaozi/sim/story"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/coin"
)

// pay plays a payment between two people who meet, without the mint.
func pay(from, to, amount string) playFunc {
	return func(_ context.Context, s *stage) (result, error) {
		payer, err := s.person(from)
		if err != nil {
			return result{}, err
		}
		payee, err := s.person(to)
		if err != nil {
			return result{}, err
		}
		return s.pay(payer, payee, amount)
	}
}

// payWithChange is pay by somebody who must get change.
func payWithChange(from, to, amount string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		s.change = s.none()
		r, err := pay(from, to, amount)(ctx, s)
		if err == nil && s.change.IsZero() {
			err = fmt.Errorf("%w: there was no change", story.ErrAstray)
		}
		return r, err
	}
}

// payRefreshed is pay at a payee who fetches the mint's newest keys before.
func payRefreshed(from, to, amount string) playFunc {
	return func(ctx context.Context, s *stage) (result, error) {
		payee, err := s.person(to)
		if err != nil {
			return result{}, err
		}
		if err := payee.RefreshKeys(ctx); err != nil {
			return result{}, err
		}
		return pay(from, to, amount)(ctx, s)
	}
}

// lifetime is how long a request is good, in seconds.
const lifetime = 900

func (s *stage) pay(from, to *person, text string) (result, error) {
	defer s.line.be(cut)()
	amount, err := s.money(text)
	if err != nil {
		return result{}, err
	}
	request, err := to.Ask(wallet.Demand{Amount: amount, Lifetime: lifetime, Deposit: to.shop != "", Payee: to.shop})
	if err != nil {
		return result{}, err
	}
	return s.answer(from, to, amount, request)
}

// payWaiting answers the request that somebody could not pay a moment ago.
func payWaiting(from, to, amount string) playFunc {
	return func(_ context.Context, s *stage) (result, error) {
		payer, err := s.person(from)
		if err != nil {
			return result{}, err
		}
		payee, err := s.person(to)
		if err != nil {
			return result{}, err
		}
		sum, err := s.money(amount)
		if err != nil {
			return result{}, err
		}
		defer s.line.be(cut)()
		return s.answer(payer, payee, sum, s.waiting)
	}
}

// answer carries request, payment and receipt between the two.
func (s *stage) answer(from, to *person, amount money.Amount, request []byte) (result, error) {
	request, err := shown(request)
	if err != nil {
		return result{}, err
	}
	payment, err := from.Pay(request)
	s.waiting = request
	if why := refusal(err); why != "" {
		return result{Ending: story.End(story.Declined, why), Amount: amount}, nil
	}
	if err != nil {
		return result{}, err
	}
	if payment, err = shown(payment); err != nil {
		return result{}, err
	}
	got, err := to.Receive(payment)
	if err != nil {
		return result{}, err
	}
	receipt, err := shown(got.Receipt)
	if err != nil {
		return result{}, err
	}
	change, err := from.TakeReceipt(receipt)
	if err != nil {
		return result{}, err
	}
	s.change = change
	r := story.Done(result{Amount: amount, Detail: pictures(payment)})
	if !change.IsZero() {
		r.Detail = each("change", "找零", change)
	}
	return r, nil
}

// refusal is why a wallet does not pay; "" if it does, or if the story went wrong.
func refusal(err error) reason.Code {
	switch {
	case errors.Is(err, wallet.ErrNeedsCard):
		return reason.CardNeeded
	case errors.Is(err, wallet.ErrRestored):
		return reason.AskMintFirst
	}
	return ""
}

// shown carries a message as people do: as texts small enough for pictures, seen in
// any order.
func shown(message []byte) ([]byte, error) {
	m, err := coin.Decode(message)
	if err != nil {
		return nil, err
	}
	parts, err := coin.Parts(m, coin.ScreenChars)
	if err != nil {
		return nil, err
	}
	var c coin.Collector
	for _, text := range slices.Backward(parts) {
		if m, err = c.Add(text); err != nil {
			return nil, err
		}
	}
	return coin.Append(nil, m)
}

// pictures says how large a payment is.
func pictures(payment []byte) lang.Text {
	m, err := coin.Parse[coin.Payment](payment)
	if err != nil {
		return lang.Text{}
	}
	parts, err := coin.Parts(m, coin.ScreenChars)
	if err != nil {
		return lang.Text{}
	}
	return lang.Text{EN: fmt.Sprintf("coins: %d, pictures: %d", len(m.Items), len(parts)), ZH: fmt.Sprintf("电子币 %d 枚，二维码 %d 幅", len(m.Items), len(parts))}
}
