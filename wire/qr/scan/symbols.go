package scan

import (
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/multi/qrcode"
	single "github.com/makiuchi-d/gozxing/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode/detector"

	"jiaozi/wire/qr"
)

// maxCorners bounds the corners that are looked at: three for each symbol, and
// some that noise makes up. The library compares every three of them.
const maxCorners = 4 * qr.MaxSymbols

// symbols reads the picture with two ways of telling dark from light, one for
// uneven light and one for hard edges, and two readers, of which one knows several
// symbols and one is better with a single one.
func (g grey) symbols() []string {
	source, err := gozxing.NewPlanarYUVLuminanceSource(g.pix, g.width, g.height, 0, 0, g.width, g.height, false)
	if err != nil {
		return nil
	}
	var texts []string
	for _, binarizer := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		picture, err := gozxing.NewBinaryBitmap(binarizer)
		if err != nil {
			continue
		}
		texts = append(texts, guarded(func(hints hints) []string { return several(picture, hints) })...)
		if len(texts) == 0 {
			texts = guarded(func(hints hints) []string { return one(picture, hints) })
		}
		if len(texts) > 0 {
			break
		}
	}
	return texts
}

type hints = map[gozxing.DecodeHintType]any

func several(picture *gozxing.BinaryBitmap, hints hints) []string {
	results, err := qrcode.NewQRCodeMultiReader().DecodeMultiple(picture, hints)
	if err != nil {
		return nil
	}
	var texts []string
	for _, r := range results {
		texts = append(texts, r.GetText())
	}
	return texts
}

func one(picture *gozxing.BinaryBitmap, hints hints) []string {
	reader := single.NewQRCodeReader()
	result, err := reader.Decode(picture, hints)
	if err != nil {
		// A drawing rather than a photograph: straight, sharp, alone.
		result, err = reader.Decode(picture, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	}
	if err != nil {
		return nil
	}
	return []string{result.GetText()}
}

// guarded runs a reader of the library on a picture that anybody may have made. It
// stops it when the picture has more corners than symbols, which would take it
// hours, and takes a picture that makes it stumble for one without symbols.
func guarded(read func(hints) []string) (texts []string) {
	defer func() {
		if recover() != nil {
			texts = nil
		}
	}()
	corners := 0
	return read(hints{
		gozxing.DecodeHintType_TRY_HARDER:    true,
		gozxing.DecodeHintType_CHARACTER_SET: "UTF-8", // nobody writes anything else since telephones scan
		gozxing.DecodeHintType_NEED_RESULT_POINT_CALLBACK: gozxing.ResultPointCallback(func(p gozxing.ResultPoint) {
			if _, ok := p.(*detector.FinderPattern); ok {
				corners++
			}
			if corners > maxCorners {
				panic("more corners than symbols")
			}
		}),
	})
}
