package terminal

import (
	"jiaozi/crypt/pin"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
)

// Service is what the terminal does online with a purse.
type Service byte

// The services. The numbers are in journals.
const (
	Account Service = 1 // load from the account behind the card
	Other   Service = 2 // load from another account
	Cash    Service = 3 // load against cash at the till
	closure Service = 4 // empty the purse, block it, refund the balance
)

// profile is how a service looks on the wire (facts of the POS dialect).
type profile struct {
	processing string // field 3
	kind       uint8  // field 60.1
	txnType    byte   // 9C
	pin        bool   // the account holder must prove himself to the host
}

var profiles = [...]profile{
	Account: {"600000", iso8583.TypeLoadAccount, emv.TxnLoadAccount, true},
	Other:   {"620000", iso8583.TypeLoadOther, emv.TxnLoadOther, true},
	Cash:    {"630000", iso8583.TypeLoadCash, emv.TxnLoadCash, false},
	closure: {"290000", iso8583.TypeClosure, emv.TxnClosure, false},
}

func (k Service) valid() bool { return k >= Account && k <= closure }

func (k Service) profile() profile { return profiles[k] }

// LoadOrder asks for a load (圈存).
type LoadOrder struct {
	Amount money.Amount
	Kind   Service // Account, Other or Cash
	PIN    func() (pin.PIN, error)
	Source ident.PAN // of Other: the card whose account pays
}

const conditionEC = "91" // field 25 of every electronic cash service
