// Package cluster is a whole PostgreSQL cluster for tests, of the kind that a bank would run: three machines with an etcd
// member each, two of them with PostgreSQL under Patroni, where every commit waits for the synchronous standby. It is
// configured by the templates in deploy/, so that what is deployed is what was tested.
//
// A machine is an address of its own in 127.0.0.0/8 and a folder of its own: a process whose working directory lies in
// that folder runs on that machine. Kill ends all of them at once, as a power cut would; Freeze stops them without closing
// a connection, as a hung kernel would.
//
// It promises to leave nothing behind. A guard process holds a pipe from the test program: however that ends, the guard
// kills what runs and removes the folder. PostgreSQL refuses root, so root starts everything as Debian's user "postgres".
//
// Start with Start, connect to DSN, and then be cruel:
//
//	c := cluster.Start(t)
//	primary, err := c.Primary(ctx)
//	c.Kill(primary)
//	next, err := c.Primary(ctx) // waits for the failover
//	c.Boot(primary)
//	err = c.WaitSynchronous(ctx)
package cluster
