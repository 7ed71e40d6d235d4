// Prunes profiles by pprof's own package, for tests that compare with it:
//
//	prune COUNT DIRECTORY
//
// reads 0.pb.gz and 0.rule, whose lines are what to drop and what to keep, and
// writes 0.pruned.pb.gz, and so on.
package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func prune(in, rule, out string) {
	text, err := os.ReadFile(rule)
	check(err)
	lines := strings.Split(string(text), "\n")
	drop := regexp.MustCompile(lines[0])
	var keep *regexp.Regexp
	if lines[1] != "" {
		keep = regexp.MustCompile(lines[1])
	}
	file, err := os.Open(in)
	check(err)
	p, err := profile.Parse(file)
	check(err)
	p.Prune(drop, keep)
	pruned, err := os.Create(out)
	check(err)
	check(p.Compact().Write(pruned))
	check(pruned.Close())
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	check(err)
	for i := 0; i < count; i++ {
		name := filepath.Join(os.Args[2], strconv.Itoa(i))
		prune(name+".pb.gz", name+".rule", name+".pruned.pb.gz")
	}
}
