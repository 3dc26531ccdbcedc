package journey

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// host is acquirer and issuer in one, kept as simple as a test can trust: one
// account, the records it was sent, the loads it knows. It speaks through bytes.
type host struct {
	keys    *vault.Vault // of the terminal line
	profile vault.Profile
	clock   clock.Clock
	list    []byte
	batch   uint32

	account money.Amount // of every card's holder
	loads   map[string]*hostLoad
	records map[string]purse.Record // by batch and trace
	settled map[uint32]money.Amount
	stored  map[string]*iso8583.Message // answers, so that a repeat is answered alike
	unequal bool                        // say that the totals differ
	refuses bool                        // take no payment: the card's issuer is not known

	badKeys int    // so many sign-ons give keys whose check value is wrong
	code    string // the answer to every reversal, if it is not yes

	exchanges int
	fault     lineFault
	at        int
	seen      []string
}

type hostLoad struct {
	amount money.Amount
	pan    ident.PAN
	state  string // "in flight", "done", "undone"
}

type lineFault int

const (
	lineSound    lineFault = iota
	lineRequest            // the request never arrives
	lineAnswer             // the answer is lost
	lineForged             // the answer's MAC is wrong
	lineTrace              // the answer is for another trace number
	lineTerminal           // ... for another terminal
	lineGarbage            // the answer is cut short
	lineDead               // from here on nothing passes
)

var errLine = errors.New("time-out, by order of the test")

func newHost(p vault.Profile, clk clock.Clock) *host {
	h := &host{
		keys: vault.New(vault.Options{Test: true, Rand: &counting{seed: 4}}), profile: p, clock: clk, batch: 7,
		list: blacklist(1), account: yuan(1000_00), loads: map[string]*hostLoad{}, records: map[string]purse.Record{},
		settled: map[uint32]money.Amount{}, stored: map[string]*iso8583.Message{},
	}
	check(h.keys.Generate("zpk", vault.ZPK))
	check(h.keys.Generate("pvk", vault.PVK))
	return h
}

// Exchange is the line with its faults.
func (h *host) Exchange(_ context.Context, request []byte) ([]byte, error) {
	n := h.exchanges
	h.exchanges++
	hit := h.fault != lineSound && (n == h.at || h.fault == lineDead && n >= h.at)
	if hit && (h.fault == lineRequest || h.fault == lineDead) {
		return nil, errLine
	}
	answer := h.serve(request)
	if !hit {
		return answer, nil
	}
	switch h.fault {
	case lineAnswer:
		return nil, errLine
	case lineForged:
		answer[len(answer)-1] ^= 1
	case lineGarbage:
		answer = answer[:len(answer)-3]
	case lineTrace, lineTerminal:
		answer = h.spoil(answer)
	}
	return answer, nil
}

// spoil makes an authentic answer to something else.
func (h *host) spoil(answer []byte) []byte {
	f := must(iso8583.DecodeFrame(answer))
	var m iso8583.Message
	check(iso8583.POS.Decode(f.Body, &m))
	if h.fault == lineTrace {
		m.Set(11, "999998")
	} else {
		m.Set(41, "JZ999999")
	}
	m.Unset(64)
	return h.pack(f.TPDU, &m)
}

func (h *host) serve(request []byte) []byte {
	f := must(iso8583.DecodeFrame(request))
	var m iso8583.Message
	check(iso8583.POS.Decode(f.Body, &m))
	check(iso8583.POS.Validate(&m))
	f60 := must(iso8583.ParseF60(m.Text(60)))
	h.seen = append(h.seen, fmt.Sprintf("%v/%d/%d", m.MTI, f60.Type, f60.NetCode))
	if mab, mac, err := iso8583.POS.MAB(f.Body); err == nil {
		if ok := must(h.keys.VerifyMAC("tak", mab, mac)); !ok {
			return h.answer(f, &m, iso8583.CodeMAC)
		}
	} else if iso8583.POS.MustMAC(m.MTI, h.profile == vault.Secure) {
		return h.answer(f, &m, iso8583.CodeMAC)
	}
	id := fmt.Sprintf("%v/%06d/%s", m.MTI, f60.Batch, m.Text(11))
	if kept, ok := h.stored[id]; ok && m.MTI != 0x0800 {
		return h.pack(f.TPDU.Reply(), kept) // under the keys of now
	}
	out := h.route(f, &m, f60)
	h.stored[id] = &iso8583.Message{}
	check(iso8583.POS.Decode(must(iso8583.DecodeFrame(out)).Body, h.stored[id]))
	h.stored[id].Unset(64)
	return out
}

func (h *host) route(f iso8583.Frame, m *iso8583.Message, f60 iso8583.F60) []byte {
	switch {
	case m.MTI == 0x0800 && f60.NetCode == iso8583.NetList:
		return h.chunk(f, m)
	case m.MTI == 0x0800:
		return h.signOn(f, m)
	case m.MTI == 0x0200 && f60.Type == iso8583.TypeOfflineUpload, m.MTI == 0x0320 && f60.NetCode == iso8583.NetDetailUnequal:
		return h.capture(f, m, f60)
	case m.MTI == 0x0200:
		return h.load(f, m, f60)
	case m.MTI == 0x0400:
		return h.reverse(f, m, f60)
	case m.MTI == 0x0620:
		return h.notice(f, m)
	case m.MTI == 0x0500:
		return h.settle(f, m, f60)
	}
	return h.answer(f, m, iso8583.CodeApproved)
}

// answer echoes what identifies the request; more adds to it.
func (h *host) answer(f iso8583.Frame, m *iso8583.Message, code string, more ...func(*iso8583.Message)) []byte {
	out := &iso8583.Message{MTI: m.MTI.Response()}
	out.Copy(m, 2, 3, 4, 11, 25, 41, 42, 49, 60)
	now := h.clock.Now().In(clock.Zone)
	out.Set(12, now.Format("150405"))
	out.Set(13, now.Format("0102"))
	out.Set(39, code)
	for _, add := range more {
		add(out)
	}
	return h.pack(f.TPDU.Reply(), out)
}

func (h *host) pack(to iso8583.TPDU, m *iso8583.Message) []byte {
	var body []byte
	if iso8583.POS.MustMAC(m.MTI, h.profile == vault.Secure) && h.keys.Has("tak") {
		body = must(iso8583.POS.Seal(nil, m, func(mab []byte) ([8]byte, error) { return h.keys.MAC("tak", mab) }))
	} else {
		body = must(iso8583.POS.Append(nil, m))
	}
	return iso8583.AppendFrame(nil, iso8583.Frame{TPDU: to, Header: iso8583.DefaultHeader, Body: body})
}

func (h *host) signOn(f iso8583.Frame, m *iso8583.Message) []byte {
	keys := must(h.keys.IssueWorkingKeys("tmk", "tpk", "tak", h.profile))
	if h.badKeys > 0 {
		h.badKeys--
		keys.TAKKCV[0] ^= 1
	}
	field := must(iso8583.KeyField{TPK: keys.TPK, TAK: keys.TAK, TPKCheck: keys.TPKKCV, TAKCheck: keys.TAKKCV}.Bytes())
	return h.answer(f, m, iso8583.CodeApproved, func(out *iso8583.Message) {
		out.SetBytes(62, field)
		out.Set(60, iso8583.F60{Batch: h.batch, NetCode: iso8583.NetSignOnDouble}.Digits())
	})
}

func (h *host) chunk(f iso8583.Frame, m *iso8583.Message) []byte {
	index := int(must(iso8583.ParseListRequest(m.Bytes(62))))
	total := (len(h.list) + iso8583.MaxChunk - 1) / iso8583.MaxChunk
	data := h.list[index*iso8583.MaxChunk : min(len(h.list), (index+1)*iso8583.MaxChunk)]
	field := must(iso8583.ListChunk{More: index+1 < total, Total: uint16(total), Data: data}.Bytes())
	return h.answer(f, m, iso8583.CodeApproved, func(out *iso8583.Message) { out.SetBytes(62, field) })
}

// record rebuilds the payment from a message, as an acquirer does.
func record(m *iso8583.Message, batch uint32) purse.Record {
	r := purse.Record{
		PAN: must(ident.ParsePAN(m.Text(2))), TID: must(ident.ParseTID(m.Text(41))), MID: must(ident.ParseMID(m.Text(42))),
		STAN: number(m.Text(11)), PSN: ident.PSN(number(m.Text(23))), Batch: batch,
	}
	r.Entry = purse.Contact
	if strings.HasPrefix(m.Text(22), "07") {
		r.Entry = purse.Contactless
	}
	if m.Has(62) {
		r.Flag = purse.Flag(must(iso8583.ParseFlagField(m.Bytes(62))))
	}
	check(r.SetF55(m.Bytes(55)))
	check(r.Validate())
	return r
}

func number(s string) uint32 {
	n := uint32(0)
	for _, c := range s {
		n = n*10 + uint32(c-'0')
	}
	return n
}

// capture keeps a payment; a cryptogram must be the card's.
func (h *host) capture(f iso8583.Frame, m *iso8583.Message, f60 iso8583.F60) []byte {
	r := record(m, f60.Batch)
	if r.HasCryptogram() && !proved(&r) {
		panic("a cryptogram was uploaded that the card did not make")
	}
	if h.refuses {
		return h.answer(f, m, iso8583.CodeNoIssuer)
	}
	key := fmt.Sprintf("%06d/%06d", r.Batch, r.STAN)
	if old, ok := h.records[key]; ok && old.Proof() != r.Proof() {
		panic("two payments under one trace number")
	}
	h.records[key] = r
	return h.answer(f, m, iso8583.CodeApproved)
}

func proved(r *purse.Record) bool {
	return must(issuerVault().VerifyAC(cardKeys.AC, r.PAN, r.PSN, r.ATC, must(purse.ACInput(*r)), r.AC))
}

// load takes the amount from the account and sends the new balance as a script.
func (h *host) load(f iso8583.Frame, m *iso8583.Message, f60 iso8583.F60) []byte {
	m55 := *m
	m55.Unset(62)
	r := record(&m55, f60.Batch)
	iad := must(emv.ParseIAD(r.IAD))
	v := issuerVault()
	if kind := m.Text(3); kind == "600000" || kind == "620000" {
		if !h.pinRight(m, r.PAN) {
			return h.answer(f, m, iso8583.CodeWrongPIN)
		}
	}
	if !proved(&r) || !must(v.VerifyBalance(cardKeys.MAC, r.PAN, r.PSN, r.ATC, iad.Value, iad.MAC)) {
		return h.answer(f, m, iso8583.CodeDoNotHonour)
	}
	if order, _ := h.account.Cmp(r.Amount); order < 0 {
		return h.answer(f, m, iso8583.CodeInsufficient)
	}
	h.account = must(h.account.Sub(r.Amount))
	h.loads[loadKey(f60.Batch, r.STAN)] = &hostLoad{r.Amount, r.PAN, "in flight"}
	chip := h.issuerData(&r, iad, m.Text(3) == "290000")
	return h.answer(f, m, iso8583.CodeApproved, func(out *iso8583.Message) { out.SetBytes(55, chip) })
}

// pinRight checks the PIN of the payer: 1234 opens every account. A block that does
// not open is a wrong one too.
func (h *host) pinRight(m *iso8583.Message, payer ident.PAN) bool {
	if source := m.Bytes(62); source != nil {
		payer = must(ident.ParsePAN(string(source)))
	}
	reference := must(h.keys.SetPIN("pvk", must(pin.Parse("1234")), payer))
	block, err := h.keys.TranslatePIN("tpk", "zpk", [8]byte(m.Bytes(52)), payer)
	if err != nil {
		return false
	}
	return must(h.keys.VerifyPIN("zpk", block, payer, "pvk", reference))
}

func loadKey(batch, stan uint32) string { return fmt.Sprintf("%06d/%06d", batch, stan) }

func (h *host) issuerData(r *purse.Record, iad emv.IAD, closing bool) []byte {
	v := issuerVault()
	arpc := must(v.RespondARQC(cardKeys.AC, r.PAN, r.PSN, r.ATC, r.AC, [2]byte{'0', '0'}))
	next := must(must(iad.Balance(money.CNY)).Add(r.Amount))
	if closing {
		next = yuan(0)
	}
	n12 := must(next.N12())
	put := apdu.PutData(emv.TagECBalance, n12[:], [4]byte{})
	mac := must(v.ScriptMAC(cardKeys.MAC, r.PAN, r.PSN, put.Header(), r.ATC, r.AC, n12[:]))
	put = apdu.PutData(emv.TagECBalance, n12[:], mac)
	out := tlv.Append(nil, emv.TagIssuerAuth, append(arpc[:], '0', '0'))
	if !closing {
		return tlv.Append(out, emv.TagScriptAfter, tlv.Append(nil, emv.TagScriptCommand, put.Append(nil)))
	}
	out = tlv.Append(out, emv.TagScriptBefore, tlv.Append(nil, emv.TagScriptCommand, put.Append(nil)))
	block := apdu.BlockApplication([4]byte{})
	mac = must(v.ScriptMAC(cardKeys.MAC, r.PAN, r.PSN, block.Header(), r.ATC, r.AC, nil))
	block = apdu.BlockApplication(mac)
	return tlv.Append(out, emv.TagScriptAfter, tlv.Append(nil, emv.TagScriptCommand, block.Append(nil)))
}

// reverse gives the money back once, and never after a script was reported.
func (h *host) reverse(f iso8583.Frame, m *iso8583.Message, f60 iso8583.F60) []byte {
	if h.code != "" {
		return h.answer(f, m, h.code)
	}
	if l := h.loads[loadKey(f60.Batch, number(m.Text(11)))]; l != nil && l.state == "in flight" {
		h.undo(l)
	}
	return h.answer(f, m, iso8583.CodeApproved)
}

func (h *host) undo(l *hostLoad) {
	h.account, l.state = must(h.account.Add(l.amount)), "undone"
}

func (h *host) notice(f iso8583.Frame, m *iso8583.Message) []byte {
	original := must(iso8583.ParseOriginal(m.Text(61)))
	l := h.loads[loadKey(original.Batch, original.STAN)]
	chip := must(tlv.Decode(m.Bytes(55)))
	result, _ := chip.Find(emv.TagScriptResult)
	if l == nil || l.state == "undone" || len(result) != 5 {
		panic("a script notice for a load that is not there")
	}
	if result[0]>>4 == 2 { // a refusal is only a status word: the card must prove it
		l.state = "done"
	}
	return h.answer(f, m, iso8583.CodeApproved)
}

// settle compares the totals with what was captured.
func (h *host) settle(f iso8583.Frame, m *iso8583.Message, f60 iso8583.F60) []byte {
	totals := must(iso8583.ParseTotals(m.Text(48)))
	sum, count := yuan(0), 0
	for _, r := range h.records {
		if r.Batch == f60.Batch && r.Flag == purse.None {
			sum, count = must(sum.Add(r.Amount)), count+1
		}
	}
	totals.Home.Reply = iso8583.TotalsEqual
	if h.unequal || sum.Minor() != totals.Home.Debit || count != int(totals.Home.DebitCount) {
		totals.Home.Reply = iso8583.TotalsUnequal
	}
	h.settled[f60.Batch] = sum
	return h.answer(f, m, iso8583.CodeApproved, func(out *iso8583.Message) { out.Set(48, must(totals.Digits())) })
}
