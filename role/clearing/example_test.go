package clearing_test

import (
	"fmt"

	"jiaozi/role/clearing"
	"jiaozi/value/lang"
	"jiaozi/value/money"
)

// A settled day for a person to read: incoming money is positive, and every
// column adds up to zero.
func ExampleReport_Text() {
	yuan := func(m money.Minor) money.Amount { return money.New(money.CNY, m) }
	r := clearing.Report{Date: 20261122, Currency: money.CNY, Count: clearing.Count{Accepted: 1},
		Positions: []clearing.Position{
			{Inst: "00010000", Gross: yuan(0), Cash: yuan(0), Interchange: yuan(0), Network: yuan(66), Clones: yuan(0), Net: yuan(66)},
			{Inst: "48010001", Gross: yuan(100000), Cash: yuan(0), Interchange: yuan(-350), Network: yuan(-33), Clones: yuan(0), Net: yuan(99617)},
			{Inst: "62100001", Gross: yuan(-100000), Cash: yuan(0), Interchange: yuan(350), Network: yuan(-33), Clones: yuan(0), Net: yuan(-99683)},
		}}
	fmt.Print(r.Text(lang.EN))
	fmt.Print(r.Text(lang.ZH))
	// Output:
	// Net positions of 2026-11-22 in CNY
	// institution        payments    cash loads   interchange   network fee        clones           net
	// 00010000               0.00          0.00          0.00          0.66          0.00          0.66
	// 48010001            1000.00          0.00         -3.50         -0.33          0.00        996.17
	// 62100001           -1000.00          0.00          3.50         -0.33          0.00       -996.83
	// 1 paid, 0 duplicates, 0 clones, 0 rejected, 0 waiting; 0 cash loads, 0 undone
	// 2026-11-22 清算净额（CNY）
	// 机构                   消费      现金圈存  发卡行服务费    网络服务费    克隆卡追偿          净额
	// 00010000               0.00          0.00          0.00          0.66          0.00          0.66
	// 48010001            1000.00          0.00         -3.50         -0.33          0.00        996.17
	// 62100001           -1000.00          0.00          3.50         -0.33          0.00       -996.83
	// 入账 1 笔，重复 0 笔，克隆 0 笔，拒付 0 笔，待定 0 笔；现金圈存 0 笔，撤销 0 笔
}
