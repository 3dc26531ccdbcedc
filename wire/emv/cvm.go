package emv

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	cvmAmountsBytes = 8
	maxCVMBytes     = 252
	cvmContinue     = 0x40
	cvmMethodMask   = 0x3F
)

// ErrCVMList: the list must be two amounts and at least one pair of bytes.
var ErrCVMList = errors.New("emv: malformed CVM list")

// CVMRule is one way to verify the cardholder and when it applies.
type CVMRule struct{ Method, Condition byte }

// ContinueOnFailure reports whether the next rule is tried if this one fails.
func (r CVMRule) ContinueOnFailure() bool { return r.Method&cvmContinue != 0 }

// CVMList is the cardholder verification method list (tag 8E). X and Y are
// amounts in minor units of the application currency (EMV Book 3, 10.5).
type CVMList struct {
	X, Y  uint32
	Rules []CVMRule
}

// ParseCVMList reads the value of tag 8E.
func ParseCVMList(b []byte) (CVMList, error) {
	if len(b) < cvmAmountsBytes+2 || len(b)%2 != 0 || len(b) > maxCVMBytes {
		return CVMList{}, fmt.Errorf("%d bytes: %w", len(b), ErrCVMList)
	}
	list := CVMList{X: binary.BigEndian.Uint32(b), Y: binary.BigEndian.Uint32(b[4:])}
	for b = b[cvmAmountsBytes:]; len(b) > 0; b = b[2:] {
		list.Rules = append(list.Rules, CVMRule{b[0], b[1]})
	}
	return list, nil
}

// Append writes the value of tag 8E.
func (l CVMList) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, l.X)
	dst = binary.BigEndian.AppendUint32(dst, l.Y)
	for _, r := range l.Rules {
		dst = append(dst, r.Method, r.Condition)
	}
	return dst
}
