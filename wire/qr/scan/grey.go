package scan

import "image"

// grey is a picture in shades of grey, 0 black, row by row.
type grey struct {
	pix           []byte
	width, height int
}

// greyOf lays the picture on white paper: a symbol may come on a clear ground.
func greyOf(img image.Image) grey {
	r := img.Bounds()
	g := grey{make([]byte, 0, r.Dx()*r.Dy()), r.Dx(), r.Dy()}
	ycc, isYCC := img.(*image.YCbCr)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if isYCC { // a photograph; its brightness is there already
				g.pix = append(g.pix, ycc.Y[ycc.YOffset(x, y)])
				continue
			}
			// Colours come multiplied with alpha: what is missing is paper.
			red, green, blue, alpha := img.At(x, y).RGBA()
			g.pix = append(g.pix, byte((red+2*green+blue)/4>>8+(0xFFFF-alpha)>>8))
		}
	}
	return g
}

// Bounds of the other forms: a small picture is not worth halving, a large one not
// worth enlarging.
const (
	minHalf    = 600     // pixels of the shorter side
	maxEnlarge = 1 << 20 // pixels
	times      = 3
)

// half makes one pixel of four.
func half(g grey) (grey, bool) {
	if min(g.width, g.height) < minHalf {
		return g, false
	}
	h := grey{make([]byte, 0, (g.width/2)*(g.height/2)), g.width / 2, g.height / 2}
	for y := range h.height {
		for x := range h.width {
			i := 2*y*g.width + 2*x
			sum := int(g.pix[i]) + int(g.pix[i+1]) + int(g.pix[i+g.width]) + int(g.pix[i+g.width+1])
			h.pix = append(h.pix, byte(sum/4))
		}
	}
	return h, true
}

// enlarge makes nine pixels of one.
func enlarge(g grey) (grey, bool) {
	if g.width*g.height > maxEnlarge {
		return g, false
	}
	h := grey{make([]byte, 0, times*times*len(g.pix)), times * g.width, times * g.height}
	for y := range h.height {
		for x := range h.width {
			h.pix = append(h.pix, g.pix[y/times*g.width+x/times])
		}
	}
	return h, true
}

// negative turns light and dark round, as a terminal with a dark ground does.
func negative(g grey) grey {
	h := grey{make([]byte, len(g.pix)), g.width, g.height}
	for i, v := range g.pix {
		h.pix[i] = 255 - v
	}
	return h
}
