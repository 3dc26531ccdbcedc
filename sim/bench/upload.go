package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"jiaozi/book"
	"jiaozi/book/sqlite"
	"jiaozi/crypt/emvkey"
	"jiaozi/crypt/vault"
	"jiaozi/role/issuer"
	"jiaozi/sim/bench/meter"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
)

// A presentment of the benchmark: many cards that paid once each since the last
// one, as a city's evening brings them.
const (
	uploadCards  = 1024
	uploadRounds = 5
)

// benchUpload measures what the issuer does with offline payments: read the
// file, verify each cryptogram and balance, post and keep the card's record.
func benchUpload(ctx context.Context, dir string, emit Emit) error {
	b, err := newBank(ctx, dir)
	if err != nil {
		return err
	}
	defer b.ledger.Close()
	var whole, bare []float64
	for round := range uploadRounds {
		records, err := b.payments(uint16(round + 1))
		if err != nil {
			return err
		}
		file, err := b.presentment(uint32(round+1), records)
		if err != nil {
			return err
		}
		took, err := meter.Clock(meter.CPU).Spent(func() error { return b.present(ctx, file) })
		if err != nil {
			return err
		}
		whole = append(whole, perSecond(took))
		if took, err = meter.Clock(meter.CPU).Spent(func() error { return b.verify(records) }); err != nil {
			return err
		}
		bare = append(bare, perSecond(took))
	}
	return emit(Figure{Name: "upload/records", Value: meter.Median(whole), Unit: "records/s per core", Limit: meter.Median(bare), About: lang.Text{
		EN: "offline payments decoded, verified and posted by the issuer; limit: the vault verifying the same cryptograms",
		ZH: "发卡行解码、验证并入账的脱机交易；极限：保险库仅验证同样的密文"}})
}

func perSecond(took time.Duration) float64 { return uploadCards / took.Seconds() }

// bank is an issuer with its book on the disk and the keys of its cards.
type bank struct {
	vault  *vault.Vault
	ledger *book.Ledger
	issuer *issuer.Issuer
	cards  []account
}

type account struct {
	pan     ident.PAN
	keys    emvkey.CardKeys
	balance money.Minor
}

func newBank(ctx context.Context, dir string) (*bank, error) {
	v, err := newVault()
	if err != nil {
		return nil, err
	}
	b := &bank{vault: v}
	if _, b.ledger, err = openBook(ctx, dir, "issuer.db"); err != nil {
		return nil, err
	}
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(err, b.ledger.Close())
	}
	return b, nil
}

// openBook makes a book on the disk. The ledger closes its engine.
func openBook(ctx context.Context, dir, name string) (book.Engine, *book.Ledger, error) {
	engine, err := sqlite.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, nil, err
	}
	l, err := book.Open(ctx, engine)
	if err != nil {
		return nil, nil, errors.Join(err, engine.Close())
	}
	return engine, l, nil
}

func (b *bank) open(ctx context.Context) error {
	clearingKey, err := b.vault.Public(keyClearing)
	if err != nil {
		return err
	}
	b.issuer, err = issuer.New(issuer.Config{
		Inst: issuerInst, Currency: currency, Country: country,
		Keys:     issuer.Keys{AC: keyAC, MAC: keyMAC, Ref: keyPseudonym, Sign: keySign, List: keySign},
		Clearing: networkInst, ClearingKey: clearingKey,
	}, b.ledger.Door(issuer.Events, issuer.Spaces(issuerInst)), b.vault, seeded("issuer"))
	if err != nil {
		return err
	}
	return b.register(ctx)
}

// register issues the cards, many callers at a time: they share commits.
func (b *bank) register(ctx context.Context) error {
	b.cards = make([]account, uploadCards)
	failed := make(chan error, uploadCards)
	for n := range b.cards {
		go func() { failed <- b.issue(ctx, n) }()
	}
	var errs []error
	for range b.cards {
		errs = append(errs, <-failed)
	}
	return errors.Join(errs...)
}

func (b *bank) issue(ctx context.Context, n int) error {
	pan, err := number(n)
	if err != nil {
		return err
	}
	keys, err := b.vault.PersonaliseCard(masterKeys, pan, 1)
	if err != nil {
		return err
	}
	start := yuan(1000)
	b.cards[n] = account{pan, keys, start.Minor()}
	_, err = b.issuer.RegisterCard(ctx, issuer.NewCard{
		PAN: pan, PSN: 1, Account: fmt.Sprint("account ", n), Expiry: today.AddDays(365), Limit: start, Balance: start,
	}, today)
	return err
}

// payments lets every card pay once more, with the card's own cryptogram and
// balance MAC. Only the RSA of a tap is left out: the issuer never sees it.
func (b *bank) payments(atc uint16) ([]purse.Record, error) {
	records := make([]purse.Record, 0, len(b.cards))
	for n := range b.cards {
		c := &b.cards[n]
		c.balance -= 100
		r, err := c.pay(atc, uint32(n+1))
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

func (c *account) pay(atc uint16, stan uint32) (purse.Record, error) {
	value, err := emv.BalanceValue(money.New(currency, c.balance))
	if err != nil {
		return purse.Record{}, err
	}
	iad := emv.IAD{DKI: 1, CVN: emv.CVN17, Alg: emv.Alg3DES, IDD: emv.IDDBalance, Value: value,
		MAC: emvkey.BalanceMAC(emvkey.Session(c.keys.MAC, atc), atc, value)}
	iad.CVR.SetFirst(emv.TC)
	r := purse.Record{
		PAN: c.pan, PSN: 1, Amount: yuan(1), Other: yuan(0), When: noon, TID: "BENCH001", MID: "BENCH0000000001",
		STAN: stan, Batch: uint32(atc), Entry: purse.Contactless, CID: emv.CID(emv.TC), ATC: atc, IAD: iad.Append(nil),
		AIP: emv.AIP{0x7C}, Country: country,
	}
	binary.BigEndian.PutUint32(r.UN[:], stan)
	input, err := purse.ACInput(r)
	if err != nil {
		return purse.Record{}, err
	}
	r.AC = emvkey.AC(emvkey.Session(c.keys.AC, atc), input)
	return r, nil
}

// presentment is the file that clearing sends to the issuer.
func (b *bank) presentment(sequence uint32, records []purse.Record) ([]byte, error) {
	f := &clearing.File{Header: clearing.Header{
		Kind: clearing.Presentment, From: networkInst, To: issuerInst, Date: today, Sequence: sequence, Currency: currency,
	}}
	for n, r := range records {
		f.Details = append(f.Details, clearing.Detail{
			Sequence: uint32(n + 1), Acquirer: acquirerInst, Issuer: issuerInst, Record: purse.Append(nil, r), Gross: r.Amount,
		})
	}
	return clearing.Append(nil, f, func(msg []byte) ([]byte, error) { return b.vault.Sign(keyClearing, clearing.Domain, msg) })
}

// present has the issuer judge a file and makes sure that it paid every detail.
func (b *bank) present(ctx context.Context, file []byte) error {
	answer, err := b.issuer.Present(ctx, file, noon)
	if err != nil {
		return err
	}
	outcome, err := clearing.Decode(answer, func(ident.Inst, []byte, []byte) error { return nil })
	if err != nil {
		return err
	}
	for _, d := range outcome.Details {
		if d.Verdict != clearing.Accepted {
			return fmt.Errorf("record %d: %s, %s", d.Sequence, d.Verdict, d.Reason)
		}
	}
	return nil
}

// verify is the least that anybody must do before paying.
func (b *bank) verify(records []purse.Record) error {
	for i := range records {
		r := &records[i]
		input, err := purse.ACInput(*r)
		if err != nil {
			return err
		}
		ok, err := b.vault.VerifyAC(keyAC, r.PAN, r.PSN, r.ATC, input, r.AC)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("record %d: the cryptogram does not verify", r.STAN)
		}
	}
	return nil
}
