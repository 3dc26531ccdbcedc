package clock

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDateCrossesMonthAndYearEnds(t *testing.T) {
	for from, want := range map[Date]Date{20241231: 20250101, 20240228: 20240229, 20250228: 20250301} {
		if got := from.AddDays(1); got != want {
			t.Errorf("%s + 1 = %s, want %s", from, got, want)
		}
	}
}

func TestDateIsTheSchemesDayNotTheMachines(t *testing.T) {
	utc := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC) // 01:00 of the next day in China
	if got := DateOf(utc); got != 20261123 {
		t.Fatal(got)
	}
}

func TestYYMMDDReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Date(19500101).AddDays(rapid.IntRange(0, 36523).Draw(t, "days"))
		back, err := FromYYMMDD(d.YYMMDD())
		if err != nil || back != d {
			t.Fatalf("%s -> %s (%v)", d, back, err)
		}
	})
}

func TestImpossibleDaysAreRefused(t *testing.T) {
	for _, b := range [][3]byte{{0x25, 0x02, 0x29}, {0x25, 0x13, 0x01}, {0x25, 0x01, 0x00}, {0x2A, 0x01, 0x01}} {
		if d, err := FromYYMMDD(b); err == nil {
			t.Errorf("%x read as %s", b, d)
		}
	}
	if _, err := ParseDate("2026-2-30"); err == nil {
		t.Error("taken")
	}
}

func TestManualClockMovesOnlyWhenTold(t *testing.T) {
	start := Date(20260101).Time()
	m := NewManual(start)
	m.Advance(time.Hour)
	if got := m.Now(); !got.Equal(start.Add(time.Hour)) {
		t.Fatal(got)
	}
	m.Set(start)
	if !m.Now().Equal(start) {
		t.Fatal("not set back")
	}
}
