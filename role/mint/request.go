package mint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jiaozi/book"
	"jiaozi/crypt/brands"
	"jiaozi/value/lang"
	"jiaozi/wire/coin"
)

// Serve answers one message with one message. Bytes that are no message, or one
// that nobody sends to a mint, get a Failure; an error means that the mint could
// not decide, and Failure makes an answer of it. Nothing is lost then: the same
// request again gets the answer.
func (m *Mint) Serve(ctx context.Context, raw []byte, now time.Time) ([]byte, error) {
	request, err := coin.Decode(raw)
	if err != nil {
		code := coin.Malformed
		if errors.Is(err, coin.ErrTooLarge) {
			code = coin.TooLarge
		}
		return coin.Append(nil, refuse(code))
	}
	answer, err := m.Handle(ctx, request, now)
	if err != nil {
		return nil, err
	}
	return coin.Append(nil, answer)
}

// Handle is Serve for messages that were decoded: Ask, Signed requests of an
// account, and Deposit, which needs no signature, because the coins themselves say whom
// they pay.
func (m *Mint) Handle(ctx context.Context, request coin.Message, now time.Time) (coin.Message, error) {
	if err := sane(now); err != nil {
		return nil, err
	}
	switch q := request.(type) {
	case *coin.Ask:
		return m.tell(ctx, q, now)
	case *coin.Deposit:
		return m.deposit(ctx, q, now)
	case *coin.Signed:
		return m.signed(ctx, q, now)
	}
	return refuse(coin.Malformed), nil
}

// tell answers what anybody may ask.
func (m *Mint) tell(ctx context.Context, q *coin.Ask, now time.Time) (coin.Message, error) {
	if q.What == coin.TypeStatus {
		return m.Status(ctx, now)
	}
	return m.Keys(ctx, now)
}

// Failure is the answer to a request that met a fault.
func Failure(err error) *coin.Failure {
	switch {
	case errors.Is(err, ErrBusy), errors.Is(err, book.ErrBusy):
		return refuse(coin.Busy)
	case errors.Is(err, book.ErrFull), errors.Is(err, book.ErrUnknown), errors.Is(err, book.ErrStopped), errors.Is(err, book.ErrClosed),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return refuse(coin.Unavailable)
	}
	return refuse(coin.Internal)
}

func refuse(code coin.Code) *coin.Failure {
	return &coin.Failure{Code: code, Text: code.Text(lang.EN)}
}

// signed answers an account's owner. A request that is sent again, by him or by
// somebody who listened, gets the first answer and moves nothing: so the serial is
// signed for the wallet's own order, and the mint need not remember it.
func (m *Mint) signed(ctx context.Context, s *coin.Signed, now time.Time) (coin.Message, error) {
	if now.Sub(time.Unix(s.Time, 0)).Abs() > m.cfg.Tolerance {
		return refuse(coin.ClockOff), nil
	}
	if e, ok := s.Body.(*coin.Enrol); ok {
		if s.Verify(m.cfg.Network, e.AuthKey) != nil {
			return refuse(coin.BadSignature), nil
		}
		return m.enrol(ctx, s, e, now)
	}
	identity, err := brands.ParseElement(s.Account[:])
	if err != nil {
		return refuse(coin.UnknownAccount), nil
	}
	h, err := m.holder(ctx, identity)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return refuse(coin.UnknownAccount), nil
	}
	if s.Verify(m.cfg.Network, h.auth) != nil {
		return refuse(coin.BadSignature), nil
	}
	switch q := s.Body.(type) {
	case *coin.Commit:
		return m.commit(ctx, h, q, now)
	case *coin.Challenge:
		return m.challenge(ctx, h, q, now)
	case *coin.Recover:
		return m.recover(ctx, h, q, now)
	case *coin.Claim:
		return m.claim(ctx, h, q, now)
	case *coin.Deposit:
		return m.deposit(ctx, q, now)
	}
	return refuse(coin.Malformed), nil
}

// busy ends a decision that others overtook too often.
func (m *Mint) busy(what string) error { return fmt.Errorf("%s: %w", what, ErrBusy) }
