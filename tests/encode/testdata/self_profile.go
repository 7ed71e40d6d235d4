// Writes a CPU profile of itself to the file that it is given, for a test that
// reads and rewrites what Go's own encoder wrote.
package main

import (
	"context"
	"os"
	"runtime/pprof"
	"time"
)

func spin(d time.Duration) (n int) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		n++
	}
	return n
}

func main() {
	out, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		panic(err)
	}
	labels := pprof.Labels("request", "42", "user", "ann")
	pprof.Do(context.Background(), labels, func(context.Context) {
		spin(300 * time.Millisecond)
	})
	spin(200 * time.Millisecond)
	pprof.StopCPUProfile()
	if err := out.Close(); err != nil {
		panic(err)
	}
}
