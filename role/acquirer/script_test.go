package acquirer_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/value/clock"
	"jiaozi/value/money"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/purse"
)

var update = flag.Bool("update", false, "rewrite the scripts with what happens")

// The dialogues in testdata are played against an acquirer with a real book and a
// real vault: a command, a line of dashes, what came of it. In an answer, "sealed"
// means that the host's MAC was there and right. "> issuer" is what the issuer got.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		for _, profile := range []vault.Profile{vault.CUP, vault.Secure} {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+profile.String(), func(t *testing.T) {
				raw, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				got := play(t, profile, string(raw))
				if *update && profile == vault.Secure {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				if d := cmp.Diff(string(raw), got); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

func play(t *testing.T, profile vault.Profile, script string) string {
	s := &stage{world: newWorld(t, profile), loads: map[string]*iso8583.Message{}}
	var out []string
	for _, step := range strings.Split(strings.TrimRight(script, "\n"), "\n\n") {
		command, _, _ := strings.Cut(step, "\n----")
		lines := strings.Split(command, "\n")
		last := lines[len(lines)-1]
		if strings.HasPrefix(last, "#") {
			out = append(out, command)
			continue
		}
		out = append(out, strings.TrimRight(command+"\n----\n"+s.do(last), "\n"))
	}
	return strings.Join(out, "\n\n") + "\n"
}

// stage is a world that obeys commands.
type stage struct {
	*world
	loads map[string]*iso8583.Message
	seen  int
}

func (s *stage) do(line string) string {
	words := strings.Fields(line)
	arg := map[string]string{}
	for _, w := range words[1:] {
		if k, v, ok := strings.Cut(w, "="); ok {
			arg[k] = v
		}
	}
	switch words[0] {
	case "issuer":
		s.issuer.mode = strings.TrimPrefix(words[1], "approves")
		return ""
	case "restart":
		s.open()
		return ""
	case "forward":
		done, err := s.acq.Forward(s.ctx(), s.now)
		waiting, err2 := s.acq.Waiting(s.ctx())
		s.check(err2)
		return fmt.Sprintf("%sdone %d, waiting %d, error %t", s.traffic(), done, waiting, err != nil)
	case "cut":
		return s.cut()
	case "signon":
		return s.show(s.signOn(), false)
	}
	m := s.build(words[0], arg)
	frame := s.pack(m)
	if arg["mac"] == "bad" {
		frame[len(frame)-1] ^= 1
	}
	answer, sealed := s.serve(frame)
	return s.traffic() + s.show(answer, sealed)
}

func (s *stage) number(v string) uint32 {
	n, err := strconv.ParseUint("0"+v, 10, 32)
	s.check(err)
	return uint32(n)
}

func (s *stage) fen(v string) money.Minor {
	a, err := money.Parse(money.CNY, v)
	s.check(err)
	return a.Minor()
}

var processing = map[string]string{"account": "600000", "other": "620000", "cash": "630000", "closure": "290000"}
var kinds = map[string]uint8{"account": 45, "other": 47, "cash": 46, "closure": 53}

func (s *stage) build(verb string, arg map[string]string) *iso8583.Message {
	stan := s.number(arg["stan"])
	switch verb {
	case "upload", "detail":
		r := s.payment(stan, uint16(s.number(arg["atc"])), s.fen(arg["amount"]))
		r.Flag = purse.Flag(s.number(arg["flag"]))
		if arg["batch"] != "" {
			r.Batch = s.number(arg["batch"])
		}
		if arg["ac"] != "" {
			r.AC[7] = byte(s.number(arg["ac"]))
		}
		return s.upload(map[string]iso8583.MTI{"upload": 0x0200, "detail": 0x0320}[verb], r)
	case "account", "other", "cash", "closure":
		m := s.service(processing[verb], kinds[verb], stan, s.fen(arg["amount"]))
		if arg["pin"] != "" {
			p, err := pin.Parse(arg["pin"])
			s.check(err)
			block, err := s.pos.EncryptPIN(tpk(tid), p, pan(s.t, 1))
			s.check(err)
			m.SetBytes(52, block[:])
		}
		s.loads[arg["stan"]] = m.Clone()
		return m
	case "reverse":
		m := s.reversal(s.loads[arg["of"]])
		if arg["amount"] != "" {
			m.Set(4, fmt.Sprintf("%012d", s.fen(arg["amount"])))
		}
		return m
	case "notice":
		return s.notice(stan, s.loads[arg["of"]])
	case "settle":
		return s.settle(max(s.number(arg["batch"]), 1), s.fen(arg["debit"]), uint16(s.number(arg["count"])))
	case "batchend":
		m := s.message(0x0320, stan, iso8583.F60{NetCode: iso8583.NetBatchEndChip, Batch: s.number(arg["batch"])})
		m.Set(48, fmt.Sprintf("%04d", s.number(arg["count"])))
		return m
	case "echo":
		return s.message(0x0820, stan, iso8583.F60{NetCode: iso8583.NetEcho})
	case "signoff":
		return s.message(0x0820, stan, iso8583.F60{NetCode: iso8583.NetSignOff})
	case "network":
		return s.message(0x0800, stan, iso8583.F60{NetCode: uint16(s.number(arg["code"]))})
	case "purchase":
		return s.service("000000", iso8583.TypePurchase, stan, s.fen(arg["amount"]))
	}
	s.t.Fatalf("the script says %q", verb)
	return nil
}

// traffic tells what the issuer got since the last look.
func (s *stage) traffic() string {
	var b strings.Builder
	for _, m := range s.issuer.got[s.seen:] {
		fmt.Fprintf(&b, "> issuer %s", m.MTI)
		for _, n := range []int{3, 4, 11, 39, 60, 61} {
			if v, ok := m.Get(n); ok {
				fmt.Fprintf(&b, " %d=%s", n, v)
			}
		}
		if m.Has(52) {
			b.WriteString(" PIN")
		}
		b.WriteString("\n")
	}
	s.seen = len(s.issuer.got)
	return b.String()
}

// show prints an answer without what differs from run to run.
func (s *stage) show(m *iso8583.Message, sealed bool) string {
	if m == nil {
		return "nothing"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", m.MTI, m.Text(39))
	if sealed && m.MTI != 0x0330 && m.MTI != 0x0510 { // sealed under one profile only
		b.WriteString(" sealed")
	}
	for _, n := range []int{38, 48, 60} {
		if v, ok := m.Get(n); ok {
			fmt.Fprintf(&b, " %d=%s", n, v)
		}
	}
	if m.Has(62) {
		b.WriteString(" 62")
	}
	return b.String()
}

func (s *stage) cut() string {
	files, err := s.acq.Cut(s.ctx(), clock.DateOf(s.now))
	s.check(err)
	var b strings.Builder
	for _, raw := range files {
		f := s.presentment(raw)
		fmt.Fprintf(&b, "file %d for %s: %d payments, %s %s\n", f.Header.Sequence, f.Header.To, f.Trailer.Count, f.Trailer.Sum.Currency(), f.Trailer.Sum)
	}
	return b.String()
}
