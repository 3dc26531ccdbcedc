package explain

import (
	"fmt"

	"jiaozi/value/lang"
	"jiaozi/wire/apdu"
	"jiaozi/wire/observer"
)

// coinVerbs are the instructions of the coin application, which stand in the
// proprietary classes only.
var coinVerbs = map[byte]verb{
	observer.InsInfo:    {lang.Text{EN: "INFO (coins)", ZH: "读信息（电子币 INFO）"}, nil, coinData},
	observer.InsPrepare: {lang.Text{EN: "PREPARE (coins)", ZH: "准备（电子币 PREPARE）"}, nil, coinData},
	observer.InsAnswer:  {lang.Text{EN: "ANSWER (coins)", ZH: "应答（电子币 ANSWER）"}, nil, coinData},
	observer.InsStatus:  {lang.Text{EN: "STATUS (coins)", ZH: "查状态（电子币 STATUS）"}, nil, coinData},
	observer.InsRetire:  {lang.Text{EN: "RETIRE (coins)", ZH: "关闭序号（电子币 RETIRE）"}, nil, coinData},
	observer.InsPair:    {lang.Text{EN: "PAIR (coins)", ZH: "配对（电子币 PAIR）"}, nil, hiddenData},
}

// coinData splits the seal off and names what is left.
func coinData(c apdu.Command, l lang.Lang) []Line {
	data, seal := c.Data, []byte(nil)
	if n := len(data) - observer.MACBytes; c.CLA == observer.ClaSealed && n >= 0 {
		data, seal = data[:n], data[n:]
	}
	var lines []Line
	if len(data) > 0 {
		lines = append(lines, coinFields(c.INS, data, l))
	}
	if seal != nil {
		lines = append(lines, Line{Field: "MAC", Name: say(l, "seal of the paired wallet", "配对钱包的签封"), Value: fmt.Sprintf("%X", seal)})
	}
	return lines
}

func coinFields(ins byte, data []byte, l lang.Lang) Line {
	line := dataLine(fmt.Sprintf("%X", data), l)
	if r, err := observer.ParsePrepare(data); err == nil && ins == observer.InsPrepare {
		line.Notes = []string{fmt.Sprintf(say(l, "%d indices from %d on", "%d 个序号，自 %d 起"), r.Count, r.First)}
	}
	if q, err := observer.ParseAnswer(data); err == nil && ins == observer.InsAnswer {
		line.Notes = []string{fmt.Sprintf(say(l, "index %d, challenge %X", "序号 %d，挑战 %X"), q.Index, q.Challenge)}
	}
	if index, err := observer.ParseIndex(data); err == nil && (ins == observer.InsStatus || ins == observer.InsRetire) {
		line.Notes = []string{fmt.Sprintf(say(l, "index %d", "序号 %d"), index)}
	}
	return line
}
