package emv_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"jiaozi/value/lang"
	"jiaozi/wire/emv"
	"jiaozi/wire/tlv"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// everyTag calls fn for each tag of one to three bytes that the dictionary has.
func everyTag(fn func(emv.Info)) {
	for n := tlv.Tag(1); n < 0x10000; n++ {
		if info, ok := emv.Lookup(n); ok {
			fn(info)
		}
	}
}

func TestDictionaryIsCompleteInBothLanguages(t *testing.T) {
	count := 0
	everyTag(func(i emv.Info) {
		count++
		if i.Name.EN == "" || i.Name.ZH == "" || i.Source == "" || i.Format.String() == "" {
			t.Errorf("%v lacks a name, a format or a source: %+v", i.Tag, i)
		}
		if !i.Tag.Valid() || (i.Max != 0 && i.Max < i.Min) {
			t.Errorf("%v: tag or bounds are wrong", i.Tag)
		}
		if tlv.Constructed(i.Tag) != (i.Format == emv.Template) {
			t.Errorf("%v: format %v does not fit its template bit", i.Tag, i.Format)
		}
	})
	if count < 190 {
		t.Errorf("the dictionary has shrunk to %d tags (a tag listed twice counts once)", count)
	}
}

func TestShortNamesLeadToTheirTags(t *testing.T) {
	for name, want := range map[string]tlv.Tag{"TVR": 0x95, "TSI": 0x9B, "AIP": 0x82, "TTQ": 0x9F66, "CTQ": 0x9F6C, "IAD": 0x9F10} {
		if got, ok := emv.ByName(name); !ok || got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if _, ok := emv.ByName("XYZ"); ok {
		t.Error("a name that nobody uses was found")
	}
}

func TestListsPadByFormat(t *testing.T) {
	for _, row := range []struct {
		tag     tlv.Tag
		fill    tlv.Fill
		numeric bool
	}{
		{emv.TagAmount, tlv.FillLeft, true},
		{emv.TagDate, tlv.FillLeft, true},
		{emv.TagCurrency, tlv.FillLeft, true},
		{emv.TagPAN, tlv.FillF, false},
		{emv.TagUN, tlv.FillRight, false},
		{0xDFFF, tlv.FillRight, false},
	} {
		if emv.Fill(row.tag) != row.fill || emv.Numeric(row.tag) != row.numeric {
			t.Errorf("%v: fill %v, numeric %v", row.tag, emv.Fill(row.tag), emv.Numeric(row.tag))
		}
	}
}

func TestValuesAreExplainedInBothLanguages(t *testing.T) {
	for _, row := range []struct {
		tag    tlv.Tag
		value  string
		en, zh []string
	}{
		{emv.TagTVR, "80 00 04 80 00",
			[]string{"B1b8 offline data authentication was not performed", "B3b3 online PIN entered", "B4b8 transaction exceeds the floor limit"},
			[]string{"B1b8 未进行脱机数据认证", "B3b3 已输入联机 PIN", "B4b8 交易超过最低限额"}},
		{emv.TagTVR, "01 00 00 00 00", []string{"B1b1 reserved bit is set"}, []string{"B1b1 保留位被置位"}},
		{emv.TagTVR, "00 00 00 00 00", []string{"no bit is set"}, []string{"没有置位"}},
		{emv.TagTVR, "80", []string{"1 bytes, but this tag has 5"}, []string{"长度为 1 字节，该标签应为 5 字节"}},
		{emv.TagTSI, "E800",
			[]string{"B1b8 offline data authentication was performed", "B1b7 cardholder verification was performed", "B1b6 card risk management was performed", "B1b4 terminal risk management was performed"},
			[]string{"B1b8 脱机数据认证已进行", "B1b7 持卡人验证已进行", "B1b6 卡片风险管理已进行", "B1b4 终端风险管理已进行"}},
		{emv.TagCID, "80", []string{"ARQC: the issuer must be asked online"}, []string{"ARQC：请求联机授权"}},
		{emv.TagCID, "09", []string{"AAC: declined", "advice required", "service not allowed"}, []string{"AAC：交易拒绝", "需要通知", "服务不允许"}},
		{emv.TagTTQ, "28 00 00 80",
			[]string{"B1b6 qPBOC (quick contactless) supported", "B1b4 offline-only terminal", "B4b8 fDDA version 01 supported"},
			[]string{"B1b6 支持 qPBOC", "B1b4 终端仅支持脱机", "B4b8 支持 fDDA 01 版"}},
		{emv.TagCVMResults, "1F 00 02", []string{"no CVM required", "always", "successful"}, []string{"无需 CVM", "总是", "成功"}},
		{emv.TagCVMResults, "3F 00 01", []string{"no CVM performed", "always", "failed"}, []string{"未执行 CVM", "总是", "失败"}},
		{emv.TagCVMList, "00000000 000003E8 4203 1F00",
			[]string{"X 0, Y 1000", "enciphered PIN verified online, if the terminal supports it; otherwise try the next", "no CVM required, always; otherwise fail"},
			[]string{"X 0, Y 1000", "联机加密 PIN 验证, 如果终端支持这个 CVM; 否则尝试下一条", "无需 CVM, 总是; 否则失败"}},
		{emv.TagAFL, "08 01 02 01", []string{"file 1: records 1 to 2, the first 1 are signed"}, []string{"文件 1：记录 1 至 2，前 1 条参与脱机数据认证"}},
		{emv.TagScriptResult, "21 00000000", []string{"script processing successful, command 1, script 00000000"}, []string{"脚本处理成功，第 1 条命令，脚本 00000000"}},
		{emv.TagScriptResult, "21", []string{"1 bytes, but this tag has at least 5"}, []string{"长度为 1 字节，该标签至少应为 5 字节"}},
		{emv.TagLogEntry, "0B0A", []string{"file 11, 10 records"}, []string{"文件 11，10 条记录"}},
		{emv.TagTxnType, "60", []string{"load from the card's own account"}, []string{"指定账户圈存"}},
		{emv.TagTxnType, "99", []string{"99: reserved or unknown"}, []string{"99: 保留或未知"}},
		{emv.TagARC, "5931", []string{"offline approved"}, []string{"脱机批准"}},
		{emv.TagPDOL, "9F6604 9F0206", []string{"9F66 (4) Terminal Transaction Qualifiers (TTQ)", "9F02 (6) Amount, Authorised (Numeric)"},
			[]string{"9F66 (4) 终端交易属性（TTQ）", "9F02 (6) 授权金额（数字型）"}},
		{emv.TagPDOL, "9F66", []string{"malformed value"}, []string{"值的格式不正确"}},
		{emv.TagCardAuthData, "01 11223344 0180",
			[]string{"fDDA version 01, card random number 11223344", "B2b8 consumer device CVM performed", "B1b1 reserved bit is set"}, nil},
		{emv.TagIssuerAuth, "872DEA4684895F93 3030", []string{`ARPC 872DEA4684895F93, ARC "00"`, "approved online"}, nil},
		{emv.TagATC, "0042", nil, nil},
	} {
		value := unhex(t, row.value)
		if d := cmp.Diff(row.en, emv.Explain(row.tag, value, lang.EN)); d != "" {
			t.Errorf("%v %s: %s", row.tag, row.value, d)
		}
		if row.zh == nil {
			continue
		}
		if d := cmp.Diff(row.zh, emv.Explain(row.tag, value, lang.ZH)); d != "" {
			t.Errorf("%v %s: %s", row.tag, row.value, d)
		}
	}
}

func TestIssuerDataIsExplainedWithItsBalance(t *testing.T) {
	got := strings.Join(emv.Explain(emv.TagIAD, unhex(t, "07010103A02000010A0100000100009A3C9EFE"), lang.EN), "\n")
	for _, want := range []string{"cryptogram version 01", "algorithm 3DES", "electronic cash balance 100.00", "first cryptogram ARQC", "velocity"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if got := emv.Explain(emv.TagIAD, []byte{1}, lang.ZH); len(got) != 1 {
		t.Errorf("a short one: %q", got)
	}
}

func TestShowNeverRevealsTheCard(t *testing.T) {
	for _, row := range []struct {
		why, value, want string
		tag              tlv.Tag
	}{
		{"card number", "6212345678901232", "621234******1232", emv.TagPAN},
		{"odd card number", "621234567890123452 0F", "621234*********4520", emv.TagPAN},
		{"no card number", "621A", "****", emv.TagPAN},
		{"track 2", "6212345678901232D30122010000012345", "621234******1232D3012*************", emv.TagTrack2},
		{"track 2 that is none", "621234", "******", emv.TagTrack2},
		{"PIN data", "1234", "**", 0x99},
		{"holder id", "313233", "***", emv.TagHolderIDNumber},
		{"amount", "000000001234", "000000001234 (12.34)", emv.TagAmount},
		{"small amount", "000000000005", "000000000005 (0.05)", emv.TagECBalance},
		{"amount that is none", "00000000123A", "00000000123A", emv.TagAmount},
		{"date", "261122", "261122 (2026-11-22)", emv.TagDate},
		{"text", "50424F43", `50424F43 "PBOC"`, emv.TagLabel},
		{"text that is none", "0001", "0001", emv.TagLabel},
		{"the rest in hex", "0042", "0042", emv.TagATC},
	} {
		if got := emv.Show(row.tag, unhex(t, row.value)); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add(uint32(0x95), []byte{0x80, 0, 4, 0x80, 0})
	f.Add(uint32(0x9F10), []byte{7})
	f.Add(uint32(0), []byte{1, 2, 3})
	everyTag(func(i emv.Info) { f.Add(uint32(i.Tag), make([]byte, i.Min)) })
	f.Fuzz(func(t *testing.T, tag uint32, value []byte) {
		for _, l := range []lang.Lang{lang.EN, lang.ZH} {
			for _, line := range emv.Explain(tlv.Tag(tag), value, l) {
				if line == "" {
					t.Fatalf("an empty line for %X", value)
				}
			}
		}
		_ = emv.Show(tlv.Tag(tag), value)
	})
}

func ExampleExplain() {
	for _, line := range emv.Explain(emv.TagTVR, []byte{0x80, 0x00, 0x04, 0x80, 0x00}, lang.EN) {
		fmt.Println(line)
	}
	// Output:
	// B1b8 offline data authentication was not performed
	// B3b3 online PIN entered
	// B4b8 transaction exceeds the floor limit
}
