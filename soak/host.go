package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halon-extras/kafka/internal/binding"
	"github.com/halon-extras/kafka/internal/standin"
)

// life are the arguments of a host, as JSON in hostVariable.
type life struct {
	Kind            string // of kinds
	Number          int
	Rate            int
	Plugin, Servers string
	Spool           string // folder of the spools of durable queues
	Progress        string // file; see host.progress
}

const hostVariable = "SOAK_HOST"

// workers are the scripts of a host that produce at the same time to its queue. One more, the guest, produces to the queue that reloads
// add and remove.
const (
	workers   = 32
	guest     = workers
	producers = workers + 1
)

// guestQueue is the id of the guest's queue.
const guestQueue = "guest"

// host is the process that is measured, and killed.
type host struct {
	life
	plugin *standin.Host
	over   atomic.Bool

	reloads int // how many have been done; of obey

	// progress has eight bytes for each producer, the number of its accepted messages, and then eight for the refused calls. It is
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
	if err := os.MkdirAll(h.Spool, 0o700); err != nil {
		return err
	}
	h.plugin, err = standin.Open(h.Plugin, standin.Options{
		PluginID: "kafka", AppConfig: h.config(), Threads: producers,
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
	wrong := make(chan error, producers)
	for worker := range producers {
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
	if e := h.write(producers, h.refused.Load()); err == nil {
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
			if goroutines == 0 {
				return fmt.Errorf("the command metrics has no goroutines: %s", text)
			}
			queued, err := metric(text, `queued_messages`)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(os.Stdout, goroutines, queued); err != nil {
				return err
			}
		case "reload":
			h.reloads++
			if err := h.plugin.Reload(h.config()); err != nil {
				return err
			}
		}
	}
	return nil
}

// metric is the sum of a metric over all queues; there is none for the moment in which a reload hands a folder over.
func metric(text []byte, name string) (sum int64, err error) {
	for _, m := range regexp.MustCompile(`(?m)^halon_kafka_`+name+`(?:\{.*\})? (\S+)$`).FindAllSubmatch(text, -1) {
		v, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			return 0, err
		}
		sum += int64(v)
	}
	return sum, nil
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

// queueFull is the one error that a call may be answered with, and the guest's calls also with destroyed: a reload has removed the queue.
const (
	queueFull = -184
	destroyed = -197
)

func (h *host) produce(s *standin.Script, i id) (accepted bool, err error) {
	queue := h.Kind
	if i.worker == guest {
		queue = guestQueue
	}
	ret, thrown, err := s.Call("kafka_producer", []any{queue, h.Kind, i.value(), nil, standin.Array{}, float64(i.worker % workers)})
	if err != nil {
		return false, err
	}
	if thrown != nil {
		if i.worker == guest && thrown.Message == string(binding.NoSuchID) {
			return false, nil
		}
		return false, fmt.Errorf("exception: %s", thrown.Message)
	}
	answer, ok := ret.(standin.Array)
	if !ok {
		return false, fmt.Errorf("kafka_producer returned %v", ret)
	}
	if len(answer) == 0 {
		return true, nil
	}
	if i.worker == guest && answer[0].Value == float64(destroyed) {
		return false, nil
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
	b = append(b, make([]byte, max(0, 8*(producers+1)-len(b)))...)
	for worker := range producers {
		accepted = append(accepted, int(binary.LittleEndian.Uint64(b[8*worker:])))
	}
	return accepted, int64(binary.LittleEndian.Uint64(b[8*producers:])), nil
}

// config is smtpd-app.yaml after so many reloads: each changes a property of the queue, and adds the guest's queue or removes it.
func (h *host) config() *standin.Config {
	linger, guests := "5", h.reloads%2 == 1
	if guests {
		linger = "20"
	}
	queues := []*standin.Config{h.queue(h.Kind, linger)}
	if guests {
		queues = append(queues, h.queue(guestQueue, linger))
	}
	return standin.Object(standin.Member{Key: "queues", Value: standin.List(queues...)})
}

func (h *host) queue(id, linger string) *standin.Config {
	text := func(s string) *standin.Config { return standin.Scalar(s, standin.String) }
	members := []standin.Member{
		{Key: "id", Value: text(id)},
		{Key: "config", Value: standin.Object(
			standin.Member{Key: "bootstrap.servers", Value: text(h.Servers)},
			standin.Member{Key: "enable.idempotence", Value: text("true")},
			standin.Member{Key: "linger.ms", Value: text(linger)},
		)},
	}
	if h.Kind == kinds[durable] {
		members = append(members, standin.Member{Key: "spool", Value: standin.Object(
			standin.Member{Key: "path", Value: text(filepath.Join(h.Spool, id))},
			standin.Member{Key: "mode", Value: text("durable")},
			standin.Member{Key: "max_bytes", Value: text("4GiB")},
		)})
	}
	return standin.Object(members...)
}
