package acquirer_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/role/acquirer"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/lang"
	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/clearing"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/list"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// presentment reads a file as clearing would.
func (w *world) presentment(raw []byte) *clearing.File {
	w.t.Helper()
	f, err := clearing.Decode(raw, func(from ident.Inst, msg, sig []byte) error {
		pub, err := w.vault.Public(signKey)
		if err != nil || from != acqInst || !ed25519.Verify(pub, msg, sig) {
			return errors.New("not signed by the acquirer")
		}
		return nil
	})
	w.check(err)
	return f
}

// head is the book's last entry: what changes nothing leaves it alone.
func (w *world) head() string {
	w.t.Helper()
	h, err := w.ledger.Head(w.ctx())
	w.check(err)
	return fmt.Sprint(h)
}

// Whoever is not who it should be hears so, and the book does not change.
func TestStrangersAreRefused(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	for _, c := range []struct {
		why, code string
		spoil     func(m *iso8583.Message)
	}{
		{"unknown terminal", iso8583.CodeUnknownTerminal, func(m *iso8583.Message) { m.Set(41, "T0000009") }},
		{"merchant of another", iso8583.CodeUnknownMerchant, func(m *iso8583.Message) { m.Set(42, "M00000000000002") }},
		{"no merchant", iso8583.CodeFormat, func(m *iso8583.Message) { m.Unset(42) }},
		{"field 60 cut", iso8583.CodeFormat, func(m *iso8583.Message) { m.Set(60, "3600") }},
		{"card of nobody", iso8583.CodeNoIssuer, func(m *iso8583.Message) { m.Set(2, ident.WithLuhn("999999000000000")) }},
		{"card number mistyped", iso8583.CodeUnknownCard, func(m *iso8583.Message) { m.Set(2, "6212340000000000") }},
		{"amount unlike the chip's", iso8583.CodeFormat, func(m *iso8583.Message) { m.Set(4, "000000009999") }},
		{"currency unlike the chip's", iso8583.CodeFormat, func(m *iso8583.Message) { m.Set(49, "344") }},
		{"no entry mode", iso8583.CodeFormat, func(m *iso8583.Message) { m.Unset(22) }},
		{"swiped", iso8583.CodeFormat, func(m *iso8583.Message) { m.Set(22, "021") }},
		{"no sequence number", iso8583.CodeFormat, func(m *iso8583.Message) { m.Unset(23) }},
		{"no chip data", iso8583.CodeFormat, func(m *iso8583.Message) { m.Unset(55) }},
		{"broken chip data", iso8583.CodeFormat, func(m *iso8583.Message) { m.SetBytes(55, []byte{0x9F, 0x26, 8}) }},
		{"a flag of nobody", iso8583.CodeFormat, func(m *iso8583.Message) { m.Set(62, iso8583.FlagField(9)) }},
	} {
		t.Run(c.why, func(t *testing.T) {
			before := w.head()
			m := w.upload(0x0200, w.payment(2, 1, 100))
			c.spoil(m)
			if m.Text(41) != string(tid) { // sealed with a key that it has
				raw := w.pack(w.upload(0x0200, w.payment(2, 1, 100)))
				raw = bytes.Replace(raw, []byte(tid), []byte(m.Text(41)), 1)
				answer, sealed := w.serve(raw)
				if answer.Text(39) != c.code || sealed {
					t.Fatalf("%v %s", answer, answer.Text(39))
				}
			} else {
				w.expect(m, c.code)
			}
			if w.head() != before {
				t.Fatal("the book changed")
			}
		})
	}
}

// A wrong MAC on any message is answered A0 without a MAC, and nothing changes; so
// is a missing one where the profile demands it.
func TestBadMACChangesNothing(t *testing.T) {
	for _, profile := range []vault.Profile{vault.CUP, vault.Secure} {
		w := newWorld(t, profile)
		w.signOn()
		load := w.service("600000", iso8583.TypeLoadAccount, 20, 1000)
		w.expect(load, iso8583.CodeApproved)
		for _, m := range []*iso8583.Message{
			w.upload(0x0200, w.payment(2, 1, 100)), w.upload(0x0320, w.payment(2, 1, 100)),
			w.service("600000", iso8583.TypeLoadAccount, 3, 100), w.reversal(load), w.notice(4, load), w.settle(1, 0, 0),
		} {
			before, asked := w.head(), len(w.issuer.got)
			frame := w.pack(m)
			if iso8583.POS.MustMAC(m.MTI, profile == vault.Secure) {
				m.Unset(64)
				bare, err := iso8583.POS.Append(nil, m)
				w.check(err)
				if answer, sealed := w.serve(append(frame[:11:11], bare...)); answer.Text(39) != iso8583.CodeMAC || sealed {
					t.Fatalf("%s %s without MAC: %s", profile, m.MTI, answer.Text(39))
				}
			} else {
				m.Set(64, "badbadmc")
				bare, err := iso8583.POS.Append(nil, m)
				w.check(err)
				frame = append(frame[:11:11], bare...)
			}
			frame[len(frame)-1] ^= 1
			if answer, sealed := w.serve(frame); answer.Text(39) != iso8583.CodeMAC || sealed {
				t.Fatalf("%s %s: %s", profile, m.MTI, answer.Text(39))
			}
			if w.head() != before || len(w.issuer.got) != asked {
				t.Fatalf("%s %s with a bad MAC had an effect", profile, m.MTI)
			}
		}
	}
}

// Bytes that are no request of the dialect get a refusal that names the type, or an
// error for the operator; never a panic, never a change.
func TestNoiseIsRefused(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	before := w.head()
	head := "6000030001603100310000"
	for raw, want := range map[string]string{
		head + "0260" + "0020000000000000" + "000001": "0270" + "0000000002000000" + "3430", // unknown type
		head + "0200" + "0020000000000000" + "0000":   "0210" + "0000000002000000" + "3330", // truncated
		head + "0200" + "8000000000000000":            "0210" + "0000000002000000" + "3330", // second bitmap
	} {
		b, err := hex.DecodeString(raw)
		w.check(err)
		got, err := w.acq.Serve(w.ctx(), b, w.now)
		if err != nil || hex.EncodeToString(got) != "6000010003603100310000"+want {
			t.Errorf("%s: %X %v", raw, got, err)
		}
	}
	for _, raw := range []string{"", "00", "6100030001603100310000", head, head + "0210" + "0000000002000000" + "3330", head + "FFFF"} {
		b, err := hex.DecodeString(raw)
		w.check(err)
		if got, err := w.acq.Serve(w.ctx(), b, w.now); !errors.Is(err, acquirer.ErrFrame) || got != nil {
			t.Errorf("%s: %X %v", raw, got, err)
		}
	}
	if w.head() != before {
		t.Error("the book changed")
	}
}

// A blocked terminal or merchant is refused; registering again lets it work.
func TestBlockedPartiesDoNotWork(t *testing.T) {
	w := newWorld(t, vault.CUP)
	w.signOn()
	echo := w.message(0x0820, 2, iso8583.F60{NetCode: iso8583.NetEcho})
	block := func(merchant, terminal bool) {
		w.check(w.acq.AddMerchant(w.ctx(), acquirer.Merchant{MID: mid, Blocked: merchant}, w.now))
		w.check(w.acq.AddTerminal(w.ctx(), acquirer.Terminal{TID: tid, MID: mid, Profile: vault.CUP, Blocked: terminal}, w.now))
	}
	block(true, false)
	w.expect(echo, iso8583.CodeUnknownMerchant)
	block(false, true)
	w.expect(echo, iso8583.CodeTerminalForbidden)
	block(false, false)
	w.expect(echo, iso8583.CodeApproved)
}

// Registration checks what it is told, and repeating it changes nothing.
func TestRegistration(t *testing.T) {
	w := newWorld(t, vault.Secure)
	good := acquirer.Terminal{TID: tid, MID: mid, Profile: vault.Secure}
	before := w.head()
	w.check(w.acq.AddTerminal(w.ctx(), good, w.now))
	w.check(w.acq.AddMerchant(w.ctx(), acquirer.Merchant{MID: mid, Name: "饺子馆"}, w.now))
	if w.head() != before {
		t.Error("registering again is not the same")
	}
	for why, bad := range map[string]acquirer.Terminal{
		"no id": {MID: mid, Profile: vault.CUP}, "no profile": {TID: tid, MID: mid},
		"no key":       {TID: "T0000007", MID: mid, Profile: vault.CUP},
		"no merchant":  {TID: tid, Profile: vault.CUP},
		"stranger mid": {TID: tid, MID: "M99999999999999", Profile: vault.CUP},
	} {
		if err := w.acq.AddTerminal(w.ctx(), bad, w.now); err == nil {
			t.Error(why)
		}
	}
	if err := w.acq.AddMerchant(w.ctx(), acquirer.Merchant{MID: "short"}, w.now); err == nil {
		t.Error("a malformed merchant number")
	}
	if known, err := w.acq.HasTerminal(w.ctx(), "T0000009"); known || err != nil {
		t.Error(known, err)
	}
	var all []ident.TID
	w.check(w.acq.Terminals(w.ctx(), func(t acquirer.Terminal) error { all = append(all, t.TID); return nil }))
	if len(all) != 1 || all[0] != tid {
		t.Error(all)
	}
}

// A reversal that overtakes its request wins: the late request is not carried out.
func TestReversalThatOvertakesTheRequestWins(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	load := w.service("600000", iso8583.TypeLoadAccount, 2, 1000)
	w.expect(w.reversal(load), iso8583.CodeApproved)
	w.expect(load, iso8583.CodeTimeout)
	if len(w.issuer.got) != 0 {
		t.Fatalf("the issuer was asked: %v", w.issuer.got)
	}
}

// A reversal that comes while the issuer is still being asked wins as well: the
// issuer's approval is not passed on, and it gets the reversal advice.
func TestReversalDuringTheRequestWins(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	load := w.service("630000", iso8583.TypeLoadCash, 2, 1000)
	w.issuer.hook = func() { w.expect(w.reversal(load), iso8583.CodeApproved) }
	w.expect(load, iso8583.CodeTimeout)
	w.forwarded(t, 1)
	w.lastAdvice(t, 0x0420)
}

// forwarded pumps the outbox and demands how many messages were done.
func (w *world) forwarded(t *testing.T, want int) {
	t.Helper()
	done, err := w.acq.Forward(w.ctx(), w.now)
	if err != nil || done != want {
		t.Fatalf("forwarded %d of %d: %v", done, want, err)
	}
}

func (w *world) lastAdvice(t *testing.T, mti iso8583.MTI) {
	t.Helper()
	if m := w.issuer.got[len(w.issuer.got)-1]; m.MTI != mti {
		t.Fatalf("the issuer got %v last", m)
	}
}

// The same request twice at once: one is carried out, the other becomes a reversal
// because nobody can tell what became of the first. Never two loads.
func TestSameRequestTwiceAtOnceIsOneLoadAtMost(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	load := w.service("600000", iso8583.TypeLoadAccount, 2, 1000)
	w.issuer.hook = func() { w.expect(load, iso8583.CodeTimeout) }
	w.expect(load, iso8583.CodeTimeout)
	if len(w.issuer.got) != 1 {
		t.Fatalf("the issuer was asked %d times", len(w.issuer.got))
	}
	w.forwarded(t, 1)
	w.lastAdvice(t, 0x0420)
}

// The acquirer dies while the issuer is being asked. Afterwards a repetition is
// answered "unknown", a reversal "done", and in both cases the issuer hears of it.
func TestCrashWhileAskingLeavesAReversal(t *testing.T) {
	for _, next := range []string{"repetition", "reversal"} {
		t.Run(next, func(t *testing.T) {
			w := newWorld(t, vault.Secure)
			w.signOn()
			load := w.service("600000", iso8583.TypeLoadAccount, 2, 1000)
			w.issuer.hook = func() { panic("power cut") }
			func() {
				defer func() {
					if recover() == nil {
						t.Fatal("it did not die")
					}
				}()
				w.send(load)
			}()
			w.open()
			if next == "repetition" {
				w.expect(load, iso8583.CodeTimeout)
			} else {
				w.expect(w.reversal(load), iso8583.CodeApproved)
			}
			w.forwarded(t, 1)
			w.lastAdvice(t, 0x0420)
			w.forwarded(t, 0)
		})
	}
}

// The PIN block reaches the issuer under the zone's key for the same card; one that
// does not open is refused before anybody is asked; none is ever stored.
func TestPINIsTranslatedAndNotStored(t *testing.T) {
	s := &stage{world: newWorld(t, vault.Secure), loads: map[string]*iso8583.Message{}}
	s.signOn()
	m := s.build("account", map[string]string{"stan": "2", "amount": "10.00", "pin": "123456"})
	s.expect(m, iso8583.CodeApproved)
	got := s.issuer.got[0]
	if bytes.Equal(got.Bytes(52), m.Bytes(52)) || !got.Has(52) {
		t.Fatal("the block was not translated")
	}
	s.check(s.vault.Generate("issuer/pvk", vault.PVK))
	p, err := s.vault.VerifyPIN(zonePIN, [8]byte(got.Bytes(52)), pan(t, 1), "issuer/pvk", nil)
	if err != nil || p {
		t.Fatalf("the issuer cannot open the block: %v", err)
	}
	payer := pan(t, 2)
	other := s.build("other", map[string]string{"stan": "4", "amount": "10.00"})
	other.Set(62, payer.Reveal())
	typed, err := pin.Parse("654321")
	s.check(err)
	block, err := s.pos.EncryptPIN(tpk(tid), typed, payer)
	s.check(err)
	other.SetBytes(52, block[:])
	s.expect(other, iso8583.CodeApproved)
	passed := s.issuer.got[len(s.issuer.got)-1].Bytes(52)
	if _, err := s.vault.VerifyPIN(zonePIN, [8]byte(passed), payer, "issuer/pvk", nil); err != nil {
		t.Errorf("the payer's PIN block does not open for the payer's card: %v", err)
	}
	other.Unset(62)
	other.Set(11, "000005")
	s.expect(other, iso8583.CodeUnknownCard)
	bad := s.build("account", map[string]string{"stan": "3", "amount": "10.00"})
	bad.SetBytes(52, []byte("no block"))
	asked := len(s.issuer.got)
	s.expect(bad, iso8583.CodePINFormat)
	if len(s.issuer.got) != asked {
		t.Error("the issuer was asked")
	}
	s.check(s.ledger.Scan(s.ctx(), "acq/trace", nil, func(_, value []byte, _ uint64) error {
		if bytes.Contains(value, got.Bytes(52)) || bytes.Contains(value, m.Bytes(52)) {
			t.Error("a PIN block is in the book")
		}
		return nil
	}))
}

// A terminal downloads the blacklist chunk by chunk; the acquirer never takes an
// older, expired or forged one.
func TestBlacklistReachesTheTerminal(t *testing.T) {
	w := newWorld(t, vault.CUP)
	w.signOn()
	sign := func(msg []byte) ([]byte, error) { return ed25519.Sign(listKey, msg), nil }
	edition := func(number uint32, cards int) []byte {
		var on []list.Card
		for i := range cards {
			on = append(on, list.Card{PAN: pan(t, i)})
		}
		l, err := list.Build(1, number, [16]byte{1}, morning.Add(-time.Hour), morning.Add(24*time.Hour), on)
		w.check(err)
		raw, err := list.Append(nil, l, sign)
		w.check(err)
		return raw
	}
	publish := func(raw []byte) error { return w.acq.PublishList(w.ctx(), raw, w.now) }
	for _, size := range []int{200, 3, 150} { // longer, shorter, longer again
		number := uint32(size%7) + uint32(w.now.Unix()) // rises with the clock below
		w.check(publish(edition(number, size)))
		got, err := list.Decode(w.download(t), listKey.Public().(ed25519.PublicKey))
		if err != nil || got.Len() != size || got.Number != number {
			t.Fatalf("%d cards: %v", size, err)
		}
		w.now = w.now.Add(time.Minute)
	}
	if err := publish(edition(1, 1)); !errors.Is(err, list.ErrRollback) {
		t.Errorf("older: %v", err)
	}
	forged := edition(1<<31, 1)
	forged[50] ^= 1
	if err := publish(forged); !errors.Is(err, list.ErrSignature) {
		t.Errorf("forged: %v", err)
	}
	w.now = w.now.Add(48 * time.Hour)
	if err := publish(edition(1<<31, 1)); !errors.Is(err, list.ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	m := w.message(0x0800, 2, iso8583.F60{NetCode: iso8583.NetList})
	m.Set(62, "x")
	w.expect(m, iso8583.CodeFormat)
	m.Set(62, iso8583.ListRequest(999))
	w.expect(m, iso8583.CodeNoRecord)
	w.expect(w.message(0x0800, 3, iso8583.F60{NetCode: iso8583.NetListDone}), iso8583.CodeApproved)
}

func (w *world) download(t *testing.T) []byte {
	t.Helper()
	var raw []byte
	for index := uint16(0); ; index++ {
		m := w.message(0x0800, 2, iso8583.F60{NetCode: iso8583.NetList})
		m.Set(62, iso8583.ListRequest(index))
		chunk, err := iso8583.ParseListChunk(w.expect(m, iso8583.CodeApproved).Bytes(62))
		w.check(err)
		raw = append(raw, chunk.Data...)
		if !chunk.More {
			if int(chunk.Total) != int(index)+1 {
				t.Fatalf("%d chunks announced, %d came", chunk.Total, index+1)
			}
			return raw
		}
	}
}

// settlement is what clearing makes of the acquirer's presentment.
func settlement(w *world, f *clearing.File, verdicts ...clearing.Verdict) []byte {
	out := &clearing.File{Header: clearing.Header{Kind: clearing.Settlement, From: network, To: acqInst, Date: f.Header.Date, Sequence: 1, Currency: money.CNY}}
	for i, d := range f.Details {
		d.Verdict, d.Reason = verdicts[i], reason.Approved
		if d.Verdict == clearing.Accepted {
			d.Fees.Merchant = money.New(money.CNY, 6)
		}
		out.Details = append(out.Details, d)
	}
	cash := w.payment(70, 70, 5000)
	cash.TxnType = 0x63
	out.Details = append(out.Details, clearing.Detail{Sequence: 99, Acquirer: acqInst, Issuer: issInst,
		Record: purse.Append(nil, cash), Gross: cash.Amount, Verdict: clearing.Accepted, Reason: reason.Approved})
	raw, err := clearing.Append(nil, out, func(msg []byte) ([]byte, error) { return ed25519.Sign(clearingKey, msg), nil })
	w.check(err)
	return raw
}

// A settlement becomes the merchant's statement, once, with card numbers masked, in
// both languages; what is decided is no longer uncleared.
func TestSettlementBecomesAStatement(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	for i, fen := range []money.Minor{1234, 500, 700} {
		w.expect(w.upload(0x0200, w.payment(uint32(i+2), uint16(i+1), fen)), iso8583.CodeApproved)
	}
	date := clock.DateOf(w.now)
	files, err := w.acq.Cut(w.ctx(), date)
	w.check(err)
	raw := settlement(w, w.presentment(files[0]), clearing.Accepted, clearing.Rejected, clearing.Pending)
	w.check(w.acq.Settled(w.ctx(), raw, w.now))
	before := w.head()
	w.check(w.acq.Settled(w.ctx(), raw, w.now))
	if w.head() != before {
		t.Error("the same file twice is not the same")
	}
	s, err := w.acq.Statement(w.ctx(), mid, date)
	w.check(err)
	if s.Net != money.New(money.CNY, 1234-6-5000) {
		t.Errorf("net %s", s.Net)
	}
	if s.Gross != money.New(money.CNY, 1234+5000) || s.Fee != money.New(money.CNY, 6) {
		t.Errorf("refused and undecided payments are in the totals: %s, %s", s.Gross, s.Fee)
	}
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		csv, err := s.CSV(l)
		w.check(err)
		out := string(csv)
		if strings.Count(out, "\r\n") != 6 || strings.Contains(out, pan(t, 1).Reveal()) || !strings.Contains(out, "12.34,0.06,12.28") {
			t.Errorf("%s\n%s", l, out)
		}
		if want := (lang.Text{EN: "trace", ZH: "凭证号"}).In(l); !strings.Contains(out, want) {
			t.Errorf("%s lacks %s", l, want)
		}
	}
	var open []uint32
	w.check(w.acq.Uncleared(w.ctx(), func(r purse.Record) error { open = append(open, r.STAN); return nil }))
	if len(open) != 1 || open[0] != 4 {
		t.Errorf("uncleared: %v", open)
	}
}

// Only clearing's own settlement for this acquirer is taken, and one per id.
func TestForeignSettlementIsRefused(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	w.expect(w.upload(0x0200, w.payment(2, 1, 100)), iso8583.CodeApproved)
	files, err := w.acq.Cut(w.ctx(), clock.DateOf(w.now))
	w.check(err)
	presentment := w.presentment(files[0])
	good := settlement(w, presentment, clearing.Accepted)
	bad := bytes.Clone(good)
	bad[len(bad)-1] ^= 1
	if err := w.acq.Settled(w.ctx(), bad, w.now); !errors.Is(err, clearing.ErrSignature) {
		t.Errorf("forged: %v", err)
	}
	if err := w.acq.Settled(w.ctx(), files[0], w.now); err == nil {
		t.Error("a presentment is no settlement")
	}
	w.check(w.acq.Settled(w.ctx(), good, w.now))
	if err := w.acq.Settled(w.ctx(), settlement(w, presentment, clearing.Rejected), w.now); !errors.Is(err, acquirer.ErrOtherFile) {
		t.Errorf("another content under one id: %v", err)
	}
}

// Every acknowledged capture is in exactly one file, and files are numbered through.
func TestEveryCaptureIsInExactlyOneFile(t *testing.T) {
	w := newWorld(t, vault.CUP)
	w.signOn()
	want := map[uint32]bool{}
	for stan := uint32(2); stan < 40; stan++ {
		w.expect(w.upload(0x0200, w.payment(stan, uint16(stan), money.Minor(stan))), iso8583.CodeApproved)
		want[stan] = true
		if stan%15 == 0 {
			_, err := w.acq.Cut(w.ctx(), clock.DateOf(w.now))
			w.check(err)
		}
	}
	files, err := w.acq.Cut(w.ctx(), clock.DateOf(w.now))
	w.check(err)
	if len(files) != 3 {
		t.Errorf("%d files of three cuts", len(files))
	}
	for i, raw := range files {
		f := w.presentment(raw)
		if f.Header.Sequence != uint32(i+1) {
			t.Errorf("file %d has number %d", i+1, f.Header.Sequence)
		}
		for _, d := range f.Details {
			r, err := purse.Decode(d.Record)
			w.check(err)
			if !want[r.STAN] || r.Amount != d.Gross {
				t.Fatalf("payment %d is in two files, or changed", r.STAN)
			}
			delete(want, r.STAN)
		}
	}
	if len(want) != 0 {
		t.Fatalf("missing %v", want)
	}
}

// What clearing could not take is refused at the door: no payment can hold up the
// file of all others.
func TestUnclearablePaymentsAreRefused(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	foreign, nothing, load := w.payment(2, 2, 100), w.payment(3, 3, 0), w.payment(4, 4, 100)
	foreign.Amount, foreign.Other = money.New(money.HKD, 100), money.Zero(money.HKD)
	load.TxnType = 0x60
	w.expect(w.upload(0x0200, foreign), iso8583.CodeInvalid)
	w.expect(w.upload(0x0200, nothing), iso8583.CodeBadAmount)
	w.expect(w.upload(0x0200, load), iso8583.CodeInvalid)
	if files, err := w.acq.Cut(w.ctx(), clock.DateOf(w.now)); err != nil || len(files) != 0 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

// Under a flood of the same upload one capture is made and everybody hears yes.
func TestConcurrentUploadsAreCapturedOnce(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	frame := w.pack(w.upload(0x0200, w.payment(2, 1, 100)))
	answers := make(chan string, 16)
	for range cap(answers) {
		go func() {
			raw, err := w.acq.Serve(w.ctx(), frame, w.now)
			if err != nil {
				answers <- err.Error()
				return
			}
			var m iso8583.Message
			if err := iso8583.POS.Decode(raw[11:], &m); err != nil {
				answers <- err.Error()
				return
			}
			answers <- m.Text(39)
		}()
	}
	for range cap(answers) {
		if got := <-answers; got != iso8583.CodeApproved {
			t.Errorf("got %s", got)
		}
	}
	n := 0
	w.check(w.acq.Captures(w.ctx(), tid, 1, func(purse.Record) error { n++; return nil }))
	if n != 1 {
		t.Errorf("%d captures", n)
	}
}

// A notice about a load that never was is refused; a reversal and a notice about a
// known one speak of its trace only.
func TestNoticeNeedsItsLoad(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	load := w.service("600000", iso8583.TypeLoadAccount, 2, 1000)
	w.expect(w.notice(3, load), iso8583.CodeNoRecord)
	odd := w.service("600000", iso8583.TypeLoadAccount, 4, 1000)
	odd.Set(61, iso8583.Original{Batch: 1, STAN: 2}.Digits())
	w.expect(odd, iso8583.CodeApproved)
	turned := w.reversal(odd)
	turned.Unset(61)
	w.expect(turned, iso8583.CodeApproved)
	w.forwarded(t, 1)
	if m := w.issuer.got[len(w.issuer.got)-1]; m.MTI != 0x0420 || m.Has(61) || m.Text(11) != "000004" {
		t.Errorf("the issuer got %v", m)
	}
	broken := w.notice(5, odd)
	broken.Set(61, "1")
	w.expect(broken, iso8583.CodeFormat)
}

// A terminal of another make sends no time in its chip data: field 12 completes it.
// It may send its payments as batch details of type 36, too.
func TestPaymentsOfOtherTerminalsAreUnderstood(t *testing.T) {
	w := newWorld(t, vault.CUP)
	w.signOn()
	r := w.payment(2, 1, 100)
	m := w.upload(0x0200, r)
	chip, err := tlv.Decode(m.Bytes(55))
	w.check(err)
	var rest []byte
	for _, item := range chip {
		if item.Tag != emv.TagTime {
			rest = tlv.Append(rest, item.Tag, item.Value)
		}
	}
	m.MTI = 0x0320
	m.SetBytes(55, rest)
	w.expect(m, iso8583.CodeApproved)
	w.check(w.acq.Captures(w.ctx(), tid, 1, func(got purse.Record) error {
		if !got.When.Equal(r.When) {
			t.Errorf("paid at %s, kept as %s", r.When, got.When)
		}
		return nil
	}))
	m.Set(11, "000003")
	m.Set(12, "999999")
	w.expect(m, iso8583.CodeDuplicate) // the same proof, whatever the clock says
	magstripe := w.message(0x0320, 4, iso8583.F60{Type: iso8583.TypePurchase, NetCode: iso8583.NetSettle})
	w.expect(magstripe, iso8583.CodeFunction)
}

// The record of a batch tells the operator what the terminal claimed and what was
// counted.
func TestUnequalBatchIsOnRecord(t *testing.T) {
	w := newWorld(t, vault.Secure)
	w.signOn()
	w.expect(w.upload(0x0200, w.payment(2, 1, 100)), iso8583.CodeApproved)
	w.expect(w.settle(1, 500, 2), iso8583.CodeApproved)
	b, err := w.acq.Batch(w.ctx(), tid, 1)
	if err != nil || b.State != acquirer.BatchUnequal || b.Claimed.Home.Debit != 500 || b.Counted.Home.Debit != 100 {
		t.Fatalf("%+v %v", b, err)
	}
	for _, bad := range []string{"1", strings.Repeat("0", 61) + "x"} {
		m := w.settle(1, 500, 2)
		m.Set(48, strings.ReplaceAll(bad, "x", ""))
		w.expect(m, iso8583.CodeFormat)
	}
	if terminal, err := w.acq.Terminal(w.ctx(), tid); err != nil || terminal.Batch != 1 || terminal.Serial != "JZ00000001" {
		t.Errorf("%+v %v", terminal, err)
	}
}

// New refuses a configuration that could not work.
func TestConfigurationIsChecked(t *testing.T) {
	w := newWorld(t, vault.CUP)
	good := acquirer.Config{Inst: acqInst, Currency: money.CNY, Clearing: network, Issuers: map[ident.Inst]acquirer.Zone{issInst: {}}}
	for why, spoil := range map[string]func(c *acquirer.Config){
		"no name":         func(c *acquirer.Config) { c.Inst = "" },
		"no clearing":     func(c *acquirer.Config) { c.Clearing = "x" },
		"no currency":     func(c *acquirer.Config) { c.Currency = 0 },
		"route to nobody": func(c *acquirer.Config) { c.Routes = []acquirer.Route{{Prefix: "62", Issuer: "99999999"}} },
		"empty prefix":    func(c *acquirer.Config) { c.Routes = []acquirer.Route{{Issuer: issInst}} },
	} {
		c := good
		spoil(&c)
		if _, err := acquirer.New(c, w.ledger.Door(nil, nil), w.vault, w.issuer); err == nil {
			t.Error(why)
		}
	}
}

// Whatever a terminal sends, even with a good MAC, the acquirer does not panic, does
// not approve without MAC, and answers only what it can decode.
func FuzzServe(f *testing.F) {
	w := newWorld(f, vault.Secure)
	w.signOn()
	load := w.service("600000", iso8583.TypeLoadAccount, 2, 1000)
	for _, m := range []*iso8583.Message{w.upload(0x0200, w.payment(2, 1, 100)), load, w.reversal(load), w.notice(3, load), w.settle(1, 0, 0)} {
		f.Add(w.pack(m)[11:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w.t, w.issuer.t = t, t
		var m iso8583.Message
		if iso8583.POS.Decode(body, &m) == nil && m.Has(64) { // sealed anew, to get past the MAC
			m.Set(41, string(tid))
			body = w.pack(&m)[11:]
		}
		frame := iso8583.AppendFrame(nil, iso8583.Frame{TPDU: iso8583.NewTPDU(3, 1), Header: iso8583.DefaultHeader, Body: body})
		raw, err := w.acq.Serve(w.ctx(), frame, w.now)
		if err != nil && !errors.Is(err, acquirer.ErrFrame) {
			t.Fatal(err)
		}
		if raw == nil {
			return
		}
		var answer iso8583.Message
		if err := iso8583.POS.Decode(raw[11:], &answer); err != nil && iso8583.POS.Decode(body, &m) == nil {
			t.Fatalf("undecodable answer to a good request: %v", err)
		}
	})
}
