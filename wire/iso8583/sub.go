package iso8583

import (
	"fmt"
	"strconv"

	"jiaozi/value/money"
)

// Types of transaction, field 60.1.
const (
	TypeManagement     = 0
	TypePurchase       = 22
	TypeOfflineUpload  = 36
	TypeLoadAccount    = 45
	TypeLoadCash       = 46
	TypeLoadOther      = 47
	TypeClosure        = 53
	typeSubfieldDigits = 2
)

// Network management codes, field 60.3.
const (
	NetNone           = 0
	NetSignOn         = 1
	NetSignOff        = 2
	NetSignOnDouble   = 3
	NetSignOnTrack    = 4
	NetSettle         = 201
	NetBatchEnd       = 202
	NetDetailEqual    = 203
	NetDetailFailed   = 204
	NetDetailUnequal  = 205
	NetDetailBad      = 206
	NetBatchEndChip   = 207
	NetEcho           = 301
	NetParameters     = 360
	NetParametersDone = 361
	NetList           = 390
	NetListDone       = 391
	NetScriptResult   = 951
)

// f60Digits are the sizes of 60.1 to 60.7.
var f60Digits = [...]int{typeSubfieldDigits, 6, 3, 1, 1, 1, 3}

// F60 is the batch and function field. Terminals send only the first sub-fields
// that they have something to say in; Parts keeps how many, 0 stands for three.
type F60 struct {
	Type    uint8  // 60.1, n2
	Batch   uint32 // 60.2, n6
	NetCode uint16 // 60.3, n3
	Cap     uint8  // 60.4: reading capability, 5 contact chip, 6 contactless
	Cond    uint8  // 60.5: chip condition, 0 normal, 2 fallback
	Partial uint8  // 60.6: partial approval supported
	Account uint16 // 60.7, n3
	Parts   uint8
}

func (f F60) numbers() [len(f60Digits)]uint32 {
	return [...]uint32{uint32(f.Type), f.Batch, uint32(f.NetCode), uint32(f.Cap), uint32(f.Cond), uint32(f.Partial), uint32(f.Account)}
}

// Digits packs the field. Values too large for their sub-field are a bug of the
// caller and make Append refuse the field by its length.
func (f F60) Digits() string {
	parts := int(f.Parts)
	if parts == 0 {
		parts = 3
	}
	out := make([]byte, 0, 17)
	for i, v := range f.numbers() {
		if i < parts {
			out = fmt.Appendf(out, "%0*d", f60Digits[i], v)
		}
	}
	return string(out)
}

// ParseF60 reads field 60. At least type and batch must be there.
func ParseF60(s string) (F60, error) {
	var v [len(f60Digits)]uint32
	parts := 0
	for i, size := range f60Digits {
		if s == "" {
			break
		}
		if len(s) < size {
			return F60{}, pathError(fmt.Sprintf("60.%d", i+1), ErrTruncated)
		}
		n, err := number(s[:size])
		if err != nil {
			return F60{}, pathError(fmt.Sprintf("60.%d", i+1), err)
		}
		v[i], s = n, s[size:]
		parts++
	}
	if s != "" {
		return F60{}, pathError("60", ErrTooLong)
	}
	if parts < 2 {
		return F60{}, pathError("60.2", ErrTruncated)
	}
	return F60{
		Type: uint8(v[0]), Batch: v[1], NetCode: uint16(v[2]), Cap: uint8(v[3]),
		Cond: uint8(v[4]), Partial: uint8(v[5]), Account: uint16(v[6]), Parts: uint8(parts),
	}, nil
}

// number reads decimal digits only: ParseUint alone would accept a sign or '_'.
func number(s string) (uint32, error) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, ErrDigit
		}
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, ErrValue
	}
	return uint32(n), nil
}

// Original is field 61: the transaction that a reversal or a notice is about.
type Original struct {
	Batch uint32 // n6
	STAN  uint32 // n6
	Date  uint16 // n4, MMDD as a decimal number
}

// Digits packs the field.
func (o Original) Digits() string { return fmt.Sprintf("%06d%06d%04d", o.Batch, o.STAN, o.Date) }

// ParseOriginal reads field 61.
func ParseOriginal(s string) (Original, error) {
	if len(s) != 16 {
		return Original{}, pathError("61", ErrLength)
	}
	batch, err := number(s[:6])
	if err != nil {
		return Original{}, pathError("61.1", err)
	}
	stan, err := number(s[6:12])
	if err != nil {
		return Original{}, pathError("61.2", err)
	}
	date, err := number(s[12:])
	if err != nil {
		return Original{}, pathError("61.3", err)
	}
	if date/100 > 12 || date%100 > 31 {
		return Original{}, pathError("61.3", ErrValue)
	}
	return Original{Batch: batch, STAN: stan, Date: uint16(date)}, nil
}

// Reply digits of field 48 in an answer to a settlement.
const (
	TotalsAsked   = 0
	TotalsEqual   = 1
	TotalsUnequal = 2
	TotalsError   = 3
)

// Sums are one group of a settlement: what cardholders paid (debit) and what they
// were paid (credit).
type Sums struct {
	Debit       money.Minor
	DebitCount  uint16
	Credit      money.Minor
	CreditCount uint16
	Reply       uint8
}

// Totals are field 48 of a settlement: cards of the home currency, then foreign.
type Totals struct{ Home, Foreign Sums }

const (
	sumsDigits   = 31
	maxAmountN12 = 999_999_999_999
	maxCountN3   = 999
)

func (s Sums) digits() (string, error) {
	if s.Debit < 0 || s.Debit > maxAmountN12 || s.Credit < 0 || s.Credit > maxAmountN12 ||
		s.DebitCount > maxCountN3 || s.CreditCount > maxCountN3 || s.Reply > 9 {
		return "", pathError("48", ErrValue)
	}
	return fmt.Sprintf("%012d%03d%012d%03d%d", s.Debit, s.DebitCount, s.Credit, s.CreditCount, s.Reply), nil
}

// Digits packs the field; it refuses sums that do not fit n12 and counts above 999.
func (t Totals) Digits() (string, error) {
	home, err := t.Home.digits()
	if err != nil {
		return "", err
	}
	foreign, err := t.Foreign.digits()
	return home + foreign, err
}

// ParseTotals reads field 48 of a settlement.
func ParseTotals(s string) (Totals, error) {
	if len(s) != 2*sumsDigits {
		return Totals{}, pathError("48", ErrLength)
	}
	if !decimal(s) {
		return Totals{}, pathError("48", ErrDigit)
	}
	return Totals{Home: parseSums(s[:sumsDigits]), Foreign: parseSums(s[sumsDigits:])}, nil
}

func parseSums(s string) Sums {
	return Sums{
		Debit: money.Minor(value(s[:12])), DebitCount: uint16(value(s[12:15])),
		Credit: money.Minor(value(s[15:27])), CreditCount: uint16(value(s[27:30])),
		Reply: uint8(value(s[30:])),
	}
}

func decimal(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// value reads at most twelve digits that decimal has checked.
func value(s string) int64 {
	n := int64(0)
	for i := 0; i < len(s); i++ {
		n = n*10 + int64(s[i]-'0')
	}
	return n
}
