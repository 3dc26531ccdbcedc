package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"jiaozi/crypt/vault"
	"jiaozi/node/durable"
	"jiaozi/value/ident"
	"jiaozi/value/money"
)

// TerminalSpec is what an operator says of a terminal, kept as terminal.json in
// the terminal's own folder. Empty limits are the scheme's.
type TerminalSpec struct {
	TID          ident.TID `json:"tid"`
	MID          ident.MID `json:"mid"`
	MerchantName string    `json:"merchant_name"`
	Profile      string    `json:"profile"`  // cup or secure
	Currency     string    `json:"currency"` // empty: the scheme's
	ECLimit      string    `json:"ec_limit,omitempty"`
	TapLimit     string    `json:"tap_limit,omitempty"`
	CVMLimit     string    `json:"cvm_limit,omitempty"`
	OfflineOnly  bool      `json:"offline_only"`
}

// complete fills what was left to the scheme and checks the rest.
func (t TerminalSpec) complete(s *Scheme) (TerminalSpec, error) {
	if t.Currency == "" {
		t.Currency = s.Currency
	}
	for field, def := range map[*string]string{&t.ECLimit: s.Limits.Terminal, &t.TapLimit: s.Limits.Tap, &t.CVMLimit: s.Limits.Tap} {
		if *field == "" {
			*field = def
		}
	}
	if t.MerchantName == "" {
		t.MerchantName = string(t.MID)
	}
	if _, err := ident.ParseTID(string(t.TID)); err != nil {
		return t, err
	}
	if _, err := ident.ParseMID(string(t.MID)); err != nil {
		return t, err
	}
	if _, err := vault.ParseProfile(t.Profile); err != nil {
		return t, err
	}
	if _, err := money.ParseCurrency(t.Currency); err != nil {
		return t, err
	}
	_, _, _, err := t.limits()
	return t, err
}

// limits gives the amounts in the terminal's currency: insert, tap, holder check.
func (t TerminalSpec) limits() (insert, tap, holder money.Amount, err error) {
	c, err := money.ParseCurrency(t.Currency)
	if err != nil {
		return insert, tap, holder, err
	}
	for text, into := range map[*string]*money.Amount{&t.ECLimit: &insert, &t.TapLimit: &tap, &t.CVMLimit: &holder} {
		if *into, err = money.Parse(c, *text); err != nil {
			return insert, tap, holder, fmt.Errorf("terminal %s: %w", t.TID, err)
		}
	}
	return insert, tap, holder, nil
}

func terminalDir(dir string, tid ident.TID) string {
	return filepath.Join(dir, "terminals", string(tid))
}

func saveTerminal(dir string, t TerminalSpec) error {
	raw, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("terminal %s: %w", t.TID, err)
	}
	return durable.WriteFile(filepath.Join(terminalDir(dir, t.TID), "terminal.json"), append(raw, '\n'), 0o644)
}

// LoadTerminal reads what the operator said of a terminal.
func LoadTerminal(dir string, tid ident.TID) (TerminalSpec, error) {
	var t TerminalSpec
	raw, err := os.ReadFile(filepath.Join(terminalDir(dir, tid), "terminal.json"))
	if errors.Is(err, os.ErrNotExist) {
		return t, fmt.Errorf("terminal %s is not registered: add it with `jiaozi terminal add`", tid)
	}
	if err != nil {
		return t, fmt.Errorf("terminal %s: %w", tid, err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&t); err != nil {
		return t, fmt.Errorf("terminal %s: terminal.json: %w", tid, err)
	}
	return t, nil
}

// ListTerminals gives the ids of all terminals of a data directory, in order. A
// folder without terminal.json is an addition that a crash interrupted.
func ListTerminals(dir string) ([]ident.TID, error) {
	entries, err := os.ReadDir(filepath.Join(dir, "terminals"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list terminals: %w", err)
	}
	var out []ident.TID
	for _, e := range entries {
		tid, err := ident.ParseTID(e.Name())
		if err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(terminalDir(dir, tid), "terminal.json")); err == nil {
			out = append(out, tid)
		}
	}
	slices.Sort(out)
	return out, nil
}
