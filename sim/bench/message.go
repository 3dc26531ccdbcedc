package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"jiaozi/sim/bench/meter"
	"jiaozi/value/lang"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/tlv"
)

// The gate of the codec: a message may cost this much and no more.
const (
	gateNanoseconds = 1500
	gateAllocations = 3
	chipBytes       = 139
)

// benchMessage measures the codec on an offline upload.
func benchMessage(ctx context.Context, _ string, emit Emit) error {
	raw, err := upload()
	if err != nil {
		return err
	}
	codec := func() error { return recode(raw) }
	took, err := meter.Clock(meter.CPU).Rounds(ctx, codec, scan(raw))
	if err != nil {
		return err
	}
	allocated, err := allocations(codec)
	if err != nil {
		return err
	}
	return emitAll(emit,
		Figure{Name: "iso8583/message", Value: meter.Median(took[0]), Unit: "ns", Limit: meter.Median(took[1]), About: lang.Text{
			EN: "decode, validate and encode a 0200 with a 139-byte field 55; limit: copy and scan its bytes once",
			ZH: "解码、校验并编码一条含 139 字节 55 域的 0200；极限：同样字节复制并扫描一遍"}},
		Figure{Name: "iso8583/gate", Value: slices.Min(took[0]), Unit: "ns", Limit: gateNanoseconds, About: lang.Text{
			EN: "the fastest round of the same, the least disturbed one, against its gate", ZH: "同上最快（受干扰最少）的一轮，对照门槛"}},
		Figure{Name: "iso8583/allocations", Value: float64(allocated), Unit: "allocations", Limit: gateAllocations, About: lang.Text{
			EN: "allocations of the same against their gate", ZH: "同上的内存分配次数，对照门槛"}},
	)
}

// upload is the body of an offline upload as a terminal sends it.
func upload() ([]byte, error) {
	m := iso8583.Message{MTI: 0x0200}
	for n, v := range map[int]string{
		2: "6212340000000000011", 3: "000000", 4: "000000001000", 11: "000123", 12: "101530", 13: "1122", 14: "3012",
		22: "071", 23: "001", 25: "00", 41: "10000001", 42: "100000000000001", 49: "156", 60: "36000001000601",
	} {
		m.Set(n, v)
	}
	m.SetBytes(55, chip())
	m.SetBytes(64, make([]byte, 8))
	raw, err := iso8583.POS.Append(nil, &m)
	if err == nil && len(m.Text(55)) != chipBytes {
		err = fmt.Errorf("field 55 has %d bytes, not %d", len(m.Text(55)), chipBytes)
	}
	return raw, err
}

// chip is a field 55 of the agreed size; the codec does not look inside.
func chip() []byte {
	const head = 4 // tag and length of its one object
	return tlv.Append(nil, emv.TagIAD, make([]byte, chipBytes-head))
}

// recode is what a host does to every message: read, judge its form, write.
func recode(raw []byte) error {
	var m iso8583.Message
	if err := iso8583.POS.Decode(raw, &m); err != nil {
		return err
	}
	if err := iso8583.POS.Validate(&m); err != nil {
		return err
	}
	out, err := iso8583.POS.Append(nil, &m)
	if err == nil && len(out) != len(raw) {
		err = fmt.Errorf("%d bytes became %d", len(raw), len(out))
	}
	return err
}

// scan touches each byte once: no codec can do less.
func scan(raw []byte) meter.Task {
	copied := make([]byte, len(raw))
	return func() error {
		copy(copied, raw)
		var all byte
		for _, b := range copied {
			all ^= b
		}
		runtime.KeepAlive(all) // or the compiler may leave the loop out
		return nil
	}
}

// allocations counts those of one call. What others allocate meanwhile is too
// little to reach the next whole number.
func allocations(do meter.Task) (uint64, error) {
	const calls = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := meter.Times(calls, do)()
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / calls, err
}
