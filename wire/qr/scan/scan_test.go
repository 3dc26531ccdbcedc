package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"jiaozi/wire/coin"
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

// Goal: whatever is drawn is read. Method: every version filled to its last
// letter at every level, some of them with modules of a single pixel and of five.
func TestEveryVersionAndLevelReadsBack(t *testing.T) {
	for version := 1; version <= qr.MaxVersion; version++ {
		for level := qr.L; level <= qr.H; level++ {
			text := message(qr.Capacity(version, level))
			scales := []int{2}
			if version%8 == 1 {
				scales = []int{1, 2, 5}
			}
			for _, scale := range scales {
				reads(t, fmt.Sprintf("version %d level %d scale %d", version, level, scale), drawn(t, scale, level, text), text)
			}
		}
	}
}

func drawn(t *testing.T, scale int, level qr.Level, texts ...string) []byte {
	t.Helper()
	sheet, err := qr.Encode(level, texts...)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := sheet.PNG(scale)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

func reads(t *testing.T, how string, picture []byte, want ...string) {
	t.Helper()
	got, err := Decode(picture)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %d of %d texts: %v", how, len(got), len(want), err)
	}
}

// Goal: a photograph is not a drawing. Method: turned by any angle, seen from the
// side, shrunk and blown up by odd factors, with noise, blurred, under a lamp that
// lights one side, and all of it as a JPEG.
func TestPhotographsAreRead(t *testing.T) {
	text := message(coin.ScreenChars)
	sharp := opened(t, drawn(t, 6, qr.M, text))
	for how, view := range map[string]func() image.Image{
		"turned by 7 degrees":     func() image.Image { return seen(sharp, turn(7, 1)) },
		"turned by 45 degrees":    func() image.Image { return seen(sharp, turn(45, 1)) },
		"on its side":             func() image.Image { return seen(sharp, turn(90, 1)) },
		"upside down":             func() image.Image { return seen(sharp, turn(180, 1)) },
		"turned by 290 degrees":   func() image.Image { return seen(sharp, turn(290, 1)) },
		"shrunk to two thirds":    func() image.Image { return seen(sharp, turn(0, 0.66)) },
		"blown up by 1.9":         func() image.Image { return seen(sharp, turn(0, 1.9)) },
		"turned and shrunk":       func() image.Image { return seen(sharp, turn(12, 0.7)) },
		"noise":                   func() image.Image { return disturbed(seen(sharp, turn(0, 1)), 70, 0) },
		"turned, noise, one lamp": func() image.Image { return disturbed(seen(sharp, turn(5, 1.5)), 40, 110) },
	} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, view(), &jpeg.Options{Quality: 80}); err != nil {
			t.Fatal(err)
		}
		reads(t, how, b.Bytes(), text)
	}
}

func opened(t *testing.T, picture []byte) image.Image {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A lens says which point of the subject stands at a point of the picture, both
// measured from the middle.
type lens func(x, y float64) (float64, float64)

func turn(degrees, scale float64) lens {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return func(x, y float64) (float64, float64) { return (x*cos + y*sin) / scale, (y*cos - x*sin) / scale }
}

// seen takes the picture: four samples for each pixel, grey around the subject.
func seen(subject image.Image, through lens) *image.Gray {
	side := 2 * subject.Bounds().Dx()
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			sum := 0
			for i := range 4 {
				u, v := through(float64(x)+float64(i%2)/2-float64(side)/2, float64(y)+float64(i/2)/2-float64(side)/2)
				px := image.Pt(int(math.Floor(u))+subject.Bounds().Dx()/2, int(math.Floor(v))+subject.Bounds().Dy()/2)
				if px.In(subject.Bounds()) {
					sum += int(color.GrayModel.Convert(subject.At(px.X, px.Y)).(color.Gray).Y)
				} else {
					sum += 170
				}
			}
			img.Pix[y*img.Stride+x] = byte(sum / 4)
		}
	}
	return img
}

// disturbed adds noise, and takes light away from left to right.
func disturbed(img *image.Gray, noise, lamp int) *image.Gray {
	dice := rand.New(rand.NewPCG(1, 2))
	for i, v := range img.Pix {
		light := int(v)*(255-lamp*(i%img.Stride)/img.Stride)/255 + dice.IntN(2*noise+1) - noise
		img.Pix[i] = byte(min(max(light, 0), 255))
	}
	return img
}

// Goal: a message of several parts is one picture. Method: sheets of 2 to 16 symbols, of
// which the collector makes the message.
func TestSheetOfPartsGivesTheMessage(t *testing.T) {
	for _, count := range []int{2, 3, 7, qr.MaxSymbols} {
		receipt := &coin.Receipt{Code: coin.Accepted, Change: [][]byte{noise(count*110 - 100)}}
		texts, err := coin.Parts(receipt, 250)
		if err != nil || len(texts) > qr.MaxSymbols {
			t.Fatal(len(texts), err)
		}
		got, err := Decode(drawn(t, 4, qr.M, texts...))
		if err != nil || len(got) != len(texts) {
			t.Errorf("%d of %d symbols: %v", len(got), len(texts), err)
			continue
		}
		if m, err := coin.Read([]byte(strings.Join(got, "\n"))); err != nil || m.Type() != coin.TypeReceipt {
			t.Error(err)
		}
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	dice := rand.New(rand.NewPCG(3, uint64(n)))
	for i := range b {
		b[i] = byte(dice.UintN(256))
	}
	return b
}

// Goal: what a terminal shows on a dark ground, and a symbol on a clear one, are
// read. Method: the negative, and dark modules on nothing.
func TestNegativeAndClearGroundAreRead(t *testing.T) {
	text := message(200)
	img := opened(t, drawn(t, 4, qr.M, text)).(*image.Paletted)
	for how, palette := range map[string]color.Palette{
		"negative":           {color.Black, color.White},
		"on a clear ground":  {color.Transparent, color.Black},
		"blue on yellow":     {color.RGBA{255, 240, 150, 255}, color.RGBA{20, 20, 120, 255}},
		"faint on grey":      {color.Gray{150}, color.Gray{90}},
		"sixteen-bit colour": {color.Gray16{0xF0F0}, color.Gray16{0x0101}},
	} {
		img.Palette = palette
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		reads(t, how, b.Bytes(), text)
	}
}

// Goal: a message is read or refused, never misread. Method: blacken more and more
// of a symbol; what is read is the text.
func TestDamagedSymbolIsReadOrRefused(t *testing.T) {
	text := message(300)
	refused := 0
	for level := qr.L; level <= qr.H; level++ {
		for size := 0; size < 40; size += 6 {
			img := opened(t, drawn(t, 4, level, text)).(*image.Paletted)
			middle := img.Bounds().Dx() / 2
			for y := range 4 * size {
				for x := range 4 * size {
					img.SetColorIndex(middle-2*size+x, middle-2*size+y, 1)
				}
			}
			var b bytes.Buffer
			if err := png.Encode(&b, img); err != nil {
				t.Fatal(err)
			}
			got, err := Decode(b.Bytes())
			if err != nil {
				refused++
			} else if len(got) != 1 || got[0] != text {
				t.Errorf("level %d, %d modules blackened: misread", level, size)
			}
			if size <= 6 && err != nil {
				t.Errorf("level %d, %d modules blackened: %v", level, size, err)
			}
		}
	}
	if refused == 0 {
		t.Error("nothing was damaged")
	}
}

// Goal: every other file is refused with a word on what to do, before much is done.
func TestWhatIsNoPictureOfASymbolIsRefused(t *testing.T) {
	blank := &image.Gray{Pix: make([]byte, 500*500), Stride: 500, Rect: image.Rect(0, 0, 500, 500)}
	speckled := disturbed(&image.Gray{Pix: bytes.Repeat([]byte{128}, 300*300), Stride: 300, Rect: image.Rect(0, 0, 300, 300)}, 127, 0)
	symbol := drawn(t, 4, qr.M, message(200))
	huge := slices.Clone(symbol)
	binary.BigEndian.PutUint32(huge[16:], 1<<17) // width in the PNG's head
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for how, c := range map[string]struct {
		picture []byte
		want    error
	}{
		"nothing":         {nil, ErrPicture},
		"a text":          {[]byte("JIAOZI:ABC"), ErrPicture},
		"a cut picture":   {symbol[:len(symbol)/2], ErrPicture},
		"a head alone":    {symbol[:40], ErrPicture},
		"a GIF":           {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), ErrPicture},
		"all black":       {encoded(t, blank), ErrNone},
		"noise":           {encoded(t, speckled), ErrNone},
		"one pixel":       {encoded(t, image.NewGray(image.Rect(0, 0, 1, 1))), ErrNone},
		"one row":         {encoded(t, image.NewGray(image.Rect(0, 0, 5000, 1))), ErrNone},
		"131072 wide":     {huge, ErrTooLarge},
		"seventeen MiB":   {make([]byte, MaxBytes+1), ErrTooLarge},
		"a wall of tiles": {encoded(t, wall(900)), ErrNone},
	} {
		if got, err := Decode(c.picture); got != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", how, got, err)
		}
	}
}

func encoded(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wall is a picture full of the corners of QR symbols: the worst that can be shown
// to a reader, which compares every three.
func wall(side int) image.Image {
	img := image.NewGray(image.Rect(0, 0, side, side))
	const module, tile = 2, 9
	for y := range side {
		for x := range side {
			u, v := x/module%tile-4, y/module%tile-4
			ring := max(max(u, -u), max(v, -v))
			if ring == 4 || ring == 2 {
				img.Pix[y*img.Stride+x] = 255
			}
		}
	}
	return img
}

// FuzzDecode: any bytes are read or refused, without a crash.
func FuzzDecode(f *testing.F) {
	sheet, err := qr.Encode(qr.L, "A")
	if err != nil {
		f.Fatal(err)
	}
	picture, err := sheet.PNG(2)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(picture)
	f.Fuzz(func(t *testing.T, b []byte) {
		if config, _, err := image.DecodeConfig(bytes.NewReader(b)); err == nil && config.Width*config.Height > 1<<16 {
			return // large pictures only make the fuzzer slow
		}
		texts, err := Decode(b)
		if (len(texts) == 0) == (err == nil) {
			t.Fatal(texts, err)
		}
	})
}

// FuzzModules: any arrangement of modules behind three corners is read or refused.
func FuzzModules(f *testing.F) {
	f.Add([]byte("some modules of a symbol"))
	sheet, err := qr.Encode(qr.L, "A")
	if err != nil {
		f.Fatal(err)
	}
	picture, err := sheet.PNG(3)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		img := opened(t, picture).(*image.Paletted)
		for i := range min(8*len(b), 21*21) {
			if x, y := i%21, i/21; !(x < 8 && y < 8 || x > 12 && y < 8 || x < 8 && y > 12) {
				for j := range 9 {
					img.SetColorIndex(3*(x+4)+j%3, 3*(y+4)+j/3, b[i/8]>>(i%8)&1)
				}
			}
		}
		if texts, err := Decode(encoded(t, img)); (len(texts) == 0) == (err == nil) {
			t.Fatal(texts, err)
		}
	})
}

// FuzzAnyText: any text that is UTF-8 comes back, whatever its mode.
func FuzzAnyText(f *testing.F) {
	f.Add("JIAOZI:ABC")
	f.Add("12345")
	f.Add("https://tea.example/?q=茶")
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" || len(text) > 200 || !utf8.ValidString(text) || strings.ContainsRune(text, 0) || strings.HasPrefix(text, "\ufeff") {
			return
		}
		if got, err := Decode(drawn(t, 3, qr.L, text)); err != nil || len(got) != 1 || got[0] != text {
			t.Fatalf("%q became %q (%v)", text, got, err)
		}
	})
}
