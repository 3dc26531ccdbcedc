package mintapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// refusal is a coin.Failure in JSON, with the status that goes with it.
type refusal struct {
	status int
	Code   string `json:"code" doc:"stable name of the reason"`
	Text   string `json:"text" doc:"what happened and what to do"`
}

func (r *refusal) Error() string  { return r.Code + ": " + r.Text }
func (r *refusal) GetStatus() int { return r.status }

// ask is an operation without a body.
type ask struct{}

// call is an operation with one.
type call[T any] struct{ Body T }

// reply is what every operation gives.
type reply[T any] struct{ Body T }

// registerJSON describes the operations; each builds the message that the compact
// form would carry.
func (s server) registerJSON(api huma.API) {
	get(api, s, "keys", "What the mint publishes: who it is, and the keys of its coins", &coin.Ask{What: coin.TypeKeys}, keysOf)
	get(api, s, "status", "The mint's books by epoch: issued - deposited - expired = outstanding", &coin.Ask{What: coin.TypeStatus}, statusDoc)
	post(api, s, "enrol", "Open an account for coins with the bank's one-time code", signedEnrol, enrolledDoc)
	post(api, s, "commit", "Open withdrawals, at most one for each key", signedCommit, commitmentsDoc)
	post(api, s, "challenge", "Pay for withdrawals and get the answers", signedChallenge, answerDoc)
	post(api, s, "recover", "List the answered withdrawals of a key", signedRecover, recoveredDoc)
	post(api, s, "claim", "Ask for the value of coins that were lost before they were spent", signedClaim, claimedDoc)
	post(api, s, "deposit", "Hand coins in for the account that their terms name", depositOf, depositedDoc)
}

// get registers a question that is the same for everybody.
func get[A coin.Message, D any](api huma.API, s server, name, summary string, question coin.Message, show func(A) D) {
	op := huma.Operation{OperationID: name, Method: http.MethodGet, Path: "/v1/" + name, Summary: summary}
	huma.Register(api, op, func(ctx context.Context, _ *ask) (*reply[D], error) {
		return shown(s.do(ctx, question), show)
	})
}

// post registers a request: read makes the message of the body, show the body of
// the answer.
func post[B any, A coin.Message, D any](api huma.API, s server, name, summary string, read func(B) (coin.Message, error), show func(A) D) {
	op := huma.Operation{OperationID: name, Method: http.MethodPost, Path: "/v1/" + name, Summary: summary, MaxBodyBytes: 2 * coin.MaxMessage}
	huma.Register(api, op, func(ctx context.Context, in *call[B]) (*reply[D], error) {
		request, err := read(in.Body)
		if err != nil {
			return nil, &refusal{http.StatusBadRequest, coin.Malformed.String(), err.Error()}
		}
		// What Append refuses, the compact form could not have carried.
		if _, err := coin.Append(nil, request); err != nil {
			return nil, &refusal{http.StatusBadRequest, coin.Malformed.String(), err.Error()}
		}
		return shown(s.do(ctx, request), show)
	})
}

func shown[A coin.Message, D any](answer coin.Message, show func(A) D) (*reply[D], error) {
	switch a := answer.(type) {
	case A:
		return &reply[D]{show(a)}, nil
	case *coin.Failure:
		return nil, &refusal{statusOf(a), a.Code.String(), a.Text}
	}
	return nil, &refusal{http.StatusInternalServerError, coin.Internal.String(), "the mint gave an answer of another type"}
}

// sum is an amount in JSON: a decimal number and a currency's code.
type sum struct {
	Amount   json.Number `json:"amount"`
	Currency string      `json:"currency"`
}

// Schema describes a sum: the framework would take a decimal number for a text.
func (sum) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"amount", "currency"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"amount":   {Type: huma.TypeNumber, Description: "decimal, with as many places as the currency has"},
			"currency": {Type: huma.TypeString, Description: "code of the currency, such as CNY"},
		},
	}
	s.PrecomputeMessages()
	return s
}

func sumOf(a money.Amount) *sum {
	if a == (money.Amount{}) {
		return nil
	}
	return &sum{json.Number(a.String()), a.Currency().Code()}
}

func (s *sum) read() (money.Amount, error) {
	if s == nil {
		return money.Amount{}, nil
	}
	c, err := money.ParseCurrency(s.Currency)
	if err != nil {
		return money.Amount{}, err
	}
	return money.Parse(c, s.Amount.String())
}

// fixed copies bytes into an array and refuses any other length.
func fixed(to, from []byte, what string) error {
	if len(from) != len(to) {
		return fmt.Errorf("%s has %d bytes, not %d", what, len(from), len(to))
	}
	copy(to, from)
	return nil
}
