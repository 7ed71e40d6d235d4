// A Go program that no library is loaded into.
package main

import (
	"fmt"
	"sync"
	"time"
)

func main() {
	const workers = 4
	var group sync.WaitGroup
	sums := make([]int, workers)
	for worker := range sums {
		group.Add(1)
		go func(sum *int) {
			defer group.Done()
			for i := 0; i < 10000000; i++ {
				*sum += i % 3
			}
			time.Sleep(time.Millisecond)
		}(&sums[worker])
	}
	group.Wait()
	fmt.Println(sums)
}
