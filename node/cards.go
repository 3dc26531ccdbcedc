package node

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"jiaozi/crypt/oda"
	"jiaozi/crypt/oda/testkeys"
	"jiaozi/crypt/pin"
	"jiaozi/crypt/vault"
	"jiaozi/node/cardfile"
	"jiaozi/node/perso"
	"jiaozi/role/card"
	"jiaozi/role/issuer"
	"jiaozi/value/clock"
	"jiaozi/value/ident"
	"jiaozi/value/money"
	"jiaozi/wire/observer"

	"filippo.io/age"
)

// CardOrder says what card to make. Empty fields are the scheme's defaults; an
// empty account means one named like the card, or like nobody else's. It is an Order: number and
// PIN are plain text because they cross the administrative socket.
type CardOrder struct {
	Name      string     `json:"name"` // of the file in the scheme's card folder, unless Path is given
	Path      string     `json:"path"`
	PAN       string     `json:"pan"`
	Account   string     `json:"account"`
	Holder    string     `json:"holder"`
	PIN       string     `json:"pin"`
	Balance   string     `json:"balance"`
	Limit     string     `json:"limit"`
	Single    string     `json:"single"`
	Effective clock.Date `json:"effective"`
	Expiry    clock.Date `json:"expiry"`
}

// Format keeps number and PIN out of logs.
func (o CardOrder) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "make card %s", o.Name) }

// CardIssued is what may be known of a new card.
type CardIssued struct {
	Ref     string      `json:"ref"`
	Path    string      `json:"file"`
	PAN     string      `json:"pan"` // masked
	Account string      `json:"account"`
	Expiry  clock.Date  `json:"expiry"`
	Balance json.Number `json:"balance"`
	AID     string      `json:"aid"`
	CA      CAKey       `json:"ca"`
}

// Verb names the order.
func (CardOrder) Verb() string { return "card-new" }

// Run makes and registers the card.
func (o CardOrder) Run(ctx context.Context, n *Node) (any, error) { return n.IssueCard(ctx, o) }

// cardYears is how long a card is valid unless the order says otherwise.
const cardYears = 5

// CardPath is the file of a card in the scheme's card folder.
func (n *Node) CardPath(name string) string {
	return filepath.Join(n.dir, "cards", name+".card")
}

// IssueCard personalises a card into a file and registers it; the balance, if
// any, is posted as a load paid in bank money. The file is written first: a card
// that nobody registered is worth nothing. A number is given out once: a second
// card of it would carry money that nobody paid.
func (n *Node) IssueCard(ctx context.Context, o CardOrder) (*CardIssued, error) {
	n.cardMu.Lock()
	defer n.cardMu.Unlock()
	path, err := n.cardFile(o)
	if err != nil {
		return nil, err
	}
	order, err := n.personalisation(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := n.unregistered(ctx, order); err != nil {
		return nil, err
	}
	profile, err := perso.Build(n.persoKeys(), order)
	if err != nil {
		return nil, err
	}
	if err := cardfile.Create(path, n.key, func(m card.Memory) error { return card.Format(m, profile) }); err != nil {
		return nil, err
	}
	// Whoever asked may have gone: only the book's own answer tells whether the file
	// is a card.
	ctx = context.WithoutCancel(ctx)
	account, err := n.accountOf(o, order)
	if err != nil {
		return nil, err
	}
	ref, err := n.register(ctx, n.label(path), account, order)
	if err != nil {
		return nil, errors.Join(err, n.discard(ctx, path, order))
	}
	return n.issued(ref, path, account, order)
}

// accountOf names the account of a new card. A card that was asked for by the path
// of its file gets one of its own: two people may call their files alike.
func (n *Node) accountOf(o CardOrder, order perso.Order) (string, error) {
	if account := cmp.Or(o.Account, o.Name); account != "" {
		return account, nil
	}
	ref, err := n.vault.CardRef(keyPseudonym, order.PAN, order.PSN)
	return ref.String(), err
}

// discard removes the file of a card that was not registered. If that is not sure it
// stays, because it may hold money.
func (n *Node) discard(ctx context.Context, path string, order perso.Order) error {
	if err := n.unregistered(ctx, order); err != nil {
		return err
	}
	return os.Remove(path)
}

// cardFile is where a new card's file goes.
func (n *Node) cardFile(o CardOrder) (string, error) {
	if o.Path == "" && (o.Name == "" || o.Name != filepath.Base(o.Name)) {
		return "", fmt.Errorf("card name %q is not the name of a file", o.Name)
	}
	path, err := filepath.Abs(cmp.Or(o.Path, n.CardPath(o.Name)))
	if err != nil {
		return "", fmt.Errorf("make card: %w", err)
	}
	return path, nil
}

func (n *Node) unregistered(ctx context.Context, order perso.Order) error {
	_, _, err := n.issuer.Card(ctx, order.PAN, order.PSN)
	switch {
	case err == nil:
		return fmt.Errorf("card %s is registered already: a number is given out once", order.PAN)
	case errors.Is(err, issuer.ErrUnknownCard):
		return nil
	}
	return err
}

func (n *Node) issued(ref ident.CardRef, path, account string, order perso.Order) (*CardIssued, error) {
	trust, err := loadTrust(n.dir)
	if err != nil {
		return nil, err
	}
	return &CardIssued{
		Ref: ref.String(), Path: path, PAN: order.PAN.Masked(), Account: account, Expiry: order.Expiry,
		Balance: json.Number(order.Balance.String()), AID: order.AID.Hex(), CA: trust.CA[0],
	}, nil
}

// label is how the register remembers a card's file: relative inside the data
// directory, so that the directory can be moved.
func (n *Node) label(path string) string {
	base, err := filepath.Abs(n.dir)
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(base, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func (n *Node) register(ctx context.Context, label, account string, order perso.Order) (ident.CardRef, error) {
	date, err := n.BusinessDate(ctx)
	if err != nil {
		return ident.CardRef{}, err
	}
	return n.issuer.RegisterCard(ctx, issuer.NewCard{
		PAN: order.PAN, PSN: order.PSN, Account: account, Expiry: order.Expiry,
		Limit: order.BalanceLimit, Balance: order.Balance, PIN: order.PIN, Label: label,
	}, date)
}

func (n *Node) persoKeys() perso.Keys {
	return perso.Keys{Vault: n.vault.Vault, Cards: vault.KeySet{AC: keyAC, MAC: keyMAC, ENC: keyENC}, CA: keyCA, Issuer: keyIssuerRSA, Signer: keyIssuer}
}

// personalisation fills an order with the scheme's defaults.
func (n *Node) personalisation(ctx context.Context, o CardOrder) (perso.Order, error) {
	s := n.scheme
	aid, err := s.aid()
	if err != nil {
		return perso.Order{}, err
	}
	today := clock.DateOf(n.Now())
	order := perso.Order{
		AID: aid, Label: "JIAOZI CASH", Holder: cmp.Or(o.Holder, "CARDHOLDER/JIAOZI"), IIN: s.IIN,
		Effective: cmp.Or(o.Effective, today), Expiry: cmp.Or(o.Expiry, today.AddDays(365*cardYears)), Country: s.Country, Currency: s.currency(),
		CAIndex: s.CA, DKI: 1,
	}
	if order.PAN, err = n.cardNumber(ctx, o.PAN); err != nil {
		return order, err
	}
	if order.RSA, err = n.cardKey(order.PAN); err != nil {
		return order, err
	}
	if order.Observer, err = n.cardObserver(order.PAN); err != nil {
		return order, err
	}
	return order, errors.Join(n.persoAmounts(&order, o), n.persoPIN(&order, o))
}

// Personalisation is the order for a card of a given number with the scheme's
// defaults and no balance.
func (n *Node) Personalisation(ctx context.Context, pan ident.PAN) (perso.Order, error) {
	return n.personalisation(ctx, CardOrder{PAN: pan.Reveal()})
}

func (n *Node) persoAmounts(order *perso.Order, o CardOrder) error {
	s := n.scheme
	for _, amount := range []struct {
		text, def string
		into      *money.Amount
	}{
		{o.Balance, "0.00", &order.Balance},
		{o.Limit, s.Limits.Balance, &order.BalanceLimit},
		{o.Single, s.Limits.Single, &order.SingleLimit},
		{"", "0.00", &order.Threshold},
		{"", s.Limits.NoPIN, &order.PINAbove},
	} {
		var err error
		if *amount.into, err = s.money(cmp.Or(amount.text, amount.def)); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) persoPIN(order *perso.Order, o CardOrder) error {
	if o.PIN == "" {
		return nil
	}
	var err error
	if order.PIN, err = pin.Parse(o.PIN); err != nil {
		return err
	}
	order.TryLimit = uint8(n.scheme.Limits.PINTries)
	return nil
}

// panDigits is the length of the card numbers that this issuer gives out.
const panDigits = 16

// cardNumber takes the number that was asked for, or gives out the next.
func (n *Node) cardNumber(ctx context.Context, asked string) (ident.PAN, error) {
	if asked == "" {
		return n.newPAN(ctx)
	}
	if !strings.HasPrefix(asked, n.scheme.IIN) {
		return ident.PAN{}, fmt.Errorf("card numbers of this issuer begin with %s", n.scheme.IIN)
	}
	return ident.ParsePAN(asked)
}

func (n *Node) newPAN(ctx context.Context) (ident.PAN, error) {
	seq, err := n.next(ctx, deskCardSeq)
	if err != nil {
		return ident.PAN{}, err
	}
	room := panDigits - 1 - len(n.scheme.IIN)
	digits := fmt.Sprintf("%s%0*d", n.scheme.IIN, room, seq)
	if len(digits) != panDigits-1 {
		return ident.PAN{}, errors.New("every card number of the issuer is used: ask for another iin")
	}
	return ident.ParsePAN(ident.WithLuhn(digits))
}

// cardKey gives the RSA key of a new card. A seeded test scheme takes a stored
// one, because making RSA keys does not listen to seeds; otherwise the zero key
// asks personalisation to make one.
func (n *Node) cardKey(pan ident.PAN) (oda.PrivateKey, error) {
	if n.options.Seed == nil {
		return oda.PrivateKey{}, nil
	}
	digits := pan.Reveal()
	sum := 0
	for _, d := range digits[len(digits)-5 : len(digits)-1] {
		sum = sum*10 + int(d-'0')
	}
	return testkeys.Card(sum % testkeys.Cards)
}

// cardObserver gives the observer's secret of a new card, likewise: a seeded test
// scheme draws it from the seed and the number, any other leaves it to chance.
func (n *Node) cardObserver(pan ident.PAN) (observer.Secret, error) {
	if n.options.Seed == nil {
		return observer.Secret{}, nil
	}
	return observer.DrawSecret(n.stream("observer/" + pan.Reveal()))
}

// OpenCard is a card out of its file, as long as somebody holds it.
type OpenCard struct {
	*card.Card
	file *cardfile.File
}

// Close puts the card back.
func (c *OpenCard) Close() error { return c.file.Close() }

// OpenCard opens a card file sealed with the scheme's key.
func (n *Node) OpenCard(path string) (*OpenCard, error) {
	return openCard(path, n.key, n.stream("card/"+filepath.Base(path)))
}

// OpenCardFile opens a card file for a point of sale, beside a running server.
func OpenCardFile(o Options, path string) (*OpenCard, error) {
	key, err := OpenKey(o.keyPath())
	if err != nil {
		return nil, err
	}
	return openCard(path, key, rand.Reader)
}

func openCard(path string, key *age.X25519Identity, rand io.Reader) (*OpenCard, error) {
	f, err := cardfile.Open(path, key)
	if err != nil {
		return nil, err
	}
	c, err := card.Open(f, rand)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &OpenCard{c, f}, nil
}

// Key is the identity that seals the scheme's cards.
func (n *Node) Key() *age.X25519Identity { return n.key }

// BlockCard is the order to put a card on the blacklist, by the name of its file.
type BlockCard struct {
	Name string `json:"name"`
}

// CardBlocked says which card was listed and in which edition.
type CardBlocked struct {
	Card string `json:"card"`
}

// Verb names the order.
func (BlockCard) Verb() string { return "card-block" }

// Run lists the card and publishes a new edition.
func (b BlockCard) Run(ctx context.Context, n *Node) (any, error) {
	c, err := n.registered(ctx, b.Name)
	if err != nil {
		return nil, err
	}
	date, err := n.BusinessDate(ctx)
	if err != nil {
		return nil, err
	}
	if err := n.issuer.SetStatus(ctx, c.PAN, c.PSN, issuer.Blocked, date); err != nil {
		return nil, err
	}
	return CardBlocked{c.PAN.Masked()}, n.PublishList(ctx)
}

// registered finds a card of the scheme's folder in the issuer's register.
func (n *Node) registered(ctx context.Context, name string) (issuer.Card, error) {
	label := filepath.Join("cards", name+".card")
	var found issuer.Card
	err := n.issuer.Cards(ctx, func(_ ident.CardRef, c issuer.Card) error {
		if c.Label == label {
			found = c
		}
		return nil
	})
	if err == nil && found.PAN.IsZero() {
		err = fmt.Errorf("there is no card named %s", name)
	}
	return found, err
}

// CardNumber is the number of a card of the scheme's folder.
func (n *Node) CardNumber(ctx context.Context, name string) (ident.PAN, error) {
	c, err := n.registered(ctx, name)
	return c.PAN, err
}
