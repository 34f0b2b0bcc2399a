package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// runLimit ends a run that hangs. The longest takes the drain of a minute beside its calls.
const runLimit = 3 * time.Minute

// bench is where the programs are and how much of them is wanted.
type bench struct {
	build, ours, baseline string
	pairs                 int
	verbose               bool
}

func (b bench) program(name string) string {
	path := filepath.Join(b.build, name)
	if !filepath.IsAbs(path) {
		return "./" + path
	}
	return path
}

// result is what the driver prints, and wire as far as it has it.
type result struct {
	Plugin    string  `json:"plugin"`
	Load      float64 `json:"load_ms"`
	Init      float64 `json:"init_ms"`
	Accepted  int64   `json:"accepted"`
	Refused   int64   `json:"refused"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"messages_per_second"`
	CPU       float64 `json:"cpu_us_per_message"`
	Latency   latency `json:"latency_ns"`
	RSS       float64 `json:"rss_bytes"`
	Threads   float64 `json:"process_threads"`
	Cores     float64 `json:"cpu_cores"`
}

type latency struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// run is a result with what happened around it.
type run struct {
	result
	brokerCPU float64 // seconds
	others    float64 // cores that neither the driver nor the broker used
}

// drive runs the driver with a plugin against a broker of its own.
func (b bench) drive(c cell, plugin string) (run, error) {
	args := append([]string{"--plugin", library(plugin)}, strings.Fields(c.args)...)
	if c.folder {
		folder, err := b.fresh()
		if err != nil {
			return run{}, err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		if c.before != "" {
			if err := b.fill(c, plugin, folder); err != nil {
				return run{}, err
			}
		}
		args = append(args, "--folder", folder)
	}
	mode := "ack"
	if c.hang {
		mode = "hang"
	}
	return b.withBroker(max(c.partitions, 1), mode, c.broker, func(broker, control string) (string, []string) {
		return "driver", append(args, "--broker", broker, "--control", control)
	})
}

// driveAlone runs the driver with the plugin that does nothing: no broker is needed.
func (b bench) driveAlone(args string) (result, error) {
	r, _, err := b.start("driver", append([]string{"--plugin", library(filepath.Join(b.build, "noop.so"))}, strings.Fields(args)...))
	return r, err
}

// driveWire runs wire, which needs a broker and no plugin.
func (b bench) driveWire(args string) (run, error) {
	return b.withBroker(1, "ack", "", func(broker, _ string) (string, []string) {
		return "wire", append([]string{"-broker", broker}, strings.Fields(args)...)
	})
}

// library is a name that dlopen takes as a path.
func library(path string) string {
	if strings.Contains(path, "/") {
		return path
	}
	return "./" + path
}

// withBroker starts a broker, runs one program against it, and holds their accounts against each other.
func (b bench) withBroker(partitions int, mode, more string, command func(broker, control string) (string, []string)) (r run, err error) {
	var stderr bytes.Buffer
	broker := exec.Command(b.program("blackhole"), append([]string{"-partitions", strconv.Itoa(partitions), "-mode", mode}, strings.Fields(more)...)...)
	broker.Stderr = &stderr
	stdin, err := broker.StdinPipe()
	if err != nil {
		return r, err
	}
	stdout, err := broker.StdoutPipe()
	if err != nil {
		return r, err
	}
	before := machineCPU()
	if err := broker.Start(); err != nil {
		return r, err
	}
	lines := json.NewDecoder(bufio.NewReader(stdout))
	var at struct{ Broker, Control string }
	var total struct {
		Records int64 `json:"records"`
		CPU     int64 `json:"cpu_us"`
	}
	startErr := lines.Decode(&at)
	var used time.Duration
	if startErr == nil {
		name, args := command(at.Broker, at.Control)
		r.result, used, err = b.start(name, args)
	}
	_ = stdin.Close() // ends the broker
	endErr := lines.Decode(&total)
	waitErr := broker.Wait()
	if err := errors.Join(startErr, endErr, waitErr); err != nil {
		return r, fmt.Errorf("blackhole: %w%s", err, tail(stderr.String()))
	}
	if err != nil {
		return r, err
	}
	if stderr.Len() > 0 {
		return r, fmt.Errorf("the broker complained%s", tail(stderr.String()))
	}
	if mode == "ack" && r.PerSecond > 0 && total.Records < r.Accepted {
		return r, fmt.Errorf("%d messages were accepted and %d arrived", r.Accepted, total.Records)
	}
	r.brokerCPU = float64(total.CPU) / 1e6
	spent := machineCPU()
	if wall := spent.at.Sub(before.at).Seconds(); wall > 0 {
		r.others = max((spent.busy-before.busy-used.Seconds()-r.brokerCPU)/wall, 0)
	}
	return r, nil
}

// start runs one program to its end and reads the JSON line that it prints.
func (b bench) start(name string, args []string) (r result, used time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, b.program(name), args...)
	command.Stdout, command.Stderr = &stdout, &stderr
	err = command.Run()
	if b.verbose {
		fmt.Printf("  $ %s\n", strings.Join(command.Args, " "))
		_, _ = io.Copy(os.Stdout, bytes.NewReader(stdout.Bytes()))
	}
	if err != nil {
		return r, 0, fmt.Errorf("%s: %w%s", strings.Join(command.Args, " "), err, tail(stderr.String()))
	}
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		return r, 0, fmt.Errorf("%s printed no JSON: %w%s", name, err, tail(stderr.String()))
	}
	return r, command.ProcessState.UserTime() + command.ProcessState.SystemTime(), nil
}

// tail is the end of what a program complained about, to follow an error.
func tail(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	return ": " + strings.Join(lines[max(0, len(lines)-3):], "; ")
}
