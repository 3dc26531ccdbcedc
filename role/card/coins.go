package card

import (
	"errors"
	"fmt"

	"jiaozi/crypt/brands"
	"jiaozi/value/must"
	"jiaozi/wire/apdu"
	"jiaozi/wire/observer"
)

// CoinProfile is what a personalisation writes for the coin application: the
// secret of the observer, which from then on only the card has, and the issuer's
// word for it. The zero CoinProfile makes a card with a purse alone.
type CoinProfile struct {
	Secret      observer.Secret
	Certificate observer.Certificate // of CoinIdentity(Secret)
	AirLimit    uint8                // answers over the air before the PIN is wanted over the contacts; unused without PIN
}

// CoinIdentity gives A_O of a secret, for the certificate.
func CoinIdentity(s observer.Secret) [observer.Size]byte {
	return newObserver(s).Identity().Bytes()
}

func newObserver(s observer.Secret) *brands.Observer {
	return brands.NewObserver(brands.Digest(s.Reveal()))
}

func (p *CoinProfile) check() error {
	switch none := p.Certificate == (observer.Certificate{}); {
	case p.Secret.IsZero() && none:
		return nil
	case p.Secret.IsZero() || none:
		return errors.New("profile needs an observer's secret and its certificate, or neither")
	case CoinIdentity(p.Secret) != p.Certificate.Identity:
		return errors.New("profile's certificate is of another observer")
	case !p.Certificate.Expiry.Valid():
		return errors.New("profile's observer certificate has no last day")
	}
	return nil
}

// format writes a new coin application, or leaves the erased pages that stand for
// none.
func (p *CoinProfile) format(m Memory) error {
	if p.Secret.IsZero() {
		return nil
	}
	start := coins{window: newWindow(openIndices), airLeft: p.AirLimit}
	if err := writeSlot(m, coinSlots, 1, start.append(nil)); err != nil {
		return err
	}
	return writeBlock(m, coinArea, 1, p.append(nil))
}

// The personalised part: secret, limit, certificate.
const coinPersonaBytes = observer.Size + 1 + observer.CertificateBytes

func (p *CoinProfile) append(dst []byte) []byte {
	return p.Certificate.Append(append(append(dst, p.Secret.Reveal()...), p.AirLimit))
}

func decodeCoinProfile(b []byte) (p CoinProfile, err error) {
	if len(b) != coinPersonaBytes {
		return p, fmt.Errorf("coin application is cut short: %w", ErrMemory)
	}
	p.AirLimit = b[observer.Size]
	if p.Secret, err = observer.NewSecret(b[:observer.Size]); err == nil {
		p.Certificate, err = observer.ParseCertificate(b[observer.Size+1:])
	}
	if err != nil {
		return p, fmt.Errorf("coin application (%w): %w", err, ErrMemory)
	}
	return p, nil
}

// coinApplet is the second application: the observer of the holder's coins.
type coinApplet struct {
	CoinProfile
	observer *brands.Observer
	state    *coins
	seq      uint64
}

// openCoins reads the coin application, nil if there is none: its first page was
// never written, or erased. Cards made before there were coins look like that.
func openCoins(m Memory) (*coinApplet, error) {
	var page [PageSize]byte
	if err := m.ReadPage(coinArea.at, &page); err != nil {
		return nil, fmt.Errorf("read card memory page %d: %w", coinArea.at, err)
	}
	if page == [PageSize]byte{} {
		return nil, nil
	}
	_, b, ok, err := readBlock(m, coinArea)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("coin application: %w", ErrMemory)
	}
	p, err := decodeCoinProfile(b)
	if err != nil {
		return nil, err
	}
	seq, b, err := readSlots(m, coinSlots)
	if err != nil {
		return nil, err
	}
	s, err := decodeCoins(b)
	if err != nil {
		return nil, err
	}
	return &coinApplet{CoinProfile: p, observer: newObserver(p.Secret), state: s, seq: seq}, nil
}

// commitCoins writes the next state of the coin application and only then lets the
// card believe in it.
func (c *Card) commitCoins(change func(*coins)) error {
	a := c.coin
	next := a.state.clone()
	change(next)
	must.Hold(next.window.low >= a.state.window.low && next.window.next >= a.state.window.next, "card: the indices went back")
	if err := writeSlot(c.memory, coinSlots, a.seq+1, next.append(nil)); err != nil {
		return err
	}
	a.seq, a.state = a.seq+1, next
	return nil
}

// flags say under which rules the coin application speaks in this session.
func (c *Card) coinFlags() (f observer.Flags) {
	if c.session.iface == Contactless {
		f |= observer.OverAir
	}
	if c.state.hasPIN() {
		f |= observer.HasPIN
	}
	if !c.coin.state.pairing.IsZero() {
		f |= observer.Paired
	}
	return f
}

// selectCoins opens the coin application. It stands in no directory: those are for
// terminals of the purse. That the issuer blocked or emptied the purse does not
// close it, for the coins are the holder's and no claim on this issuer's card.
func (c *Card) selectCoins() ([]byte, apdu.SW, error) {
	if c.coin == nil {
		return refuse(apdu.FileNotFound)
	}
	c.session.phase = inCoins
	return observer.AppendSelected(nil, c.coinFlags()), apdu.OK, nil
}
