// Package house holds the rules of this code base as ordinary tests: the
// written order of floors (who may import whom), what every package, function
// and file must look like, which modules we depend on and why, and that the
// documents tell the truth: their links resolve, their commands exist, and the
// README's quick start runs as printed.
//
// It has no code of its own and imports nothing of the module. To learn the
// order of floors start at order_test.go; a rule that must be bent is bent
// there, in a table, with a reason, never silently at the place that breaks it.
package house
