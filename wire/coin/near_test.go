package coin

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
)

// Goal: a tag holds one message and nothing else. Method: both forms of the
// record; every prefix, a byte more, every bit of the head.
func TestNDEFReadsBackAndNothingElse(t *testing.T) {
	for _, m := range []Message{&Recover{Key: key(1)}, sampleGuilt()} {
		b := must(AppendNDEF(nil, m))
		if got, err := ParseNDEF(b); err != nil || !reflect.DeepEqual(got, m) {
			t.Fatal(got, err)
		}
		for n := range b {
			if _, err := ParseNDEF(b[:n]); !errors.Is(err, ErrShort) && !errors.Is(err, ErrForm) {
				t.Fatalf("%d of %d bytes: %v", n, len(b), err)
			}
		}
		if _, err := ParseNDEF(append(b, 0)); !errors.Is(err, ErrForm) {
			t.Error(err)
		}
		head := len(b) - len(must(Append(nil, m)))
		for i := range head {
			for bit := range 8 {
				b[i] ^= 1 << bit
				if _, err := ParseNDEF(b); err == nil || !sentinel(err) {
					t.Errorf("head byte %d bit %d: %v", i, bit, err)
				}
				b[i] ^= 1 << bit
			}
		}
	}
	// The long form of a short record is another spelling.
	payload := must(Append(nil, &Recover{}))
	long := append([]byte{ndefLong, byte(len(MediaType)), 0, 0, 0, byte(len(payload))}, MediaType...)
	if _, err := ParseNDEF(append(long, payload...)); !errors.Is(err, ErrForm) {
		t.Error(err)
	}
	if _, err := ParseNDEF([]byte{ndefLong, byte(len(MediaType)), 0xFF, 0xFF, 0xFF, 0xFF}); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// Goal: any MTU carries the message, in fragments that fit.
func TestFragmentsOfAnyMTUGiveTheMessage(t *testing.T) {
	m := sampleGuilt()
	var a Assembler
	for mtu := minMTU; mtu < 1200; mtu += 13 {
		fragments := must(Fragments(m, byte(mtu), mtu))
		for i, f := range fragments {
			if len(f) > mtu-attHead {
				t.Fatalf("a fragment of %d bytes at an MTU of %d", len(f), mtu)
			}
			got, err := a.Add(f)
			if last := i == len(fragments)-1; err != nil || last != (got != nil) || last && !reflect.DeepEqual(got, m) {
				t.Fatalf("MTU %d, fragment %d: %v, %v", mtu, i, got, err)
			}
		}
	}
	if _, err := Fragments(m, 0, minMTU-1); err == nil {
		t.Error("an MTU that no link has")
	}
	p := &Payment{Paid: yuan(1), Change: yuan(0)}
	for range MaxItems {
		p.Items, p.ChangeBlanks = append(p.Items, make([]byte, MaxItem)), append(p.ChangeBlanks, make([]byte, MaxItem-64))
	}
	p.Paid, p.Change = yuan(2), yuan(1)
	if _, err := Fragments(p, 0, minMTU); err == nil {
		t.Error("a mebibyte in fragments of 15 bytes")
	}
}

// Goal: a lost, repeated or swapped fragment is noticed, and the message sent again
// goes through. Method: each fault at each fragment.
func TestEveryFragmentLostRepeatedOrSwapped(t *testing.T) {
	m := sampleGuilt()
	fragments := must(Fragments(m, 1, 185))
	for i := range fragments {
		lost := slices.Concat(fragments[:i], fragments[i+1:])
		twice := slices.Concat(fragments[:i+1], fragments[i:])
		swapped := slices.Clone(fragments)
		j := (i + 1) % len(fragments)
		swapped[i], swapped[j] = swapped[j], swapped[i]
		for how, sent := range map[string][][]byte{"lost": lost, "twice": twice, "swapped": swapped} {
			var a Assembler
			got, gap := feed(t, &a, sent)
			switch {
			case how == "twice" && (gap || got == nil):
				t.Errorf("fragment %d twice: %v", i, gap)
			case how != "twice" && got != nil:
				t.Errorf("fragment %d %s: read all the same", i, how)
			case how != "twice" && !gap && i != len(fragments)-1:
				t.Errorf("fragment %d %s: not noticed", i, how)
			}
			if got, gap := feed(t, &a, must(Fragments(m, 2, 185))); gap || got == nil {
				t.Errorf("fragment %d %s: the message sent again is refused", i, how)
			}
		}
	}
}

func feed(t *testing.T, a *Assembler, fragments [][]byte) (got Message, gap bool) {
	t.Helper()
	for _, f := range fragments {
		m, err := a.Add(bytes.Clone(f))
		if err != nil && !errors.Is(err, ErrGap) {
			t.Fatal(err)
		}
		gap = gap || err != nil
		if m != nil {
			got = m
		}
	}
	return got, gap
}

// Goal: hostile fragments cost nothing and break nothing. Method: one row each.
func TestHostileFragmentsAreRefused(t *testing.T) {
	whole := must(Fragments(sampleGuilt(), 1, 185))
	first := whole[0]
	longer := append(bytes.Clone(whole[1]), 0)
	for why, fragments := range map[string][][]byte{
		"nothing":                  {nil},
		"a head alone":             {first[:fragmentHead]},
		"no fragments in all":      {{1, 0, 0, 0, 0, 9}},
		"fragment 3 of 2":          {{1, 0, 2, 0, 2, 9}},
		"a count beyond all":       {append([]byte{1, 0, 0, 0xFF, 0xFF}, make([]byte, 500)...)},
		"a longer fragment":        {first, longer},
		"a shorter fragment":       {first, whole[1][:len(whole[1])-1]},
		"a fragment of the other":  {first, append([]byte{2}, whole[1][1:]...)},
		"another number of them":   {first, append([]byte{1, 0, 1, 0, 9}, whole[1][fragmentHead:]...)},
		"the second before all":    {whole[1]},
		"the same but other bytes": {first, whole[1], append(bytes.Clone(whole[1][:fragmentHead]), make([]byte, len(whole[1])-fragmentHead)...)},
	} {
		var a Assembler
		var err error
		for _, f := range fragments {
			var m Message
			if m, err = a.Add(f); m != nil {
				t.Errorf("%s: read", why)
			}
		}
		if err == nil {
			t.Errorf("%s: taken", why)
		}
	}
}
