//go:build linux

package coinkill

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"jiaozi/node/mintapi"
	"jiaozi/node/walletfile"
	"jiaozi/role/wallet"
	"jiaozi/value/clock"
	"jiaozi/value/money"

	"filippo.io/age"
)

const childEnv = "JIAOZI_COINKILL_CHILD"

// orders are what the parent tells a child: one operation, and when to die.
type orders struct {
	Path, Key, Mint string
	Policy          wallet.Policy
	Verb            string
	Amount          money.Minor
	In              []byte // a request, a payment, a receipt
	Step            int    // dies at this step, from 1 on; 0: never
	Write           int    // dies at this change of the wallet's folder, from 1 on; 0: never
}

// Steps of an operation, as a child tells them.
const (
	saving   = "saving"
	saved    = "saved"
	asking   = "asking"
	answered = "answered"
	done     = "done"
)

// child does one operation. It dies on the way, or ends with exit code 0.
func child(text string) int {
	if err := operate(text); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	return 0
}

func operate(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	id, err := age.ParseX25519Identity(o.Key)
	if err != nil {
		return err
	}
	file, err := walletfile.Open(o.Path, walletfile.Key(id))
	if err != nil {
		return err
	}
	client, err := mintapi.NewClient(o.Mint)
	if err != nil {
		return err
	}
	f := &fuse{at: o.Step}
	world := wallet.World{Store: store{file, f}, Mint: mint{client, f}, Clock: clock.System{}, Rand: rand.Reader}
	w, err := wallet.Open(world, wallet.Config{Currency: money.CNY, Policy: o.Policy})
	if err != nil {
		return err
	}
	if err := dieOnWrite(o.Path, o.Write); err != nil {
		return err
	}
	out, err := o.do(w)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Verb, err)
	}
	fmt.Println(done, base64.StdEncoding.EncodeToString(out))
	return file.Close()
}

// do gives what the operation hands over, if it does.
func (o *orders) do(w *wallet.Wallet) ([]byte, error) {
	ctx, sum := context.Background(), money.New(money.CNY, o.Amount)
	var err error
	switch o.Verb {
	case "withdraw":
		_, err = w.Withdraw(ctx, wallet.Order{Amount: sum})
	case "withdraw a note":
		_, err = w.Withdraw(ctx, wallet.Order{Amount: sum, Notes: true})
	case "ask":
		return w.Ask(wallet.Demand{Amount: sum, Lifetime: 600})
	case "pay":
		return w.Pay(o.In)
	case "receive":
		got, err := w.Receive(o.In)
		return got.Receipt, err
	case "take receipt":
		_, err = w.TakeReceipt(o.In)
	case "deposit":
		_, err = w.Deposit(ctx, sum)
	case "exchange":
		_, err = w.Exchange(ctx)
	case "refresh":
		_, err = w.Refresh(ctx)
	default:
		err = errors.New("no such operation")
	}
	return nil, err
}

// fuse counts the steps and kills its own process at one of them.
type fuse struct{ passed, at int }

// pass tells a step in one write, which outlives the process.
func (f *fuse) pass(step string) {
	fmt.Println(step)
	if f.passed++; f.passed == f.at {
		die()
	}
}

// die is kill -9: no deferred call runs, no buffer is flushed.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

type store struct {
	*walletfile.File
	*fuse
}

func (s store) Save(state []byte) error {
	s.pass(saving)
	err := s.File.Save(state)
	s.pass(saved)
	return err
}

type mint struct {
	*mintapi.Client
	*fuse
}

func (m mint) Keys(ctx context.Context) ([]byte, error) {
	m.pass(asking)
	b, err := m.Client.Keys(ctx)
	m.pass(answered)
	return b, err
}

func (m mint) Do(ctx context.Context, request []byte) ([]byte, error) {
	m.pass(asking)
	b, err := m.Client.Do(ctx, request)
	m.pass(answered)
	return b, err
}

// dieOnWrite kills the process at the n-th thing that happens to the file which
// is to replace the wallet's: made, filled, given its permissions, closed, renamed.
// The kernel tells, while the writer goes on: so it dies a little later, in the
// middle of a flush most likely.
func dieOnWrite(path string, n int) error {
	if n == 0 {
		return nil
	}
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
	if err != nil {
		return err
	}
	const events = syscall.IN_CREATE | syscall.IN_MODIFY | syscall.IN_ATTRIB | syscall.IN_CLOSE_WRITE | syscall.IN_MOVED_FROM | syscall.IN_MOVED_TO
	if _, err := syscall.InotifyAddWatch(fd, filepath.Dir(path), events); err != nil {
		return err
	}
	go watch(fd, filepath.Base(path), n)
	return nil
}

func watch(fd int, name string, n int) {
	buf := make([]byte, 64<<10)
	for {
		size, err := syscall.Read(fd, buf)
		if err != nil || size <= 0 {
			continue
		}
		for b := buf[:size]; len(b) >= syscall.SizeofInotifyEvent; {
			length := binary.NativeEndian.Uint32(b[12:])
			on := string(bytes.TrimRight(b[syscall.SizeofInotifyEvent:][:length], "\x00"))
			b = b[syscall.SizeofInotifyEvent+int(length):]
			if on != name && !strings.HasPrefix(on, "."+name+".") {
				continue
			}
			if n--; n == 0 {
				die()
			}
		}
	}
}
