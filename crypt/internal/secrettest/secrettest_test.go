package secrettest

import (
	"strings"
	"testing"
)

func TestFindSeesEveryNotation(t *testing.T) {
	piece := []byte{0xAB, 0x12, 0x34, 0x56}
	for _, shown := range []string{
		"x\xab\x12\x34\x56x", "AB123456", "ab123456", "[1 171 18 52 86]", "[]byte{0x1, 0xab, 0x12, 0x34, 0x56}",
	} {
		if _, found := find(shown, strings.ToLower(shown), piece); !found {
			t.Errorf("%q hides a leak", shown)
		}
	}
	if form, found := find("nothing here", "nothing here", piece); found {
		t.Errorf("found %q in innocent text", form)
	}
}

// One pointer is not enough to hide a secret from fmt: this is why the keys of
// crypt lie behind two.
func TestShowReachesBehindOnePointer(t *testing.T) {
	type leaky struct{ p *struct{ raw []byte } }
	secret := []byte{0xAB, 0x12, 0x34, 0x56}
	shown := show(t, leaky{&struct{ raw []byte }{secret}})
	if _, found := find(shown, strings.ToLower(shown), secret); !found {
		t.Error("show does not look hard enough")
	}
}
