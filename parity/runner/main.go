// Command runner loads one plugin into the stand-in host, performs one plan with it and prints what came of it.
//
// It is for the tests of package parity only: package play describes what it reads and writes. It ends the process without
// stopping the plugin unless the plan says so, because a plugin with messages left waits a minute for them.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/halon-extras/kafka/parity/play"
)

func main() {
	os.Exit(run())
}

func run() int {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	line, err := in.ReadBytes('\n')
	if err != nil {
		fmt.Fprintln(os.Stderr, "runner: no plan on standard input:", err)
		return 2
	}
	var plan play.Plan
	if err := json.Unmarshal(line, &plan); err != nil {
		fmt.Fprintln(os.Stderr, "runner: the plan:", err)
		return 2
	}
	outcome, err := perform(&plan, func(what string) error {
		if err := out.Encode(play.Word{Ask: what}); err != nil {
			return err
		}
		_, err := in.ReadString('\n')
		return err
	})
	last := play.Word{Outcome: outcome}
	if err != nil {
		last = play.Word{Error: err.Error()}
	}
	if err := out.Encode(last); err != nil {
		fmt.Fprintln(os.Stderr, "runner:", err)
		return 1
	}
	return 0
}
