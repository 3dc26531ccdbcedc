package hammer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"jiaozi/book"
	"jiaozi/value/money"

	"github.com/anishathalye/porcupine"
)

// act is what a client does. Acts come in pairs: what is held is captured or
// released, what is read is written.
type act string

const (
	transfer act = "transfer"
	hold     act = "hold"
	capture  act = "capture"
	release  act = "release"
	get      act = "get"
	put      act = "put"
	once     act = "once"
	balance  act = "balance"
)

// op is one call of a client. It touches one group of accounts, so that the
// groups can be judged apart.
type op struct {
	Client, Number int
	Group          int
	Act            act
	From, To       int
	Amount         int64
	Key            int
	Expect         int // put: the version that was read before
}

const (
	accountsInGroup = 3
	funds           = 100 // of each account at first
)

func (o op) name() string { return fmt.Sprintf("%d/%d", o.Client, o.Number) }

// before is the other one of its pair.
func (o op) before() string { return fmt.Sprintf("%d/%d", o.Client, o.Number-1) }

// draw makes the call of a client: the same for the same seed and the same last
// answer, so that a client who was killed asks again for what it had asked.
func draw(seed uint64, groups, client, number int, last string) op {
	dice := rand.New(rand.NewPCG(seed, uint64(client)<<32|uint64(number/2)))
	second := number%2 == 1
	o := op{Client: client, Number: number, Group: dice.IntN(groups), Key: dice.IntN(20)}
	o.From = dice.IntN(accountsInGroup)
	o.To = (o.From + 1 + dice.IntN(accountsInGroup-1)) % accountsInGroup
	pairs := [][2]act{{transfer, transfer}, {transfer, balance}, {hold, capture}, {hold, release}, {get, put}, {once, balance}}
	o.Act = pairs[dice.IntN(len(pairs))][number%2]
	o.Amount = 1 + dice.Int64N(60)
	if second {
		o.Amount = 1 + dice.Int64N(60)
	}
	if o.Act == put {
		o.Expect, _ = strconv.Atoi(strings.Fields(last)[0])
	}
	return o
}

// group is what a group of accounts is in the model, a value that is compared.
type group struct {
	balance [accountsInGroup]int64
	holds   string // " name,account,left" of each, sorted
	onces   string // " key,value" of each
	record  string
	version int
}

func fresh() group { return group{balance: [accountsInGroup]int64{funds, funds, funds}, record: "-"} }

type modelHold struct {
	name    string
	account int
	left    int64
}

func (g group) list() (list []modelHold) {
	for _, word := range strings.Fields(g.holds) {
		part := strings.Split(word, ",")
		account, _ := strconv.Atoi(part[1])
		left, _ := strconv.ParseInt(part[2], 10, 64)
		list = append(list, modelHold{part[0], account, left})
	}
	return list
}

func (g group) free(account int) int64 {
	free := g.balance[account]
	for _, h := range g.list() {
		if h.account == account {
			free -= h.left
		}
	}
	return free
}

// with changes what is left of a hold; nothing left is no hold.
func (g group) with(changed modelHold) group {
	list := slices.DeleteFunc(g.list(), func(h modelHold) bool { return h.name == changed.name })
	if changed.left > 0 {
		list = append(list, changed)
	}
	slices.SortFunc(list, func(a, b modelHold) int { return strings.Compare(a.name, b.name) })
	g.holds = ""
	for _, h := range list {
		g.holds += fmt.Sprintf(" %s,%d,%d", h.name, h.account, h.left)
	}
	return g
}

// step is the whole ledger as the model knows it: the next state and the answer.
func (g group) step(o op) (group, string) {
	switch o.Act {
	case transfer:
		if g.free(o.From) < o.Amount {
			return g, "insufficient"
		}
		return g.move(o, o.Amount)
	case hold:
		if g.free(o.From) < o.Amount {
			return g, "insufficient"
		}
		return g.with(modelHold{o.name(), o.From, o.Amount}), fmt.Sprint("ok ", g.balance[o.From])
	case capture, release:
		return g.end(o)
	case get:
		return g, fmt.Sprint(g.version, " ", g.record)
	case put:
		if g.version != o.Expect {
			return g, "version_conflict"
		}
		g.version++
		g.record = o.name()
		return g, "ok"
	case once:
		for _, word := range strings.Fields(g.onces) {
			if key, first, _ := strings.Cut(word, ","); key == strconv.Itoa(o.Key) {
				return g, "exists " + first
			}
		}
		g.onces += fmt.Sprintf(" %d,%s", o.Key, o.name())
		return g, "ok"
	}
	return g, fmt.Sprint(g.balance[o.From])
}

func (g group) move(o op, amount int64) (group, string) {
	g.balance[o.From] -= amount
	g.balance[o.To] += amount
	return g, fmt.Sprint("ok ", g.balance[o.From], " ", g.balance[o.To])
}

func (g group) end(o op) (group, string) {
	list := g.list()
	i := slices.IndexFunc(list, func(h modelHold) bool { return h.name == o.before() })
	switch {
	case i < 0:
		return g, "hold_unknown"
	case o.Act == release:
		list[i].left = 0
		return g.with(list[i]), "ok"
	case o.Amount > list[i].left:
		return g, "hold_exceeded"
	}
	list[i].left -= o.Amount
	return g.with(list[i]).move(o, o.Amount)
}

// asModel is the same for porcupine, each group by itself.
var asModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byGroup := map[int][]porcupine.Operation{}
		for _, o := range history {
			g := o.Input.(op).Group
			byGroup[g] = append(byGroup[g], o)
		}
		var parts [][]porcupine.Operation
		for _, part := range byGroup {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return fresh() },
	Step: func(state, input, output any) (bool, any) {
		next, want := state.(group).step(input.(op))
		return want == output.(string), next
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %s", input, output) },
}

// The same calls as commands of the book.

const currency money.Currency = 156

func place(name ...any) book.ID { return book.DeriveID(name...).At(0) }

func account(g, n int) book.Account {
	return book.Account{
		ID: book.AccountID(place("account", g, n)), Name: fmt.Sprintf("account %d/%d", g, n),
		Normal: book.Credit, Currency: currency, NeverNegative: true,
	}
}

var vault = book.Account{ID: book.AccountID(place("vault")), Name: "vault", Normal: book.Debit, Currency: currency}

// fund is booked at every start; all but the first time it is a replay.
func fund(groups int) (cmds []book.Command) {
	amount := money.New(currency, funds)
	for g := range groups {
		for n := range accountsInGroup {
			a := account(g, n)
			cmds = append(cmds, book.Command{
				ID: place("fund", g, n), Event: "fund", Date: 20261122, Open: []book.Account{vault, a},
				Legs: []book.Leg{{Account: vault.ID, Side: book.Debit, Amount: amount}, {Account: a.ID, Side: book.Credit, Amount: amount}},
			})
		}
	}
	return cmds
}

func (o op) id() book.ID { return place("op", o.name()) }

func (o op) recordKey() []byte { return []byte{0, 0, byte(o.Group)} }

func (o op) command() book.Command {
	c := book.Command{ID: o.id(), Event: string(o.Act), Date: 20261122}
	amount := money.New(currency, money.Minor(o.Amount))
	out := book.Leg{Account: account(o.Group, o.From).ID, Side: book.Debit, Amount: amount}
	in := book.Leg{Account: account(o.Group, o.To).ID, Side: book.Credit, Amount: amount}
	switch o.Act {
	case transfer:
		c.Legs = []book.Leg{out, in}
	case hold:
		c.Kind, c.Legs = book.Hold, []book.Leg{out}
	case capture:
		c.Kind, c.Legs, c.Hold = book.Capture, []book.Leg{out, in}, place("op", o.before())
	case release:
		c.Kind, c.Hold = book.Release, place("op", o.before())
	case put:
		c.Put = []book.Put{{Space: "record", Key: o.recordKey(), Expect: uint64(o.Expect), Value: []byte(o.name())}}
	case once:
		c.Once = []book.Once{{Space: "once", Key: []byte{0, 0, byte(o.Group), byte(o.Key)}, Value: []byte(o.name())}}
	}
	return c
}

// told is an answer in the words of the model.
func told(r book.Result) string {
	words := r.Code.String()
	for _, b := range r.Balances {
		words += fmt.Sprint(" ", int64(b.Minor()))
	}
	if r.Code == book.Exists {
		words += " " + string(r.Prior)
	}
	return words
}
