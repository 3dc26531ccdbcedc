package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"jiaozi/node/durable"
	"jiaozi/wire/coin"
	"jiaozi/wire/explain"
	"jiaozi/wire/qr"
	"jiaozi/wire/qr/scan"

	"github.com/spf13/cobra"
)

// messageIn says where a message of coins comes from: the command line, a file, a
// pipe or pictures of QR symbols.
type messageIn struct {
	file     string
	pictures []string
}

func (m *messageIn) register(cmd *cobra.Command, what string) {
	cmd.Args = cobra.MaximumNArgs(1)
	cmd.Flags().StringVar(&m.file, "in", "", "file that holds the "+what+", or - (default: the argument, else standard input)")
	cmd.Flags().StringArrayVar(&m.pictures, "qr-in", nil, "picture, PNG or JPEG, of the "+what+" as QR; repeat it for the parts")
}

// raw gives the bytes as they came.
func (m *messageIn) raw(cmd *cobra.Command, args []string) ([]byte, error) {
	given := len(args)
	if m.file != "" {
		given++
	}
	if len(m.pictures) > 0 {
		given++
	}
	switch {
	case given > 1:
		return nil, errors.New("say once where the message is: as an argument, with --in or with --qr-in")
	case len(args) == 1:
		return []byte(args[0]), nil
	case len(m.pictures) > 0:
		return readPictures(m.pictures)
	case m.file != "" && m.file != "-":
		return readBounded(m.file, explain.MaxMessage)
	}
	b, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), explain.MaxMessage+1))
	if err == nil && len(b) > explain.MaxMessage {
		err = coin.ErrTooLarge
	}
	return b, err
}

// message gives the message, whatever form it came in.
func (m *messageIn) message(cmd *cobra.Command, args []string) (coin.Message, error) {
	b, err := m.raw(cmd, args)
	if err != nil {
		return nil, err
	}
	msg, err := coin.Read(b)
	if err != nil {
		if tag, bad := coin.ParseNDEF(b); bad == nil {
			return tag, nil
		}
	}
	return msg, err
}

// envelope gives the message as bytes.
func (m *messageIn) envelope(cmd *cobra.Command, args []string) ([]byte, error) {
	msg, err := m.message(cmd, args)
	if err != nil {
		return nil, err
	}
	return coin.Append(nil, msg)
}

// readPictures gives the coin texts of all pictures, one a line; other symbols on
// the same picture are left out.
func readPictures(paths []string) ([]byte, error) {
	var lines []byte
	for _, path := range paths {
		picture, err := readBounded(path, scan.MaxBytes)
		if err != nil {
			return nil, err
		}
		texts, err := scan.Decode(picture)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		for _, text := range texts {
			if strings.HasPrefix(strings.ToLower(text), coin.Scheme+":") {
				lines = append(append(lines, text...), '\n')
			}
		}
	}
	return lines, nil
}

// messageOut says where a message of coins goes, and in which form.
type messageOut struct {
	file, form, qr string
}

func (m *messageOut) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.file, "out", "", "file to write the message to, or - (default: standard output)")
	cmd.Flags().StringVar(&m.form, "form", "text", "form of the message: text (a jiaozi: address), bytes, or ndef for an NFC tag")
	cmd.Flags().StringVar(&m.qr, "qr", "", "draw it as QR: svg, png or terminal")
}

// toFile reports whether standard output stays free for words.
func (m *messageOut) toFile() bool { return m.file != "" && m.file != "-" }

// check refuses forms that are not known, before anything is done.
func (m *messageOut) check() error {
	switch m.form {
	case "text", "bytes", "ndef":
	default:
		return fmt.Errorf("--form %q is not known: use text, bytes or ndef", m.form)
	}
	switch m.qr {
	case "", "svg", "png", "terminal":
		return nil
	}
	return fmt.Errorf("--qr %q is not known: use svg, png or terminal", m.qr)
}

// write puts the message where it belongs.
func (m *messageOut) write(w io.Writer, msg coin.Message) error {
	if m.qr != "" {
		return m.draw(w, msg)
	}
	b, err := m.encode(msg)
	if err != nil {
		return err
	}
	return m.put(w, m.file, b)
}

func (m *messageOut) encode(msg coin.Message) ([]byte, error) {
	switch m.form {
	case "bytes":
		return coin.Append(nil, msg)
	case "ndef":
		return coin.AppendNDEF(nil, msg)
	}
	text, err := coin.Text(msg)
	return append([]byte(text), '\n'), err
}

// put writes a message that may be money: readable by its owner only.
func (m *messageOut) put(w io.Writer, path string, b []byte) error {
	if m.toFile() {
		return durable.WriteFile(path, b, 0o600)
	}
	_, err := w.Write(b)
	return err
}

// draw makes pictures of at most qr.MaxSymbols symbols; a message that needs more
// goes into several files.
func (m *messageOut) draw(w io.Writer, msg coin.Message) error {
	chars, each := coin.ScreenChars, qr.MaxSymbols
	if m.qr == "terminal" {
		chars, each = coin.TerminalChars, 1
	}
	parts, err := coin.Parts(msg, chars)
	if err != nil {
		return err
	}
	if m.qr != "terminal" && len(parts) > each && !m.toFile() {
		return fmt.Errorf("the message needs %d symbols, %d fit one picture: name a file with --out for several pictures, or leave --qr out", len(parts), each)
	}
	for i := 0; i < len(parts); i += each {
		sheet, err := qr.Encode(qr.M, parts[i:min(i+each, len(parts))]...)
		if err != nil {
			return err
		}
		picture, err := m.picture(sheet)
		if err != nil {
			return err
		}
		if m.qr == "terminal" && !m.toFile() {
			picture = fmt.Appendf(picture, "%d/%d\n", i+1, len(parts))
		}
		if err := m.put(w, numbered(m.file, i/each), picture); err != nil {
			return err
		}
	}
	return nil
}

// pixels is how large a module is drawn.
const pixels = 4

func (m *messageOut) picture(s qr.Sheet) ([]byte, error) {
	switch {
	case m.qr == "svg":
		return s.SVG(), nil
	case m.qr == "png":
		return s.PNG(pixels)
	case os.Getenv("NO_COLOR") != "" || m.toFile():
		return []byte(s.Plain()), nil
	}
	return []byte(s.Terminal()), nil
}

// numbered gives request.png, request-2.png, request-3.png ...
func numbered(path string, i int) string {
	if i == 0 {
		return path
	}
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, ext), i+1, ext)
}

// messageDoc is a message in JSON.
type messageDoc struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func newMessageDoc(msg coin.Message) (messageDoc, error) {
	text, err := coin.Text(msg)
	return messageDoc{msg.Type().String(), text}, err
}
