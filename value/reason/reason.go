// Package reason is the catalogue of why: every outcome that a person or a
// script meets has one stable code and one text in each language.
//
// Codes never change once released, because scripts compare them; texts may be
// improved. A text says what happened, why, and what to do. Start with the
// constants and Code.Text.
package reason

import "jiaozi/value/lang"

// Code is a stable, lower-case reason.
type Code string

// Text gives the words; an unknown code stands for itself.
func (c Code) Text(l lang.Lang) string {
	if t, ok := catalogue[c]; ok {
		return t.In(l)
	}
	return string(c)
}

// Known reports whether the catalogue has the code.
func (c Code) Known() bool { _, ok := catalogue[c]; return ok }

// All lists the catalogue for documents and tests.
func All() map[Code]lang.Text {
	out := make(map[Code]lang.Text, len(catalogue))
	for c, t := range catalogue {
		out[c] = t
	}
	return out
}
