package brands

import "jiaozi/value/money"

// Terms are what a payee asks for.
type Terms struct {
	Network  Network
	Payee    Digest // PayeeOf the account that the money is for
	Currency money.Currency
	Amount   money.Minor // of the whole payment, which may be many coins
	Time     int64       // Unix seconds, by the payee's clock
	Nonce    [16]byte    // random: two payments of one minute differ
	Contract Digest      // hash of what is bought; zero for none
	Group    string      // the group of merchants whose coins the payee takes; "" takes ordinary coins only
}

// Digest hashes all of the terms.
func (t *Terms) Digest() Digest {
	return begin("terms").add(t.Network[:]).add(t.Payee[:]).uint(uint64(t.Currency)).uint(uint64(t.Amount)).
		uint(uint64(t.Time)).add(t.Nonce[:]).add(t.Contract[:]).add([]byte(t.Group)).digest()
}

// PayeeOf hashes the name of an account as the mint knows it.
func PayeeOf(network Network, account string) Digest {
	return begin("payee").add(network[:]).add([]byte(account)).digest()
}

// LinkSpec is what a line answers that pays a coin to a blank; prev is the spec of the link before, zero for the first.
func LinkSpec(prev Digest, next *Coin) Digest {
	var coin [CoinSize]byte
	return begin("link").add(prev[:]).add(next.Append(coin[:0])).digest()
}

// FinalSpec is what the last line of a payment answers; prev is the spec of the last link, zero without any.
func FinalSpec(prev, terms Digest) Digest {
	return begin("final").add(prev[:]).add(terms[:]).digest()
}
