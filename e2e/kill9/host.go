package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
)

// life are the arguments of a host, in the environment variable of that name.
type life struct {
	Host    string // "plugin" or "spool"
	Dir     string // of the spool
	Number  int
	Workers int  // none in the last life, which only sends what is left
	Lie     bool // the spool host answers before anything is stored: the journal must find out
	Plugin  string
	Servers string

	Idempotence string // enable.idempotence
}

const lifeVariable = "KILL9_LIFE"

// topic is where everything goes.
const topic = "kill9"

// The lines of a host: a letter, a space, an id or a text.
const (
	lineReady     = 'r' // it has started
	lineAnswered  = 'a' // the record was answered with []
	lineRefused   = 'e' // it was answered with an error: it may be stored or not
	lineDelivered = 'd' // spool host: the value reached the pipe, which is its topic
	lineFault     = 'x' // the host itself found something wrong
)

// host is the process that is killed.
type host struct {
	life
	mu  sync.Mutex
	out io.Writer // guarded by mu: a line that a kill cuts must be the last
}

// beHost runs a life and returns the exit status, when nobody kills it: that of the last life, which shuts down normally
// when its standard input does.
func beHost(text string) int {
	h := &host{out: os.Stdout}
	if err := json.Unmarshal([]byte(text), &h.life); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	run := h.runSpool
	if h.Host == "plugin" {
		run = h.runPlugin
	}
	if err := run(ctx); err != nil {
		h.say(lineFault, err.Error())
		return 1
	}
	return 0
}

// say returns when the line is in the pipe, where no kill reaches it.
func (h *host) say(kind byte, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, _ = h.out.Write(append(append([]byte{kind, ' '}, text...), '\n'))
}

// work runs one goroutine a worker, each of which produces one record after the other until ctx ends.
func (h *host) work(ctx context.Context, produce func(worker int, next func() id)) {
	var all sync.WaitGroup
	for worker := range h.Workers {
		all.Go(func() {
			n := 0
			produce(worker, func() id {
				n++
				return id{worker, h.Number, n}
			})
		})
	}
	all.Wait()
	<-ctx.Done()
}
