package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/halon-extras/kafka/internal/standin"
)

// queue is the id of the configured queue.
const queue = "kafka1"

// runPlugin is the host that has kafka.so. Fewer threads than scripts: calls must park.
func (h *host) runPlugin(ctx context.Context) error {
	s, err := standin.Open(h.Plugin, standin.Options{PluginID: "kafka", Config: h.config(), Threads: 4, Log: func(priority int, line string) {
		fmt.Fprintf(os.Stderr, "<%d> %s\n", priority, line)
	}})
	if err != nil {
		return err
	}
	defer s.Close()
	if !s.Register() || !s.Init() {
		return errors.New("the plugin does not start")
	}
	s.Ready()
	h.say(lineReady, "")
	h.work(ctx, func(worker int, next func() id) {
		// Its own context: a script that has begun a call takes the answer.
		err := s.Script(context.Background(), func(script *standin.Script) error {
			for ctx.Err() == nil {
				if err := h.produce(script, next()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			h.say(lineFault, fmt.Sprintf("worker %d: %v", worker, err))
		}
	})
	s.Cleanup()
	for _, fault := range s.Faults() {
		h.say(lineFault, "the plugin broke a rule of the host: "+fault)
	}
	return nil
}

func (h *host) produce(script *standin.Script, i id) error {
	args := []any{queue, topic, string(i.value()), strconv.Itoa(i.worker)}
	ret, thrown, err := script.Call("kafka_producer", args)
	if err != nil {
		return err
	}
	if thrown != nil {
		return fmt.Errorf("exception: %s", thrown.Message)
	}
	answer, ok := ret.(standin.Array)
	if !ok {
		return fmt.Errorf("kafka_producer returned %v", ret)
	}
	if len(answer) == 0 {
		h.say(lineAnswered, i.String())
		return nil
	}
	h.say(lineRefused, i.String())
	time.Sleep(time.Millisecond) // the queue is full, and the answer comes at once
	return nil
}

// config is the queue: durable, with room for what a kill leaves behind.
func (h *host) config() *standin.Config {
	text := func(s string) *standin.Config { return standin.Scalar(s, standin.String) }
	number := func(n int) *standin.Config { return standin.Scalar(strconv.Itoa(n), standin.Number) }
	return standin.Object(standin.Member{Key: "queues", Value: standin.List(standin.Object(
		standin.Member{Key: "id", Value: text(queue)},
		standin.Member{Key: "config", Value: standin.Object(
			standin.Member{Key: "bootstrap.servers", Value: text(h.Servers)},
			standin.Member{Key: "enable.idempotence", Value: text(cmp.Or(h.Idempotence, "true"))},
			standin.Member{Key: "linger.ms", Value: text("1")},
		)},
		standin.Member{Key: "spool", Value: standin.Object(
			standin.Member{Key: "path", Value: text(h.Dir)},
			standin.Member{Key: "mode", Value: text("durable")},
			standin.Member{Key: "max_bytes", Value: number(maxBytes)},
			standin.Member{Key: "segment_bytes", Value: number(segmentBytes)},
		)},
	))})
}
