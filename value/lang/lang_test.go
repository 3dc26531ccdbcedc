package lang

import "testing"

func TestATextIsNeverEmptyWhenTheOtherFormExists(t *testing.T) {
	for _, text := range []Text{{EN: "a"}, {ZH: "a"}, {EN: "a", ZH: "a"}} {
		for _, l := range []Lang{EN, ZH} {
			if got := text.In(l); got != "a" {
				t.Errorf("%+v in %s is %q", text, l, got)
			}
		}
	}
}

func TestParseReadsWhatStringWrites(t *testing.T) {
	for _, l := range []Lang{EN, ZH} {
		if back, err := Parse(l.String()); err != nil || back != l {
			t.Error(back, err)
		}
	}
	if _, err := Parse("fr"); err == nil {
		t.Error("fr taken")
	}
}

func TestChineseTakesTwoColumns(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "交子": 4, "¥12.00": 6, "（1）": 5} {
		if got := Width(s); got != want {
			t.Errorf("%q is %d wide, want %d", s, got, want)
		}
	}
	if got := Pad("交子", 6); got != "交子  " {
		t.Errorf("%q", got)
	}
	if got := Pad("long", 2); got != "long" {
		t.Errorf("%q", got)
	}
}
