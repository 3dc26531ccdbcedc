// Package till is the counter of a point of sale: one line typed, one result
// shown. It works over ssh, in a pipe and for a screen reader.
//
// It promises that a line that is wrong changes nothing and says how it is
// written, that every payment ends in a line that begins with approved, declined,
// recovered or unknown, followed by the receipt, and that a script learns from
// Run's error what went wrong on the way. It decides nothing: the terminal does.
// Start with Desk.Run; commands.go lists what can be typed.
package till

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"jiaozi/node"
	"jiaozi/value/lang"
)

// Desk connects a person, or a script, with a terminal.
type Desk struct {
	Till    *node.Till
	Options node.Options
	Lang    lang.Lang
	In      io.Reader
	Out     io.Writer
	// Secret reads a PIN without showing it; nil reads the next line of In.
	Secret func() (string, error)

	lines *bufio.Scanner
	wrong error // the first thing that went wrong
}

// ErrDeclined: a payment or a load ended other than approved or recovered.
var ErrDeclined = errors.New("declined")

// maxLine bounds what is typed.
const maxLine = 4096

// Run reads and carries out lines until the input or ctx ends, or "quit". Its
// error is the first that a line met; the lines after it were carried out.
func (d *Desk) Run(ctx context.Context) error {
	d.lines = bufio.NewScanner(d.In)
	d.lines.Buffer(make([]byte, 0, maxLine), maxLine)
	d.say(lang.Text{EN: "Type help for the commands.", ZH: "输入 help 查看命令。"}.In(d.Lang))
	d.showUnsaid()
	for ctx.Err() == nil && d.lines.Scan() {
		words := strings.Fields(d.lines.Text())
		if len(words) == 0 {
			continue
		}
		if words[0] == "quit" {
			return d.wrong
		}
		if err := d.do(ctx, words); err != nil {
			d.say("error: " + err.Error())
			d.note(err)
		}
	}
	if err := d.lines.Err(); err != nil {
		d.note(fmt.Errorf("read a line: %w", err))
	}
	return d.wrong
}

// showUnsaid tells of a sale that was paid when the last session died, perhaps
// before the till could show it.
func (d *Desk) showUnsaid() {
	if r, ok := d.Till.Unsaid(); ok {
		d.say(lang.Text{EN: "Paid before the interruption, perhaps without a receipt: ", ZH: "中断前已付款，可能未出凭条："}.In(d.Lang) +
			fmt.Sprintf("%06d %s %s", r.STAN, r.PAN, r.Amount.Format(d.Lang)))
	}
}

func (d *Desk) note(err error) {
	if d.wrong == nil {
		d.wrong = err
	}
}

func (d *Desk) do(ctx context.Context, words []string) error {
	for _, c := range commands {
		if c.name != words[0] {
			continue
		}
		if got := len(words) - 1; got < c.least || got > c.most {
			return fmt.Errorf("write it so: %s", c.usage)
		}
		return c.run(ctx, d, words[1:])
	}
	return fmt.Errorf("%q is not a command; type help", words[0])
}

// say shows a line. A reader that went away ends the loop by the next read.
func (d *Desk) say(text string) { _, _ = fmt.Fprintln(d.Out, text) }
