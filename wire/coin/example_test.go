package coin_test

import (
	"fmt"

	"jiaozi/value/money"
	"jiaozi/wire/coin"
)

// A payee asks, a payer reads: by text, which a person may send or scan.
func Example() {
	request := &coin.Request{
		Terms: coin.Terms{Payee: "teahouse", Amount: money.New(money.CNY, 1234), Time: 1_793_700_000},
		Name:  "Tea House", Expires: 1_793_700_600,
	}
	text, err := coin.Text(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(text[:30])

	m, err := coin.ParseText(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Type(), "of", m.(*coin.Request).Amount.String(), "for", m.(*coin.Request).Name)

	_, err = coin.ParseText(text[:40] + "Z" + text[41:])
	fmt.Println(err)
	// Output:
	// JIAOZI:JJNEGAIBAAAAA5YAAAAAAAA
	// request of 12.34 for Tea House
	// the text was mistyped, cut or misread: its checksum does not fit; copy or scan it again
}
