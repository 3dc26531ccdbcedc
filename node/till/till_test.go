package till

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"jiaozi/node"
	"jiaozi/value/lang"
)

const tid = "POS00001"

// shop is a running scheme with one till and one card, Anna's.
func shop(t *testing.T) (node.Options, string) {
	t.Helper()
	seed := uint64(5)
	o := node.Options{Dir: filepath.Join(t.TempDir(), "data"), Test: true, Seed: &seed}
	if err := node.Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	if err := n.ServeRoles(t.Context(), node.Addresses{POS: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	spec := node.TerminalSpec{TID: tid, MID: "104110054110001", MerchantName: "Corner Shop", Profile: "secure"}
	if err := n.EnsureTerminal(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if _, err := n.IssueCard(t.Context(), node.CardOrder{Name: "anna", Balance: "400.00", PIN: "258036"}); err != nil {
		t.Fatal(err)
	}
	return o, n.Bound().POS
}

// session types lines at the till and gives what was shown.
func session(t *testing.T, o node.Options, host, lines string) (string, error) {
	t.Helper()
	till, err := node.OpenTill(o, tid, host, lang.EN)
	if err != nil {
		t.Fatal(err)
	}
	defer till.Close()
	var out strings.Builder
	desk := Desk{Till: till, Options: o, In: strings.NewReader(lines), Out: &out}
	err = desk.Run(t.Context())
	return out.String(), err
}

// Goal: a wrong line changes nothing and says how it is written. Method: type
// each kind of wrong line, then look at the balance by paying it all.
func TestAWrongLineChangesNothing(t *testing.T) {
	o, host := shop(t)
	for _, line := range []string{"bogus", "tap", "tap anna", "tap anna x", "tap anna 0.00", "tap anna -1.00", "tap nobody 1.00",
		"load anna 10.00 credit", "close", "settle now", strings.Repeat("x", 4000)} {
		if out, err := session(t, o, host, "signon\nlist\n"+line+"\n"); err == nil || strings.Contains(out, "approved") {
			t.Errorf("%.40q went through: %s", line, out)
		}
	}
	if _, err := session(t, o, host, "signon\nlist\ninsert anna 400.00\n258036\n"); err != nil {
		t.Fatal("the whole balance is not there:", err)
	}
}

func TestAScriptLearnsOfADecline(t *testing.T) {
	o, host := shop(t)
	out, err := session(t, o, host, "signon\nlist\ntap anna 1.00\ninsert anna 350.00\n111111\nsettle\n")
	if !errors.Is(err, ErrDeclined) || !strings.Contains(out, "declined pin_wrong") || !strings.Contains(out, "1 payments, CNY 1.00") {
		t.Fatal(err, out)
	}
}

func TestTheLineIsBounded(t *testing.T) {
	o, host := shop(t)
	if _, err := session(t, o, host, strings.Repeat("x", 65535)+"\n"); err == nil {
		t.Fatal("a line without end was read")
	}
}
