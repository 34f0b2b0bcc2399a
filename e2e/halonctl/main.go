// Command halonctl is Halon's, as far as the scripts of this folder need it: "halonctl plugin command ID NAME ARGUMENT..." asks an hslrun
// with --control, whose socket is named by HSLRUN_CONTROL.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) < 3 || args[0] != "plugin" || args[1] != "command" {
		fmt.Fprintln(os.Stderr, "usage: halonctl plugin command ID NAME ARGUMENT...")
		return 2
	}
	conn, err := net.Dial("unix", os.Getenv("HSLRUN_CONTROL"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "halonctl:", err)
		return 2
	}
	defer conn.Close()
	var answer struct {
		OK  bool   `json:"ok"`
		Out string `json:"out"`
	}
	if err = json.NewEncoder(conn).Encode(args[3:]); err == nil {
		err = json.NewDecoder(conn).Decode(&answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "halonctl:", err)
		return 2
	}
	fmt.Fprint(os.Stdout, answer.Out)
	if !answer.OK {
		return 1
	}
	return 0
}
