package coin

import (
	"crypto/sha256"
	"fmt"

	"jiaozi/value/money"
)

// Terms are what the coins of a payment are bound to, as payee, payer and mint
// all hash them. Payee is the account that the mint credits; a person who is
// handed coins offline has none, and shows blanks.
type Terms struct {
	Network  [16]byte
	Payee    string       // a-z 0-9 and . _ @ / - between them; "" for a person
	Amount   money.Amount // of the whole payment, more than zero
	Time     int64        // Unix seconds at the payee
	Nonce    [16]byte     // random: makes every request another one
	Contract [32]byte     // digest of what was bought; zeros if nobody said
	Group    string       // the payee's group, for coins that are good there only; a-z 0-9 . -
}

func (t *Terms) fields(c *codec) {
	c.fixed("network", t.Network[:])
	c.text("payee", &t.Payee, MaxAccount, func(s string) bool { return s == "" || accountOK(s) })
	c.sum("amount", &t.Amount)
	c.rule(t.Amount.Sign() > 0, "the amount is not more than zero")
	c.when("time", &t.Time)
	c.fixed("nonce", t.Nonce[:])
	c.fixed("contract", t.Contract[:])
	c.text("group", &t.Group, MaxGroup, func(s string) bool { return s == "" || groupOK(s) })
}

// Request asks for money. With a Payee it is paid by coins bound to these terms,
// which the payee deposits; without one it is paid onto the Blanks, and their
// owner may pay on without meeting the mint. It is one or the other.
type Request struct {
	Terms
	Expires int64    // Unix seconds; the payee takes no payment from then on
	Name    string   // who asks, for the payer's eyes; the mint does not vouch for it
	Memo    string   // what for
	URL     string   // http or https address that takes the Payment; "" if there is none
	Blanks  [][]byte // brands.Coin of kind blank, one for each coin that may be paid
}

// Type is TypeRequest.
func (*Request) Type() Type { return TypeRequest }

func (r *Request) fields(c *codec) {
	r.Terms.fields(c)
	c.when("expiry", &r.Expires)
	c.rule(r.Expires > r.Time, "the request expires before it is made")
	c.text("name", &r.Name, MaxName, func(s string) bool { return printable(s, MaxName) })
	c.text("memo", &r.Memo, 4*MaxMemo, func(s string) bool { return printable(s, MaxMemo) })
	c.text("address", &r.URL, MaxURL, func(s string) bool { return s == "" || addressOK(s) })
	c.blobs("blanks", &r.Blanks, MaxItems, MaxItem)
	c.rule((r.Payee == "") == (len(r.Blanks) > 0), "it names neither a payee nor blanks, or both")
}

// Digest names the request and all that stands in it. A Payment repeats it, so
// the payee knows that the payer saw what he sent.
func (r *Request) Digest() ([32]byte, error) {
	b, err := Append(nil, r)
	if err != nil {
		return [32]byte{}, fmt.Errorf("digest of a request: %w", err)
	}
	return sha256.Sum256(b), nil
}

// Payment answers a Request with coins. Paid is what they are worth together;
// Change is what the payer wants back of it, onto ChangeBlanks.
type Payment struct {
	Nonce        [16]byte // of the request
	Request      [32]byte // its digest
	ToBlanks     bool     // the coins went onto the request's blanks
	Paid         money.Amount
	Change       money.Amount // zero of the same currency if none is wanted
	Items        [][]byte     // brands.Payment, or brands.Money with ToBlanks
	ChangeBlanks [][]byte     // brands.Coin of kind blank
}

// Type is TypePayment.
func (*Payment) Type() Type { return TypePayment }

func (p *Payment) fields(c *codec) {
	c.fixed("nonce", p.Nonce[:])
	c.fixed("request", p.Request[:])
	c.boolean("to blanks", &p.ToBlanks)
	c.sum("paid", &p.Paid)
	c.rule(p.Paid.Sign() > 0, "what was paid is not more than zero")
	c.sum("change", &p.Change)
	less, err := p.Change.Cmp(p.Paid)
	c.rule(err == nil && less < 0, "the change is not less than what was paid, or of another currency")
	c.blobs("coins", &p.Items, MaxItems, MaxItem)
	c.rule(len(p.Items) > 0, "it holds no coin")
	c.blobs("blanks for the change", &p.ChangeBlanks, MaxItems, MaxItem)
	c.rule((p.Change.Sign() > 0) == (len(p.ChangeBlanks) > 0), "change is wanted and there are no blanks for it, or the other way round")
}

// Receipt is the payee's answer to a Payment: accepted, with the change that was
// wanted, or refused with the reason. A payer who gets none asks again with the
// same Payment. Who has not seen the Payment cannot make one: the request alone
// gives nobody the power to call a payment that he stopped a payment that arrived.
type Receipt struct {
	Nonce   [16]byte // of the request
	Request [32]byte // its digest
	Payment [32]byte // SHA-256 of the Payment as it was sent
	Code    Code     // Accepted, Replayed (taken before: the first answer stands), or why not
	Change  [][]byte // brands.Money onto the payment's blanks
}

// Type is TypeReceipt.
func (*Receipt) Type() Type { return TypeReceipt }

func (r *Receipt) fields(c *codec) {
	c.fixed("nonce", r.Nonce[:])
	c.fixed("request", r.Request[:])
	c.fixed("payment", r.Payment[:])
	c.code("code", &r.Code)
	c.blobs("change", &r.Change, MaxItems, MaxItem)
	c.rule(r.Code.Paid() || len(r.Change) == 0, "it refuses the payment and gives change")
}
