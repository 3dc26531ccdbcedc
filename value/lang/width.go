package lang

import (
	"strings"
	"unicode"
)

// wide lists the scripts and punctuation that take two columns on a terminal
// and on a receipt printer (Unicode Standard Annex 11, classes W and F, as far
// as the house's texts use them).
var wide = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x1100, Hi: 0x115F, Stride: 1}, // Hangul initials
	{Lo: 0x2E80, Hi: 0x303E, Stride: 1}, // CJK radicals, punctuation
	{Lo: 0x3041, Hi: 0x33FF, Stride: 1}, // kana, CJK symbols
	{Lo: 0x3400, Hi: 0x4DBF, Stride: 1}, // CJK extension A
	{Lo: 0x4E00, Hi: 0x9FFF, Stride: 1}, // CJK unified ideographs
	{Lo: 0xAC00, Hi: 0xD7A3, Stride: 1}, // Hangul
	{Lo: 0xF900, Hi: 0xFAFF, Stride: 1}, // CJK compatibility
	{Lo: 0xFE30, Hi: 0xFE6F, Stride: 1}, // CJK compatibility forms
	{Lo: 0xFF00, Hi: 0xFF60, Stride: 1}, // full-width forms
	{Lo: 0xFFE0, Hi: 0xFFE6, Stride: 1}, // full-width signs
}}

// Width counts the columns that s takes in a fixed-width font.
func Width(s string) int {
	n := 0
	for _, r := range s {
		if unicode.Is(wide, r) {
			n++
		}
		n++
	}
	return n
}

// Pad fills s with spaces on the right up to the given columns; longer texts
// stay as they are.
func Pad(s string, columns int) string {
	return s + strings.Repeat(" ", max(0, columns-Width(s)))
}
