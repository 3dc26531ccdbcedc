package emv

import (
	"fmt"
	"strings"

	"jiaozi/value/bcd"
	"jiaozi/wire/tlv"
)

// Show renders a value for people, masked: card numbers and tracks show only
// what a receipt may show, secret data shows only its length. It is the one way
// in which values of tags may reach a screen or a log.
func Show(t tlv.Tag, value []byte) string {
	info := dictionary[t]
	switch {
	case t == TagPAN:
		return MaskPAN(value)
	case t == TagTrack2:
		return maskTrack2(value)
	case info.Format == Secret:
		return strings.Repeat("*", len(value))
	case info.Format == Alpha && printable(value):
		return fmt.Sprintf("%X %q", value, value)
	case info.Format == Money:
		return showMoney(value)
	case info.Format == Date:
		return showDate(value)
	}
	return fmt.Sprintf("%X", value)
}

func maskTrack2(value []byte) string {
	track, err := ParseTrack2(value)
	if err != nil {
		return strings.Repeat("*", 2*len(value))
	}
	return track.Masked()
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < 0x20 || c > 0x7E {
			return false
		}
	}
	return len(b) > 0
}

// showMoney writes minor units; which currency they are of is not in the value.
func showMoney(value []byte) string {
	digits, err := bcd.Decode(value)
	if err != nil || len(digits) != 12 {
		return fmt.Sprintf("%X", value)
	}
	units := strings.TrimLeft(digits[:10], "0")
	if units == "" {
		units = "0"
	}
	return fmt.Sprintf("%s (%s.%s)", digits, units, digits[10:])
}

func showDate(value []byte) string {
	digits, err := bcd.Decode(value)
	if err != nil || len(digits) != 6 {
		return fmt.Sprintf("%X", value)
	}
	return fmt.Sprintf("%s (20%s-%s-%s)", digits, digits[:2], digits[2:4], digits[4:])
}
