package bench

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"

	"jiaozi/crypt/oda"
	"jiaozi/crypt/oda/testkeys"
	"jiaozi/crypt/vault"
	"jiaozi/link/mem"
	"jiaozi/node/durable"
	"jiaozi/role/card"
	"jiaozi/role/terminal"
	"jiaozi/sim/bench/meter"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/wire/apdu"
	"jiaozi/wire/purse"
)

// benchTap plays whole contactless payments, card and terminal together, and
// measures the stages that cost something beside them.
func benchTap(ctx context.Context, dir string, emit Emit) error {
	s, err := newStage(dir)
	if err != nil {
		return err
	}
	defer s.journal.Close()
	if err := s.commands(ctx, emit); err != nil {
		return err
	}
	powers, err := s.signatures(ctx, emit)
	if err != nil {
		return err
	}
	flush, err := s.flushes(ctx, emit)
	if err != nil {
		return err
	}
	return s.whole(ctx, powers, flush, emit)
}

// stage is one card at one terminal.
type stage struct {
	dir     string
	profile card.Profile
	card    *card.Card
	till    *terminal.Terminal
	journal *watched
}

// watched notes how many bytes the terminal makes durable, entry by entry.
type watched struct {
	*durable.Journal
	sizes []int
}

// Append implements terminal.Store.
func (w *watched) Append(entry []byte) error {
	w.sizes = append(w.sizes, len(entry))
	return w.Journal.Append(entry)
}

func newStage(dir string) (*stage, error) {
	v, err := newVault()
	if err != nil {
		return nil, err
	}
	s := &stage{dir: dir}
	if s.profile, err = personalise(v); err != nil {
		return nil, err
	}
	memory := new(card.RAM)
	if err := card.Format(memory, s.profile); err != nil {
		return nil, err
	}
	if s.card, err = card.Open(memory, seeded("card")); err != nil {
		return nil, err
	}
	journal, err := durable.OpenJournal(filepath.Join(dir, "terminal"))
	if err != nil {
		return nil, err
	}
	s.journal = &watched{Journal: journal}
	if s.till, err = openTill(v, s.journal); err != nil {
		return nil, errors.Join(err, journal.Close())
	}
	return s, nil
}

// openTill opens a terminal that takes taps offline; ListFloor stands in for a
// blacklist, which the benchmark does not need.
func openTill(v *vault.Vault, store terminal.Store) (*terminal.Terminal, error) {
	listKey, err := v.Public(keySign)
	if err != nil {
		return nil, err
	}
	return terminal.Open(terminal.Config{
		TID: "BENCH001", MID: "BENCH0000000001", MerchantName: "Bench", Serial: "BENCH001",
		Country: country, Currency: currency, ECLimit: yuan(1000), TapLimit: yuan(1000), CVMLimit: yuan(1000), ListFloor: yuan(1000),
		OfflineOnly: true, AIDs: []ident.AID{aid}, CAKeys: []oda.CAKey{authority()}, ListKey: listKey,
		Profile: vault.Secure, TMK: "tmk", TPK: "tpk", TAK: "tak",
	}, store, v, offline{}, clock.NewManual(noon), seeded("terminal"))
}

// offline is a line that leads nowhere.
type offline struct{}

// Exchange implements terminal.Host.
func (offline) Exchange(context.Context, []byte) ([]byte, error) {
	return nil, errors.New("the benchmark's terminal has no line")
}

// pay taps once.
func (s *stage) pay(ctx context.Context, c apdu.Card) error {
	if _, err := s.card.PowerOn(card.Contactless); err != nil {
		return err
	}
	out := s.till.Purchase(ctx, c, terminal.Sale{Amount: yuan(1), Entry: purse.Contactless})
	if out.Result != terminal.Approved {
		return fmt.Errorf("the tap ended %s, %s: %w", out.Result, out.Reason, out.Err)
	}
	return nil
}

// commands counts what card and terminal say to each other. No terminal can do
// with less than two selections, the start and the records that the card names.
func (s *stage) commands(ctx context.Context, emit Emit) error {
	said, records := 0, 0
	traced := mem.Trace(s.card, func(x mem.Exchange) {
		said++
		if x.Command.INS == apdu.InsReadRecord {
			records++
		}
	})
	if err := s.pay(ctx, traced); err != nil { // the first tap also reserves trace numbers
		return err
	}
	said, records = 0, 0
	s.journal.sizes = nil
	if err := s.pay(ctx, traced); err != nil {
		return err
	}
	return emit(Figure{Name: "tap/apdus", Value: float64(said), Unit: "commands", Limit: float64(3 + records), About: lang.Text{
		EN: "commands of one tap; limit: two selections, the start, the card's records",
		ZH: "一次闪付的命令数；极限：两次选择、一次启动和卡片的记录"}})
}

// signatures measures the RSA of both sides. The limits are the bare powers, in
// the fastest form at hand: variable time, nothing hashed, nothing checked. It
// gives the sum of both limits.
func (s *stage) signatures(ctx context.Context, emit Emit) (float64, error) {
	tail := oda.TailV01([4]byte{1, 2, 3, 4}, [6]byte{}, currency.BCD(), []byte{1, 0, 0, 0, 1, 0, 0})
	sdad, err := oda.SignDynamic(s.profile.Private, []byte{0, 1}, tail)
	if err != nil {
		return 0, err
	}
	private, err := barePrivate(s.profile.Private)
	if err != nil {
		return 0, err
	}
	took, err := meter.Clock(meter.CPU).Race(ctx,
		func() error { _, err := oda.SignDynamic(s.profile.Private, []byte{0, 1}, tail); return err }, private,
		func() error { return s.authenticate(sdad, tail) }, s.barePublic(),
	)
	if err != nil {
		return 0, err
	}
	return took[1] + took[3], emitAll(emit,
		Figure{Name: "tap/card-rsa", Value: took[0] / microsecond, Unit: "us", Limit: took[1] / microsecond, About: lang.Text{
			EN: "the card signs (1152 bits, constant time, checked); limit: the two bare powers",
			ZH: "卡片签名（1152 位，恒定时间，自检）；极限：两次裸模幂"}},
		Figure{Name: "tap/terminal-oda", Value: took[2] / microsecond, Unit: "us", Limit: took[3] / microsecond, About: lang.Text{
			EN: "the terminal recovers issuer and card and verifies; limit: the three bare powers",
			ZH: "终端恢复发卡行与卡片公钥并验签；极限：三次裸模幂"}},
	)
}

// authenticate is a terminal's offline data authentication of a tap.
func (s *stage) authenticate(sdad, tail []byte) error {
	p := &s.profile
	iss, err := oda.RecoverIssuer(authority(), p.Issuer.Cert, p.Issuer.Remainder, p.Issuer.Exponent, p.PAN, today)
	if err != nil {
		return err
	}
	c := p.Contactless
	icc, err := oda.RecoverICC(iss, c.Cert, c.Remainder, c.Exponent, p.Static(card.Contactless), p.PAN, today)
	if err != nil {
		return err
	}
	_, err = oda.VerifyDynamic(icc, sdad, tail)
	return err
}

// barePrivate is the two half-size powers of the private operation.
func barePrivate(k oda.PrivateKey) (meter.Task, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(k.Reveal())
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the card's key is not an RSA key")
	}
	key.Precompute()
	p, q := key.Primes[0], key.Primes[1]
	x := new(big.Int).Rsh(key.N, 1)
	return func() error {
		new(big.Int).Exp(new(big.Int).Mod(x, p), key.Precomputed.Dp, p)
		new(big.Int).Exp(new(big.Int).Mod(x, q), key.Precomputed.Dq, q)
		return nil
	}, nil
}

// barePublic is the three powers of a verification.
func (s *stage) barePublic() meter.Task {
	type power struct{ x, e, n *big.Int }
	var powers []power
	for _, k := range []oda.PublicKey{authority().Public(), testkeys.Issuer().Public(), s.profile.Private.Public()} {
		n := new(big.Int).SetBytes(k.Modulus)
		powers = append(powers, power{new(big.Int).Rsh(n, 1), new(big.Int).SetBytes(k.Exponent), n})
	}
	return func() error {
		for _, p := range powers {
			new(big.Int).Exp(p.x, p.e, p.n)
		}
		return nil
	}
}

// flushes measures one durable entry of the terminal's journal against the same
// bytes written and flushed with nothing around them. It gives the latter.
func (s *stage) flushes(ctx context.Context, emit Emit) (float64, error) {
	entry := make([]byte, s.journal.sizes[len(s.journal.sizes)-1])
	journal, err := durable.OpenJournal(filepath.Join(s.dir, "log"))
	if err != nil {
		return 0, err
	}
	defer journal.Close()
	raw, err := meter.NewFile(s.dir)
	if err != nil {
		return 0, err
	}
	defer raw.Close()
	took, err := meter.Clock(meter.Wall).Race(ctx, func() error { return journal.Append(entry) }, raw.Append(len(entry)))
	if err != nil {
		return 0, err
	}
	return took[1], emit(Figure{Name: "tap/log", Value: took[0] / microsecond, Unit: "us by the clock", Limit: took[1] / microsecond, About: lang.Text{
		EN: fmt.Sprintf("one entry of %d bytes durable in the terminal's journal; limit: the same bytes written and flushed", len(entry)),
		ZH: fmt.Sprintf("终端日志落盘一条 %d 字节的记录；极限：同样字节直接写入并刷盘", len(entry))}})
}

// whole measures complete taps: what the processor does, and how long the
// holder waits at a terminal with this disk, radio left out.
func (s *stage) whole(ctx context.Context, powers, flush float64, emit Emit) error {
	var software, waiting []float64
	entries := len(s.journal.sizes)
	const taps = 5 // of each round; a batch holds 999
	for range meter.Rounds {
		before, clock := meter.CPU(), meter.Wall()
		if err := meter.Times(taps, func() error { return s.pay(ctx, s.card) })(); err != nil {
			return err
		}
		software = append(software, float64(meter.CPU()-before)/taps)
		waiting = append(waiting, float64(meter.Wall()-clock)/taps)
	}
	return emitAll(emit,
		Figure{Name: "tap/software", Value: meter.Median(software) / microsecond, Unit: "us", Limit: powers / microsecond, About: lang.Text{
			EN: "one tap, card and terminal together; limit: the bare powers of both",
			ZH: "一次闪付，卡片与终端合计；极限：双方的裸模幂"}},
		Figure{Name: "tap/wait", Value: meter.Median(waiting) / microsecond, Unit: "us by the clock", Limit: float64(entries) * flush / microsecond, About: lang.Text{
			EN: fmt.Sprintf("one tap with its %d durable entries; limit: as many bare flushes", entries),
			ZH: fmt.Sprintf("一次闪付及其 %d 次落盘；极限：同样次数的裸刷盘", entries)}},
	)
}
