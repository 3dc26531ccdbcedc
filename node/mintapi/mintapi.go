// Package mintapi is the mint on the network: an HTTP server in front of a mint,
// and the client that a wallet carries its messages with.
//
// Every operation exists in two forms with one implementation. A program that
// holds coins speaks the compact one, a scripting operator the other:
//
//	POST /v1/coins    one envelope of package wire/coin in, one out    application/vnd.jiaozi.coin
//	GET  /v1/keys, /v1/status; POST /v1/enrol, /v1/commit, /v1/challenge, /v1/recover,
//	     /v1/claim, /v1/deposit                                        JSON, described in /openapi.json
//
// The JSON form builds the same messages: bytes are base64, and a signature is
// over the canonical bytes (coin.Signed), so both forms are equally hard to forge
// and a request may be repeated in the other one.
//
// It promises bounded bodies, answers that say what happened and what to do (a
// coin.Failure with its code, or its JSON), and that an answer that was lost may be
// asked for again: everything behind it is idempotent. It decides nothing about
// money, and logs neither codes, accounts nor coins.
//
// Start with Handler and Client.
package mintapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"jiaozi/value/lang"
	"jiaozi/wire/coin"
)

// Mint answers requests; role/mint does, behind the node's clock. An error means
// that it could not decide; the same request again gets the answer.
type Mint interface {
	// Handle answers one message with one message.
	Handle(ctx context.Context, request coin.Message) (coin.Message, error)
	// Failure is the answer to a request that Handle could not decide.
	Failure(err error) *coin.Failure
}

// PathCoins takes envelopes.
const PathCoins = "/v1/coins"

// version of the API's description.
const version = "1"

// Handler serves a mint.
func Handler(m Mint) http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Jiaozi mint", version)
	// No page that fetches scripts from elsewhere, and no links in answers: the description itself is enough.
	config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", nil
	config.Transformers = append(config.Transformers, plainWords)
	api := humago.New(mux, config)
	s := server{m}
	s.registerEnvelope(api)
	s.registerJSON(api)
	return mux
}

// plainWords gives what the framework refuses (a body that is too large, cut, or of
// another shape) the form of every other refusal, and does not repeat what was sent.
func plainWords(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := coin.Malformed
	if e.Status == http.StatusRequestEntityTooLarge {
		code = coin.TooLarge
	}
	text := code.Text(lang.EN)
	for _, d := range e.Errors {
		if d.Location != "" {
			text += " Look at " + d.Location + "."
		}
	}
	return &refusal{e.Status, code.String(), text}, nil
}

// server has one method for each operation.
type server struct{ mint Mint }

// do answers a message; a fault of the mint becomes a Failure, so that the caller
// always has words.
func (s server) do(ctx context.Context, request coin.Message) coin.Message {
	answer, err := s.mint.Handle(ctx, request)
	if err != nil {
		return s.mint.Failure(err)
	}
	return answer
}

// statusOf is the HTTP status that goes with an answer, for whoever stands between
// and reads nothing else.
func statusOf(answer coin.Message) int {
	failure, failed := answer.(*coin.Failure)
	if !failed {
		return http.StatusOK
	}
	switch failure.Code {
	case coin.Busy, coin.Unavailable:
		return http.StatusServiceUnavailable
	case coin.Internal:
		return http.StatusInternalServerError
	case coin.BadSignature, coin.BadEnrolCode:
		return http.StatusForbidden
	case coin.UnknownAccount:
		return http.StatusNotFound
	case coin.TooLarge:
		return http.StatusRequestEntityTooLarge
	case coin.Malformed:
		return http.StatusBadRequest
	}
	return http.StatusConflict
}
