package acquirer

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/value/ident"
	"jiaozi/wire/iso8583"
)

// exchange seals a message for an issuer and takes an answer that is the issuer's
// and belongs to it. Any error means that the outcome is unknown.
func (a *Acquirer) exchange(ctx context.Context, issuer ident.Inst, m *iso8583.Message) (*answer, error) {
	zone, ok := a.cfg.Issuers[issuer]
	if !ok {
		return nil, fmt.Errorf("no keys are shared with issuer %s: add it to the configuration", issuer)
	}
	body, err := iso8583.Interchange.Seal(nil, m, func(mab []byte) ([8]byte, error) { return a.vault.MAC(zone.MAC, mab) })
	if err != nil {
		return nil, err
	}
	raw, err := a.upstream.Exchange(ctx, issuer, body)
	if err != nil {
		return nil, fmt.Errorf("ask issuer %s: %w", issuer, err)
	}
	got := &answer{Message: &iso8583.Message{}}
	if err := iso8583.Interchange.Decode(raw, got.Message); err != nil {
		return nil, fmt.Errorf("answer of issuer %s: %w", issuer, err)
	}
	if err := a.authentic(zone, raw); err != nil {
		return nil, fmt.Errorf("answer of issuer %s: %w", issuer, err)
	}
	if got.MTI != m.MTI.Response() || iso8583.Interchange.Validate(got.Message) != nil {
		return nil, fmt.Errorf("answer of issuer %s: %w", issuer, errOther)
	}
	for _, n := range []int{3, 4, 11, 32, 41, 60} { // 60 has the batch: trace numbers come again
		if got.Text(n) != m.Text(n) {
			return nil, fmt.Errorf("answer of issuer %s: %w", issuer, errOther)
		}
	}
	got.code, _ = iso8583.Lookup(got.Text(39))
	return got, nil
}

var (
	errOther = errors.New("it answers another message")
	errMAC   = errors.New("its MAC is wrong")
)

func (a *Acquirer) authentic(zone Zone, raw []byte) error {
	mab, mac, err := iso8583.Interchange.MAB(raw)
	if err != nil {
		return err
	}
	ok, err := a.vault.VerifyMAC(zone.MAC, mab, mac)
	if err != nil {
		return err
	}
	if !ok {
		return errMAC
	}
	return nil
}

// answer is what an issuer said.
type answer struct {
	*iso8583.Message
	code iso8583.ResponseCode
}

// reverse: the issuer itself does not know the outcome, or did not even recognise
// our MAC.
func (x *answer) reverse() bool { return x.code.Reverse || x.code.Code == iso8583.CodeMAC }
