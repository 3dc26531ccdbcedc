// Package clock is how time enters the house: as an argument.
//
// Roles never ask the machine for the time; they are handed a Clock (or a plain
// time.Time) so that a simulator can play years in seconds and a test never
// sleeps. Date is a business date, a day of the scheme, not an instant: banks
// post on dates. Zone is the scheme's own zone, the same for every party.
package clock

import (
	"fmt"
	"sync"
	"time"
)

// Zone is the scheme's local time, China Standard Time, without a time zone
// database: fixed at eight hours east, as China has kept it since 1991.
var Zone = time.FixedZone("CST", 8*60*60)

// Clock tells the time.
type Clock interface{ Now() time.Time }

// System is the machine's clock, read in the scheme's zone.
type System struct{}

// Now reads the machine's clock.
func (System) Now() time.Time { return time.Now().In(Zone) }

// Manual is a clock that moves only when told. Safe for concurrent use.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual makes a clock that stands at t.
func NewManual(t time.Time) *Manual { return &Manual{now: t.In(Zone)} }

// Now gives the time the clock was last set to.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Set moves the clock to t, backwards too: tests of clock attacks need that.
func (m *Manual) Set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = t.In(Zone)
}

// Advance moves the clock by d.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

// Date is a business date as the number yyyymmdd; its order is the calendar's.
// The zero value is no date.
type Date uint32

// DateOf gives the scheme's calendar date at the instant t.
func DateOf(t time.Time) Date {
	y, m, d := t.In(Zone).Date()
	return Date(y*10000 + int(m)*100 + d)
}

// ParseDate reads "2026-11-22" and refuses days that no calendar has.
func ParseDate(s string) (Date, error) {
	t, err := time.ParseInLocation("2006-01-02", s, Zone)
	if err != nil {
		return 0, fmt.Errorf("date %q is not of the form yyyy-mm-dd", s)
	}
	return DateOf(t), nil
}

// Valid reports whether d is a day of the calendar.
func (d Date) Valid() bool { return d != 0 && DateOf(d.Time()) == d }

// Time gives the first instant of the date in the scheme's zone.
func (d Date) Time() time.Time {
	return time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 0, 0, 0, 0, Zone)
}

// AddDays moves by n days over month and year ends.
func (d Date) AddDays(n int) Date { return DateOf(d.Time().AddDate(0, 0, n)) }

// YYMMDD gives the three BCD bytes that EMV tags 9A, 5F24 and 5F25 hold.
func (d Date) YYMMDD() [3]byte {
	bcd := func(n uint32) byte { return byte(n/10<<4 | n%10) }
	return [3]byte{bcd(uint32(d) / 10000 % 100), bcd(uint32(d) / 100 % 100), bcd(uint32(d) % 100)}
}

// FromYYMMDD reads three BCD bytes. The window is EMV's: 50-99 are 19xx,
// 00-49 are 20xx (EMV Book 4, 6.7.3).
func FromYYMMDD(b [3]byte) (Date, error) {
	var n [3]uint32
	for i, v := range b {
		if v>>4 > 9 || v&15 > 9 {
			return 0, fmt.Errorf("date byte %d is not BCD", i+1)
		}
		n[i] = uint32(v>>4)*10 + uint32(v&15)
	}
	year := 2000 + n[0]
	if n[0] >= 50 {
		year -= 100
	}
	d := Date(year*10000 + n[1]*100 + n[2])
	if !d.Valid() {
		return 0, fmt.Errorf("%s is not a day of the calendar", d)
	}
	return d, nil
}

// String gives "2026-11-22".
func (d Date) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}
