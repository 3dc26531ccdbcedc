package mintapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"jiaozi/wire/coin"
)

type envelopeIn struct {
	RawBody []byte `contentType:"application/vnd.jiaozi.coin"`
}

type envelopeOut struct {
	Status      int
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s server) registerEnvelope(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "coins", Method: http.MethodPost, Path: PathCoins, MaxBodyBytes: coin.MaxMessage,
		Summary:     "One message of a wallet or payee, one answer, both as compact envelopes",
		Description: "Takes Signed (with Enrol, Commit, Challenge, Recover, Claim or Deposit in it) and Deposit; answers a Failure when it refuses the request as such.",
	}, s.envelope)
}

func (s server) envelope(ctx context.Context, in *envelopeIn) (*envelopeOut, error) {
	answer := s.decodeAndDo(ctx, in.RawBody)
	raw, err := coin.Append(nil, answer)
	if err != nil {
		return nil, huma.Error500InternalServerError(fmt.Sprintf("the answer cannot be written: %v", err))
	}
	return &envelopeOut{Status: statusOf(answer), ContentType: coin.MediaType, Body: raw}, nil
}

func (s server) decodeAndDo(ctx context.Context, raw []byte) coin.Message {
	request, err := coin.Decode(raw)
	if err != nil {
		return &coin.Failure{Code: coin.Malformed, Text: err.Error()}
	}
	return s.do(ctx, request)
}
