package node

import (
	"context"
	"time"
)

// PublishList makes a new edition of the blacklist and hands it to the acquirer,
// from whom terminals fetch it.
func (n *Node) PublishList(ctx context.Context) error {
	n.listMu.Lock()
	defer n.listMu.Unlock()
	now := n.Now()
	edition, err := n.issuer.PublishList(ctx, now)
	if err != nil {
		return err
	}
	if err := n.acquirer.PublishList(ctx, edition, now); err != nil {
		return err
	}
	n.listed = now
	return nil
}

// renewList publishes a new edition when half of the last one's life is over,
// so that a terminal that fetches daily never holds an expired one.
func (n *Node) renewList(ctx context.Context) error {
	n.listMu.Lock()
	due := n.Now().Sub(n.listed) >= time.Duration(n.scheme.ListHours)*time.Hour/2
	n.listMu.Unlock()
	if !due {
		return nil
	}
	return n.PublishList(ctx)
}
