package wallet

import (
	"errors"
	"fmt"

	"jiaozi/crypt/brands"
	"jiaozi/wire/coin"
)

// Errors on which a caller acts. The words say what to do.
var (
	ErrState     = errors.New("the wallet's state is damaged: keep a copy, and restore from a backup or from the 24 words")
	ErrExists    = errors.New("there is a wallet in this place already: open it, or choose another place")
	ErrNone      = errors.New("there is no wallet in this place: make one or restore one first")
	ErrOther     = errors.New("the wallet belongs to another currency or scheme: open it with its own settings")
	ErrNetwork   = errors.New("the mint speaks for another scheme of coins than this wallet's: it has changed or is the wrong one; nothing was taken over")
	ErrClock     = errors.New("this clock and the mint's are too far apart: set the clock and try again")
	ErrKeys      = errors.New("the mint's keys cannot be used")
	ErrNoKeys    = errors.New("the wallet does not know the mint's keys yet: refresh them first")
	ErrNotOpen   = errors.New("the wallet has no account at the mint: enrol first")
	ErrOpen      = errors.New("the wallet has an account at the mint already")
	ErrOffline   = errors.New("the mint cannot be reached: what was begun is kept and ends with the next Resume")
	ErrAmount    = errors.New("the mint makes no coins for this amount")
	ErrFunds     = errors.New("the coins that can be paid here do not reach: withdraw more, or take coins of the right group")
	ErrManyCoins = errors.New("the payment would take more coins than one may hold: exchange small coins first, or pay in two parts")
	ErrRestored  = errors.New("the wallet was restored and has not asked the mint yet: refresh it online before it pays")
	ErrExpired   = errors.New("the request's time is over: ask for a new one")
	ErrRequest   = errors.New("the request cannot be paid")
	ErrPayment   = errors.New("the payment is refused and nothing of it was kept")
	ErrNoRequest = errors.New("no such request is known here")
	ErrAnswered  = errors.New("the request was paid already by another payment: ask for a new request")
	ErrNoChange  = errors.New("the exact change is not there: withdraw small coins and take the same payment again, or ask for the exact amount")
	ErrNoBlanks  = errors.New("no blanks are left to receive with: withdraw, which fills them up")
	ErrReceipt   = errors.New("the receipt does not fit the payment")
	ErrNeedsCard = errors.New("these coins are paid with their card only: bring the card")
	ErrOtherCard = errors.New("this is not the card that the wallet was made with")
	ErrPending   = errors.New("the payment may still be taken: wait until its request has expired")
	ErrNothing   = errors.New("there is nothing to do")
)

// Why a payment is refused; all of them are ErrPayment.
var (
	errAmount = fmt.Errorf("the amounts do not agree: %w", ErrPayment)
	errBlank  = fmt.Errorf("a blank receives once: %w", ErrPayment)
	errTwice  = fmt.Errorf("the same coin was paid here before: %w", ErrPayment)
	errGroup  = fmt.Errorf("good at other merchants: %w", ErrPayment)
	errDated  = fmt.Errorf("not good now: %w", ErrPayment)
)

// codes tell the payer why. The first that fits is said.
var codes = []struct {
	err  error
	code coin.Code
}{
	{ErrNoRequest, coin.UnknownRequest}, {ErrAnswered, coin.UnknownRequest}, {ErrExpired, coin.Expired}, {ErrNoChange, coin.NoChange},
	{ErrRestored, coin.NoChange}, {errAmount, coin.WrongAmount}, {errBlank, coin.BlankUsed}, {errTwice, coin.DoubleSpent},
	{errGroup, coin.GroupMismatch}, {errDated, coin.Expired}, {brands.ErrUnknownKey, coin.UnknownKey},
}

// codeOf turns an error into what the payer is told.
func codeOf(err error) coin.Code {
	for _, row := range codes {
		if errors.Is(err, row.err) {
			return row.code
		}
	}
	return coin.Invalid
}

// Refusal is the mint's or the payee's no. Code says why and what to do.
type Refusal struct {
	Code coin.Code
	Text string // what the code cannot say
}

// Error is the stable name and the words.
func (r *Refusal) Error() string {
	if r.Text == "" {
		return fmt.Sprintf("refused (%v): %s", r.Code, r.Code.Text(0))
	}
	return fmt.Sprintf("refused (%v): %s", r.Code, r.Text)
}

// again reports whether the same request may succeed later: nothing was decided.
func again(c coin.Code) bool {
	switch c {
	case coin.Busy, coin.Unavailable, coin.Internal, coin.ClockOff, coin.StaleSerial, coin.BadSignature, coin.NotYet, coin.UnknownAccount, coin.AccountClosed, coin.Malformed, coin.TooLarge:
		return true
	}
	return false
}
