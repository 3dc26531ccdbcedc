package load

import (
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
	Most  float64 // what CPU may be; 0 = any
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

// String is the value with its bounds, as in "p50_us 12 (at most 100)".
func (e Extra) String() string {
	text := e.Name + " " + Significant(e.Value)
	if e.Min != 0 {
		text += " (at least " + Significant(e.Min) + ")"
	}
	if e.Max != 0 {
		text += " (at most " + Significant(e.Max) + ")"
	}
	return text
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
	return f.Missing == "" && f.Ratio() >= f.Gate && (f.Most == 0 || f.CPU <= f.Most)
}

// MarshalJSON writes one object, the agreed names first. A figure that was not
// taken has null for its numbers and says why.
func (f Figure) MarshalJSON() ([]byte, error) {
	o := object{'{'}
	o.text("name", f.Name)
	for _, n := range []Extra{{Name: "ops_per_s", Value: f.Ops}, {Name: "limit_per_s", Value: f.Limit}, {Name: "ratio", Value: f.Ratio()}, {Name: "cpu_us", Value: f.CPU}} {
		if f.Missing != "" {
			o.put(n.Name, "null")
			continue
		}
		o.put(n.Name, Significant(n.Value))
	}
	o.bound("cpu_us_max", f.Most)
	o.bound("gate", f.Gate)
	o.bound("aim", f.Aim)
	for _, e := range f.More {
		o.put(e.Name, Significant(e.Value))
		o.bound(e.Name+"_min", e.Min)
		o.bound(e.Name+"_max", e.Max)
	}
	if f.Missing != "" {
		o.text("not_measured", f.Missing)
	}
	return append(o, '}'), nil
}

// object is JSON in the making: its names stay in the order in which they came.
type object []byte

func (o *object) put(name, value string) {
	if len(*o) > 1 {
		*o = append(*o, ',')
	}
	*o = append(strconv.AppendQuote(*o, name), ':')
	*o = append(*o, value...)
}

func (o *object) text(name, value string) {
	quoted, _ := json.Marshal(value) // a string always has a form
	o.put(name, string(quoted))
}

// bound writes a bound, if there is one.
func (o *object) bound(name string, value float64) {
	if value != 0 {
		o.put(name, Significant(value))
	}
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
