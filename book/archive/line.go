package archive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"jiaozi/book"
)

// encodeLine gives the one form of a line, without its end.
func encodeLine(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decodeLine reads a line that has the one form of a T.
func decodeLine[T any](line []byte) (*T, error) {
	v, err := parse[T](line)
	if err != nil {
		return nil, err
	}
	return v, sameForm(line, v)
}

// parse reads a line less strictly: whoever calls it calls sameForm after it.
func parse[T any](line []byte) (*T, error) {
	if items(line) > maxItems {
		return nil, fmt.Errorf("%w: more than %d things in it", ErrForm, maxItems)
	}
	v := new(T)
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return v, nil
}

// sameForm writes a line again and compares: that finds what encoding/json lets
// pass, such as repeated keys, keys of other case, nulls and spaces.
func sameForm(line []byte, v any) error {
	again, err := encodeLine(v)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	if bytes.Equal(line, again) {
		return nil
	}
	at := 0
	for at < min(len(line), len(again)) && line[at] == again[at] {
		at++
	}
	return fmt.Errorf("%w: from byte %d on it is not written the one way: a key twice, out of order or needless, a space, another form of a number or text",
		ErrForm, at+1)
}

// items counts the commas outside of strings.
func items(line []byte) (n int) {
	inside := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			inside = !inside
		case c == '\\' && inside:
			i++
		case c == ',' && !inside:
			n++
		}
	}
	return n
}

// decodeEntry gives the canonical bytes of the entry that a line tells of.
func decodeEntry(seq uint64, line []byte) ([]byte, error) {
	l, err := parse[entryLine](line)
	if err != nil {
		return nil, err
	}
	raw := book.AppendEntry(nil, l.entry())
	// The bytes decide: the line must tell of an entry that the book would keep,
	// and of nothing besides.
	e, err := book.DecodeEntry(seq, raw)
	if err != nil {
		return nil, fmt.Errorf("%w: not an entry that the book would keep: %w", ErrForm, err)
	}
	return raw, sameForm(line, toLine(&e))
}

// lines reads lines of bounded length and counts them.
type lines struct {
	from   *bufio.Reader
	buf    []byte
	number int
}

// next gives a line without its end. The slice is good until the next call.
func (l *lines) next() ([]byte, error) {
	l.number++
	l.buf = l.buf[:0]
	for {
		part, err := l.from.ReadSlice('\n')
		if len(l.buf)+len(part) > MaxLine {
			return nil, fmt.Errorf("%w: longer than %d bytes", ErrForm, MaxLine)
		}
		l.buf = append(l.buf, part...)
		switch {
		case err == nil:
			return l.buf[:len(l.buf)-1], nil
		case errors.Is(err, io.EOF):
			return nil, ErrShort
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// end checks that nothing follows.
func (l *lines) end() error {
	l.number++
	if _, err := l.from.ReadByte(); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return err
	}
	return fmt.Errorf("%w: something follows its last line", ErrForm)
}
