// A program in Go that serves its profiles until its standard input ends.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

var sink int

//go:noinline
func spin(until time.Time) {
	for time.Now().Before(until) {
		sink++
	}
}

//go:noinline
func work() {
	for {
		spin(time.Now().Add(20 * time.Millisecond))
		time.Sleep(30 * time.Millisecond)
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	go work()
	go http.Serve(listener, nil)
	io.Copy(io.Discard, os.Stdin)
}
