package book

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"jiaozi/value/money"

	"github.com/google/go-cmp/cmp"
)

var amounts = cmp.Comparer(func(a, b money.Amount) bool { return a == b })

// full is a command with every field in use.
func full() Command {
	leg := Leg{Account: AccountID{0, 1}, Side: Debit, Amount: money.New(156, 5)}
	back := Leg{Account: AccountID{0, 2}, Side: Credit, Amount: money.New(156, 5)}
	return Command{
		ID: ID{1}, Kind: Capture, Event: "event", Date: 20261122, Legs: []Leg{leg, back},
		Open: []Account{{ID: AccountID{0, 1}, Name: "账户", Normal: Debit, Currency: 156, NeverNegative: true}},
		Hold: ID{9}, Final: true, At: -1,
		Once: []Once{{Space: "s", Key: []byte("k"), Value: []byte("v")}},
		Put:  []Put{{Space: "s", Key: []byte("k"), Expect: 1 << 40, Value: []byte("v")}, {Space: "s", Key: []byte("d")}},
		Out:  []Out{{Topic: "t", Key: []byte("k"), Body: []byte("b")}},
		Done: []uint64{0, math.MaxInt64}, Note: []byte("note"),
	}
}

// handedOut is a step of a part, with all that one says.
func handedOut() Command {
	a := CarriedAccount(0, 9, 156)
	return Command{
		ID: ID{3}, Kind: HandOut, Event: "part-out", Date: 20261122, Open: []Account{a}, Legs: []Leg{{a.ID, Debit, money.New(156, 5)}}, Note: []byte{},
		Handover: Handover{Part: 7, Chain: 9, Count: 1 << 38, Digest: Hash{1}, State: Hash{6}, Head: Head{4, Hash{5}}},
	}
}

func encode(entries ...Entry) []byte {
	st := &state{}
	for i := range entries {
		st.kept = append(st.kept, answer{&candidate{raw: appendCommand(nil, &entries[i].Command)}, &entries[i].Result})
	}
	return st.body()
}

func TestBodyReadsBackAsWritten(t *testing.T) {
	moved := handedOut()
	hold := Command{ID: ID{0, 2}, Kind: Hold, Event: "e", Date: 20261122, Expires: 7, Legs: full().Legs[:1], Note: []byte{}}
	want := []Entry{
		{full(), Result{Code: OK, Seq: 3, Balances: []money.Amount{money.New(156, -5), money.New(156, math.MaxInt64)}}},
		{hold, Result{Code: Insufficient, Seq: 3}},
		{moved, Result{Code: OK, Seq: 3, Balances: []money.Amount{money.New(156, 5)}}},
	}
	have, err := DecodeBody(3, encode(want...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, have, amounts); diff != "" {
		t.Fatal(diff)
	}
}

// Every other form of the same thing is refused: a body has one form.
func TestBodyHasOneForm(t *testing.T) {
	good := encode(Entry{Command: Command{ID: ID{2}, Event: "e", Date: 20261122}, Result: Result{Code: OK}})
	for why, b := range map[string][]byte{
		"empty":              {},
		"other version":      append([]byte{1}, good[1:]...),
		"no entries":         {2, 0},
		"cut":                good[:len(good)-1],
		"trailing byte":      append(bytes.Clone(good), 0),
		"long varint":        append([]byte{2, 0x81, 0x00}, good[2:]...),
		"more than it holds": append([]byte{2, 2}, good[2:]...),
		"days without field": replaced(good, 4, hasDays),
		"flag without field": replaced(good, 4, hasAt),
		"unknown kind":       replaced(good, 3, 9),
		"answer not kept":    replaced(good, len(good)-1, byte(Exists)),
		"no answer":          replaced(good, len(good)-1, 0),
	} {
		if _, err := DecodeBody(1, b); err == nil {
			t.Errorf("%s: accepted", why)
		}
	}
}

func replaced(b []byte, at int, with byte) []byte {
	b = bytes.Clone(b)
	b[at] = with
	return b
}

// Whatever is accepted is written again byte for byte.
func FuzzDecodeBody(f *testing.F) {
	f.Add([]byte{2, 1})
	f.Add(encode(Entry{Command: full(), Result: Result{Code: HoldExpired}}))
	f.Add(encode(Entry{Command: handedOut(), Result: Result{Code: OK, Balances: make([]money.Amount, 1)}}))
	f.Add(encode(Entry{Command: full(), Result: Result{Code: OK, Balances: make([]money.Amount, 2)}}))
	f.Add(encode(Entry{Command: Command{ID: ID{2}, Event: "e", Date: 20261122}, Result: Result{Code: OK}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := DecodeBody(1, b)
		if err != nil {
			return
		}
		if again := encode(entries...); !bytes.Equal(again, b) {
			t.Fatalf("%x is written as %x", b, again)
		}
	})
}

// Each row breaks one rule of form.
func TestFormRefuses(t *testing.T) {
	leg := func(side Side, amount money.Amount) Leg { return Leg{AccountID{0, 1}, side, amount} }
	one := money.New(156, 1)
	pair := []Leg{leg(Debit, one), leg(Credit, one)}
	for why, tt := range map[string]struct {
		want   Code
		change func(*Command)
	}{
		"no id":                 {Malformed, func(c *Command) { c.ID = ID{} }},
		"unknown kind":          {Malformed, func(c *Command) { c.Kind = HandIn + 1 }},
		"no event":              {Malformed, func(c *Command) { c.Event = "" }},
		"long event":            {Malformed, func(c *Command) { c.Event = strings.Repeat("x", MaxName+1) }},
		"event not UTF-8":       {Malformed, func(c *Command) { c.Event = "\xff" }},
		"zero leg":              {Malformed, func(c *Command) { c.Legs = []Leg{leg(Debit, money.Zero(156))} }},
		"negative leg":          {Malformed, func(c *Command) { c.Legs = []Leg{leg(Debit, money.New(156, -1))} }},
		"leg without currency":  {Malformed, func(c *Command) { c.Legs = []Leg{leg(Debit, money.New(0, 1))} }},
		"leg without side":      {Malformed, func(c *Command) { c.Legs = []Leg{leg(0, one)} }},
		"one-sided":             {Unbalanced, func(c *Command) { c.Legs = pair[:1] }},
		"two currencies":        {Unbalanced, func(c *Command) { c.Legs = []Leg{pair[0], leg(Credit, money.New(344, 1))} }},
		"overflow":              {Overflow, func(c *Command) { m := leg(Debit, money.New(156, math.MaxInt64)); c.Legs = []Leg{m, m} }},
		"transfer with hold":    {Malformed, func(c *Command) { c.Hold = ID{1} }},
		"transfer with expiry":  {Malformed, func(c *Command) { c.Expires = 1 }},
		"transfer final":        {Malformed, func(c *Command) { c.Final = true }},
		"hold of nothing":       {Malformed, func(c *Command) { c.Kind = Hold }},
		"hold of two":           {Malformed, func(c *Command) { c.Kind, c.Legs = Hold, pair }},
		"hold with past expiry": {Malformed, func(c *Command) { c.Kind, c.Legs, c.Expires = Hold, pair[:1], -1 }},
		"capture of no hold":    {Malformed, func(c *Command) { c.Kind, c.Legs = Capture, pair }},
		"capture of nothing":    {Malformed, func(c *Command) { c.Kind, c.Hold = Capture, ID{1} }},
		"release with legs":     {Malformed, func(c *Command) { c.Kind, c.Hold, c.Legs = Release, ID{1}, pair }},
		"release of no hold":    {Malformed, func(c *Command) { c.Kind = Release }},
		"account without id":    {Malformed, func(c *Command) { c.Open = []Account{{Name: "x", Normal: Debit, Currency: 156}} }},
		"account without name":  {Malformed, func(c *Command) { c.Open = []Account{{ID: AccountID{0, 1}, Normal: Debit, Currency: 156}} }},
		"account without side":  {Malformed, func(c *Command) { c.Open = []Account{{ID: AccountID{0, 1}, Name: "x", Currency: 156}} }},
		"account no currency":   {Malformed, func(c *Command) { c.Open = []Account{{ID: AccountID{0, 1}, Name: "x", Normal: Debit}} }},
		"once without space":    {Malformed, func(c *Command) { c.Once = []Once{{Key: []byte("k")}} }},
		"once twice":            {Malformed, func(c *Command) { c.Once = []Once{{Space: "s"}, {Space: "s"}} }},
		"put twice":             {Malformed, func(c *Command) { c.Put = []Put{{Space: "s"}, {Space: "s", Expect: 1}} }},
		"put expects too much":  {Malformed, func(c *Command) { c.Put = []Put{{Space: "s", Expect: math.MaxUint64}} }},
		"long key":              {Malformed, func(c *Command) { c.Put = []Put{{Space: "s", Key: make([]byte, MaxKey+1)}} }},
		"out without topic":     {Malformed, func(c *Command) { c.Out = []Out{{}} }},
		"too many outs":         {Malformed, func(c *Command) { c.Out = make([]Out, MaxOut+1) }},
		"impossible number":     {Malformed, func(c *Command) { c.Done = []uint64{math.MaxUint64} }},
		"long note":             {Malformed, func(c *Command) { c.Note = make([]byte, MaxNote+1) }},
		"nothing wrong":         {OK, func(c *Command) { c.Legs = pair }},
	} {
		c := Command{ID: ID{1}, Event: "e", Date: 20261122}
		tt.change(&c)
		if have := form(&c); have != tt.want {
			t.Errorf("%s: %s, want %s", why, have, tt.want)
		}
	}
	for why, change := range map[string]func(*Command){
		"part that does not exist":  func(c *Command) { c.Handover.Part = Parts },
		"chain that does not exist": func(c *Command) { c.Handover.Chain = Parts },
		"too many entries":          func(c *Command) { c.Handover.Count = maxCarried + 1 },
		"no head":                   func(c *Command) { c.Handover.Head = Head{} },
		"leg without its account":   func(c *Command) { c.Open = nil },
		"once-key":                  func(c *Command) { c.Once = []Once{{Space: "s"}} },
		"message":                   func(c *Command) { c.Out = []Out{{Topic: "t"}} },
		"link":                      func(c *Command) { c.Linked = true },
		"hold":                      func(c *Command) { c.Hold = ID{1} },
		"fence with a digest":       func(c *Command) { c.Kind, c.Legs, c.Open = Leave, nil, nil },
		"transfer with a handover":  func(c *Command) { c.Kind = Transfer },
	} {
		c := handedOut()
		if change(&c); form(&c) != Malformed {
			t.Errorf("step of a part: %s: %s", why, form(&c))
		}
	}
	c := full()
	if have := form(&c); have != OK {
		t.Errorf("a full command: %s", have)
	}
}

// An id is a fact about the parts, their borders included.
func TestDerivedIDs(t *testing.T) {
	type named string
	ids := map[ID]string{}
	for why, parts := range map[string][]any{
		"ab,c": {"ab", "c"}, "a,bc": {"a", "bc"}, "abc": {"abc"}, "nothing": {}, "empty": {""},
		"number": {7}, "bytes": {[]byte{7}}, "array": {[2]byte{7, 7}},
	} {
		id := DeriveID(parts...)
		if other, taken := ids[id]; taken {
			t.Errorf("%s and %s have one id", why, other)
		}
		ids[id] = why
	}
	if DeriveID("x") != DeriveID(named("x")) || DeriveID([2]byte{1, 2}) != DeriveID([]byte{1, 2}) {
		t.Error("a named type changes the id")
	}
	defer func() {
		if recover() == nil {
			t.Error("a struct was taken for an id's part; card numbers print masked")
		}
	}()
	DeriveID(struct{ a int }{1})
}

func TestCodesHaveWords(t *testing.T) {
	for c := OK; c.known(); c++ {
		if c.String() == "" || c.Explain() == "" {
			t.Errorf("code %d has no words", c)
		}
	}
	if Code(0).known() || errors.Is(ErrBusy, ErrUnknown) {
		t.Error("zero is no answer")
	}
}

// The most negative number has no opposite, so no balance may reach it.
func TestSumsKeepTheirOpposite(t *testing.T) {
	for _, tt := range []struct {
		a, b money.Minor
		ok   bool
	}{
		{math.MaxInt64, 1, false}, {math.MaxInt64, -1, true}, {-math.MaxInt64, -1, false}, {-math.MaxInt64, 1, true},
		{math.MinInt64, 0, false}, {-math.MaxInt64, -math.MaxInt64, false}, {0, math.MinInt64, false},
	} {
		if _, ok := addMinor(tt.a, tt.b); ok != tt.ok {
			t.Errorf("%d + %d: in range %v, want %v", tt.a, tt.b, ok, tt.ok)
		}
	}
}
