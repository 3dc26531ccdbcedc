package vpcd

import (
	"net"
	"syscall"
)

// quickAck asks the kernel to acknowledge at once what was just read. The kernel
// forgets the wish after a while, so it is renewed with every read. A connection
// that cannot do it is only slower.
func quickAck(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}
