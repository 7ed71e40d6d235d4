// A Go program with C in it: goroutines on stacks of a few KiB, signals of its
// own runtime (which preempts by SIGURG), and calls into C that compute.
package main

/*
static long CountInC(long times) {
	volatile long count = 0;
	for (long i = 0; i < times; ++i) count += 1;
	return count;
}
*/
import "C"

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Recurses on a stack that grows while it does.
func descend(depth int) int {
	var room [64]byte
	room[depth%len(room)] = 1
	if depth == 0 {
		return 0
	}
	return descend(depth-1) + int(room[depth%len(room)])
}

func main() {
	const workers = 8
	const rounds = 400
	const depth = 5000
	const times = 20000
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	var group sync.WaitGroup
	totals := make([]int, workers)
	for worker := range totals {
		group.Add(1)
		go func(total *int) {
			defer group.Done()
			for round := 0; round < rounds; round++ {
				*total += descend(depth)
				*total += int(C.CountInC(times))
			}
		}(&totals[worker])
	}
	group.Wait()
	sum := 0
	for _, total := range totals {
		sum += total
	}
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println(sum == workers*rounds*(depth+times), <-signals)
}
