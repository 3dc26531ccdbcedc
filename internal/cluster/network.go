package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// The same ports on every machine, as in life. They lie below the range from which the kernel lends ports to outgoing
// connections, so nobody takes one between our look and our use.
const (
	postgresPort = "25432"
	restPort     = "28008"
	etcdPort     = "22379"
	etcdPeerPort = "22380"
)

// addresses finds a network of loopback addresses where nobody listens on our ports: another run of the tests on this
// computer lives in another one.
func addresses(count int) ([]string, error) {
	var last error
	for range 20 {
		var list []string
		third, second := rand.IntN(256), 1+rand.IntN(254)
		for host := range count {
			list = append(list, fmt.Sprintf("127.%d.%d.%d", second, third, host+1))
		}
		if last = free(list); last == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("no loopback addresses for three machines, is something listening on every address? %w", last)
}

func free(list []string) error {
	var taken error
	for _, address := range list {
		for _, port := range []string{postgresPort, restPort, etcdPort, etcdPeerPort} {
			l, err := net.Listen("tcp", net.JoinHostPort(address, port))
			if err != nil {
				taken = errors.Join(taken, err)
				continue
			}
			taken = errors.Join(taken, l.Close())
		}
	}
	return taken
}
