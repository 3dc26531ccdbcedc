package terminal

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"jiaozi/value/ident"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

// spoilers are the classes of bad answers. Each takes an answer with its status.
var spoilers = []struct {
	name  string
	spoil func(answer []byte) []byte
}{
	{"gone", func([]byte) []byte { return nil }},
	{"no data", func(b []byte) []byte { return b[len(b)-2:] }},
	{"cut by one", func(b []byte) []byte { return append(bytes.Clone(b[:max(0, len(b)-3)]), b[len(b)-2:]...) }},
	{"cut in half", func(b []byte) []byte { return append(bytes.Clone(b[:len(b)/2]), 0x90, 0x00) }},
	{"one byte more", func(b []byte) []byte { return slices.Insert(bytes.Clone(b), len(b)-2, 0x00) }},
	{"oversized", func(b []byte) []byte {
		return append(append(bytes.Clone(b[:len(b)-2]), make([]byte, 300)...), 0x90, 0x00)
	}},
	{"twice", func(b []byte) []byte { return append(append(bytes.Clone(b[:len(b)-2]), b[:len(b)-2]...), 0x90, 0x00) }},
	{"first object twice", doubled},
	{"length one more", func(b []byte) []byte { return tweaked(b, 1, 1) }},
	{"length one less", func(b []byte) []byte { return tweaked(b, 1, 0xFF) }},
	{"length huge", func(b []byte) []byte { return tweaked(b, 1, 0x7A) }},
	{"another template", func(b []byte) []byte { return tweaked(b, 0, 0x01) }},
	{"6985", func([]byte) []byte { return []byte{0x69, 0x85} }},
	{"6A81", func([]byte) []byte { return []byte{0x6A, 0x81} }},
	{"6A82", func([]byte) []byte { return []byte{0x6A, 0x82} }},
	{"6283", func(b []byte) []byte { return append(bytes.Clone(b[:len(b)-2]), 0x62, 0x83) }},
	{"6F00", func([]byte) []byte { return []byte{0x6F, 0x00} }},
	{"61xx", func([]byte) []byte { return []byte{0x61, 0x20} }},
	{"0000", func(b []byte) []byte { return append(bytes.Clone(b[:len(b)-2]), 0, 0) }},
}

func tweaked(b []byte, at int, add byte) []byte {
	out := bytes.Clone(b)
	if len(out) > at+2 {
		out[at] += add
	}
	return out
}

// doubled repeats the first object inside the outer template, with lengths that
// fit: the shadow tag of attack 29.
func doubled(b []byte) []byte {
	outer, _, err := tlv.Next(b[:len(b)-2])
	if err != nil || !tlv.Constructed(outer.Tag) {
		return nil
	}
	first, _, err := tlv.Next(outer.Value)
	if err != nil {
		return nil
	}
	if first.Tag == emv.TagDirectoryEntry {
		return b // a directory may well list a thing twice
	}
	again := tlv.Append(bytes.Clone(outer.Value), first.Tag, first.Value)
	return append(tlv.Append(nil, outer.Tag, again), 0x90, 0x00)
}

// Goal: no bad answer, at any step, is taken for a payment; before the card can
// have paid it is a decline that leaves nothing open, afterwards it leaves a trace.
// Method: every exchange of every script, every class of bad answer.
func TestABadAnswerIsNeverAPayment(t *testing.T) {
	for _, s := range loadScripts(t) {
		for n := range s.scenes[len(s.scenes)-1].exchanges {
			for _, spoiler := range spoilers {
				t.Run(fmt.Sprintf("%s/%d/%s", s.name, n, spoiler.name), func(t *testing.T) {
					playSpoiled(t, s, n, spoiler.spoil)
				})
			}
		}
	}
}

func playSpoiled(t *testing.T, s dialogue, n int, spoil func([]byte) []byte) {
	till := openTest(t, &memory{})
	for i, x := range s.scenes {
		last := i == len(s.scenes)-1
		exchanges := x.exchanges
		if last {
			exchanges = slices.Clone(x.exchanges)
			spoiled := spoil(exchanges[n].answer)
			if bytes.Equal(spoiled, exchanges[n].answer) {
				return
			}
			exchanges[n].answer = spoiled
		}
		open := len(till.state.pending)
		out := till.Purchase(t.Context(), &player{t: t, exchanges: exchanges}, x.sale)
		if !last {
			continue
		}
		if (out.Result == Approved || out.Result == Recovered) && !dispensable(x.exchanges[n], exchanges[n].answer) {
			t.Errorf("%v, although the card's answer %d was spoiled", out.Result, n+1)
		}
		if out.Result == Unknown && len(till.state.pending) == 0 {
			t.Error("not decided, and nothing is left open")
		}
		if out.Result == Declined && !out.Flagged && len(till.state.pending) > open {
			t.Errorf("declined (%s) with a payment left open", out.Reason)
		}
	}
}

// dispensable: a card may have no directory, and may not tell all it is asked for;
// and what stands behind a refusal nobody reads.
func dispensable(x exchange, spoiled []byte) bool {
	refused := func(b []byte) bool { return len(b) < 2 || !bytes.Equal(b[len(b)-2:], []byte{0x90, 0}) }
	directory := x.command[1] == apdu.InsSelect && bytes.Contains(x.command, []byte("PAY.SYS.DDF01"))
	return refused(x.answer) || refused(spoiled) && (directory || x.command[1] == apdu.InsGetData)
}

// cardFunc is a card made of one function.
type cardFunc func(apdu.Command) (apdu.Response, error)

func (f cardFunc) Transmit(c apdu.Command) (apdu.Response, error) { return f(c) }

func ok(data []byte) (apdu.Response, error) { return apdu.Response{Data: data, SW: apdu.OK}, nil }

// TestATalkativeCardIsCutOff: every loop that a card feeds has an end.
func TestATalkativeCardIsCutOff(t *testing.T) {
	directory := tlv.Append(nil, emv.TagFCI, append(
		tlv.Append(nil, emv.TagDFName, []byte(directoryContact)),
		tlv.Append(nil, emv.TagFCIProprietary, tlv.Append(nil, emv.TagSFI, []byte{1}))...))
	entry := tlv.Append(nil, emv.TagRecord, tlv.Append(nil, emv.TagDirectoryEntry, tlv.Append(nil, emv.TagAID, []byte(testAID))))
	commands := 0
	card := cardFunc(func(c apdu.Command) (apdu.Response, error) {
		commands++
		if c.INS == apdu.InsSelect && string(c.Data) == directoryContact {
			return ok(directory)
		}
		if c.INS == apdu.InsReadRecord {
			return ok(entry)
		}
		return apdu.Response{SW: apdu.FileNotFound}, nil
	})
	out := openTest(t, &memory{}).Purchase(t.Context(), card, Sale{Amount: yuan(1), Entry: purse.Contact})
	if out.Result != Declined || commands > maxAPDUs {
		t.Errorf("%v %s after %d commands", out.Result, out.Reason, commands)
	}
}

func TestTooManyRecordsAreRefused(t *testing.T) {
	s := &session{t: openTest(t, &memory{}), data: map[tlv.Tag][]byte{emv.TagAIP: {0x20, 0}}}
	s.data[emv.TagAFL] = emv.AFL{{SFI: 1, First: 1, Last: maxRecords + 1}}.Append(nil)
	if st := s.takeProfile(); st == nil {
		t.Error("a card may make the terminal read for ever")
	}
	var many emv.AFL
	for range maxAFLEntries + 1 {
		many = append(many, emv.AFLEntry{SFI: 1, First: 1, Last: 1})
	}
	s.data[emv.TagAFL] = many.Append(nil)
	if st := s.takeProfile(); st == nil {
		t.Error("a locator of any length is taken")
	}
}

// TestTheDirectoryChoosesByPriority: EMV Book 1, 12.4.1, lowest number first,
// none last; an application that the terminal does not know is left out.
func TestTheDirectoryChoosesByPriority(t *testing.T) {
	s := &session{t: openTest(t, &memory{})}
	got := s.common([]candidate{
		{ident.AID("\xA0\x00\x00\x03\x33\x01\x01\x06\x00"), 0}, {ident.AID("\xA0\x00\x00\x00\x03\x10\x10"), 1},
		{testAID + "\x02", 2}, {testAID + "\x01", 1},
	})
	if len(got) != 3 || got[0].aid != testAID+"\x01" || got[1].aid != testAID+"\x02" || got[2].priority != 0 {
		t.Errorf("%+v", got)
	}
}
