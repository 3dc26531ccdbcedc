// Package wasm shows, in tests only, that the wallet's core keeps its promises in a
// browser: cmd/walletcore built for js/wasm is small enough to load (size_test.go),
// gives the same bytes as the native packages in every step from words to claim
// (differential_test.go), and the tests of those packages pass in that engine too
// (promises_test.go).
//
// It needs Node.js (Debian package nodejs, scripts/deps), which is the engine of a
// browser without the page, and skips without it, except where it was promised
// (CI=true or JIAOZI_DEPS=present). Only the size needs nothing but Go. Start with
// core_test.go, which builds the core and speaks with it.
package wasm
