package coin

import (
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"jiaozi/value/lang"
	"jiaozi/value/money"
)

// Goal: what is written is read back, and equal messages are equal bytes.
// Method: every type, every list filled; a type without a sample fails.
func TestEveryMessageReadsBackAsItself(t *testing.T) {
	seen := map[Type]bool{}
	for _, m := range samples() {
		seen[m.Type()] = true
		b, err := Append([]byte("before"), m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b[len("before"):])
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, m) {
			t.Errorf("%v: %+v became %+v", m.Type(), m, got)
		}
	}
	for typ := range Type(255) {
		if known := blank(typ) != nil; known != seen[typ] || known == strings.HasPrefix(typ.String(), "type ") {
			t.Errorf("%v: known %t, has a sample %t", typ, known, seen[typ])
		}
	}
}

// Goal: a message cut short or drawn out is never another message. Method: every
// prefix and one byte more, of every sample.
func TestEveryPrefixIsRefused(t *testing.T) {
	for _, m := range samples() {
		b := must(Append(nil, m))
		for n := range b {
			if _, err := Decode(b[:n]); err == nil || !sentinel(err) {
				t.Fatalf("%v cut to %d of %d bytes: %v", m.Type(), n, len(b), err)
			}
		}
		if _, err := Decode(append(b, 0)); !errors.Is(err, ErrForm) {
			t.Errorf("%v and a byte: %v", m.Type(), err)
		}
		// The length tells the truth about a body that lies.
		short := append([]byte(nil), b[:len(b)-1]...)
		binary.BigEndian.PutUint32(short[5:], uint32(len(short)-headLen))
		if got, err := Decode(short); err == nil {
			t.Errorf("%v without its last byte reads as %+v", m.Type(), got)
		}
	}
}

func sentinel(err error) bool {
	for _, known := range []error{ErrShort, ErrForm, ErrTooLarge, ErrVersion, ErrType} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// Goal: no two strings of bytes are one message. Method: flip every bit of every
// sample; what still reads is written back with the flipped bit.
func TestEveryBitMeansSomething(t *testing.T) {
	for _, m := range samples() {
		b := must(Append(nil, m))
		for i := range b {
			for bit := range 8 {
				b[i] ^= 1 << bit
				if got, err := Decode(b); err == nil {
					again, err := Append(nil, got)
					if err != nil || string(again) != string(b) {
						t.Fatalf("%v: byte %d bit %d is read and lost (%v)", m.Type(), i, bit, err)
					}
				} else if !sentinel(err) {
					t.Fatalf("%v: byte %d bit %d: %v", m.Type(), i, bit, err)
				}
				b[i] ^= 1 << bit
			}
		}
	}
}

// Goal: what must not be said cannot be written. Method: one broken rule a row.
func TestWhatBreaksARuleIsRefused(t *testing.T) {
	request := func(change func(*Request)) *Request { r := sampleRequest(); change(r); return r }
	payment := func(change func(*Payment)) *Payment {
		p := &Payment{Paid: yuan(10), Change: yuan(0), Items: [][]byte{{1}}}
		change(p)
		return p
	}
	many := make([][]byte, MaxItems+1)
	for i := range many {
		many[i] = []byte{1}
	}
	for why, m := range map[string]Message{
		"nothing is asked for":              request(func(r *Request) { r.Amount = yuan(0) }),
		"a negative sum":                    request(func(r *Request) { r.Amount = yuan(-1) }),
		"a sum without a currency":          request(func(r *Request) { r.Amount = money.New(0, 5) }),
		"a currency of four digits":         request(func(r *Request) { r.Amount = money.New(1000, 5) }),
		"neither payee nor blanks":          request(func(r *Request) { r.Payee = "" }),
		"payee and blanks":                  request(func(r *Request) { r.Blanks = [][]byte{{1}} }),
		"an empty blank":                    request(func(r *Request) { r.Payee, r.Blanks = "", [][]byte{{}} }),
		"65 blanks":                         request(func(r *Request) { r.Payee, r.Blanks = "", many }),
		"expires before it begins":          request(func(r *Request) { r.Expires = r.Time }),
		"a time before 1970":                request(func(r *Request) { r.Time = -1 }),
		"a time after all calendars":        request(func(r *Request) { r.Expires = maxUnix + 1 }),
		"a payee in capitals":               request(func(r *Request) { r.Payee = "Teahouse" }),
		"a payee that ends in a dot":        request(func(r *Request) { r.Payee = "tea." }),
		"a payee of 65 bytes":               request(func(r *Request) { r.Payee = strings.Repeat("a", 65) }),
		"a group with a space":              request(func(r *Request) { r.Group = "a b" }),
		"a memo of 141 runes":               request(func(r *Request) { r.Memo = strings.Repeat("茶", 141) }),
		"a memo on two lines":               request(func(r *Request) { r.Memo = "a\nb" }),
		"a memo that turns round":           request(func(r *Request) { r.Memo = "a\u202eb" }),
		"a memo that is not UTF-8":          request(func(r *Request) { r.Memo = "\xff" }),
		"a name with blanks around":         request(func(r *Request) { r.Name = " tea" }),
		"a name of 65 bytes":                request(func(r *Request) { r.Name = strings.Repeat("茶", 22) }),
		"an address of a file":              request(func(r *Request) { r.URL = "file:///etc/passwd" }),
		"an address without a host":         request(func(r *Request) { r.URL = "https:///pay" }),
		"an address with a password":        request(func(r *Request) { r.URL = "https://me:pw@tea.example/" }),
		"an address with a fragment":        request(func(r *Request) { r.URL = "https://tea.example/#x" }),
		"an address spelt otherwise":        request(func(r *Request) { r.URL = "HTTPS://tea.example/" }),
		"an address of 300 bytes":           request(func(r *Request) { r.URL = "https://tea.example/" + strings.Repeat("a", 280) }),
		"nothing is paid":                   payment(func(p *Payment) { p.Paid = yuan(0) }),
		"a payment without coins":           payment(func(p *Payment) { p.Items = nil }),
		"65 coins":                          payment(func(p *Payment) { p.Items = many }),
		"a coin of more than 8 KiB":         payment(func(p *Payment) { p.Items = [][]byte{make([]byte, MaxItem+1)} }),
		"change without blanks":             payment(func(p *Payment) { p.Change = yuan(1) }),
		"blanks without change":             payment(func(p *Payment) { p.ChangeBlanks = [][]byte{{1}} }),
		"all of it back":                    payment(func(p *Payment) { p.Change, p.ChangeBlanks = yuan(10), [][]byte{{1}} }),
		"change of another currency":        payment(func(p *Payment) { p.Change = money.Zero(money.USD) }),
		"change of no currency":             payment(func(p *Payment) { p.Change = money.Amount{} }),
		"a receipt without a code":          &Receipt{},
		"a refusal with change":             &Receipt{Code: Invalid, Change: [][]byte{{1}}},
		"a failure that succeeds":           &Failure{Code: Accepted},
		"an unknown code":                   &Failure{Code: 200},
		"keys of nobody":                    &Keys{},
		"an enrolment code in small":        &Enrol{Code: "abc", Account: "a", Opening: []byte{1}},
		"no opening":                        &Enrol{Code: "ABC", Account: "a"},
		"a commit to nothing":               &Commit{},
		"one key twice in a commit":         &Commit{Keys: [][16]byte{key(1), key(1)}},
		"one key twice in a challenge":      &Challenge{Items: []ChallengeItem{{Key: key(1)}, {Key: key(1), Session: 1}}},
		"a refused commitment with a point": &Commitments{Items: []Commitment{{Code: SessionOpen, A: point(1)}}},
		"a refused commitment with image":   &Commitments{Items: []Commitment{{Code: SessionOpen, Image: point(1)}}},
		"asking for what is nobody's":       &Ask{What: TypeDeposit},
		"a refused challenge answered":      &Answer{Items: []AnswerItem{{Code: OtherChallenge, R: point(1)}}},
		"a deposit for nobody":              &Deposit{Terms: request(func(r *Request) { r.Payee = "" }).Terms, Items: [][]byte{{1}}},
		"fewer aids than coins":             &Deposit{Terms: terms(), Items: [][]byte{{1}, {2}}, Aids: [][]byte{{1}}},
		"more aids than coins":              &Deposit{Terms: terms(), Items: [][]byte{{1}}, Aids: [][]byte{nil, nil}},
		"an aid for ten coins":              &Deposit{Terms: terms(), Items: [][]byte{{1}}, Aids: [][]byte{make([]byte, MaxAid+1)}},
		"a refused coin credited":           &Deposited{Items: []DepositedItem{{Code: Invalid, Value: yuan(1)}}},
		"an accepted coin of nothing":       &Deposited{Items: []DepositedItem{{Code: Accepted}}},
		"guilt without a double spend":      &Deposited{Items: []DepositedItem{{Code: Invalid, Guilt: []byte{1}}}},
		"sessions that fall":                &Recovered{Items: []RecoveredItem{{Session: 2}, {Session: 1}}},
		"nothing and more":                  &Recovered{More: true},
		"a claim of nothing":                &Claim{},
		"a claim without proof":             &Claim{Items: []ClaimItem{{Coin: []byte{1}}}},
		"a line of two currencies":          &Status{Lines: []StatusLine{{Issued: yuan(1), Deposited: yuan(1), Expired: yuan(0), Outstanding: money.Zero(money.USD)}}},
		"guilt of no coin":                  &GuiltFile{Key: []byte{1}},
		"an account without its opening":    &GuiltFile{Key: []byte{1}, Guilt: []byte{1}, Account: "a"},
		"a signed nothing":                  &Signed{},
		"a signed reply":                    &Signed{Body: &Answer{}},
		"a signed signed":                   &Signed{Body: sampleSigned(&Recover{})},
	} {
		if _, err := Append(nil, m); err == nil || !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// Goal: a hostile count costs nothing. Method: lengths of 65535 and of 4 GiB with
// nothing behind them.
func TestAnnouncedLengthsAreNotBelieved(t *testing.T) {
	head := func(typ Type, body ...byte) []byte {
		b := append([]byte(magic), version, byte(typ), 0, 0, 0, byte(len(body)))
		return append(b, body...)
	}
	for why, b := range map[string][]byte{
		"65535 keys":             head(TypeCommit, 0xFF, 0xFF),
		"64 keys, none there":    head(TypeCommit, 0, 64),
		"2048 keys of a mint":    head(TypeKeys, append(make([]byte, 16+2), 0xFF, 0xFF)...),
		"a body of 4 GiB":        append([]byte(magic), version, byte(TypeCommit), 0xFF, 0xFF, 0xFF, 0xFF),
		"a signed body of 4 GiB": head(TypeSigned, append(make([]byte, 48), 0xFF, 0xFF, 0xFF, 0xFF)...),
		"nothing":                nil,
		"a mebibyte and one":     make([]byte, MaxMessage+1),
	} {
		if allocs := testing.AllocsPerRun(1, func() {
			if m, err := Decode(b); err == nil || !sentinel(err) {
				t.Errorf("%s: %+v, %v", why, m, err)
			}
		}); allocs > 40 {
			t.Errorf("%s: %v allocations", why, allocs)
		}
	}
	other := must(Append(nil, sampleRequest()))
	other[3] = version + 1
	if _, err := Decode(other); !errors.Is(err, ErrVersion) {
		t.Errorf("another version: %v", err)
	}
	if _, err := Decode(head(99)); !errors.Is(err, ErrVersion) {
		t.Errorf("a type of the future: %v", err)
	}
}

// Goal: the largest message that the bounds allow goes through, and one byte more
// is refused by size. Method: 64 coins of 8 KiB, and keys beyond a mebibyte.
func TestTheLargestPaymentFits(t *testing.T) {
	p := &Payment{Paid: yuan(10), Change: yuan(1)}
	for range MaxItems {
		p.Items, p.ChangeBlanks = append(p.Items, make([]byte, MaxItem)), append(p.ChangeBlanks, make([]byte, 208))
	}
	if b, err := Append(nil, p); err != nil {
		t.Error(err)
	} else if _, err := Parse[Payment](b); err != nil {
		t.Error(err)
	}
	k := &Keys{Mint: "m"}
	for range MaxKeys {
		k.Keys = append(k.Keys, make([]byte, MaxKey))
	}
	if _, err := Append(nil, k); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func TestParseWantsItsType(t *testing.T) {
	b := must(Append(nil, sampleRequest()))
	r, err := Parse[Request](b)
	if err != nil || r.Payee != "teahouse" {
		t.Fatal(r, err)
	}
	if _, err := Parse[Payment](b); !errors.Is(err, ErrType) || !strings.Contains(err.Error(), "a request came where a payment belongs") {
		t.Error(err)
	}
}

// Goal: the digest of a request covers all of it. Method: flip every bit; what
// still reads has another digest.
func TestDigestCoversTheWholeRequest(t *testing.T) {
	b := must(Append(nil, sampleRequest()))
	seen := map[[32]byte]bool{must(sampleRequest().Digest()): true}
	for i := range b {
		b[i] ^= 1
		if r, err := Parse[Request](b); err == nil {
			d := must(r.Digest())
			if seen[d] {
				t.Errorf("byte %d is not in the digest", i)
			}
			seen[d] = true
		}
		b[i] ^= 1
	}
}

// Goal: a signature is good for one request in one network, under one key. Method:
// flip every bit of the envelope, change network and key.
func TestSignatureCoversAllOfAMessage(t *testing.T) {
	pub, other := [32]byte(owner.Public().(ed25519.PublicKey)), [32]byte(bank.Public().(ed25519.PublicKey))
	signed, guilt := sampleSigned(&Commit{Keys: [][16]byte{key(1)}}), sampleGuilt()
	if err := errors.Join(signed.Verify(network, pub), guilt.Verify(other)); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(signed.Verify([16]byte{}, pub), ErrSignature) || !errors.Is(signed.Verify(network, other), ErrSignature) || !errors.Is(guilt.Verify(pub), ErrSignature) {
		t.Error("a signature is good elsewhere")
	}
	keys := sampleKeys(fill(0x61, 250))
	if err := keys.Verify(other); err != nil {
		t.Fatal(err)
	}
	for _, m := range []Message{signed, guilt, keys} {
		b := must(Append(nil, m))
		for i := range b {
			b[i] ^= 1
			switch m, _ := Decode(b); m := m.(type) {
			case *Signed:
				if !errors.Is(m.Verify(network, pub), ErrSignature) {
					t.Errorf("byte %d of a signed request is not signed", i)
				}
			case *GuiltFile:
				if !errors.Is(m.Verify(other), ErrSignature) {
					t.Errorf("byte %d of a guilt file is not signed", i)
				}
			case *Keys:
				if !errors.Is(m.Verify(other), ErrSignature) {
					t.Errorf("byte %d of a list of keys is not signed", i)
				}
			}
			b[i] ^= 1
		}
	}
	if err := (&Signed{}).Verify(network, pub); !errors.Is(err, ErrForm) {
		t.Error(err)
	}
	if err := (&GuiltFile{}).Verify(pub); !errors.Is(err, ErrForm) {
		t.Error(err)
	}
}

// Goal: codes are for ever. Method: number, name and both languages of each, as
// released; names are unique and read back.
func TestCodesAreStable(t *testing.T) {
	name, han := regexp.MustCompile(`^[a-z][a-z_]+$`), regexp.MustCompile(`\p{Han}`)
	seen := map[string]Code{}
	var table strings.Builder
	for c := range Code(255) {
		if !c.Known() {
			if _, err := json.Marshal(c); err == nil {
				t.Errorf("%v is written", c)
			}
			continue
		}
		fmt.Fprintf(&table, "%d %v\n", uint8(c), c)
		if other, twice := seen[c.String()]; twice || !name.MatchString(c.String()) {
			t.Errorf("%d and %d are both %q", c, other, c)
		}
		seen[c.String()] = c
		if en, zh := c.Text(lang.EN), c.Text(lang.ZH); en == "" || han.MatchString(en) || !han.MatchString(zh) {
			t.Errorf("%v: %q, %q", c, en, zh)
		}
		var back Code
		if b, err := json.Marshal(c); err != nil || json.Unmarshal(b, &back) != nil || back != c {
			t.Errorf("%v: %s %v", c, b, back)
		}
	}
	golden(t, "testdata/codes.txt", table.String())
	var c Code
	if err := json.Unmarshal([]byte(`"nonsense"`), &c); err == nil || Code(0).Known() || Code(200).Text(lang.EN) != "code 200" {
		t.Error("an unknown code is known")
	}
}

// Goal: the enrolment code is in no log. Method: every verb, JSON, Describe and
// the errors of a message that holds it.
func TestEnrolCodeIsNeverPrinted(t *testing.T) {
	const secret = "K7QP-22XA"
	e := &Enrol{Code: secret, Account: "alice", Opening: []byte{1}}
	fields := must(Describe(e))
	bad := *e
	bad.Account = "A"
	_, err := Append(nil, &bad)
	small := *e
	small.Code = "k7qp"
	_, errSmall := Append(nil, &small)
	shown := fmt.Sprintf("%v %+v %#v %s %q %x %d|%s|%v|%v|%v", e.Code, e, e, e.Code, e.Code, e.Code, e.Code, must(json.Marshal(e)), fields, err, errSmall)
	if strings.Contains(shown, secret) || strings.Contains(shown, "k7qp") || strings.Contains(shown, fmt.Sprintf("%x", secret)) || err == nil || errSmall == nil {
		t.Error(shown)
	}
	if e.Code.Reveal() != secret {
		t.Error("Reveal does not")
	}
}

func TestStatusLineAddsUp(t *testing.T) {
	l := StatusLine{Issued: yuan(500), Deposited: yuan(300), Expired: yuan(50), Outstanding: yuan(150)}
	if !l.Balanced() {
		t.Error("500 - 300 - 50 = 150")
	}
	l.Expired = yuan(49)
	if l.Balanced() {
		t.Error("500 - 300 - 49 is not 150")
	}
	l.Expired = money.Zero(money.USD)
	if l.Balanced() {
		t.Error("currencies mix")
	}
}
