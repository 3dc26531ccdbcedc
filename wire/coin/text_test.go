package coin

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const base32Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// Goal: whatever fits a QR symbol in alphanumeric mode, and the same message comes
// back; the scheme is taken in either case, with space around it.
func TestTextReadsBack(t *testing.T) {
	for _, m := range samples() {
		s := must(Text(m))
		if strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:") != "" {
			t.Errorf("%v: not alphanumeric: %s", m.Type(), s)
		}
		for _, form := range []string{s, "jiaozi:" + s[len(prefix):], "Jiaozi:" + s[len(prefix):] + "\r\n", "  " + s} {
			if got, err := ParseText(form); err != nil || !reflect.DeepEqual(got, m) {
				t.Errorf("%v: %v", m.Type(), err)
			}
		}
	}
}

// Goal: a mistyped text is refused. Method: every letter replaced by every other,
// dropped, doubled, swapped with the next, and put in small, of a whole text and
// of a part.
func TestEveryMistypedLetterIsRefused(t *testing.T) {
	m := &Recover{Key: key(3), From: 77}
	for _, s := range []string{must(Text(m)), must(Parts(sampleGuilt(), 120))[1]} {
		refused := func(typo, how string) {
			if typo == s {
				return
			}
			if _, err := parsePart(typo); !errors.Is(err, ErrChecksum) && !errors.Is(err, ErrText) {
				t.Fatalf("%s %s: %v", how, typo, err)
			}
		}
		for i := len(prefix); i < len(s); i++ {
			for _, letter := range base32Letters + "0189-/: =\n" {
				refused(s[:i]+string(letter)+s[i+1:], "replaced")
			}
			refused(s[:i]+s[i+1:], "dropped")
			refused(s[:i]+s[i:i+1]+s[i:], "doubled")
			refused(s[:i]+strings.ToLower(s[i:i+1])+s[i+1:], "small")
			if i+1 < len(s) {
				refused(s[:i]+s[i+1:i+2]+s[i:i+1]+s[i+2:], "swapped")
			}
			refused(s[:i], "cut")
		}
	}
}

// Goal: no text is taken that we would not write. Method: base32 with bits left
// over, line ends inside, padding, a checksum that is right over a wrong head.
func TestOtherFormsOfATextAreRefused(t *testing.T) {
	s := must(Text(sampleRequest()))
	last := strings.IndexByte(base32Letters, s[len(s)-1])
	for why, text := range map[string]string{
		"nothing":              "",
		"another scheme":       "bitcoin:" + s[len(prefix):],
		"no scheme":            s[len(prefix):],
		"empty":                prefix,
		"too short for a sum":  prefix + "AAAA",
		"left-over bits":       s[:len(s)-1] + string(base32Letters[last^1]),
		"a line end inside":    s[:20] + "\n" + s[20:],
		"padding":              s + "=",
		"part 0":               frame(prefix+"0-2/", make([]byte, 9)),
		"part 3 of 2":          frame(prefix+"3-2/", make([]byte, 9)),
		"part 1 of 1":          frame(prefix+"1-1/", make([]byte, 9)),
		"part +1 of 2":         frame(prefix+"+1-2/", make([]byte, 9)),
		"part 01 of 2":         frame(prefix+"01-2/", make([]byte, 9)),
		"part 1 of 257":        frame(prefix+"1-257/", make([]byte, 9)),
		"part 1 of very many":  frame(prefix+"1-99999999999999999999/", make([]byte, 9)),
		"an empty part":        frame(prefix+"1-2/", make([]byte, 8)),
		"a part without an id": frame(prefix+"1-2/", nil),
		"a sum of other parts": strings.Replace(frame(prefix+"1-3/", make([]byte, 9)), "1-3", "2-3", 1),
		"two mebibytes":        prefix + strings.Repeat("A", 2<<20),
	} {
		if p, err := parsePart(text); err == nil {
			t.Errorf("%s: %+v", why, p)
		}
	}
	if _, err := ParseText(frame(prefix, []byte("hello"))); !errors.Is(err, ErrShort) {
		t.Errorf("a good checksum over nonsense: %v", err)
	}
	if _, err := ParseText(must(Parts(sampleGuilt(), 200))[0]); !errors.Is(err, ErrPart) {
		t.Errorf("a part alone: %v", err)
	}
}

// Goal: parts come in any order, any number of times, and give the message once.
// Method: many sizes of parts, many orders, each part shown three times.
func TestPartsInAnyOrderGiveTheMessage(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	m := sampleGuilt()
	for chars := minPart; chars < 1500; chars += 37 {
		texts := must(Parts(m, chars))
		shortest := len(texts[0])
		for _, s := range texts {
			if len(s) > chars {
				t.Fatalf("a part of %d characters, at most %d", len(s), chars)
			}
			shortest = min(shortest, len(s))
		}
		if len(texts) > 1 && shortest < len(texts[0])/4 && len(texts[len(texts)-1]) != shortest {
			t.Errorf("%d characters: parts are of very different length", chars)
		}
		shown := slices.Concat(texts, texts, texts)
		dice.Shuffle(len(shown), func(i, j int) { shown[i], shown[j] = shown[j], shown[i] })
		var c Collector
		got, want := collect(t, &c, shown), 1
		if len(texts) == 1 {
			want = len(shown)
		}
		if len(got) < want || !reflect.DeepEqual(got[0], m) {
			t.Fatalf("%d parts: %v", len(texts), got)
		}
	}
}

// collect shows the texts until the end and gives the messages that came out.
func collect(t *testing.T, c *Collector, texts []string) (got []Message) {
	t.Helper()
	for _, s := range texts {
		m, err := c.Add(s)
		if err != nil {
			t.Fatal(err)
		}
		if m != nil {
			got = append(got, m)
		}
	}
	return got
}

// Goal: parts of two messages never become one, and an error loses nothing.
func TestForeignPartsDoNotDisturb(t *testing.T) {
	m, other := sampleGuilt(), sampleGuilt()
	other.Time++
	texts, foreign := must(Parts(m, 300)), must(Parts(other, 300))
	fewer := must(Parts(m, 600))
	var c Collector
	if c.Missing() != nil {
		t.Error("something is missing before anything came")
	}
	for i, s := range texts[:len(texts)-1] {
		if got, err := c.Add(s); got != nil || err != nil {
			t.Fatal(got, err)
		}
		for _, bad := range []string{foreign[i], fewer[0], must(Text(sampleRequest())), forged(s)} {
			if got, err := c.Add(bad); got != nil || !errors.Is(err, ErrOther) {
				t.Fatalf("after part %d: %v, %v", i+1, got, err)
			}
		}
		if got, err := c.Add("nonsense"); got != nil || !errors.Is(err, ErrText) {
			t.Fatal(got, err)
		}
		if missing := c.Missing(); len(missing) != len(texts)-1-i || missing[0] != i+2 {
			t.Fatalf("after part %d: %v", i+1, missing)
		}
	}
	if got, err := c.Add(texts[len(texts)-1]); err != nil || !reflect.DeepEqual(got, m) {
		t.Fatal(got, err)
	}
	if got := collect(t, &c, []string{must(Text(m))}); len(got) != 1 || c.Missing() != nil {
		t.Error("the collector does not begin anew")
	}
}

// forged is the same part with other bytes and a right checksum.
func forged(s string) string {
	p := must(parsePart(s))
	p.piece[0] ^= 1
	return frame(partPrefix(p.index, p.count), append(p.id[:], p.piece...))
}

// Goal: parts that lie about their message are refused at the end, and the
// collector is free again.
func TestForgedPartIsFoundAtTheEnd(t *testing.T) {
	texts := must(Parts(sampleGuilt(), 600))
	var c Collector
	collect(t, &c, append([]string{forged(texts[0])}, texts[1:len(texts)-1]...))
	if got, err := c.Add(texts[len(texts)-1]); got != nil || !errors.Is(err, ErrForm) {
		t.Fatal(got, err)
	}
	if got := collect(t, &c, texts); len(got) != 1 {
		t.Error("the collector is stuck")
	}
}

// Goal: a collector is bounded. Method: parts of the greatest length that a text
// can have.
func TestPartsTogetherAreBounded(t *testing.T) {
	var c Collector
	big := make([]byte, idLen+MaxMessage*3/4)
	if _, err := c.Add(frame(partPrefix(1, 3), big)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Add(frame(partPrefix(2, 3), big)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func TestWhatNeedsTooManyPartsGoesAsAFile(t *testing.T) {
	p := &Payment{Paid: yuan(10), Change: yuan(0), Items: [][]byte{make([]byte, MaxItem), make([]byte, MaxItem)}}
	if _, err := Parts(p, minPart); err == nil || !strings.Contains(err.Error(), "as a file") {
		t.Error(err)
	}
	if _, err := Parts(p, minPart-1); err == nil {
		t.Error("parts without room for anything")
	}
	if texts, err := Parts(p, TerminalChars); err != nil || len(texts) > 64 {
		t.Error(len(texts), err)
	}
	for _, f := range []func() error{
		func() error { _, err := Parts(&Failure{}, 500); return err },
		func() error { _, err := Text(&Failure{}); return err },
		func() error { _, err := AppendNDEF(nil, &Failure{}); return err },
		func() error { _, err := Fragments(&Failure{}, 1, 100); return err },
	} {
		if err := f(); !errors.Is(err, ErrForm) {
			t.Error(err)
		}
	}
}

// Goal: a file or a pipe may hold the envelope, the text or the parts.
func TestReadTakesEveryForm(t *testing.T) {
	m := sampleGuilt()
	parts := must(Parts(m, 300))
	slices.Reverse(parts)
	for why, b := range map[string][]byte{
		"envelope": must(Append(nil, m)),
		"text":     []byte(must(Text(m)) + "\n"),
		"parts":    []byte("\n" + strings.Join(parts, "\r\n\n") + "\n"),
	} {
		if got, err := Read(b); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s: %v", why, err)
		}
	}
	for why, bad := range map[string]struct {
		text string
		want error
	}{
		"nothing":        {"\n \n", ErrText},
		"a letter":       {"Dear friend,\n" + must(Text(m)), ErrText},
		"a part missing": {strings.Join(parts[1:], "\n"), ErrPart},
		"two messages":   {must(Text(m)) + "\n" + must(Text(m)), ErrOther},
		"too much":       {strings.Repeat("\n", 2*maxText+1), ErrTooLarge},
	} {
		if got, err := Read([]byte(bad.text)); got != nil || !errors.Is(err, bad.want) {
			t.Errorf("%s: %v", why, err)
		}
	}
}
