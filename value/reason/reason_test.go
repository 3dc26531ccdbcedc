package reason

import (
	"regexp"
	"testing"

	"jiaozi/value/lang"
)

func TestEveryReasonSpeaksBothLanguages(t *testing.T) {
	code := regexp.MustCompile(`^[a-z][a-z_]+$`)
	han := regexp.MustCompile(`\p{Han}`)
	for c, text := range All() {
		if !code.MatchString(string(c)) {
			t.Errorf("%q is not a stable code", c)
		}
		if text.EN == "" || text.ZH == "" || han.MatchString(text.EN) || !han.MatchString(text.ZH) {
			t.Errorf("%s: %+v", c, text)
		}
	}
	if !Approved.Known() || Code("nonsense").Known() {
		t.Error("Known is wrong")
	}
	if got := Code("nonsense").Text(lang.EN); got != "nonsense" {
		t.Error(got)
	}
}
