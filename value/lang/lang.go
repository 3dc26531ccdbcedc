// Package lang names the two languages in which Jiaozi speaks to people and
// holds the smallest bilingual thing: a Text with an English and a Chinese form.
//
// It promises that a text asked for in either language is never empty when the
// other form exists. Catalogues (package reason, the EMV dictionary, the ISO
// 8583 response codes) are made of Texts; start with Parse and Text.In.
package lang

import "fmt"

// Lang is a language a person reads. The zero value is English.
type Lang uint8

// The two languages of the house.
const (
	EN Lang = iota
	ZH
)

// Parse reads "en" or "zh" (also "zh-CN", as browsers and locales write it).
func Parse(s string) (Lang, error) {
	switch s {
	case "en":
		return EN, nil
	case "zh", "zh-CN":
		return ZH, nil
	}
	return EN, fmt.Errorf("language %q is not known: use en or zh", s)
}

// String gives the code that Parse reads.
func (l Lang) String() string {
	if l == ZH {
		return "zh"
	}
	return "en"
}

// Set and Type let a Lang stand as a command-line flag.
func (l *Lang) Set(s string) (err error) {
	*l, err = Parse(s)
	return err
}

// Type names the flag's kind in help texts.
func (Lang) Type() string { return "en|zh" }

// Text is one sentence in both languages.
type Text struct{ EN, ZH string }

// In gives the form in l, or the other one where l's is missing.
func (t Text) In(l Lang) string {
	if (l == ZH && t.ZH != "") || t.EN == "" {
		return t.ZH
	}
	return t.EN
}
