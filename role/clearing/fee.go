package clearing

import (
	"fmt"

	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/clearing"
)

// Tariff is a price: a rate of the payment, and the most that one payment costs.
type Tariff struct {
	Rate money.RatePPM `json:"rate"`
	Cap  money.Minor   `json:"cap,omitempty"` // 0 = none
}

// Tariffs are the prices of a scheme. China's ceilings for debit cards since
// 6 September 2016: interchange 0.35 % up to 13.00, network 0.065 % up to 6.50,
// half of it on each side; the merchant's rate is the acquirer's own.
type Tariffs struct {
	Interchange Tariff               `json:"interchange"` // acquirer to issuer
	Network     Tariff               `json:"network"`     // each side to the network
	Merchant    Tariff               `json:"merchant"`    // merchant to acquirer
	Merchants   map[ident.MID]Tariff `json:"merchants,omitempty"`
}

// DebitTariffs are those ceilings, with a merchant rate of 0.5 % up to 20.00.
func DebitTariffs() Tariffs {
	return Tariffs{
		Interchange: Tariff{Rate: 3500, Cap: 1300},
		Network:     Tariff{Rate: 325, Cap: 325},
		Merchant:    Tariff{Rate: 5000, Cap: 2000},
	}
}

// of is the fee on one payment, rounded half up to the smallest unit: fees are
// made payment by payment, so nothing is left over to be shared.
func (t Tariff) of(gross money.Amount) (money.Amount, error) {
	fee, err := gross.Rate(t.Rate)
	if err != nil {
		return money.Amount{}, fmt.Errorf("fee on %s: %w", gross, err)
	}
	if t.Cap > 0 && fee.Minor() > t.Cap {
		fee = money.New(gross.Currency(), t.Cap)
	}
	return fee, nil
}

// fees are all fees on one payment of a merchant.
func (t Tariffs) fees(mid ident.MID, gross money.Amount) (f clearing.Fees, err error) {
	if f.Interchange, err = t.Interchange.of(gross); err != nil {
		return f, err
	}
	if f.NetworkIssuer, err = t.Network.of(gross); err != nil {
		return f, err
	}
	f.NetworkAcquirer = f.NetworkIssuer
	merchant, own := t.Merchants[mid]
	if !own {
		merchant = t.Merchant
	}
	f.Merchant, err = merchant.of(gross)
	return f, err
}
