package wasm

import (
	"testing"
	"time"
)

// Goal: the packages of a wallet keep their promises in a browser's engine: words of 32 bits, another arithmetic, one
// thread. Method: their own tests, built for js/wasm and run by Node, in the short form, because the engine takes three to
// six times as long. Go's cache keeps the answer until something changes.
func TestPromisesHoldInABrowser(t *testing.T) {
	node(t)
	if testing.Short() {
		t.Skip("more than a minute when something changed: the differential test has looked at every function")
	}
	t.Log("\n" + goTool(t, 8*time.Minute, "test", "-short", "-trimpath", "-timeout", "7m", "-exec", execJS(t, "go_js_wasm_exec"),
		"./crypt/brands", "./crypt/phrase", "./crypt/holding", "./wire/coin", "./role/wallet"))
}
