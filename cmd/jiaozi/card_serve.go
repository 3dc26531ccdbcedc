package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"

	"jiaozi/link/vpcd"
	"jiaozi/node/cardfile"
	"jiaozi/role/card"

	"github.com/spf13/cobra"
)

// serving says where to put which side of a card.
type serving struct {
	cardFlags
	reader string
	listen bool
	side   string
}

func cardServeCommand() *cobra.Command {
	var s serving
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Put a card into a virtual PC/SC reader (vpcd) until interrupted",
		Example: `  jiaozi card serve --file my.card --vpcd localhost:35963
  jiaozi card serve --file my.card --vpcd localhost:35963 --interface contactless`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return classifyCard(s.serve(cmd)) },
	}
	s.register(cmd)
	cmd.Flags().StringVar(&s.reader, "vpcd", "localhost:35963", "address of the vpcd driver")
	cmd.Flags().BoolVar(&s.listen, "listen", false, "wait at that address for a driver that connects (DEVICENAME host:port)")
	cmd.Flags().StringVar(&s.side, "interface", card.Contact.String(), "contact or contactless: decides about PIN, loads and taps")
	return cmd
}

// side is one interface of a card, as a reader meets it.
type side struct {
	*card.Card
	of card.Interface
}

// PowerOn powers the card up on this side.
func (s side) PowerOn() ([]byte, error) { return s.Card.PowerOn(s.of) }

func (s *serving) serve(cmd *cobra.Command) (err error) {
	of, err := parseInterface(s.side)
	if err != nil {
		return err
	}
	key, err := s.openKey()
	if err != nil {
		return err
	}
	file, err := cardfile.Open(s.file, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	c, err := card.Open(file, rand.Reader)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "card %s (%s) at the virtual reader %s; interrupt to take it out\n", c.Evidence().PAN, of, s.reader)
	return s.insert(cmd.Context(), side{c, of})
}

func (s *serving) insert(ctx context.Context, c vpcd.Card) error {
	if !s.listen {
		return vpcd.Dial(ctx, s.reader, c)
	}
	l, err := net.Listen("tcp", s.reader)
	if err != nil {
		return fmt.Errorf("wait for the virtual reader: %w", err)
	}
	return vpcd.Listen(ctx, l, c)
}

func parseInterface(s string) (card.Interface, error) {
	for _, i := range []card.Interface{card.Contact, card.Contactless} {
		if s == i.String() {
			return i, nil
		}
	}
	return 0, fmt.Errorf("--interface %q is not known: use contact or contactless", s)
}
