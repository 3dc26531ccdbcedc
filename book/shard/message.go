package shard

import (
	"encoding/binary"
	"errors"

	"jiaozi/book"
	"jiaozi/value/money"
)

// message is value on its way from one shard to another, as the outbox carries
// it: what was taken from from and is meant for to.
type message struct {
	id       book.ID // names this stretch of the way, for ever
	from, to book.AccountID
	amount   money.Amount
	back     bool // to refused; it is on its way back to from
	event    string
}

// target is the account that is to be credited now.
func (m *message) target() book.AccountID {
	if m.back {
		return m.from
	}
	return m.to
}

const (
	messageVersion = 1
	messageHeader  = 1 + 1 + 16 + 16 + 16 + 2 + 8
)

// errMessage is the one complaint of decodeMessage.
var errMessage = errors.New("shard: a message between shards is not in canonical form; it was not written by this program")

func (m *message) append(b []byte) []byte {
	back := byte(0)
	if m.back {
		back = 1
	}
	b = append(b, messageVersion, back)
	b = append(b, m.id[:]...)
	b = append(b, m.from[:]...)
	b = append(b, m.to[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(m.amount.Currency()))
	b = binary.BigEndian.AppendUint64(b, uint64(m.amount.Minor()))
	return append(b, m.event...)
}

// decodeMessage reads what append wrote, and nothing else.
func decodeMessage(b []byte) (m message, err error) {
	if len(b) <= messageHeader || len(b) > messageHeader+book.MaxName || b[0] != messageVersion || b[1] > 1 {
		return m, errMessage
	}
	m.back = b[1] == 1
	b = b[2:]
	b = b[copy(m.id[:], b):]
	b = b[copy(m.from[:], b):]
	b = b[copy(m.to[:], b):]
	m.amount = money.New(money.Currency(binary.BigEndian.Uint16(b)), money.Minor(binary.BigEndian.Uint64(b[2:])))
	m.event = string(b[10:])
	if m.amount.Sign() <= 0 || m.amount.Currency() == 0 {
		return m, errMessage
	}
	return m, nil
}
