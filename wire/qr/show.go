package qr

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
)

// SVG draws the sheet as one XML document that scales to any size: a light ground
// and one dark path. A module is one unit.
func (s Sheet) SVG() []byte {
	width, height := s.Size()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges" role="img" aria-label="QR">`, width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/><path stroke="#000" d="`, width, height)
	for y := range height {
		at := -1 // where the pen is in this row
		for x := 0; x < width; x++ {
			start := x
			for s.Dark(x, y) {
				x++
			}
			switch {
			case x == start:
				continue
			case at < 0:
				fmt.Fprintf(&b, "M%d %d.5h%d", start, y, x-start)
			default:
				fmt.Fprintf(&b, "m%d 0h%d", start-at, x-start)
			}
			at = x
		}
	}
	b.WriteString(`"/></svg>` + "\n")
	return b.Bytes()
}

// PNG draws the sheet in two colours, scale pixels for each module; four and more
// are read well.
func (s Sheet) PNG(scale int) ([]byte, error) {
	width, height := s.Size()
	if scale < 1 || scale > MaxPixels || width*scale > MaxPixels/(height*scale) {
		return nil, fmt.Errorf("draw QR: %d by %d modules at %d pixels each are more than the %d pixels that a reader opens: take a smaller scale or fewer symbols", width, height, scale, MaxPixels)
	}
	img := image.NewPaletted(image.Rect(0, 0, width*scale, height*scale), color.Palette{color.White, color.Black})
	for y := range height * scale {
		for x := range width * scale {
			if s.Dark(x/scale, y/scale) {
				img.Pix[y*img.Stride+x] = 1
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("draw QR: %w", err)
	}
	return b.Bytes(), nil
}

// The two colours by number, in the part of the palette that themes leave alone:
// black modules on white, whatever the terminal's colours are.
const (
	blackOnWhite = "\x1b[38;5;16;48;5;231m"
	reset        = "\x1b[0m"
)

// Terminal draws the sheet for a terminal with 256 colours, two modules to a
// character. It reads well on a dark ground and on a light one.
func (s Sheet) Terminal() string { return s.lines(blackOnWhite, reset) }

// Plain draws the same without colours, for files and for paper. Dark modules are
// ink: on a dark screen it is a negative, which not every scanner reads.
func (s Sheet) Plain() string { return s.lines("", "") }

func (s Sheet) lines(before, after string) string {
	width, height := s.Size()
	var b strings.Builder
	for y := 0; y < height; y += 2 {
		b.WriteString(before)
		for x := range width {
			switch top, bottom := s.Dark(x, y), s.Dark(x, y+1); {
			case top && bottom:
				b.WriteRune('█')
			case top:
				b.WriteRune('▀')
			case bottom:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString(after + "\n")
	}
	return b.String()
}
