// Writes CPU profiles of itself, each of a mix of its own, for tests of bases:
//
//	work COUNT DIRECTORY
//
// makes DIRECTORY/0.pb.gz and so on. There is recursion, code that is inlined,
// methods, closures and labels.
package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sort"
	"strconv"
	"syscall"
	"time"
)

type tree struct {
	left, right *tree
	value       int
}

func (t *tree) insert(value int) *tree {
	if t == nil {
		return &tree{value: value}
	}
	if less(value, t.value) {
		t.left = t.left.insert(value)
	} else {
		t.right = t.right.insert(value)
	}
	return t
}

func less(a, b int) bool { return mix(a) < mix(b) }

func mix(x int) int {
	for i := 0; i < 8; i++ {
		x = x*1103515245 + 12345
	}
	return x
}

func grow(n int) int {
	var root *tree
	for i := 0; i < n; i++ {
		root = root.insert(i * 7919 % n)
	}
	return root.value
}

func sorted(n int) int {
	values := make([]int, n)
	for i := range values {
		values[i] = mix(i)
	}
	sort.Slice(values, func(i, j int) bool { return less(values[i], values[j]) })
	return values[n/2]
}

var sink int

// cpuTime is what the process has had, however busy the machine is.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func work(share int, d time.Duration) {
	for i, end := 0, cpuTime()+d; cpuTime() < end; i++ {
		if i%4 < share {
			sink += grow(2000)
		} else {
			sink += sorted(2000)
		}
	}
}

func record(path string, share int) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	labels := pprof.Labels("request", strconv.Itoa(share))
	pprof.Do(context.Background(), labels, func(context.Context) {
		work(share, 150*time.Millisecond)
	})
	work(share, 100*time.Millisecond)
	pprof.StopCPUProfile()
	return out.Close()
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	for i := 0; i < count; i++ {
		path := filepath.Join(os.Args[2], strconv.Itoa(i)+".pb.gz")
		if err := record(path, i%5); err != nil {
			panic(err)
		}
	}
}
