package qr

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"
	"testing"

	"rsc.io/qr/coding"

	"jiaozi/wire/coin"
)

func sheet(t *testing.T, level Level, texts ...string) Sheet {
	t.Helper()
	s, err := Encode(level, texts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Goal: capacities are those of ISO/IEC 18004, table 7.
func TestCapacityIsThatOfTheStandard(t *testing.T) {
	for _, row := range []struct {
		version int
		want    [4]int // L, M, Q, H
	}{{1, [4]int{25, 20, 16, 10}}, {9, [4]int{335, 262, 189, 143}}, {10, [4]int{395, 311, 221, 174}}, {13, [4]int{619, 483, 352, 259}},
		{20, [4]int{1249, 970, 702, 557}}, {26, [4]int{1990, 1542, 1094, 864}}, {27, [4]int{2132, 1637, 1172, 910}}, {40, [4]int{4296, 3391, 2420, 1852}}} {
		for level, want := range row.want {
			if got := Capacity(row.version, Level(level)); got != want {
				t.Errorf("version %d level %d: %d, want %d", row.version, level, got, want)
			}
		}
	}
	if Capacity(0, L)+Capacity(41, L)+Capacity(1, H+1) != 0 {
		t.Error("a version that does not exist holds something")
	}
}

// Goal: the bounds of package coin are those of the symbols that it means, and a
// symbol for a terminal of 80 columns fits there.
func TestPartsFillTheSymbolsTheyAreMadeFor(t *testing.T) {
	if coin.ScreenChars != Capacity(20, M) || coin.TerminalChars != Capacity(13, M) {
		t.Errorf("coin says %d and %d, the symbols hold %d and %d", coin.ScreenChars, coin.TerminalChars, Capacity(20, M), Capacity(13, M))
	}
	s := sheet(t, M, strings.Repeat("A", coin.TerminalChars))
	if width, _ := s.Size(); width > 80 {
		t.Errorf("%d columns", width)
	}
}

// Goal: one letter more takes the next version, and past the last there is an
// error.
func TestSmallestVersionIsTaken(t *testing.T) {
	for version := 1; version <= MaxVersion; version++ {
		n := Capacity(version, Q)
		s := sheet(t, Q, strings.Repeat("A", n))
		if width, height := s.Size(); width != 17+4*version+8 || height != width {
			t.Errorf("version %d: %d modules", version, width)
		}
		more, err := Encode(Q, strings.Repeat("A", n+1))
		if width, _ := more.Size(); version < MaxVersion && width != 17+4*version+12 || version == MaxVersion && !errors.Is(err, ErrTooLong) {
			t.Errorf("a letter more than version %d holds: %d modules, %v", version, width, err)
		}
	}
	capital, small := sheet(t, L, strings.Repeat("A", 400)), sheet(t, L, strings.Repeat("a", 400))
	if a, _ := capital.Size(); true {
		if b, _ := small.Size(); a >= b {
			t.Error("capitals take no fewer modules than small letters")
		}
	}
}

// Goal: what is shown is the symbol, with its quiet zone. Method: read the modules
// back out of each form; one symbol and a grid with an empty place.
func TestEveryFormShowsTheSameModules(t *testing.T) {
	for _, texts := range [][]string{{"JIAOZI:ABC"}, {"A", "B", "C", strings.Repeat("D", 100), "E"}} {
		s := sheet(t, M, texts...)
		width, height := s.Size()
		want := make([]bool, width*height)
		dark := 0
		for i := range want {
			want[i] = s.Dark(i%width, i/width)
			if want[i] {
				dark++
			}
		}
		if dark < width*height/8 || s.Dark(-1, 0) || s.Dark(width, 0) || s.Dark(0, height) || s.Dark(4, 3) || s.Dark(3, 4) || !s.Dark(4, 4) {
			t.Fatal("this is no symbol with a quiet zone")
		}
		for form, got := range map[string][]bool{"svg": fromSVG(t, s.SVG(), width, height), "png": fromPNG(t, s, 3),
			"terminal": fromLines(t, s.Terminal(), width, height), "plain": fromLines(t, s.Plain(), width, height)} {
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("%s: module %d,%d is %t", form, i%width, i/width, got[i])
				}
			}
		}
	}
}

// fromSVG is a reader of just the SVG that we write: well-formed, one path.
func fromSVG(t *testing.T, svg []byte, width, height int) []bool {
	t.Helper()
	got := make([]bool, width*height)
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range element.Attr {
			if a.Name.Local == "viewBox" && a.Value != fmt.Sprintf("0 0 %d %d", width, height) {
				t.Error(a.Value)
			}
			if a.Name.Local == "d" {
				fill(t, got, width, a.Value)
			}
		}
	}
	return got
}

func fill(t *testing.T, got []bool, width int, path string) {
	t.Helper()
	x, y := 0, 0
	for in := strings.NewReader(path); in.Len() > 0; {
		var run, skip, half int
		if command, _ := in.ReadByte(); command == 'M' {
			if _, err := fmt.Fscanf(in, "%d %d.%dh%d", &x, &y, &half, &run); err != nil || half != 5 {
				t.Fatal(err)
			}
		} else if _, err := fmt.Fscanf(in, "%d 0h%d", &skip, &run); err != nil || command != 'm' {
			t.Fatal(err)
		}
		x += skip
		for range run {
			got[y*width+x] = true
			x++
		}
	}
}

func fromPNG(t *testing.T, s Sheet, scale int) []bool {
	t.Helper()
	b, err := s.PNG(scale)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	width, height := s.Size()
	if img.Bounds() != image.Rect(0, 0, width*scale, height*scale) {
		t.Fatal(img.Bounds())
	}
	got := make([]bool, width*height)
	for y := range height * scale {
		for x := range width * scale {
			r, _, _, _ := img.At(x, y).RGBA()
			i := y/scale*width + x/scale
			if x%scale+y%scale > 0 && got[i] != (r == 0) {
				t.Fatal("a module of two colours")
			}
			got[i] = r == 0
		}
	}
	return got
}

func fromLines(t *testing.T, text string, width, height int) []bool {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != (height+1)/2 {
		t.Fatalf("%d lines for %d modules", len(lines), height)
	}
	got := make([]bool, 2*len(lines)*width)
	for y, line := range lines {
		row := []rune(strings.TrimSuffix(strings.TrimPrefix(line, blackOnWhite), reset))
		if len(row) != width {
			t.Fatalf("line %d has %d characters", y, len(row))
		}
		for x, c := range row {
			got[2*y*width+x] = c == '█' || c == '▀'
			got[(2*y+1)*width+x] = c == '█' || c == '▄'
		}
	}
	return got
}

// Goal: the mask with the least penalty is taken. Method: all eight, and the
// format bits that say which; penalties of small patterns by hand.
func TestMaskOfLeastPenalty(t *testing.T) {
	text, chosen := coding.Alpha("AAAAAAAAAAAAAAAAAAAA"), map[int]bool{}
	best, err := draw(1, coding.L, text)
	if err != nil {
		t.Fatal(err)
	}
	for mask := range coding.Mask(8) {
		plan, err := coding.NewPlan(1, coding.L, mask)
		if err != nil {
			t.Fatal(err)
		}
		code, err := plan.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		chosen[penalty(code)] = true
		if penalty(code) < penalty(best) {
			t.Errorf("mask %d has a penalty of %d, the chosen one of %d", mask, penalty(code), penalty(best))
		}
	}
	if len(chosen) < 4 {
		t.Error("masks are all the same")
	}
	for line, want := range map[string]int{"": 0, "1111": 0, "11111": 3, "1111111": 5, "0000010000": 3, "10111010000": 40, "00001011101": 40, "000010111010000": 80, "1011101000": 0} {
		if got := lineScore(len(line), func(i int) bool { return line[i] == '1' }); got != want {
			t.Errorf("%s: %d, want %d", line, got, want)
		}
	}
}

func TestWhatCannotBeDrawnIsRefused(t *testing.T) {
	many := make([]string, MaxSymbols+1)
	for why, err := range map[string]error{
		"nothing":         second(Encode(L)),
		"17 symbols":      second(Encode(L, many...)),
		"no level":        second(Encode(H+1, "A")),
		"bytes too many":  second(Encode(L, strings.Repeat("a", 2954))),
		"scale 0":         second(sheet(t, L, "A").PNG(0)),
		"a wall of a PNG": second(sheet(t, L, "A").PNG(1000)),
		"a huge scale":    second(sheet(t, L, "A").PNG(1 << 40)),
	} {
		if err == nil {
			t.Errorf("%s is drawn", why)
		}
	}
	if s := sheet(t, L, ""); len(s.SVG()) == 0 {
		t.Error("an empty text has a symbol, too")
	}
}

func second[T any](_ T, err error) error { return err }

// Goal: drawings are small enough for a page. Figures of version 20, the size of a
// payment on a screen.
func TestDrawingsAreSmall(t *testing.T) {
	receipt := &coin.Receipt{Code: coin.Accepted, Change: [][]byte{make([]byte, 500)}}
	text, err := coin.Text(receipt)
	if err != nil {
		t.Fatal(err)
	}
	s := sheet(t, M, text)
	picture, err := s.PNG(8)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.SVG()) > 32<<10 || len(picture) > 32<<10 {
		t.Errorf("%d letters: SVG %d bytes, PNG %d", len(text), len(s.SVG()), len(picture))
	}
}

// A small symbol, without the light border that it is printed with.
func ExampleSheet_Plain() {
	s, err := Encode(L, "JIAOZI")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range strings.Split(s.Plain(), "\n")[2:13] {
		fmt.Println("|" + strings.TrimSpace(line))
	}
	// Output:
	// |█▀▀▀▀▀█ ▄█ █▀ █▀▀▀▀▀█
	// |█ ███ █ ▀█ ▄▀ █ ███ █
	// |█ ▀▀▀ █ █  ▄█ █ ▀▀▀ █
	// |▀▀▀▀▀▀▀ █▄█▄█ ▀▀▀▀▀▀▀
	// |▀█ ▀▄ ▀█▄▀▀   █▀▀▄▀▀
	// |█▄█ ▀▀█▀█▄▀▀   ▀▄█
	// |▀  ▀  ▀▀▄▀ ▄▀ ▀▄█▀ ██
	// |█▀▀▀▀▀█ ▀▀ ▄▄█ █▄▄█ ▄
	// |█ ███ █ ▄███  ▀█▀▄███
	// |█ ▀▀▀ █ ▄▄▀ ▀▄▄▄█   █
	// |▀▀▀▀▀▀▀ ▀ ▀▀▀   ▀▀▀
}
