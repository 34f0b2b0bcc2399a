// Command run is the bench: it measures kafka.so and the librdkafka baseline side by side, prints a table, and writes it as
// JSON.
//
// It promises a fair comparison: both plugins run in the same driver with the same arguments against a fresh black-hole
// broker, in turns (A B A B ...), so that what else happens on the machine meets both. Ratios are taken within a pair. It
// refuses to report a run in which a message that was accepted did not arrive.
//
// With -scale it measures instead how the cost grows with topics, partitions, queues and threads, and draws that.
//
// It runs the programs that bench.mk builds and holds no figure of its own. See bench/README.md.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	failed, err := measureAll()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

// measureAll reports whether a cell could not be measured.
func measureAll() (failed bool, err error) {
	var b bench
	flag.StringVar(&b.build, "build", "build", "folder with driver, blackhole, wire and noop.so; bench.json is written there")
	flag.StringVar(&b.ours, "ours", "", "our plugin (kafka.so in the build folder)")
	flag.StringVar(&b.baseline, "baseline", "", "the plugin to compare with (baseline.so in the build folder)")
	pairs := flag.String("pairs", cmp.Or(os.Getenv("PAIRS"), "5"), "pairs of runs a cell")
	names := flag.String("cells", os.Getenv("CELLS"), "cells to run, by name, with commas between (all)")
	list := flag.Bool("list", false, "list the cells")
	scale := flag.Bool("scale", false, "measure along the axes of scale; -cells then takes names of axes")
	seconds := flag.Float64("seconds", 1.5, "with -scale: seconds of calls for each point")
	docs := flag.String("docs", "", "with -scale: folder whose scale.svg and table in performance.md are replaced")
	flag.BoolVar(&b.verbose, "v", false, "print every run")
	flag.Parse()
	b.ours = cmp.Or(b.ours, filepath.Join(b.build, "kafka.so"))
	b.baseline = cmp.Or(b.baseline, filepath.Join(b.build, "baseline.so"))
	if b.pairs, err = strconv.Atoi(*pairs); err != nil || b.pairs < 1 {
		return false, fmt.Errorf("PAIRS=%s: want a number of at least 1", *pairs)
	}
	if *list {
		for _, c := range cells {
			fmt.Printf("%-12s %s\n", c.name, c.about)
		}
		return false, nil
	}
	for _, program := range []string{"driver", "blackhole", "wire"} {
		if _, err := exec.LookPath(b.program(program)); err != nil {
			return false, fmt.Errorf("%w: run make bench", err)
		}
	}

	if *scale {
		return measureScale(b, *names, *seconds, *docs)
	}
	chosen, err := choose(*names)
	if err != nil {
		return false, err
	}

	r := report{Machine: machine(b), Pairs: b.pairs, Command: command(os.Args[1:], os.Getenv)}
	r.head(os.Stdout, b)
	for _, c := range chosen {
		rows, err := b.measure(c)
		if err != nil {
			fmt.Printf("%-20s not measured: %v\n", c.name, err)
			failed = true
			continue
		}
		r.rows(os.Stdout, rows)
		r.Cells = append(r.Cells, rows...)
	}
	r.foot(os.Stdout)
	return failed, writeJSON(filepath.Join(b.build, "bench.json"), r)
}

// command is what repeats a run from a shell, with what it took from the environment.
func command(args []string, environment func(string) string) string {
	var words []string
	for _, name := range []string{"CELLS", "PAIRS"} {
		if value := environment(name); value != "" {
			words = append(words, name+"="+quoted(value))
		}
	}
	words = append(words, "go run ./bench/run")
	for _, arg := range args {
		words = append(words, quoted(arg))
	}
	return strings.Join(words, " ")
}

// quoted is a word as a shell takes it for one.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,=:") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// choose finds cells by name; "sat.cpu" is the cell "sat", whose figures all come from the same runs.
func choose(names string) ([]cell, error) {
	if names == "" {
		return cells, nil
	}
	var chosen []cell
	seen := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		name, _, _ = strings.Cut(strings.TrimSpace(name), ".")
		found := false
		for _, c := range cells {
			if c.name == name {
				found = true
				if !seen[name] {
					chosen = append(chosen, c)
				}
			}
		}
		if !found {
			return nil, fmt.Errorf("no cell %q: -list shows all", name)
		}
		seen[name] = true
	}
	return chosen, nil
}
