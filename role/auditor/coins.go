package auditor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"jiaozi/book"
	"jiaozi/book/chart"
	"jiaozi/crypt/brands"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// The audit of coins takes nothing from the mint but its journal: it counts every
// coin that was issued, came back or expired, entry by entry, and compares that
// with the mint's accounts; it asks of every payment for a coin which spent key it
// took, and of every spent key what was paid for it; and it checks every proof of
// guilt as a stranger would.

// Mint says whose coins are audited.
type Mint struct {
	Inst    ident.Inst
	Network brands.Network
	Sign    [32]byte // its Ed25519 key, under which it signs guilt
}

// CoinTotal is one epoch in one currency, recomputed from the journal: Issued -
// Deposited - Expired = Outstanding.
type CoinTotal struct {
	Epoch       uint32
	Currency    money.Currency
	Issued      money.Amount
	Deposited   money.Amount // claimed coins too
	Expired     money.Amount
	Outstanding money.Amount
	DoubleSpent int // coins that were paid twice, each with its proof of guilt
	Named       int // accounts that these proofs name
}

// epochKey is an epoch in one currency.
type epochKey struct {
	epoch    uint32
	currency money.Currency
}

// coinAccount is an account of the mint, taken apart.
type coinAccount struct {
	kind  string // chart.KindCoins or chart.KindCoinCount; "" for any other account
	epoch uint32
	key   string // KindCoinCount: of which key; "" for what expired
	what  string // KindCoinCount: issued, deposited, expired
}

// tally counts one key's coins.
type tally struct{ issued, back money.Amount }

// mintAudit is the part of an audit that looks at coins.
type mintAudit struct {
	*audit
	mint     *Mint
	root     string // of the mint's spaces
	accounts map[book.AccountID]coinAccount
	keys     map[string]*brands.PublicKey // by the text of the id
	epochs   map[epochKey]*CoinTotal
	tallies  map[string]*tally
	guilt    map[string][]byte // the newest record of each coin
	named    map[epochKey]map[string]bool
}

// coins audits the mint, if there is one.
func (a *audit) coins(ctx context.Context) error {
	if a.evidence.Mint == nil || a.evidence.Journal == nil {
		return nil
	}
	m := &mintAudit{
		audit: a, mint: a.evidence.Mint, root: "mint/" + string(a.evidence.Mint.Inst) + "/", accounts: map[book.AccountID]coinAccount{},
		keys: map[string]*brands.PublicKey{}, epochs: map[epochKey]*CoinTotal{}, tallies: map[string]*tally{}, guilt: map[string][]byte{},
		named: map[epochKey]map[string]bool{},
	}
	rows := a.evidence.Book.Books.Accounts()
	for _, row := range rows {
		m.accounts[row.ID] = coinAccountOf(row.Name)
	}
	err := a.evidence.Journal.Journal(ctx, 0, func(b book.Batch) error {
		for i := range b.Entries {
			if b.Entries[i].Result.Code == book.OK {
				m.entry(fmt.Sprintf("batch %d entry %d", b.Seq, i), &b.Entries[i].Command)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the journal for coins: %w", err)
	}
	m.compare(rows)
	m.forged()
	m.guilts()
	m.finish()
	return nil
}

// coinAccountOf takes a name apart; see book/chart/coins.go.
func coinAccountOf(name string) coinAccount {
	_, kind, detail, ok := chart.Name(name)
	if !ok || kind != chart.KindCoins && kind != chart.KindCoinCount {
		return coinAccount{}
	}
	detail, _, _ = strings.Cut(detail, "@")
	parts := strings.Split(detail, "/")
	epoch, err := strconv.ParseUint(parts[0], 10, 32)
	if err != nil {
		return coinAccount{}
	}
	a := coinAccount{kind: kind, epoch: uint32(epoch)}
	switch {
	case kind == chart.KindCoins:
	case len(parts) == 2:
		a.what = parts[1]
	case len(parts) == 3:
		a.key, a.what = parts[1], parts[2]
	}
	return a
}

func (m *mintAudit) epoch(number uint32, c money.Currency) *CoinTotal {
	k := epochKey{number, c}
	if m.epochs[k] == nil {
		z := money.Zero(c)
		m.epochs[k] = &CoinTotal{Epoch: number, Currency: c, Issued: z, Deposited: z, Expired: z, Outstanding: z}
	}
	return m.epochs[k]
}

func (m *mintAudit) tally(key string, c money.Currency) *tally {
	if m.tallies[key] == nil {
		m.tallies[key] = &tally{money.Zero(c), money.Zero(c)}
	}
	return m.tallies[key]
}

// compare holds the mint's accounts against what was counted.
func (m *mintAudit) compare(rows []book.AccountRow) {
	type sums struct{ coins, issued, deposited, expired money.Amount }
	have := map[epochKey]*sums{}
	for _, row := range rows {
		a := m.accounts[row.ID]
		if a.kind == "" {
			continue
		}
		k := epochKey{a.epoch, row.Currency}
		m.epoch(a.epoch, row.Currency)
		if have[k] == nil {
			z := money.Zero(row.Currency)
			have[k] = &sums{z, z, z, z}
		}
		to := &have[k].coins
		switch a.what {
		case "issued":
			to = &have[k].issued
		case "deposited":
			to = &have[k].deposited
		case "expired":
			to = &have[k].expired
		}
		m.add(to, money.New(row.Currency, row.Balance))
	}
	for k, h := range have {
		e := m.epochs[k]
		left := e.Issued
		m.take(&left, e.Deposited)
		m.take(&left, e.Expired)
		e.Outstanding = h.coins
		if h.issued != e.Issued || h.deposited != e.Deposited || h.expired != e.Expired || h.coins != left {
			m.find(CodeCoinCount, fmt.Sprintf("epoch %d", k.epoch), "issued %s, the mint counts %s; deposited %s, counts %s; expired %s, counts %s; outstanding %s, owed %s %s",
				e.Issued, h.issued, e.Deposited, h.deposited, e.Expired, h.expired, left, h.coins, k.currency.Code())
		}
	}
}

// take subtracts; a sum out of range is a finding.
func (a *audit) take(from *money.Amount, b money.Amount) {
	rest, err := from.Sub(b)
	if err != nil {
		a.find(CodeOverflow, from.Currency().Code(), "%v", err)
		return
	}
	*from = rest
}

// forged looks for keys of which more came back than was issued.
func (m *mintAudit) forged() {
	for _, key := range slices.Sorted(maps.Keys(m.tallies)) {
		t := m.tallies[key]
		if order, err := t.back.Cmp(t.issued); err != nil || order > 0 {
			m.find(CodeCoinForged, "key "+key, "%s came back of %s %s", t.back, t.issued, t.issued.Currency().Code())
		}
	}
}

func (m *mintAudit) finish() {
	for _, k := range slices.SortedFunc(maps.Keys(m.epochs), func(a, b epochKey) int {
		return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.currency, b.currency))
	}) {
		total := *m.epochs[k]
		total.Named = len(m.named[k])
		m.report.Coins = append(m.report.Coins, total)
	}
}
