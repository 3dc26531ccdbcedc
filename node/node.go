// Package node assembles a scheme: configuration, vault, book, roles, servers
// and lifecycle, all under one data directory. It holds no business rule; it
// decides which door of the book and which key each role gets, and who may talk
// to whom.
//
//	DIR/scheme.json   what the operator decided; written last, so it marks a whole init
//	DIR/scheme.key    the key that seals the rest, unless one is given from outside
//	DIR/vault.age     the scheme's keys, sealed
//	DIR/book/         the ledger
//	DIR/book.pub      the public key that customers check proofs with
//	DIR/checkpoints/  what was signed at the end of each day, one folder a chain
//	DIR/cards/        card images, sealed
//	DIR/terminals/    one folder a terminal: terminal.json, vault.age, journal
//	DIR/files/        clearing files and statements, for people to read
//
// One process at a time works on a directory; administrative commands go
// through its socket (Admin), and an audit may read beside it (AuditDir). Start
// with Init, Open and ServeRoles.
package node

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"jiaozi/book"
	"jiaozi/crypt/vault"
	"jiaozi/node/durable"
	"jiaozi/role/acquirer"
	"jiaozi/role/clearing"
	"jiaozi/role/issuer"
	"jiaozi/role/mint"
	"jiaozi/value/clock"
	"jiaozi/value/money"

	"filippo.io/age"
)

// What a command must tell apart.
var (
	// ErrUnreachable: a server does not answer.
	ErrUnreachable = errors.New("the server cannot be reached")
	// ErrIntegrity: something that must add up does not.
	ErrIntegrity = errors.New("integrity check failed")
)

// Options say which scheme to open and with what clock and randomness.
type Options struct {
	Dir     string
	KeyFile string // empty: JIAOZI_KEY_FILE, else DIR/scheme.key
	Test    bool   // Init only: make a test scheme
	// Store, for Init only, is the PostgreSQL database of the book; empty: embedded.
	Store string
	// Seed makes a test scheme repeatable: keys and numbers come from it, RSA
	// keys from the stored test keys. Nil is the machine's randomness.
	Seed  *uint64
	Clock clock.Clock // nil: the machine's
}

func (o *Options) clock() clock.Clock {
	if o.Clock == nil {
		return clock.System{}
	}
	return o.Clock
}

func (o *Options) keyPath() string { return KeyPath(o.KeyFile, filepath.Join(o.Dir, "scheme.key")) }

// stream gives the randomness of one purpose. Seeded streams of different names
// differ, and so do those of different runs on the same data.
func (o *Options) stream(name string, run uint64) io.Reader {
	if o.Seed == nil {
		return rand.Reader
	}
	seed := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", name, *o.Seed, run))
	return &seeded{src: mathrand.NewChaCha8(seed)}
}

// Node is an open scheme. Its methods may be called concurrently.
type Node struct {
	dir     string
	options Options
	scheme  *Scheme
	key     *age.X25519Identity
	lock    *os.File
	vault   *safe
	ledger  *book.Ledger
	desk    *book.Door // the node's own records: runs, business dates
	run     uint64

	issuer   *issuer.Issuer
	acquirer *acquirer.Acquirer
	clearing *clearing.Clearing
	mint     *mint.Mint // nil in a scheme without coins
	uplink   uplink
	metrics  *metrics

	servers *servers
	dayMu   sync.Mutex // one end of day at a time
	cardMu  sync.Mutex // one new card at a time
	tillMu  sync.Mutex // one new terminal at a time
	listMu  sync.Mutex // one edition of the blacklist at a time
	listed  time.Time  // when the last one was made
	mintMu  sync.Mutex // one look at the epochs of coins at a time
	minted  time.Time  // when the last one was
}

// Open takes the directory for this process and opens everything in it.
func Open(ctx context.Context, o Options) (*Node, error) {
	scheme, err := LoadScheme(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Seed != nil && !scheme.Test {
		o.Seed = nil // a production scheme never draws from a seed
	}
	n := &Node{dir: o.Dir, options: o, scheme: scheme}
	if n.lock, err = durable.Lock(filepath.Join(o.Dir, "lock")); err != nil {
		return nil, err
	}
	if err := n.openStores(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	if err := n.openRoles(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) openStores(ctx context.Context) error {
	var err error
	if n.key, err = OpenKey(n.options.keyPath()); err != nil {
		return err
	}
	if n.vault, err = openSafe(filepath.Join(n.dir, "vault.age"), n.key, n.scheme.Test); err != nil {
		return err
	}
	if _, err := os.Stat(bookKeyPath(n.dir)); errors.Is(err, fs.ErrNotExist) {
		if err := publishBookKey(n.dir, n.scheme, n.vault.Vault); err != nil {
			return err
		}
	}
	if n.ledger, err = openBook(ctx, n.dir, n.scheme); err != nil {
		return err
	}
	n.desk = n.ledger.Door([]string{deskEvents}, []string{deskSpaces})
	return n.loadRun(ctx)
}

// Close stops the servers, then the book; what was answered is on the disk.
func (n *Node) Close() error {
	var errs []error
	if n.servers != nil {
		errs = append(errs, n.servers.stop())
	}
	errs = append(errs, n.uplink.close())
	if n.ledger != nil {
		errs = append(errs, n.ledger.Close())
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Close())
	}
	return errors.Join(errs...)
}

// Dir is the data directory.
func (n *Node) Dir() string { return n.dir }

// Now is the scheme's time.
func (n *Node) Now() time.Time { return n.options.clock().Now() }

// Currency is the scheme's currency.
func (n *Node) Currency() money.Currency { return n.scheme.currency() }

// seeded is a stream of numbers that a seed decides. Test schemes only.
type seeded struct {
	mu  sync.Mutex
	src *mathrand.ChaCha8
}

func (s *seeded) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.src.Read(p)
}

func sortedKeys(m map[vault.Handle]vault.Purpose) []vault.Handle {
	keys := make([]vault.Handle, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// stream is Options.stream for the current run.
func (n *Node) stream(name string) io.Reader { return n.options.stream(name, n.run) }
