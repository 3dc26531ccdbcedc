package node

import (
	"context"
	"fmt"
	"time"

	"jiaozi/book/chart"
	"jiaozi/role/acquirer"
	"jiaozi/role/clearing"
	"jiaozi/role/issuer"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// listID is the scheme's one blacklist.
const listID = 1

// openRoles makes the roles, each with its own door of the book and its own
// names of keys.
func (n *Node) openRoles() error {
	n.metrics = newMetrics(n.batches)
	for _, open := range []func() error{n.openIssuer, n.openAcquirer, n.openClearing, n.openMint} {
		if err := open(); err != nil {
			return fmt.Errorf("open roles: %w", err)
		}
	}
	return nil
}

// batches is the length of the journal, zero when the book cannot be read.
func (n *Node) batches() float64 {
	head, err := n.ledger.Head(context.Background())
	if err != nil {
		return 0
	}
	return float64(head.Seq)
}

func (n *Node) openIssuer() error {
	clearingKey, err := n.vault.Public(keyClearing)
	if err != nil {
		return err
	}
	s := n.scheme
	n.issuer, err = issuer.New(issuer.Config{
		Inst: s.Issuer, Currency: s.currency(), Country: s.Country,
		Keys:      issuer.Keys{AC: keyAC, MAC: keyMAC, PVK: keyPVK, Ref: keyPseudonym, Sign: keyIssuer, List: keyList},
		Acquirers: map[ident.Inst]issuer.Zone{s.Acquirer: {MAC: keyZAK, PIN: keyZPK}},
		Clearing:  s.Network, ClearingKey: clearingKey,
		PINTries: uint8(s.Limits.PINTries), ListID: listID, ListLife: time.Duration(s.ListHours) * time.Hour,
	}, n.ledger.Door(issuer.Events, issuer.Spaces(s.Issuer)), n.vault, n.stream("issuer"))
	return err
}

func (n *Node) openAcquirer() error {
	clearingKey, err := n.vault.Public(keyClearing)
	if err != nil {
		return err
	}
	listKey, err := n.vault.Public(keyList)
	if err != nil {
		return err
	}
	s := n.scheme
	n.acquirer, err = acquirer.New(acquirer.Config{
		Inst: s.Acquirer, Currency: s.currency(),
		Issuers: map[ident.Inst]acquirer.Zone{s.Issuer: {MAC: keyZAK, PIN: keyZPK}},
		Routes:  []acquirer.Route{{Prefix: s.IIN, Issuer: s.Issuer}},
		Sign:    keyAcquirer, Clearing: s.Network, ClearingKey: clearingKey, ListKey: listKey,
		MerchantBearsClones: s.CloneBearer == "merchant",
	}, n.ledger.Door(acquirer.Events, acquirer.Spaces), n.vault, toIssuer{&n.uplink})
	return err
}

// toIssuer is the acquirer's way to issuers; this scheme has one.
type toIssuer struct{ line *uplink }

// Exchange passes a message on.
func (t toIssuer) Exchange(ctx context.Context, _ ident.Inst, message []byte) ([]byte, error) {
	return t.line.Exchange(ctx, message)
}

func (n *Node) openClearing() error {
	s := n.scheme
	tariffs, err := s.tariffs()
	if err != nil {
		return err
	}
	issuerKey, err := n.vault.Public(keyIssuer)
	if err != nil {
		return err
	}
	acquirerKey, err := n.vault.Public(keyAcquirer)
	if err != nil {
		return err
	}
	n.clearing, err = clearing.New(clearing.Config{
		Inst: s.Network, Currency: s.currency(), Sign: keyClearing, Tariffs: tariffs, Bearer: s.bearer(),
		Members: map[ident.Inst]clearing.Member{
			s.Issuer:   {Key: issuerKey, Issuer: true},
			s.Acquirer: {Key: acquirerKey, Acquirer: true},
		},
	}, n.ledger.Door(clearing.Events, clearing.Spaces(s.Network)), n.vault)
	return err
}

// tariffs gives the scheme's fees as clearing computes them.
func (s *Scheme) tariffs() (clearing.Tariffs, error) {
	var t clearing.Tariffs
	for _, fee := range []struct {
		rate money.RatePPM
		cap  string
		into *clearing.Tariff
	}{
		{s.Fees.MerchantPPM, s.Fees.MerchantCap, &t.Merchant},
		{s.Fees.InterchangePPM, s.Fees.InterchangeCap, &t.Interchange},
		{s.Fees.NetworkPPM, s.Fees.NetworkCap, &t.Network},
	} {
		most, err := s.money(fee.cap)
		if err != nil {
			return t, err
		}
		*fee.into = clearing.Tariff{Rate: fee.rate, Cap: most.Minor()}
	}
	return t, nil
}

// bearer is who bears the second payment of a cloned card.
func (s *Scheme) bearer() chart.Bearer {
	switch s.CloneBearer {
	case "acquirer":
		return chart.AcquirerBears
	case "merchant":
		return chart.MerchantBears
	}
	return chart.IssuerBears
}
