package money

import (
	"fmt"

	"jiaozi/value/lang"
)

// Currency is an ISO 4217 numeric code, such as 156 for the yuan. The zero
// value is no currency.
type Currency uint16

// Currencies of the house. Others may be carried, but Parse and Format refuse
// what they cannot place the decimal point of.
const (
	CNY Currency = 156
	HKD Currency = 344
	JPY Currency = 392
	MOP Currency = 446
	SGD Currency = 702
	USD Currency = 840
	EUR Currency = 978
)

type currencyInfo struct {
	code     string
	exponent int // digits after the decimal point, ISO 4217 table A.1
	symbol   lang.Text
}

var currencies = map[Currency]currencyInfo{
	CNY: {"CNY", 2, lang.Text{EN: "CNY ", ZH: "¥"}},
	HKD: {"HKD", 2, lang.Text{EN: "HKD ", ZH: "港币 "}},
	JPY: {"JPY", 0, lang.Text{EN: "JPY ", ZH: "日元 "}},
	MOP: {"MOP", 2, lang.Text{EN: "MOP ", ZH: "澳门元 "}},
	SGD: {"SGD", 2, lang.Text{EN: "SGD ", ZH: "新加坡元 "}},
	USD: {"USD", 2, lang.Text{EN: "USD ", ZH: "美元 "}},
	EUR: {"EUR", 2, lang.Text{EN: "EUR ", ZH: "欧元 "}},
}

// ParseCurrency reads an alphabetic ISO 4217 code.
func ParseCurrency(code string) (Currency, error) {
	for c, info := range currencies {
		if info.code == code {
			return c, nil
		}
	}
	return 0, fmt.Errorf("currency %q is not known: use one of CNY, HKD, JPY, MOP, SGD, USD, EUR", code)
}

// Known reports whether the house knows the currency's exponent.
func (c Currency) Known() bool { return currencies[c].code != "" }

// Code gives the alphabetic code, or the three digits of an unknown currency.
func (c Currency) Code() string {
	if info, ok := currencies[c]; ok {
		return info.code
	}
	return fmt.Sprintf("%03d", uint16(c))
}

// String is Code.
func (c Currency) String() string { return c.Code() }

// Exponent gives the digits after the decimal point, 2 for unknown currencies.
func (c Currency) Exponent() int {
	if info, ok := currencies[c]; ok {
		return info.exponent
	}
	return 2
}

// BCD gives the two bytes of tags 5F2A and 9F51: n3 behind a zero.
func (c Currency) BCD() [2]byte {
	return [2]byte{byte(c / 100 % 10), byte(c/10%10<<4 | c%10)}
}

// CurrencyFromBCD reads two BCD bytes.
func CurrencyFromBCD(b []byte) (Currency, error) {
	if len(b) != 2 || b[0] > 9 || b[1]>>4 > 9 || b[1]&0xF > 9 {
		return 0, fmt.Errorf("money: a currency code is two BCD bytes of three digits")
	}
	return Currency(b[0])*100 + Currency(b[1]>>4)*10 + Currency(b[1]&0xF), nil
}
