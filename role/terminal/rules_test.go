package terminal

import (
	"testing"
	"time"

	"jiaozi/value/money"
	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/purse"
	"jiaozi/wire/tlv"
)

func testSession(t testing.TB, data map[tlv.Tag][]byte) *session {
	if data == nil {
		data = map[tlv.Tag][]byte{}
	}
	return &session{t: openTest(t, &memory{}), when: testTime, amount: yuan(10_00), data: data, left: maxAPDUs}
}

func code(st *stop) reason.Code {
	if st == nil {
		return ""
	}
	return st.code
}

func TestBook3_10_4_ProcessingRestrictions(t *testing.T) {
	good := func(change map[tlv.Tag][]byte) map[tlv.Tag][]byte {
		data := map[tlv.Tag][]byte{emv.TagExpiry: {0x29, 0x12, 0x31}, emv.TagEffective: {0x26, 0x01, 0x01}, emv.TagIssuerCountry: {0x01, 0x56}, emv.TagAUC: {0xFF, 0}}
		for tag, v := range change {
			if data[tag] = v; v == nil {
				delete(data, tag)
			}
		}
		return data
	}
	for _, row := range []struct {
		why    string
		change map[tlv.Tag][]byte
		want   reason.Code
	}{
		{"an ordinary card", nil, ""},
		{"it may be used through its last day", map[tlv.Tag][]byte{emv.TagExpiry: {0x26, 0x11, 0x22}}, ""},
		{"and not the day after", map[tlv.Tag][]byte{emv.TagExpiry: {0x26, 0x11, 0x21}}, reason.Expired},
		{"it may be used from its first day", map[tlv.Tag][]byte{emv.TagEffective: {0x26, 0x11, 0x22}}, ""},
		{"and not the day before", map[tlv.Tag][]byte{emv.TagEffective: {0x26, 0x11, 0x23}}, reason.NotYetEffective},
		{"a date that no calendar has", map[tlv.Tag][]byte{emv.TagExpiry: {0x26, 0x13, 0x01}}, reason.ProtocolError},
		{"no date at all", map[tlv.Tag][]byte{emv.TagExpiry: nil}, reason.ProtocolError},
		{"usable at cash machines only", map[tlv.Tag][]byte{emv.TagAUC: {0xFE, 0}}, reason.DeclinedByCard},
		{"abroad only, at home", map[tlv.Tag][]byte{emv.TagAUC: {0x15, 0}}, reason.DeclinedByCard},
		{"at home only, abroad", map[tlv.Tag][]byte{emv.TagAUC: {0x29, 0}, emv.TagIssuerCountry: {0x03, 0x44}}, reason.DeclinedByCard},
		{"abroad, which is allowed", map[tlv.Tag][]byte{emv.TagAUC: {0x15, 0}, emv.TagIssuerCountry: {0x03, 0x44}}, ""},
		{"usage control of the wrong length", map[tlv.Tag][]byte{emv.TagAUC: {0xFF}}, reason.ProtocolError},
		{"a purse of another currency", map[tlv.Tag][]byte{emv.TagAppCurrency: {0x03, 0x44}}, reason.ForeignCurrency},
		{"a purse of our currency", map[tlv.Tag][]byte{emv.TagPBOCCurrency: {0x01, 0x56}}, ""},
	} {
		s := testSession(t, good(row.change))
		if got := code(s.restrict()); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
}

func TestBook3_10_5_CardholderVerification(t *testing.T) {
	const always, supported, under, over = 0x00, 0x03, 0x06, 0x07
	aip := emv.AIP{0x10}
	for _, row := range []struct {
		why   string
		rules []emv.CVMRule
		aip   emv.AIP
		want  reason.Code
	}{
		{"the card wants no verification at all", []emv.CVMRule{{Method: cvmFail, Condition: always}}, emv.AIP{}, ""},
		{"none is needed", []emv.CVMRule{{Method: cvmNone, Condition: always}}, aip, ""},
		{"none is needed for small amounts", []emv.CVMRule{{Method: cvmNone, Condition: under}, {Method: cvmFail, Condition: always}}, aip, ""},
		{"the rule for large amounts is passed over", []emv.CVMRule{{Method: cvmFail, Condition: over}, {Method: cvmNone, Condition: always}}, aip, ""},
		{"a PIN without a pad fails", []emv.CVMRule{{Method: cvmPlainPIN, Condition: always}, {Method: cvmNone, Condition: always}}, aip, reason.PINRequired},
		{"a PIN without a pad falls through if the card allows it", []emv.CVMRule{{Method: cvmPlainPIN | 0x40, Condition: always}, {Method: cvmNone, Condition: always}}, aip, ""},
		{"a PIN where supported is passed over without a pad", []emv.CVMRule{{Method: cvmPlainPIN, Condition: supported}, {Method: cvmNone, Condition: always}}, aip, ""},
		{"an online PIN needs the issuer", []emv.CVMRule{{Method: cvmOnlinePIN, Condition: always}}, aip, reason.PINRequired},
		{"the card says to fail", []emv.CVMRule{{Method: cvmFail, Condition: always}}, aip, reason.DeclinedByCard},
		{"no rule applies", []emv.CVMRule{{Method: cvmNone, Condition: over}}, aip, reason.PINRequired},
	} {
		s := testSession(t, map[tlv.Tag][]byte{
			emv.TagCVMList: emv.CVMList{X: 20_00, Rules: row.rules}.Append(nil), emv.TagAppCurrency: {0x01, 0x56}, emv.TagPINTries: {3},
		})
		s.card = cardFunc(func(apdu.Command) (apdu.Response, error) { return apdu.Response{SW: 0x6A88}, nil })
		s.aip = row.aip
		if got := code(s.verifyHolder()); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
		if failed := s.tvr.Has(emv.TVRCVMFailed); failed != (row.want != "") {
			t.Errorf("%s: the TVR says failed %v", row.why, failed)
		}
	}
}

func TestBook3_10_7_TerminalActionAnalysis(t *testing.T) {
	var expired emv.TVR
	expired.Set(emv.TVRExpired)
	var versions emv.TVR
	versions.Set(emv.TVRVersionsDiffer)
	for _, row := range []struct {
		why  string
		tvr  emv.TVR
		data map[tlv.Tag][]byte
		want reason.Code
	}{
		{"nothing went wrong", emv.TVR{}, nil, ""},
		{"the terminal forbids it", expired, map[tlv.Tag][]byte{emv.TagIACDefault: make([]byte, 5)}, reason.DeclinedByCard},
		{"the card forbids it", versions, map[tlv.Tag][]byte{emv.TagIACDenial: versions[:], emv.TagIACDefault: make([]byte, 5)}, reason.DeclinedByCard},
		{"the card wants the issuer", versions, map[tlv.Tag][]byte{emv.TagIACDefault: versions[:]}, reason.OnlineRequired},
		{"a card without default code wants the issuer for anything", versions, nil, reason.OnlineRequired},
		{"the card does not mind", versions, map[tlv.Tag][]byte{emv.TagIACDefault: make([]byte, 5)}, ""},
		{"a code of the wrong length", versions, map[tlv.Tag][]byte{emv.TagIACDefault: {0}}, reason.ProtocolError},
	} {
		s := testSession(t, row.data)
		s.tvr = row.tvr
		if got := code(s.analyse()); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
}

// TestTheLogTells: the card's log says paid or unpaid, and otherwise nothing.
func TestTheLogTells(t *testing.T) {
	line := func(atc byte, fen byte) tlv.List {
		return tlv.List{{Tag: emv.TagATC, Value: []byte{0, atc}}, {Tag: emv.TagAmount, Value: []byte{0, 0, 0, 0, fen, 0}}, {Tag: emv.TagCurrency, Value: []byte{0x01, 0x56}}}
	}
	later := line(9, 0x12)
	later = append(later, tlv.Item{Tag: emv.TagTime, Value: []byte{0x23, 0, 0}})
	r := sampleRecord(trace{1, 1})
	r.Amount = yuan(12_00)
	for _, row := range []struct {
		why      string
		now      uint16
		log      []tlv.List
		capacity int
		want     evidence
	}{
		{"it is in the log", 9, []tlv.List{line(9, 0x12)}, 10, paid},
		{"it is further down", 12, []tlv.List{line(12, 1), line(9, 0x12)}, 10, paid},
		{"the log is empty", 9, nil, 10, unpaid},
		{"the log reaches back beyond it", 12, []tlv.List{line(12, 1), line(8, 1)}, 2, unpaid},
		{"the log has room and does not hold it", 12, []tlv.List{line(12, 1)}, 2, unpaid},
		{"the log was overwritten", 12, []tlv.List{line(12, 1), line(11, 1)}, 2, unclear},
		{"another amount under the counter", 9, []tlv.List{line(9, 0x13)}, 10, unclear},
		{"another time under the counter", 9, []tlv.List{later}, 10, unclear},
		{"the counter went back", 7, nil, 10, unclear},
		{"the counter was not used yet", 8, nil, 10, unpaid},
		{"no log at all", 9, nil, 0, unclear},
		{"a log without counters", 9, []tlv.List{{{Tag: emv.TagAmount, Value: make([]byte, 6)}}}, 10, unclear},
	} {
		if got := judge(&r, row.now, row.log, row.capacity); got != row.want {
			t.Errorf("%s: %d, want %d", row.why, got, row.want)
		}
	}
}

// TestNoListNoSale: a terminal without a blacklist takes nothing, unless it was
// told what it may take.
func TestNoListNoSale(t *testing.T) {
	till := openTest(t, &memory{})
	for _, row := range []struct {
		floor, fen money.Minor
		want       reason.Code
	}{{0, 1, reason.ListExpired}, {5_00, 5_00, ""}, {5_00, 5_01, reason.ListExpired}} {
		till.cfg.ListFloor = yuan(row.floor)
		if got := code(till.admits(Sale{Amount: yuan(row.fen), Entry: purse.Contactless}, testTime)); got != row.want {
			t.Errorf("floor %d, amount %d: %q, want %q", row.floor, row.fen, got, row.want)
		}
	}
}

// TestAFullBatchDeclinesBeforeTheCard: what could not be settled is not taken.
func TestAFullBatchDeclinesBeforeTheCard(t *testing.T) {
	till := openTest(t, &memory{})
	for i := range uint32(maxBatch) {
		till.state.sales = append(till.state.sales, sale{record: sampleRecord(trace{1, i + 1})})
	}
	out := till.Purchase(t.Context(), nil, Sale{Amount: yuan(1), Entry: purse.Contactless})
	if out.Result != Declined || out.Reason != reason.StorageFull {
		t.Errorf("%v %s", out.Result, out.Reason)
	}
}

// TestTheClockDoesNotGoBack: an expired card stays expired when somebody sets the
// terminal's clock back (attack 35).
func TestTheClockDoesNotGoBack(t *testing.T) {
	store := &memory{}
	till := openTest(t, store)
	later := testTime.Add(48 * time.Hour)
	record := sampleRecord(trace{1, 1})
	record.When = later
	if err := till.record(pended{Record: record}); err != nil {
		t.Fatal(err)
	}
	if now := openTest(t, store).now(); now.Before(later) {
		t.Errorf("the terminal believes that it is %v again", now)
	}
}

func TestAConfigurationIsChecked(t *testing.T) {
	for why, spoil := range map[string]func(*Config){
		"no terminal id": func(c *Config) { c.TID = "" }, "no merchant id": func(c *Config) { c.MID = "x" },
		"no currency": func(c *Config) { c.Currency = 0 }, "a limit in another currency": func(c *Config) { c.TapLimit = money.New(money.HKD, 1) },
		"a negative limit": func(c *Config) { c.ECLimit = yuan(-1) }, "no list key": func(c *Config) { c.ListKey = nil }, "paper of no width": func(c *Config) { c.Columns = 17 },
	} {
		cfg := testConfig()
		spoil(&cfg)
		if _, err := cfg.withDefaults(); err == nil {
			t.Errorf("%s: accepted", why)
		}
	}
}
