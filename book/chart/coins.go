package chart

import (
	"strconv"
	"strings"

	"jiaozi/book"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// Accounts of the mint.
const (
	KindCoins        = "coins"
	KindCoinsDue     = "coinsdue"
	KindCoinSuspense = "coinsuspense"
	KindCoinCount    = "coincount"
	KindCoinCounted  = "coincounted"
)

// ExpiredCoins is the income from coins that nobody brought back in time.
const ExpiredCoins Fee = "expiredcoins"

// Events of the mint.
const (
	EventCoinIssue        = "coin-issue"
	EventCoinDeposit      = "coin-deposit"
	EventCoinClaim        = "coin-claim"
	EventCoinClaimedSpent = "coin-claimed-spent"
	EventCoinExpire       = "coin-expire"
	EventCoinDue          = "coin-due"
)

// Place says on which shard of the book an account of the mint lives. The zero
// Place is the whole book: one shard. In a book of many, each shard has such an
// account of its own, in the shard's home part, and the account of the scheme is
// the sum of them.
type Place struct {
	part  uint16
	split bool
}

// PlaceAt is the place of the shard whose home is part.
func PlaceAt(part uint16) Place { return Place{part: part % book.Parts, split: true} }

// placeMark stands before the part at the end of a name's detail.
const placeMark = "@"

func (p Place) mark() string {
	if !p.split {
		return ""
	}
	return placeMark + strconv.Itoa(int(p.part))
}

// placed is where an account with this name lives, if its kind has places.
func placed(name string) (Place, bool) {
	if !strings.Contains(name, placeMark) {
		return Place{}, false
	}
	_, kind, detail, _ := Name(name)
	switch kind {
	case KindCoins, KindCoinsDue, KindCoinSuspense, KindCoinCount, KindCoinCounted, KindIncome:
	default:
		return Place{}, false // a customer may have an @ in the number
	}
	_, number, found := strings.Cut(detail, placeMark)
	part, err := strconv.ParseUint(number, 10, 12)
	return PlaceAt(uint16(part)), found && err == nil
}

// Split reports whether a name is that of one shard's part of an account. Only the
// sum over all shards has a side.
func Split(name string) bool {
	_, ok := placed(name)
	return ok
}

// CoinKey is a denomination of one epoch as the accounts know it.
type CoinKey struct {
	Issuer ident.Inst
	Epoch  uint32 // such as 202611
	Name   string // of the key, unique in its epoch
	Place  Place
}

// Coins is what the issuer owes the bearers of an epoch's coins: the coins
// outstanding. In a book of one shard it must be covered, so that no forgery,
// whatever breaks, pays out more than was paid in. In a book of many a coin is
// issued on one shard and comes back on another one, so only the sum is covered.
func Coins(issuer ident.Inst, epoch uint32, p Place, c money.Currency) book.Account {
	a := open(book.Credit, c, string(issuer), KindCoins, epochName(epoch)+p.mark())
	a.NeverNegative = !p.split
	return a
}

// CoinsDue is what a shard owes other shards for coins that came back on it, less
// what it paid for them. The sum over all shards is what is on its way.
func CoinsDue(issuer ident.Inst, p Place, c money.Currency) book.Account {
	return open(book.Credit, c, string(issuer), KindCoinsDue, p.mark())
}

// CoinSuspense is what the issuer paid for coins that their owners had claimed as
// lost before, and whose accounts did not hold it any more.
func CoinSuspense(issuer ident.Inst, p Place, c money.Currency) book.Account {
	return open(book.Debit, c, string(issuer), KindCoinSuspense, p.mark())
}

// CoinIncome is what the issuer earned by coins that expired.
func CoinIncome(issuer ident.Inst, p Place, c money.Currency) book.Account {
	return open(book.Credit, c, string(issuer), KindIncome, string(ExpiredCoins)+p.mark())
}

// Memorandum accounts only count: the face value of all coins of a key that were
// ever issued, and that ever came back; and what expired of an epoch. They prove
// what is outstanding a second time, coin by coin.

// CoinsIssued counts the coins of a key that were issued.
func CoinsIssued(k CoinKey, c money.Currency) book.Account { return k.count("issued", c) }

// CoinsDeposited counts the coins of a key that came back: deposited or claimed.
func CoinsDeposited(k CoinKey, c money.Currency) book.Account { return k.count("deposited", c) }

// CoinsExpired counts what expired of an epoch.
func CoinsExpired(issuer ident.Inst, epoch uint32, p Place, c money.Currency) book.Account {
	return CoinKey{Issuer: issuer, Epoch: epoch, Place: p}.count("expired", c)
}

func (k CoinKey) count(what string, c money.Currency) book.Account {
	detail := []string{epochName(k.Epoch)}
	if k.Name != "" {
		detail = append(detail, k.Name)
	}
	return open(book.Debit, c, append([]string{string(k.Issuer), KindCoinCount}, append(detail, what+k.Place.mark())...)...)
}

// counted is the other side of all counts of an epoch.
func counted(issuer ident.Inst, epoch uint32, p Place, c money.Currency) book.Account {
	return open(book.Credit, c, string(issuer), KindCoinCounted, epochName(epoch)+p.mark())
}

func epochName(epoch uint32) string { return strconv.FormatUint(uint64(epoch), 10) }

// CoinIssue: a wallet withdraws a coin or a note from its account.
//
//	Dr Customer      Cr Coins
//	Dr CoinsIssued   Cr counted
func CoinIssue(k CoinKey, account string, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventCoinIssue,
		dr(Customer(k.Issuer, account, c), amount),
		cr(Coins(k.Issuer, k.Epoch, k.Place, c), amount),
		dr(CoinsIssued(k, c), amount),
		cr(counted(k.Issuer, k.Epoch, k.Place, c), amount))
}

// CoinDeposit: a coin comes back, for the account that it was paid to, or for
// CoinsDue if that account lives on another shard.
//
//	Dr Coins            Cr Customer, Merchant or CoinsDue
//	Dr CoinsDeposited   Cr counted
func CoinDeposit(k CoinKey, to book.Account, amount money.Amount) book.Posting {
	return k.back(EventCoinDeposit, to, amount)
}

// CoinClaim: the owner of a lost wallet claims a coin back that was not deposited.
//
//	Dr Coins            Cr Customer or CoinsDue
//	Dr CoinsDeposited   Cr counted
func CoinClaim(k CoinKey, to book.Account, amount money.Amount) book.Posting {
	return k.back(EventCoinClaim, to, amount)
}

func (k CoinKey) back(event string, to book.Account, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(event,
		dr(Coins(k.Issuer, k.Epoch, k.Place, c), amount),
		cr(to, amount),
		dr(CoinsDeposited(k, c), amount),
		cr(counted(k.Issuer, k.Epoch, k.Place, c), amount))
}

// CoinClaimedSpent: a coin is deposited that its owner had claimed before, and had
// also paid before. The payee is paid by the claimant, or out of suspense if the
// claimant's account does not hold it any more.
//
//	Dr Customer, CoinSuspense or CoinsDue   Cr Customer, Merchant or CoinsDue
func CoinClaimedSpent(from, to book.Account, amount money.Amount) book.Posting {
	return post(EventCoinClaimedSpent, dr(from, amount), cr(to, amount))
}

// CoinExpire: the time to bring coins back is over; what is left of an epoch is
// the issuer's. On one shard of many the amount may be negative.
//
//	Dr Coins          Cr CoinIncome
//	Dr CoinsExpired   Cr counted
func CoinExpire(issuer ident.Inst, epoch uint32, p Place, amount money.Amount) book.Posting {
	c := amount.Currency()
	return post(EventCoinExpire,
		dr(Coins(issuer, epoch, p, c), amount),
		cr(CoinIncome(issuer, p, c), amount),
		dr(CoinsExpired(issuer, epoch, p, c), amount),
		cr(counted(issuer, epoch, p, c), amount))
}

// CoinDuePaid: the payee's shard pays for a coin that came back on another one.
//
//	Dr CoinsDue   Cr Customer or Merchant
func CoinDuePaid(issuer ident.Inst, p Place, to book.Account, amount money.Amount) book.Posting {
	return post(EventCoinDue, dr(CoinsDue(issuer, p, amount.Currency()), amount), cr(to, amount))
}

// CoinDueCollected: the claimant's shard gives back what a claimed coin paid that
// was deposited on another one.
//
//	Dr Customer or CoinSuspense   Cr CoinsDue
func CoinDueCollected(issuer ident.Inst, p Place, from book.Account, amount money.Amount) book.Posting {
	return post(EventCoinDue, dr(from, amount), cr(CoinsDue(issuer, p, amount.Currency()), amount))
}
