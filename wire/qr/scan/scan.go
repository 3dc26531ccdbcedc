// Package scan reads the QR symbols in a picture: a screenshot, a photograph, a
// sheet of several.
//
// It promises bounded work whatever the picture holds: the picture's size is known
// before its pixels are unpacked, and a picture that is full of things which look
// like symbols is given up. It tries the picture as it is, lighter and darker,
// smaller, larger and as a negative, and stops when something was read.
//
// It says what stands in the symbols and nothing about what it means. Start with
// Decode, the only door.
package scan

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // the two forms that cameras and screens make
	_ "image/png"
	"slices"

	"jiaozi/wire/qr"
)

// MaxBytes bounds the file.
const MaxBytes = 16 << 20

// Why a picture is not read.
var (
	// ErrPicture: save it as PNG or JPEG.
	ErrPicture = errors.New("this is not a PNG or JPEG picture, or it is damaged: save it again in one of the two forms")
	// ErrTooLarge: crop or shrink it.
	ErrTooLarge = fmt.Errorf("the picture is larger than %d MiB or %d megapixels: crop it to the symbol or shrink it", MaxBytes>>20, qr.MaxPixels>>20)
	// ErrNone: take another picture.
	ErrNone = errors.New("no QR symbol can be read in the picture: take it again from nearer, straight and with more light, with the white border, or ask for a larger symbol")
)

// Decode gives the texts of all symbols that it can read, each once, sorted. A
// picture of several symbols may give some of them: who needs all takes another
// picture of the rest.
func Decode(picture []byte) ([]string, error) {
	if len(picture) > MaxBytes {
		return nil, ErrTooLarge
	}
	config, form, err := image.DecodeConfig(bytes.NewReader(picture))
	if err != nil || form != "png" && form != "jpeg" || config.Width < 1 || config.Height < 1 {
		return nil, ErrPicture
	}
	if config.Width > qr.MaxPixels/config.Height {
		return nil, ErrTooLarge
	}
	img, _, err := image.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, ErrPicture
	}
	texts := read(greyOf(img))
	if len(texts) == 0 {
		return nil, ErrNone
	}
	slices.Sort(texts)
	return slices.Compact(texts), nil
}

// read tries one form of the picture after the other.
func read(g grey) []string {
	for _, form := range []func(grey) (grey, bool){
		func(g grey) (grey, bool) { return g, true },
		half,    // averages the noise of a large photograph away
		enlarge, // gives a small screenshot pixels between its modules
		func(g grey) (grey, bool) { return negative(g), true },
	} {
		if h, ok := form(g); ok {
			if texts := h.symbols(); len(texts) > 0 {
				return texts
			}
		}
	}
	return nil
}
