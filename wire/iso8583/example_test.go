package iso8583_test

import (
	"encoding/hex"
	"fmt"

	"jiaozi/value/lang"
	"jiaozi/wire/iso8583"
)

// A published purchase, explained with its card masked.
func ExampleSpec_Describe() {
	body, err := hex.DecodeString("0200302004C020C0981100000000000000005100183402100006324392260009942820" +
		"D1312101120084393136363838303134303030303030303030303030303030313536ACF46E73838A82F926000000000000000008220000013732343839434143")
	if err != nil {
		fmt.Println(err)
		return
	}
	var m iso8583.Message
	if err := iso8583.POS.Decode(body, &m); err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range iso8583.POS.Describe(&m, lang.EN)[:8] {
		fmt.Println(line)
	}
	// Output:
	// mti      financial request: 0200
	// 3        processing code: 000000
	// 4        amount: 000000000051
	// 11       trace number: 001834
	// 22       entry mode: 021
	// 25       condition code: 00
	// 26       PIN capture code: 06
	// 35       track 2: 439226******2820=***************
}
