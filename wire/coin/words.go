package coin

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// EnrolCode is the one-time code that the bank gives to an account's owner. Who
// has it can open the account for coins, so it prints masked.
type EnrolCode string

// Reveal gives the code itself.
func (c EnrolCode) Reveal() string { return string(c) }

// Format masks the code under every verb.
func (c EnrolCode) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "code(%d)", len(c)) }

// MarshalText masks the code in JSON.
func (c EnrolCode) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%v", c), nil }

// enrolCodeOK: capitals and digits in groups, as a person reads them off paper.
func enrolCodeOK(s string) bool {
	return len(s) > 0 && len(s) <= MaxCode && all(s, func(b byte) bool { return upper(b) || digit(b) || b == '-' })
}

// accountOK: a name that no two programs spell differently.
func accountOK(s string) bool {
	return len(s) > 0 && len(s) <= MaxAccount && all(s, func(b byte) bool { return lower(b) || digit(b) || strings.IndexByte("._@/-", b) >= 0 }) &&
		alnum(s[0]) && alnum(s[len(s)-1])
}

func groupOK(s string) bool {
	return len(s) > 0 && len(s) <= MaxGroup && all(s, func(b byte) bool { return alnum(b) || b == '.' || b == '-' })
}

// printable: words that stand on one line and show all that they hold. Controls,
// and the marks that turn the direction of writing, could make a screen say
// something else than what was signed.
func printable(s string, runes int) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > runes || strings.TrimSpace(s) != s {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// addressOK: an absolute http or https address, without a password in it, written
// as Go writes it.
func addressOK(s string) bool {
	if len(s) > MaxURL || !all(s, func(b byte) bool { return b > ' ' && b < 0x7F }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.Fragment == "" && u.String() == s
}

func upper(b byte) bool { return b >= 'A' && b <= 'Z' }
func lower(b byte) bool { return b >= 'a' && b <= 'z' }
func digit(b byte) bool { return b >= '0' && b <= '9' }
func alnum(b byte) bool { return lower(b) || digit(b) }

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

// unique reports whether no key stands twice.
func unique[T any](items []T, key func(T) [16]byte) bool {
	seen := make(map[[16]byte]bool, len(items))
	for _, item := range items {
		seen[key(item)] = true
	}
	return len(seen) == len(items)
}
