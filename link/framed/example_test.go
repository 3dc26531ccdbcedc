package framed_test

import (
	"context"
	"fmt"
	"net"

	"jiaozi/link/framed"
)

// A host that answers, and a client that asks it.
func Example() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		ended <- framed.Server{}.Serve(ctx, ln, func(_ context.Context, m []byte) ([]byte, error) {
			return append([]byte("you said "), m...), nil
		})
	}()
	client := framed.NewClient(ln.Addr().String(), nil)
	answer, err := client.Exchange(ctx, []byte("hello"))
	fmt.Println(string(answer), err)
	stop()
	fmt.Println(<-ended)
	// Output:
	// you said hello <nil>
	// <nil>
}
