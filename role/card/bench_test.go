package card

import (
	"testing"

	"jiaozi/wire/apdu"
)

// BenchmarkTap is the card's share of a tap: PPSE to the last record, two commits
// into memory without a disk, one RSA signature.
func BenchmarkTap(b *testing.B) {
	c := newCard(b, func(p *Profile) { p.Balance, p.BalanceLimit = yuan(50_000_000_00), yuan(50_000_000_00) })
	commands := []apdu.Command{apdu.Select([]byte(ppse)), apdu.Select([]byte(testAID)), apdu.GPO(pay(1).build(tapPDOL))}
	for _, n := range names(tapPath().afl) {
		commands = append(commands, apdu.ReadRecord(n.sfi, n.number))
	}
	r := power(b, c, Contactless)
	b.ReportAllocs()
	for b.Loop() {
		if c.state.spent() {
			c.state.atc = 0 // a bench outlives the card
		}
		for _, cmd := range commands {
			r.ok(cmd)
		}
	}
}
