// Package must stops the program when an invariant of the house is broken.
//
// A broken invariant is a bug, never bad input: input errors are returned, not
// panicked. Checks stay on in production, because carrying on with money whose
// books do not add up is worse than stopping. Hold is the whole package.
package must

import "fmt"

// Hold panics with the formatted message when cond is false. The message must
// never carry a key, PIN or PAN.
func Hold(cond bool, format string, args ...any) {
	if !cond {
		panic("invariant broken: " + fmt.Sprintf(format, args...))
	}
}
