// Package qr draws texts as QR symbols (ISO/IEC 18004): as SVG for a page, as PNG
// for a picture, as characters for a terminal. Package scan, beneath it, reads
// pictures; it is a room of its own because it adds 0.57 MB (gzipped) to a program
// for the browser where drawing adds 0.03, and a wallet there need not scan.
//
//	Encode(level, texts...) --> Sheet --SVG--> page
//	                                  --PNG--> picture --scan.Decode--> texts
//	                                  --Terminal, Plain--> characters
//
// It promises symbols with the quiet zone that scanners need, dark on light
// wherever they are shown, in the mask that the standard prefers. A text of
// capitals, digits and " $%*+-./:" takes 5.5 bits a character (alphanumeric mode),
// which is why package coin writes its texts so; any other text takes 8.
//
// It knows nothing of coins. Start with Encode.
package qr

import (
	"errors"
	"fmt"
	"math"

	"rsc.io/qr/coding"
)

// Level is how much of a symbol may be unreadable.
type Level uint8

// The levels: the part of the symbol that is restored. M is what a screen wants; a
// print that is folded and carried about wants Q.
const (
	L Level = iota // 7 %
	M              // 15 %
	Q              // 25 %
	H              // 30 %
)

// Bounds. A sheet has as many symbols as package scan reads from one picture, and
// no more pixels than it opens.
const (
	MaxVersion = int(coding.MaxVersion) // 177 modules a side
	MaxSymbols = 16
	MaxPixels  = 16 << 20
	quiet      = 4 // light modules around a symbol (ISO/IEC 18004, 5.3.8)
)

// ErrTooLong: cut the text into parts, or take a lower level.
var ErrTooLong = errors.New("the text does not fit one QR symbol: cut it into parts")

// symbol is a square of modules, without its quiet zone.
type symbol struct{ code *coding.Code }

// Sheet is one symbol, or several in a grid, row by row.
type Sheet struct {
	symbols       []symbol
	columns, rows int
	cell          int // modules a side of each place, quiet zone included
}

// Capacity is the number of characters of the alphanumeric mode that a version (1
// to 40, 17+4·version modules a side) holds.
func Capacity(version int, level Level) int {
	v := coding.Version(version)
	if v < coding.MinVersion || v > coding.MaxVersion || level > H {
		return 0
	}
	const pair, single = 11, 6 // bits
	bits := v.DataBytes(coding.Level(level))*8 - coding.Alpha("").Bits(v)
	n := bits / pair * 2
	if bits%pair >= single {
		n++
	}
	return n
}

// Encode makes one symbol of each text, all of the smallest version that holds the
// longest of them, so that a camera need not move.
func Encode(level Level, texts ...string) (Sheet, error) {
	if len(texts) == 0 || len(texts) > MaxSymbols || level > H {
		return Sheet{}, fmt.Errorf("draw QR: %d texts at level %d: one picture shows 1 to %d symbols at levels 0 to 3", len(texts), level, MaxSymbols)
	}
	version := coding.Version(coding.MinVersion)
	for _, text := range texts {
		enc := encoding(text)
		for enc.Bits(version) > version.DataBytes(coding.Level(level))*8 {
			if version++; version > coding.MaxVersion {
				return Sheet{}, fmt.Errorf("draw QR: %d characters: %w", len(text), ErrTooLong)
			}
		}
	}
	s := Sheet{cell: 17 + 4*int(version) + 2*quiet}
	for _, text := range texts {
		code, err := draw(version, coding.Level(level), encoding(text))
		if err != nil {
			return Sheet{}, fmt.Errorf("draw QR: %w", err)
		}
		s.symbols = append(s.symbols, symbol{code})
	}
	for s.columns*s.columns < len(texts) {
		s.columns++
	}
	s.rows = (len(texts) + s.columns - 1) / s.columns
	return s, nil
}

// encoding is the smaller of the two modes that take the text.
func encoding(text string) coding.Encoding {
	if alpha := coding.Alpha(text); alpha.Check() == nil {
		return alpha
	}
	return coding.String(text)
}

// draw tries the eight masks and keeps the one with the smallest penalty, so that
// no part of the data looks like a corner.
func draw(v coding.Version, l coding.Level, text coding.Encoding) (*coding.Code, error) {
	var best *coding.Code
	least := math.MaxInt
	for mask := range coding.Mask(8) {
		plan, err := coding.NewPlan(v, l, mask)
		if err != nil {
			return nil, err
		}
		code, err := plan.Encode(text)
		if err != nil {
			return nil, err
		}
		if p := penalty(code); p < least {
			best, least = code, p
		}
	}
	return best, nil
}

// Size gives width and height of the sheet in modules, quiet zones included.
func (s Sheet) Size() (width, height int) { return s.columns * s.cell, s.rows * s.cell }

// Dark reports whether the module is dark; outside of the symbols none is.
func (s Sheet) Dark(x, y int) bool {
	if x < 0 || y < 0 || x >= s.columns*s.cell || y >= s.rows*s.cell {
		return false
	}
	i := y/s.cell*s.columns + x/s.cell
	return i < len(s.symbols) && s.symbols[i].code.Black(x%s.cell-quiet, y%s.cell-quiet)
}
