package house

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// The written order. "a < b" lets b, and everything above b, import a. Rooms that share one place of a line, and rooms of
// lines that never meet, must not import each other; a room's own subpackages may, roles excepted. Gravity points down: a
// new arrow is a decision, to be made here and in ARCHITECTURE.md, not at the import.
const order = `
	value < crypt, wire < book < role < node < web, sim < attack < cmd
	wire < link < node
`

// Rooms outside the order, and why.
var outside = map[string]string{
	"internal/house":    "imports nothing of the module: it reads the source as text",
	"internal/pgserver": "starts PostgreSQL's programs and imports nothing of the module",
	"internal/pgtest":   "gives tests a PostgreSQL and knows nothing else of the module",
	"internal/cluster":  "knows PostgreSQL, Patroni and etcd, and of the module what it deploys; its tests run a ledger on them",
	"internal/hammer":   "kills ledgers on every engine, in tests only",
	"internal/crash":    "knows the module only as the built command, which it kills",
	"internal/coinkill": "kills wallets at every step against a whole scheme, in tests only",
	"internal/wasm":     "runs rooms of every floor in a browser's engine, in tests only",
	"internal/journey":  "plays whole journeys across every floor, in tests only",
}

// Tests may reach these rooms from any floor above wire: they carry bytes and know no meaning, and a role's promise is
// shown by tearing its line, a ledger's by killing its servers.
var testFloor = []string{"link/mem", "internal/pgtest", "internal/cluster"}

// Rooms outside the order that others use in more than tests, and who: the benchmark measures the book on a PostgreSQL.
var used = map[string][]string{"internal/pgserver": {"internal/pgtest", "internal/cluster", "cmd/jiaozi"}}

// below the order: floors[b][a] says that b may import a.
func floors() map[string]map[string]bool {
	may := make(map[string]map[string]bool)
	for _, line := range strings.Split(strings.TrimSpace(order), "\n") {
		var under []string
		for _, place := range strings.Split(line, "<") {
			var here []string
			for _, room := range strings.Split(place, ",") {
				room = strings.TrimSpace(room)
				here = append(here, room)
				if may[room] == nil {
					may[room] = make(map[string]bool)
				}
				for _, low := range under {
					may[room][low] = true
				}
			}
			under = append(under, here...)
		}
	}
	closeUpward(may)
	return may
}

// closeUpward lets a room import what the rooms it may import may import.
func closeUpward(may map[string]map[string]bool) {
	for changed := true; changed; {
		changed = false
		for room := range may {
			for low := range maps.Clone(may[room]) {
				for lower := range may[low] {
					if !may[room][lower] {
						may[room][lower], changed = true, true
					}
				}
			}
		}
	}
}

func floorOf(room string) string {
	floor, _, _ := strings.Cut(room, "/")
	return floor
}

// roleOf names the role a room belongs to: role/card and role/card/x are the card's.
func roleOf(room string) string {
	parts := strings.SplitN(room, "/", 3)
	if parts[0] != "role" || len(parts) < 2 {
		return ""
	}
	return parts[1]
}

func mayImport(may map[string]map[string]bool, f *source, target string) bool {
	if slices.Contains(used[target], f.room) {
		return true
	}
	if outside[f.room] != "" {
		return f.room == "internal/journey" || f.room == "internal/coinkill" || f.room == "internal/hammer" || (f.room == "internal/cluster" || f.room == "internal/wasm") && f.test || f.room == target || target == "internal/pgtest"
	}
	if f.test && may[floorOf(f.room)]["wire"] && slices.Contains(testFloor, target) {
		return true
	}
	from, to := floorOf(f.room), floorOf(target)
	if from == to {
		return roleOf(f.room) == roleOf(target)
	}
	return may[from][to]
}

// TestGravityPointsDown: every import of the module follows the written order, in tests too; two roles never meet.
func TestGravityPointsDown(t *testing.T) {
	tr, may := loaded(t), floors()
	for _, f := range tr.files {
		if outside[f.room] == "" && may[floorOf(f.room)] == nil {
			t.Errorf("%s: room %q has no place in the written order (internal/house/order_test.go)", f.path, f.room)
			continue
		}
		for _, path := range f.imports() {
			target, ours := strings.CutPrefix(path, module+"/")
			if ours && !mayImport(may, f, target) {
				t.Errorf("%s: %s must not import %s", f.path, f.room, target)
			}
		}
	}
}

// TestOrderIsAnOrder: nothing may import itself round a corner, and the arrows that the design forbids are absent.
func TestOrderIsAnOrder(t *testing.T) {
	may := floors()
	for room := range may {
		if may[room][room] {
			t.Errorf("%s lies below itself", room)
		}
	}
	for _, forbidden := range [][2]string{{"crypt", "wire"}, {"wire", "crypt"}, {"link", "crypt"}, {"link", "book"}, {"role", "link"}, {"book", "role"}, {"node", "cmd"}} {
		if may[forbidden[0]][forbidden[1]] {
			t.Errorf("the order lets %s import %s", forbidden[0], forbidden[1])
		}
	}
}
