package node

import (
	"fmt"
	"slices"
	"strings"

	"jiaozi/crypt/brands"
	"jiaozi/role/mint"
	"jiaozi/wire/coin"
)

// CoinScheme is what the operator decides about blind coins.
type CoinScheme struct {
	Name          string     `json:"name"`          // of the mint, for people
	Denominations int        `json:"denominations"` // 1, 2, 4 ... smallest units of the currency
	Notes         []CoinNote `json:"notes"`         // divisible notes
	Groups        []string   `json:"groups"`        // special-purpose coins: groups of merchants
	IssueMonths   int        `json:"issue_months"`  // how long an epoch's coins are made,
	SpendMonths   int        `json:"spend_months"`  // then still taken by payees,
	DepositMonths int        `json:"deposit_months"`
}

// CoinNote is a denomination of divisible notes: any multiple of Value>>Depth up to
// Value can be paid from one.
type CoinNote struct {
	Value string `json:"value"`
	Depth uint8  `json:"depth"`
}

// defaultCoins: coins of 0.01 to 655.36, and notes of 0.64 and 40.96 in 64 parts.
func defaultCoins() *CoinScheme {
	return &CoinScheme{Name: "Jiaozi mint", Denominations: 17, Notes: []CoinNote{{"0.64", 6}, {"40.96", 6}}, Groups: []string{},
		IssueMonths: 1, SpendMonths: 3, DepositMonths: 1}
}

// check names the first field that is wrong. A nil scheme has no coins.
func (c *CoinScheme) check(s *Scheme) error {
	if c == nil {
		return nil
	}
	// What the mint could not publish is no name.
	if _, err := coin.Append(nil, &coin.Keys{Network: [16]byte{1}, Mint: c.Name, Sign: [32]byte{1}}); err != nil || c.Name == "" {
		return fmt.Errorf("scheme.json: coins: name %q is not 1 to %d printable bytes", c.Name, coin.MaxName)
	}
	if c.Denominations < 1 || c.Denominations > mint.MaxCoins {
		return fmt.Errorf("scheme.json: coins: denominations %d is not 1 to %d", c.Denominations, mint.MaxCoins)
	}
	if c.IssueMonths < 1 || 12%c.IssueMonths != 0 {
		return fmt.Errorf("scheme.json: coins: issue_months %d is not 1, 2, 3, 4, 6 or 12", c.IssueMonths)
	}
	for field, months := range map[string]int{"spend_months": c.SpendMonths, "deposit_months": c.DepositMonths} {
		if months < 1 || months > mint.MaxPlanMonths {
			return fmt.Errorf("scheme.json: coins: %s %d is not 1 to %d", field, months, mint.MaxPlanMonths)
		}
	}
	if c.SpendMonths+c.DepositMonths > mint.MaxPlanMonths {
		return fmt.Errorf("scheme.json: coins: spend_months and deposit_months are more than %d together", mint.MaxPlanMonths)
	}
	if _, err := c.notes(s); err != nil {
		return err
	}
	return c.checkGroups()
}

func (c *CoinScheme) plan() mint.Plan {
	return mint.Plan{Issue: c.IssueMonths, Spend: c.SpendMonths, Deposit: c.DepositMonths}
}

func (c *CoinScheme) checkGroups() error {
	for i, g := range c.Groups {
		strange := strings.ContainsFunc(g, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-", r) })
		if g == "" || len(g) > coin.MaxGroup || strange {
			return fmt.Errorf("scheme.json: coins: group %q is not 1 to %d of a-z, 0-9, dot and dash", g, coin.MaxGroup)
		}
		if slices.Contains(c.Groups[:i], g) {
			return fmt.Errorf("scheme.json: coins: group %q stands twice", g)
		}
	}
	// A wallet reads so many keys at once: those of all epochs that still live, and of the next.
	keys := c.plan().Alive() * (c.Denominations*(1+len(c.Groups)) + len(c.Notes) + mint.DefaultBlanks)
	if keys > coin.MaxKeys {
		return fmt.Errorf("scheme.json: coins: %d keys would be in use at once, at most %d: take fewer denominations or groups, or longer issue_months", keys, coin.MaxKeys)
	}
	return nil
}

// notes reads the denominations of notes. Each is a power of two of the smallest
// unit, so that its parts add up as coins do.
func (c *CoinScheme) notes(s *Scheme) ([]mint.Note, error) {
	var list []mint.Note
	for _, note := range c.Notes {
		sum, err := s.money(note.Value)
		if err != nil {
			return nil, fmt.Errorf("scheme.json: coins: note: %w", err)
		}
		value := sum.Minor()
		if value < 2 || value&(value-1) != 0 {
			return nil, fmt.Errorf("scheme.json: coins: a note of %s is not 2, 4, 8 ... smallest units, such as 0.64 or 40.96", note.Value)
		}
		if note.Depth < 1 || note.Depth > brands.MaxDepth || value>>note.Depth == 0 {
			return nil, fmt.Errorf("scheme.json: coins: a note of %s cannot be halved %d times: depth is 1 to %d", note.Value, note.Depth, brands.MaxDepth)
		}
		if slices.ContainsFunc(list, func(n mint.Note) bool { return n.Value == value && n.Depth == note.Depth }) {
			return nil, fmt.Errorf("scheme.json: coins: the note of %s stands twice", note.Value)
		}
		list = append(list, mint.Note{Value: value, Depth: note.Depth})
	}
	return list, nil
}
