package scan_test

import (
	"fmt"

	"jiaozi/wire/qr"
	"jiaozi/wire/qr/scan"
)

// Two texts on one picture.
func ExampleDecode() {
	sheet, err := qr.Encode(qr.M, "JIAOZI:1-2/AB", "JIAOZI:2-2/CD")
	if err != nil {
		fmt.Println(err)
		return
	}
	picture, err := sheet.PNG(4)
	if err != nil {
		fmt.Println(err)
		return
	}
	texts, err := scan.Decode(picture)
	fmt.Println(texts, err)
	// Output: [JIAOZI:1-2/AB JIAOZI:2-2/CD] <nil>
}
