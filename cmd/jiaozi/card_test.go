package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"jiaozi/link/vpcd"
	"jiaozi/node"
	"jiaozi/node/cardfile"
	"jiaozi/role/card"
)

// runCard executes one command line in this process.
func runCard(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	t.Setenv("JIAOZI_KEY_FILE", "")
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(io.Discard)
	root.SetArgs(append([]string{"card"}, args...))
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

// someCard is a lone card and its key. Making one takes RSA keys of three sizes,
// so the tests that only need a card share copies of this one.
var someCard = sync.OnceValues(func() (files [2][]byte, err error) {
	dir, err := os.MkdirTemp("", "card")
	if err != nil {
		return files, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "some.card")
	root := rootCommand()
	root.SetOut(io.Discard)
	root.SetArgs([]string{"card", "new", "--file", path, "--pin", "1234", "--key-file", path + ".key"})
	if err := root.Execute(); err != nil {
		return files, err
	}
	for i, name := range []string{path, path + ".key"} {
		if files[i], err = os.ReadFile(name); err != nil {
			return files, err
		}
	}
	return files, nil
})

func madeCard(t *testing.T) (path string) {
	t.Helper()
	files, err := someCard()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "my.card")
	if err := errors.Join(os.WriteFile(path, files[0], 0o600), os.WriteFile(path+".key", files[1], 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCardNewPrintsPublicDataAndTheAuthority(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new.card")
	out, err := runCard(t, "new", "--file", file, "--pan", "6299990100000016", "--limit", "500.00", "--expiry", "2031-12-31", "--pin", "1234", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var v cardView
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if v.PAN != "629999******0016" || v.Balance != "0.00" || v.BalanceLimit != "500.00" || v.Expiry != "2031-12-31" || *v.PINTries != 3 {
		t.Errorf("%+v", v)
	}
	if o := v.Observer; o == nil || len(o.Identity) != 64 || len(o.IssuerKey) != 64 || o.Expiry != "2031-12-31" || o.Paired {
		t.Errorf("observer %+v", o)
	}
	if v.CA == nil || v.CA.RID != "A000000333" || len(v.CA.Modulus) != 2*248 || len(v.CA.Checksum) != 40 {
		t.Errorf("authority %+v", v.CA)
	}
	for _, path := range []string{file, file + ".key"} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", filepath.Base(path), info, err)
		}
	}
	shown, err := runCard(t, "show", "--file", file, "--lang", "zh")
	if err != nil || !strings.Contains(shown, "余额") || strings.Contains(shown, "6299990100000016") {
		t.Errorf("show: %v\n%s", err, shown)
	}
}

func TestCardErrorsNameTheWayOut(t *testing.T) {
	file := madeCard(t)
	damaged := filepath.Join(t.TempDir(), "damaged.card")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(damaged, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.key")
	if _, err := node.MakeKey(other); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		why  string
		args []string
		code int
		says string
	}{
		{"file exists", []string{"new", "--file", file}, exitUsage, "choose another name"},
		{"balance without an issuer", []string{"new", "--file", file + "2", "--balance", "1.00"}, exitUsage, "--data"},
		{"no card number", []string{"new", "--file", file + "2", "--pan", "6299990100000017"}, exitUsage, "--pan"},
		{"no key", []string{"show", "--file", file + "2"}, exitUsage, "--key-file"},
		{"another card's key", []string{"show", "--file", file, "--key-file", other}, exitUsage, "another key"},
		{"damaged", []string{"show", "--file", damaged, "--key-file", file + ".key"}, exitIntegrity, "backup"},
		{"no such side", []string{"serve", "--file", file, "--interface", "magnetic"}, exitUsage, "contactless"},
		{"no reader there", []string{"serve", "--file", file, "--vpcd", closedPort(t)}, exitUnreachable, "reader"},
	}
	for _, tt := range tests {
		_, err := runCard(t, tt.args...)
		asked := exitError{code: exitUsage}
		errors.As(err, &asked)
		if err == nil || asked.code != tt.code || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: code %d, %v", tt.why, asked.code, err)
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// The driver's side is played here: poll, power on, one command, hang up.
func TestCardServeAnswersAReader(t *testing.T) {
	file := madeCard(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	root := rootCommand()
	root.SetErr(io.Discard)
	root.SetArgs([]string{"card", "serve", "--file", file, "--vpcd", l.Addr().String(), "--interface", "contactless"})
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if atr := ask(t, conn, []byte{0x04}); len(atr) < 10 || atr[0] != 0x3B {
		t.Errorf("ATR %X", atr)
	}
	ppse := append([]byte{0x00, 0xA4, 0x04, 0x00, 0x0E}, "2PAY.SYS.DDF01\x00"...)
	if answer := ask(t, conn, ppse); !bytes.HasSuffix(answer, []byte{0x90, 0x00}) || answer[0] != 0x6F {
		t.Errorf("answer %X", answer)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("interrupted: %v", err)
	}
}

func ask(t *testing.T, conn net.Conn, body []byte) []byte {
	t.Helper()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)); err != nil {
		t.Fatal(err)
	}
	var head [2]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, binary.BigEndian.Uint16(head[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// Real PC/SC software reads the card: pcscd with the vpcd driver, asked by
// opensc-tool. The driver's two slots hold one card by its contacts and one by
// its antenna.
func TestPCSCSoftwareReadsTheCard(t *testing.T) {
	needPCSC(t)
	dir := t.TempDir()
	port := serveBoth(t)
	config := filepath.Join(dir, "reader.conf")
	text := fmt.Sprintf("FRIENDLYNAME \"Jiaozi\"\nDEVICENAME 127.0.0.1:%d\nLIBPATH %s\nCHANNELID %d\n", port, vpcdDriver, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "pcscd.log")
	cmd := pcscCommand(t, config, log)
	out, err := cmd.CombinedOutput()
	if err != nil {
		said, _ := os.ReadFile(log)
		t.Fatalf("%v\n%s\npcscd said:\n%s", err, out, said)
	}
	contact, contactless, _ := strings.Cut(string(out), "reader 1")
	// The coin application is there on both sides, and talks to strangers on neither.
	checkReader(t, "contact", contact, []string{"6F", "70", "6F", "6F", "9F7906000000000000 9000", "70", "6A82", "6A83", "6985",
		"6F128408F04A5A434F494E01A506C00101C10102 9000", "01020380", "6982", "9000", ""})
	if points := answers(contact)[13]; len(points) != 2*2*32+len(" 9000") || !strings.HasSuffix(points, " 9000") {
		t.Errorf("contact: two coins prepared: %s", points)
	}
	checkReader(t, "contactless", contactless, []string{"6F", "70", "6F", "6F", "9F7906000000000000 9000", "6A82", "70", "6A83", "6D00",
		"6F128408F04A5A434F494E01A506C00101C10103 9000", "6E00", "6E00", "6D00", "6E00"})
}

const vpcdDriver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"

// needPCSC skips where the Debian packages are missing, but not where they were
// promised.
func needPCSC(t *testing.T) {
	t.Helper()
	_, noDaemon := exec.LookPath("pcscd")
	_, noTool := exec.LookPath("opensc-tool")
	_, noDriver := os.Stat(vpcdDriver)
	missing := errors.Join(noDaemon, noTool, noDriver)
	if missing == nil {
		return
	}
	if os.Getenv("CI") == "true" || os.Getenv("JIAOZI_DEPS") == "present" {
		t.Fatalf("PC/SC is promised here but incomplete: %v", missing)
	}
	t.Skip("needs pcscd, vsmartcard-vpcd, opensc: scripts/deps install")
}

// pcscCommand starts the script in a mount namespace of its own if it may, else
// openly if no other pcscd is in the way.
func pcscCommand(t *testing.T, config, log string) *exec.Cmd {
	t.Helper()
	script := filepath.Join("testdata", "pcsc.sh")
	for _, how := range [][]string{{"unshare", "--mount"}, {"unshare", "--mount", "--map-root-user"}} {
		if exec.Command(how[0], append(how[1:], "mount", "-t", "tmpfs", "tmpfs", "/run")...).Run() == nil {
			return exec.CommandContext(t.Context(), how[0], append(how[1:], "sh", script, config, log, "private")...)
		}
	}
	if _, err := os.Stat("/run/pcscd/pcscd.comm"); err == nil || os.Geteuid() != 0 {
		t.Skip("needs a mount namespace, or root and no running pcscd, to start a pcscd of its own")
	}
	return exec.CommandContext(t.Context(), "sh", script, config, log, "shared")
}

// serveBoth waits for the driver's two slots, at a port and the one above it.
func serveBoth(t *testing.T) (port int) {
	t.Helper()
	for range 50 {
		low, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port = low.Addr().(*net.TCPAddr).Port
		high, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+1)))
		if err != nil {
			low.Close()
			continue
		}
		serveCard(t, low, card.Contact)
		serveCard(t, high, card.Contactless)
		return port
	}
	t.Fatal("no two neighbouring ports are free")
	return 0
}

func serveCard(t *testing.T, l net.Listener, of card.Interface) {
	t.Helper()
	path := madeCard(t)
	key, err := node.OpenKey(path + ".key")
	if err != nil {
		t.Fatal(err)
	}
	f, err := cardfile.Open(path, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := card.Open(f, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- vpcd.Listen(ctx, l, side{c, of}) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, f.Close()); err != nil {
			t.Error(err)
		}
	})
}

// checkReader compares each answer with how it begins, or with "data SW".
func checkReader(t *testing.T, name, dump string, want []string) {
	t.Helper()
	got := answers(dump)
	if len(got) != len(want) {
		t.Fatalf("%s: %d answers, want %d:\n%s", name, len(got), len(want), dump)
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w) {
			t.Errorf("%s: answer %d is %s, want %s", name, i+1, got[i], w)
		}
	}
}

// answers reads opensc-tool's dump: a status line, then up to sixteen bytes a
// line in hex and text.
func answers(dump string) []string {
	var all []string
	for part := range strings.SplitSeq(dump, "Received (") {
		var sw1, sw2 string
		if _, err := fmt.Sscanf(part, "SW1=0x%2s, SW2=0x%2s)", &sw1, &sw2); err != nil {
			continue
		}
		data := ""
		for _, l := range strings.Split(part, "\n")[1:] {
			if strings.HasPrefix(l, "Sending") || strings.HasPrefix(l, "reader") {
				break
			}
			data += hexHead(l)
		}
		all = append(all, strings.TrimSpace(data+" "+sw1+sw2))
	}
	return all
}

// hexHead joins the hex bytes that begin a dump line; the rest is their text.
func hexHead(l string) string {
	head := ""
	for _, f := range strings.Fields(l[:min(len(l), 3*16)]) {
		if _, err := hex.DecodeString(f); err != nil || len(f) != 2 {
			break
		}
		head += f
	}
	return head
}
