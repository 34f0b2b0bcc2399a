package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halon-extras/kafka/internal/standin"
)

// life are the arguments of a host, as JSON in hostVariable.
type life struct {
	Kind            string // of kinds
	Number          int
	Rate            int
	Plugin, Servers string
	Spool           string // folder of the durable queue
	Progress        string // file; see host.progress
}

const hostVariable = "SOAK_HOST"

// workers are the scripts of a host that produce at the same time.
const workers = 32

// host is the process that is measured, and killed.
type host struct {
	life
	plugin *standin.Host
	over   atomic.Bool

	// progress has eight bytes for each worker, the number of its accepted messages, and then eight for the refused calls. It is
	// written before the worker goes on, so a kill loses no more than the call that was under way.
	progress *os.File
	refused  atomic.Int64
}

// beHost runs a life and returns the exit status. Its input has a line for each command; the life ends with it.
func beHost(text string) int {
	h := &host{}
	err := json.Unmarshal([]byte(text), &h.life)
	if err == nil {
		err = h.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (h *host) run() (err error) {
	if h.progress, err = os.Create(h.Progress); err != nil {
		return err
	}
	h.plugin, err = standin.Open(h.Plugin, standin.Options{
		PluginID: "kafka", Config: h.config(), Threads: workers,
		Log: func(priority int, line string) { fmt.Fprintf(os.Stderr, "<%d> %s\n", priority, line) },
	})
	if err != nil {
		return err
	}
	defer h.plugin.Close()
	if !h.plugin.Register() || !h.plugin.Init() {
		return errors.New("the plugin does not start")
	}
	h.plugin.Ready()
	var all sync.WaitGroup
	wrong := make(chan error, workers)
	for worker := range workers {
		all.Go(func() {
			// A host has a fixed set of threads. Here each new one would bring the C library's memory for a thread, and a
			// goroutine of the plugin's runtime, long after the start.
			runtime.LockOSThread()
			if err := h.plugin.Script(context.Background(), func(s *standin.Script) error { return h.work(s, worker) }); err != nil {
				wrong <- fmt.Errorf("worker %d: %w", worker, err)
			}
		})
	}
	err = h.obey(wrong)
	h.over.Store(true)
	all.Wait()
	if e := h.write(workers, h.refused.Load()); err == nil {
		err = e
	}
	h.plugin.Cleanup()
	close(wrong)
	for e := range wrong {
		err = errors.Join(err, e)
	}
	for _, fault := range h.plugin.Faults() {
		err = errors.Join(err, fmt.Errorf("the plugin broke a rule of the host: %s", fault))
	}
	return err
}

// obey does what the input says, to its end or the first error of a worker. "sample" is answered with the number of goroutines, and of queued messages.
func (h *host) obey(wrong chan error) error {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if len(wrong) > 0 {
			return <-wrong
		}
		switch lines.Text() {
		case "sample":
			text, ok := h.plugin.Command([]string{"metrics"})
			if !ok {
				return fmt.Errorf("the command metrics: %s", text)
			}
			goroutines, err := metric(text, `goroutines`)
			if err != nil {
				return err
			}
			queued, err := metric(text, `queued_messages\{[^}]*\}`)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(os.Stdout, goroutines, queued); err != nil {
				return err
			}
		case "reload":
			if err := h.plugin.Reload(h.config()); err != nil {
				return err
			}
		}
	}
	return nil
}

func metric(text []byte, name string) (int64, error) {
	m := regexp.MustCompile(`(?m)^halon_kafka_` + name + ` (\S+)$`).FindSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("the command metrics has no %s", name)
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	return int64(v), err
}

// tick is how often a worker produces what has fallen due.
const tick = 50 * time.Millisecond

// work produces at the worker's part of the rate. What falls due while a call waits or is refused is left out, not made up for.
func (h *host) work(s *standin.Script, worker int) error {
	each := float64(h.Rate) / workers * tick.Seconds()
	due, n := 0.0, 0
	beat := time.NewTicker(tick)
	defer beat.Stop()
	for range beat.C {
		for due += each; due >= 1 && !h.over.Load(); due-- {
			accepted, err := h.produce(s, id{h.Number, worker, n + 1})
			if err != nil {
				return err
			}
			if !accepted {
				due = 0
				break
			}
			n++
			if err := h.write(worker, int64(n)); err != nil {
				return err
			}
		}
		if h.over.Load() {
			return nil
		}
	}
	return nil
}

// queueFull is the one error that a call may be answered with.
const queueFull = -184

func (h *host) produce(s *standin.Script, i id) (accepted bool, err error) {
	ret, thrown, err := s.Call("kafka_producer", []any{h.Kind, h.Kind, i.value(), nil, standin.Array{}, float64(i.worker)})
	if err != nil {
		return false, err
	}
	if thrown != nil {
		return false, fmt.Errorf("exception: %s", thrown.Message)
	}
	answer, ok := ret.(standin.Array)
	if !ok {
		return false, fmt.Errorf("kafka_producer returned %v", ret)
	}
	if len(answer) == 0 {
		return true, nil
	}
	if answer[0].Value != float64(queueFull) {
		return false, fmt.Errorf("kafka_producer returned %v", answer)
	}
	h.refused.Add(1)
	return false, nil
}

// write puts a number into the progress file.
func (h *host) write(place int, n int64) error {
	_, err := h.progress.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(n)), int64(8*place))
	return err
}

// readProgress reads the file of a life that is over.
func readProgress(name string) (accepted []int, refused int64, err error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, 0, err
	}
	b = append(b, make([]byte, max(0, 8*(workers+1)-len(b)))...)
	for worker := range workers {
		accepted = append(accepted, int(binary.LittleEndian.Uint64(b[8*worker:])))
	}
	return accepted, int64(binary.LittleEndian.Uint64(b[8*workers:])), nil
}

// config is the host's one queue.
func (h *host) config() *standin.Config {
	text := func(s string) *standin.Config { return standin.Scalar(s, standin.String) }
	members := []standin.Member{
		{Key: "id", Value: text(h.Kind)},
		{Key: "config", Value: standin.Object(
			standin.Member{Key: "bootstrap.servers", Value: text(h.Servers)},
			standin.Member{Key: "enable.idempotence", Value: text("true")},
		)},
	}
	if h.Kind == kinds[durable] {
		members = append(members, standin.Member{Key: "spool", Value: standin.Object(
			standin.Member{Key: "path", Value: text(h.Spool)},
			standin.Member{Key: "mode", Value: text("durable")},
			standin.Member{Key: "max_bytes", Value: text("4GiB")},
		)})
	}
	return standin.Object(standin.Member{Key: "queues", Value: standin.List(standin.Object(members...))})
}
