package qr

import "rsc.io/qr/coding"

// penalty says how hard a symbol is to read: ISO/IEC 18004, 7.8.3, features 1 to 4
// with their weights 3, 3, 40 and 10.
func penalty(c *coding.Code) int {
	score, dark := 0, 0
	for a := range c.Size {
		score += lineScore(c.Size, func(b int) bool { return c.Black(b, a) })
		score += lineScore(c.Size, func(b int) bool { return c.Black(a, b) })
		for b := range c.Size {
			if c.Black(a, b) {
				dark++
			}
			if a > 0 && b > 0 && c.Black(a, b) == c.Black(a-1, b) && c.Black(a, b) == c.Black(a, b-1) && c.Black(a, b) == c.Black(a-1, b-1) {
				score += 3 // a block of one colour
			}
		}
	}
	off := 20*dark - 10*c.Size*c.Size // twentieths of the symbol away from half
	return score + max(off, -off)/(c.Size*c.Size)*10
}

// corner is what a corner looks like along a line, 1:1:3:1:1 with four light
// modules at one of its sides, the latest module in the lowest bit.
const (
	cornerBefore = 0b0000_1011101
	cornerAfter  = 0b1011101_0000
	cornerMask   = 1<<11 - 1
)

// lineScore counts runs of five modules or more, and what looks like a corner.
func lineScore(size int, dark func(int) bool) int {
	score, run, last := 0, 0, 0
	for i := range size {
		bit := 0
		if dark(i) {
			bit = 1
		}
		if i > 0 && bit == last&1 {
			run++
		} else {
			run = 1
		}
		switch {
		case run == 5:
			score += 3
		case run > 5:
			score++
		}
		last = (last<<1 | bit) & cornerMask
		if i >= 10 && (last == cornerBefore || last == cornerAfter) {
			score += 40
		}
	}
	return score
}
