package scan

import (
	"fmt"
	"strings"
	"testing"

	"jiaozi/wire/qr"
)

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// message is a text of n letters that look random.
func message(n int) string {
	var b strings.Builder
	b.WriteString("JIAOZI:")
	for state := uint32(n)*2654435761 + 1; b.Len() < n; {
		state = state*1664525 + 1013904223
		b.WriteByte(letters[state>>27])
	}
	return b.String()[:n]
}

func TestEveryVersionAndLevelReadsBack(t *testing.T) {
	for version := 1; version <= qr.MaxVersion; version++ {
		for level := qr.L; level <= qr.H; level++ {
			n := qr.Capacity(version, level)
			text := message(n)
			sheet, err := qr.Encode(level, text)
			if err != nil {
				t.Fatal(err)
			}
			if w, _ := sheet.Size(); w != 17+4*version+8 {
				t.Errorf("version %d level %d: %d letters make %d modules", version, level, n, w)
			}
			for _, scale := range []int{1, 2, 3, 5} {
				picture, err := sheet.PNG(scale)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := Decode(picture); err != nil || len(got) != 1 || got[0] != text {
					t.Errorf("version %d level %d scale %d: %v", version, level, scale, fmt.Sprint(err, len(got)))
				}
			}
		}
	}
}
