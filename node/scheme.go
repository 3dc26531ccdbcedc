package node

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"jiaozi/node/durable"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// SchemeVersion is the form of scheme.json that this program writes and reads.
const SchemeVersion = 1

// maxSchemeFile bounds scheme.json; a real one has about a kilobyte.
const maxSchemeFile = 64 << 10

// ErrNotInitialised says that the directory holds no scheme yet.
var ErrNotInitialised = errors.New("no scheme here: make one with `jiaozi init --data DIR`")

// Scheme is what the operator of a scheme decides, kept as scheme.json in the
// data directory. Its presence is the commit mark of init: it is written last.
// Amounts are decimals in the scheme's currency, rates are millionths.
type Scheme struct {
	Version  int    `json:"version"`
	Test     bool   `json:"test"` // published and stored test keys are allowed
	Currency string `json:"currency"`
	Country  uint16 `json:"country"` // ISO 3166 numeric

	IIN string `json:"iin"` // first digits of every card number of the issuer
	AID string `json:"aid"` // hex of the purse application
	CA  byte   `json:"ca_index"`

	Issuer   ident.Inst `json:"issuer"`
	Acquirer ident.Inst `json:"acquirer"`
	Network  ident.Inst `json:"network"`

	// Store is the PostgreSQL database of the book; without it the book is
	// embedded in the data directory.
	Store string `json:"store,omitempty"`

	Fees        Fees   `json:"fees"`
	CloneBearer string `json:"clone_bearer"` // issuer, acquirer or merchant
	Limits      Limits `json:"limits"`
	ListHours   int    `json:"list_hours"` // how long a published blacklist is trusted
	CutOff      string `json:"cut_off"`    // local time "15:04" of the end of day

	// Coins makes the issuer a mint of blind coins; without it there is none.
	Coins *CoinScheme `json:"coins,omitempty"`
}

// Fees follow the shape of China's card fee rules of 2016: the merchant pays
// the acquirer; the acquirer pays interchange to the issuer; both pay the network.
type Fees struct {
	MerchantPPM    money.RatePPM `json:"merchant_ppm"`
	MerchantCap    string        `json:"merchant_cap"`
	InterchangePPM money.RatePPM `json:"interchange_ppm"`
	InterchangeCap string        `json:"interchange_cap"`
	NetworkPPM     money.RatePPM `json:"network_ppm"`
	NetworkCap     string        `json:"network_cap"`
}

// Limits are the defaults for new cards and terminals.
type Limits struct {
	Balance  string `json:"balance"`   // 9F77 on a card
	Single   string `json:"single"`    // 9F78 on a card
	Terminal string `json:"terminal"`  // 9F7B, inserted cards
	Tap      string `json:"tap"`       // contactless
	NoPIN    string `json:"no_pin"`    // inserted cards ask for the PIN above this
	PINTries int    `json:"pin_tries"` // on the card and at the issuer
}

// DefaultScheme is the scheme that init makes: one issuer, one acquirer, one
// network, yuan. The fee caps are those of the 2016 rules; the identification
// number is not assigned to any bank known to us.
func DefaultScheme(test bool) Scheme {
	return Scheme{
		Version: SchemeVersion, Test: test, Currency: "CNY", Country: 156,
		IIN: "62999901", AID: "A000000333010101", CA: 0xE1,
		Issuer: "10000001", Acquirer: "20000001", Network: "90000001",
		Fees: Fees{MerchantPPM: 6000, MerchantCap: "80.00", InterchangePPM: 3500, InterchangeCap: "13.00",
			NetworkPPM: 325, NetworkCap: "3.25"},
		CloneBearer: "issuer",
		Limits:      Limits{Balance: "1000.00", Single: "500.00", Terminal: "500.00", Tap: "300.00", NoPIN: "300.00", PINTries: 3},
		ListHours:   24, CutOff: "23:00", Coins: defaultCoins(),
	}
}

// currency and money parse what Validate has checked.
func (s *Scheme) currency() money.Currency {
	c, _ := money.ParseCurrency(s.Currency)
	return c
}

func (s *Scheme) money(text string) (money.Amount, error) {
	a, err := money.Parse(s.currency(), text)
	if err == nil && a.Sign() < 0 {
		err = fmt.Errorf("amount %q is negative", text)
	}
	return a, err
}

func (s *Scheme) aid() (ident.AID, error) {
	raw, err := hex.DecodeString(s.AID)
	if err != nil {
		return "", fmt.Errorf("aid %q is not hex", s.AID)
	}
	return ident.ParseAID(raw)
}

// Validate checks every field and names the first that is wrong.
func (s *Scheme) Validate() error {
	if s.Version != SchemeVersion {
		return fmt.Errorf("scheme.json is of version %d, this program reads %d", s.Version, SchemeVersion)
	}
	if _, err := money.ParseCurrency(s.Currency); err != nil {
		return fmt.Errorf("scheme.json: %w", err)
	}
	for field, text := range map[string]string{
		"merchant_cap": s.Fees.MerchantCap, "interchange_cap": s.Fees.InterchangeCap, "network_cap": s.Fees.NetworkCap,
		"balance": s.Limits.Balance, "single": s.Limits.Single, "terminal": s.Limits.Terminal, "tap": s.Limits.Tap, "no_pin": s.Limits.NoPIN,
	} {
		if _, err := s.money(text); err != nil {
			return fmt.Errorf("scheme.json: %s: %w", field, err)
		}
	}
	for _, inst := range []ident.Inst{s.Issuer, s.Acquirer, s.Network} {
		if _, err := ident.ParseInst(string(inst)); err != nil {
			return fmt.Errorf("scheme.json: %w", err)
		}
	}
	return s.validateRest()
}

func (s *Scheme) validateRest() error {
	if err := checkStore(s.Store); err != nil {
		return fmt.Errorf("scheme.json: %w", err)
	}
	if _, err := s.aid(); err != nil {
		return fmt.Errorf("scheme.json: %w", err)
	}
	if len(s.IIN) < 6 || len(s.IIN) > 8 || ident.WithLuhn(s.IIN) == "" {
		return fmt.Errorf("scheme.json: iin %q is not 6 to 8 digits", s.IIN)
	}
	switch s.CloneBearer {
	case "issuer", "acquirer", "merchant":
	default:
		return fmt.Errorf("scheme.json: clone_bearer %q is not issuer, acquirer or merchant", s.CloneBearer)
	}
	if s.ListHours < 1 || s.ListHours > 24*90 {
		return fmt.Errorf("scheme.json: list_hours %d is not 1 to %d", s.ListHours, 24*90)
	}
	if s.Limits.PINTries < 1 || s.Limits.PINTries > 15 {
		return fmt.Errorf("scheme.json: pin_tries %d is not 1 to 15", s.Limits.PINTries)
	}
	if _, err := s.cutOff(); err != nil {
		return err
	}
	return s.Coins.check(s)
}

// LoadScheme reads and checks scheme.json; unknown keys are an error, because a
// misspelt limit would otherwise be no limit.
func LoadScheme(dir string) (*Scheme, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "scheme.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNotInitialised
	}
	if err != nil {
		return nil, fmt.Errorf("read scheme: %w", err)
	}
	if len(raw) > maxSchemeFile {
		return nil, fmt.Errorf("scheme.json has %d bytes, at most %d", len(raw), maxSchemeFile)
	}
	var s Scheme
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return nil, fmt.Errorf("scheme.json: %w", err)
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &s, nil
}

func (s *Scheme) save(dir string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write scheme: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, "scheme.json"), append(raw, '\n'), 0o644)
}

// cutOff gives the local time of the end of day as minutes after midnight.
func (s *Scheme) cutOff() (int, error) {
	t, err := time.Parse("15:04", s.CutOff)
	if err != nil {
		return 0, fmt.Errorf("scheme.json: cut_off %q is not a time such as 23:00", s.CutOff)
	}
	return t.Hour()*60 + t.Minute(), nil
}
