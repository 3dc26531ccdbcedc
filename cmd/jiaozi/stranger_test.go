package main

import (
	"bytes"
	"context"
	"crypto/des"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stranger is somebody else's point of sale: it knows the dialect from its
// description and uses none of the project's code for it. Bodies are written
// out field by field; keys are unwrapped and the MAC is made with crypto/des.
type stranger struct {
	t    *testing.T
	conn net.Conn
}

const (
	strangerMID = "104110054110001"
	strangerTID = "POS00001"
	strangerTMK = "0123456789ABCDEFFEDCBA9876543210"
)

// send frames a body given in hex and returns the body of the answer.
func (s *stranger) send(body string) []byte {
	s.t.Helper()
	raw, err := hex.DecodeString("6000030000" + "603100311000" + strings.ReplaceAll(body, " ", ""))
	if err != nil {
		s.t.Fatal(err)
	}
	frame := binary.BigEndian.AppendUint16(nil, uint16(len(raw)))
	if _, err := s.conn.Write(append(frame, raw...)); err != nil {
		s.t.Fatal(err)
	}
	var size [2]byte
	if _, err := io.ReadFull(s.conn, size[:]); err != nil {
		s.t.Fatal(err)
	}
	answer := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(s.conn, answer); err != nil {
		s.t.Fatal(err)
	}
	if want := "6000000003"; hex.EncodeToString(answer[:5]) != want {
		s.t.Fatalf("TPDU %x, want %s: source and destination swapped", answer[:5], want)
	}
	return answer[11:]
}

func tripleDES(t *testing.T, key []byte) interface {
	Encrypt(dst, src []byte)
	Decrypt(dst, src []byte)
} {
	t.Helper()
	block, err := des.NewTripleDESCipher(append(bytes.Clone(key), key[:8]...))
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// cupMAC is the checksum of the compatibility profile, as its descriptions give it: XOR
// of all 8-byte blocks, 16 hex characters of it, two encryptions, 8 of the hex.
func cupMAC(t *testing.T, key, mab []byte) []byte {
	t.Helper()
	var x [8]byte
	for i, b := range mab {
		x[i%8] ^= b
	}
	text := []byte(strings.ToUpper(hex.EncodeToString(x[:])))
	block := tripleDES(t, key)
	var u [8]byte
	block.Encrypt(u[:], text[:8])
	for i := range u {
		u[i] ^= text[8+i]
	}
	block.Encrypt(u[:], u[:])
	return []byte(strings.ToUpper(hex.EncodeToString(u[:])))[:8]
}

func ascii(s string) string { return hex.EncodeToString([]byte(s)) }

// Goal: any ISO 8583 client of the dialect can talk to `up`. Method: sign on with
// a hand-written 0800, unwrap the working keys of the 0810 with crypto/des, and
// settle an empty batch; a settlement with a false MAC changes nothing.
func TestStrangersTerminalSignsOnAndSettles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	runOK(t, "init", "--data", dir, "--test")
	runOK(t, "terminal", "add", "--data", dir, "--mid", strangerMID, "--tid", strangerTID, "--tmk", strangerTMK, "--profile", "cup")
	pos, _ := serveUp(t, dir)
	conn, err := net.DialTimeout("tcp", pos, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := &stranger{t, conn}

	// 0800: bitmap 11 41 42 60 62 63; F60 = 00 000001 003; F62 text; F63 operator.
	serial := "Sequence No16STRANGER00000001"
	answer := s.send("0800 0020000000C00016 000001" + ascii(strangerTID) + ascii(strangerMID) +
		"0011 000000010030" + fmt.Sprintf("%04d", len(serial)) + ascii(serial) + "0003" + ascii("01 "))
	if !bytes.HasPrefix(answer, []byte{0x08, 0x10}) || !bytes.Contains(answer, []byte("00"+strangerTID+strangerMID)) {
		t.Fatalf("sign-on: %x", answer)
	}
	// Field 62, the last: 40 bytes of TPK, check value, TAK, check value.
	keys := answer[len(answer)-40:]
	if size := answer[len(answer)-42 : len(answer)-40]; !bytes.Equal(size, []byte{0x00, 0x40}) {
		t.Fatalf("field 62 is not 40 bytes: %x", answer)
	}
	tmk, _ := hex.DecodeString(strangerTMK)
	unwrap := tripleDES(t, tmk)
	tak := make([]byte, 16)
	unwrap.Decrypt(tak[:8], keys[20:28])
	unwrap.Decrypt(tak[8:], keys[28:36])
	var check [8]byte
	tripleDES(t, tak).Encrypt(check[:], make([]byte, 8))
	if !bytes.Equal(check[:4], keys[36:40]) {
		t.Fatalf("MAC key's check value %x, want %x", check[:4], keys[36:40])
	}

	// 0500: bitmap 11 41 42 48 49 60 63 64; totals all zero; F60 = 00 000001 201.
	body, _ := hex.DecodeString(strings.ReplaceAll("0500 0020000000C18013 000002"+ascii(strangerTID)+ascii(strangerMID)+
		"0062"+strings.Repeat("0", 62)+ascii("156")+"0011 000000012010 0003"+ascii("01 "), " ", ""))
	bad := s.send(hex.EncodeToString(append(bytes.Clone(body), "00000000"...)))
	if !bytes.Contains(bad, []byte("A0"+strangerTID)) {
		t.Fatalf("a false MAC was answered with %x", bad)
	}
	good := s.send(hex.EncodeToString(append(bytes.Clone(body), cupMAC(t, tak, body)...)))
	if !bytes.HasPrefix(good, []byte{0x05, 0x10}) {
		t.Fatalf("settlement: %x", good)
	}
	auditOK(t, dir)
}

// serveUp runs `up` on free ports until the test ends.
func serveUp(t *testing.T, dir string) (pos, http string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	lines, out := io.Pipe()
	root := rootCommand()
	root.SetOut(out)
	root.SetErr(io.Discard)
	root.SetArgs([]string{"up", "--data", dir, "--pos", "127.0.0.1:0", "--http", "127.0.0.1:0"})
	ended := make(chan error, 1)
	go func() {
		err := root.ExecuteContext(ctx)
		out.CloseWithError(fmt.Errorf("up ended: %w", io.EOF))
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("up: %v", err)
		}
	})
	if _, err := fmt.Fscanf(lines, "points of sale on %s health and metrics on %s\n", &pos, &http); err != nil {
		t.Fatalf("up did not say where it listens: %v", err)
	}
	return strings.TrimSuffix(pos, ","), http
}

// Goal: administration goes through a running server, and the audit runs beside
// it. Method: register a terminal and a card while `up` holds the directory, pay
// with them, audit, close the day, audit.
func TestTheWholeWayThroughARunningServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	runOK(t, "init", "--data", dir, "--test")
	pos, http := serveUp(t, dir)
	if got := fetch(t, http+"/healthz"); got != "ok\n" {
		t.Errorf("healthz: %q", got)
	}
	runOK(t, "terminal", "add", "--data", dir, "--mid", strangerMID, "--tid", strangerTID, "--tmk", strings.Repeat("0123456789ABCDEF", 4))
	runOK(t, "card", "new", "--file", filepath.Join(dir, "cards", "anna.card"), "--data", dir, "--balance", "100.00", "-o", "json")
	till := []string{"pos", "--data", dir, "--tid", strangerTID, "--host", pos}
	out, code := run(t, t.Context(), "signon\nlist\ntap anna 12.50\nload anna 20.00 cash\nsettle\n", till...)
	if code != 0 || strings.Count(out, "approved approved") != 2 || !strings.Contains(out, "1 payments, CNY 12.50") {
		t.Fatalf("exit %d: %s", code, out)
	}
	auditOK(t, dir)
	var day struct{ Accepted int }
	if err := json.Unmarshal([]byte(runOK(t, "day", "--data", dir, "-o", "json")), &day); err != nil || day.Accepted != 1 {
		t.Fatalf("day: %+v (%v)", day, err)
	}
	auditOK(t, dir)
	if out, code := run(t, t.Context(), "tap anna 400.00\n", till...); code != exitDeclined || !strings.Contains(out, "declined over_terminal_limit") {
		t.Errorf("exit %d: %s", code, out)
	}
	if !strings.Contains(fetch(t, http+"/metrics"), `jiaozi_messages_total{link="pos",result="answered"}`) {
		t.Error("metrics do not count the messages of points of sale")
	}
}

// Goal: a data directory of any depth is administered through its own folder.
func TestADeepDirectoryHasItsSocketInside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 30), "data")
	runOK(t, "init", "--data", dir, "--test")
	serveUp(t, dir)
	if info, err := os.Stat(filepath.Join(dir, "admin.sock")); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	runOK(t, "terminal", "add", "--data", dir, "--mid", strangerMID, "--tid", strangerTID, "--tmk", strings.Repeat("0123456789ABCDEF", 4))
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
