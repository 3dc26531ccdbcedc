package load

import (
	"bytes"
	"encoding/json"
	"strconv"

	"jiaozi/value/lang"
)

// Figure is one measured speed beside what bounds it.
type Figure struct {
	Name  string
	Ops   float64 // a second
	Limit float64 // a second
	CPU   float64 // microseconds of CPU time an operation, of this process and its children
	Gate  float64 // the ratio that it must reach; 0 = none
	Aim   float64 // the ratio that it should reach; 0 = none
	More  []Extra // what else was seen
	// Missing says why there is no figure; then all numbers are zero.
	Missing string
	About   lang.Text // what was measured, and against what
}

// Extra is a measured value beside the speed, its unit at the end of its name.
type Extra struct {
	Name     string
	Value    float64
	Min, Max float64 // what it must keep to; 0 = no bound
}

// kept says whether the value keeps its bounds.
func (e Extra) kept() bool {
	return (e.Min == 0 || e.Value >= e.Min) && (e.Max == 0 || e.Value <= e.Max)
}

// Ratio is the speed in limits.
func (f Figure) Ratio() float64 {
	if f.Limit == 0 {
		return 0
	}
	return f.Ops / f.Limit
}

// Passes says whether the figure was taken and keeps its gate and all bounds.
func (f Figure) Passes() bool {
	for _, e := range f.More {
		if !e.kept() {
			return false
		}
	}
	return f.Missing == "" && f.Ratio() >= f.Gate
}

// MarshalJSON writes one object, the agreed names first. A figure that was not
// taken has null for its numbers and says why.
func (f Figure) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	write := func(name, value string) {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(name) + ":" + value)
	}
	name, err := json.Marshal(f.Name)
	if err != nil {
		return nil, err
	}
	b.WriteByte('{')
	write("name", string(name))
	for _, n := range []struct {
		name  string
		value float64
	}{{"ops_per_s", f.Ops}, {"limit_per_s", f.Limit}, {"ratio", f.Ratio()}, {"cpu_us", f.CPU}} {
		if f.Missing != "" {
			write(n.name, "null")
			continue
		}
		write(n.name, Significant(n.value))
	}
	for _, e := range append([]Extra{{Name: "gate", Value: f.Gate}, {Name: "aim", Value: f.Aim}}, f.bounds()...) {
		if e.Value != 0 {
			write(e.Name, Significant(e.Value))
		}
	}
	if f.Missing != "" {
		why, err := json.Marshal(f.Missing)
		if err != nil {
			return nil, err
		}
		write("not_measured", string(why))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// bounds lists the extras, each followed by what it must keep to.
func (f Figure) bounds() []Extra {
	var list []Extra
	for _, e := range f.More {
		list = append(list, Extra{Name: e.Name, Value: e.Value},
			Extra{Name: e.Name + "_min", Value: e.Min}, Extra{Name: e.Name + "_max", Value: e.Max})
	}
	return list
}

// Significant writes three digits, or all before the point: a measurement holds
// no more.
func Significant(x float64) string {
	const digits = 3
	if x >= 1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', digits, 64)
}
