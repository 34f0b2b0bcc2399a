package parity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/parity/play"
)

// A scenario is one plan with one broker, whose outcome must be the same through both plugins.
type scenario struct {
	name   string // what an operator would call it; the first column of the table
	config []string
	script script
	steps  []play.Step

	plain    bool // headers make no difference: no calls, or they are what the scenario is about
	anywhere bool // the partitions of the records are a matter of chance
	warnings bool // what the plugin logs about its configuration counts
	requests bool // how often the broker was asked counts
	brief    bool // the reports say it all: what reached the broker does not count
	away     bool // whether the log says that the broker cannot be reached counts
	spread   bool // over how many partitions the records are counts
	gone     bool // the broker is not there any more at the end
	slow     bool // takes a minute; started first
	within   map[string]span
}

// span is in which time a step of kafka.so must be over.
type span struct{ least, most time.Duration }

// runTime bounds one run. The longest waits a minute for messages that cannot be sent.
const runTime = 110 * time.Second

// with returns the steps, with headers on all calls if headers is set.
func (s *scenario) with(headers bool) []play.Step {
	if !headers {
		return s.steps
	}
	steps := make([]play.Step, len(s.steps))
	copy(steps, s.steps)
	for i := range steps {
		calls := make([]play.Record, len(steps[i].Calls))
		for j, call := range steps[i].Calls {
			calls[j] = decorated(call)
		}
		if steps[i].Calls != nil {
			steps[i].Calls = calls
		}
		if steps[i].Until != nil {
			until := decorated(*steps[i].Until)
			steps[i].Until = &until
		}
	}
	return steps
}

// decorated returns r with headers: one that repeats, one that is empty, one that is no text.
func decorated(r play.Record) play.Record {
	r.Headers = append([]play.Header{
		{Name: "x-id", Value: []byte("1")}, {Name: "x-empty", Value: []byte{}}, {Name: "x-id", Value: []byte("2\x00\xff")},
	}, r.Headers...)
	return r
}

// A run is what came of one plan through one plugin.
type run struct {
	*play.Outcome
	shown []shown // the steps, and after them what the broker saw
}

// run performs s through the plugin against a broker of its own.
func (s *scenario) run(p plugin, headers bool) (*run, error) {
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	defer cancel()
	c, err := start(s.script)
	if err != nil {
		return nil, err
	}
	defer c.close()
	plan := play.Plan{Plugin: p.path, Steps: s.with(headers)}
	if !strings.Contains(strings.Join(s.config, "\n"), "bootstrap.servers=") {
		plan.Config = append(plan.Config, [2]string{"bootstrap.servers", c.address})
	}
	for _, line := range s.config {
		name, value, _ := strings.Cut(line, "=")
		plan.Config = append(plan.Config, [2]string{name, value})
	}
	outcome, err := perform(ctx, &plan, c.do)
	if err != nil {
		return nil, err
	}
	r := &run{Outcome: outcome}
	if err := c.faults(); err != nil {
		return nil, err
	}
	var records []*kgo.Record
	if !s.gone {
		records, err = c.records(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read what reached the broker: %w", err)
	}
	if r.shown, err = s.show(p, outcome); err != nil {
		return nil, err
	}
	r.shown = append(r.shown, s.showBroker(c, records)...)
	return r, nil
}

// perform runs the plan in a process of its own.
func perform(ctx context.Context, plan *play.Plan, do func(what string) error) (*play.Outcome, error) {
	command := exec.CommandContext(ctx, built.runner)
	// Go's own threads in the plugin are not what is looked at here, and many runners share the processors.
	command.Env = append(command.Environ(), "GOMAXPROCS=2", "GOTRACEBACK=all")
	var complaints strings.Builder
	command.Stderr = &complaints
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	outcome, err := converse(plan, in, out, do)
	in.Close()
	if ended := command.Wait(); ended != nil {
		err = errors.Join(ended, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, complaints.String())
	}
	return outcome, nil
}

// converse gives the runner its plan and does what it asks for, until it has an outcome.
func converse(plan *play.Plan, in io.Writer, out io.Reader, do func(what string) error) (*play.Outcome, error) {
	if err := json.NewEncoder(in).Encode(plan); err != nil {
		return nil, err
	}
	words := json.NewDecoder(out)
	for {
		var word play.Word
		if err := words.Decode(&word); err != nil {
			return nil, fmt.Errorf("the runner's answer: %w", err)
		}
		switch {
		case word.Error != "":
			return nil, errors.New(word.Error)
		case word.Outcome != nil:
			return word.Outcome, nil
		}
		if err := do(word.Ask); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(in, "done\n"); err != nil {
			return nil, err
		}
	}
}
