package main

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/halon-extras/kafka/internal/standin"
	"github.com/halon-extras/kafka/parity/play"
)

const (
	// lookEvery is the pause between two looks at a counter; nothing tells the runner when it changes.
	lookEvery = 10 * time.Millisecond

	// patience ends a wait for reports that do not come: then they are shown as queued. It is above every
	// message.timeout.ms of the plans but those that want to see messages left.
	patience = 15 * time.Second
)

// stage is one plugin in its host.
type stage struct {
	host *standin.Host
	ask  func(what string) error

	mu  sync.Mutex
	log []play.Line // guarded by mu
}

// perform runs the plan. A plugin that refuses to start is an outcome and no error.
func perform(plan *play.Plan, ask func(what string) error) (*play.Outcome, error) {
	s := &stage{ask: ask}
	host, err := standin.Open(plan.Plugin, standin.Options{
		Config: config(plan.Config),
		Log: func(priority int, line string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.log = append(s.log, play.Line{Priority: priority, Text: line})
		},
	})
	if err != nil {
		return nil, err
	}
	s.host = host
	outcome := new(play.Outcome)
	if !host.Register() {
		return nil, fmt.Errorf("%s did not register its functions", plan.Plugin)
	}
	if outcome.Started = host.Init(); outcome.Started {
		for _, step := range plan.Steps {
			result, err := s.step(step)
			if err != nil {
				return nil, fmt.Errorf("step %q: %w", step.Name, err)
			}
			outcome.Results = append(outcome.Results, *result)
		}
	}
	outcome.Log = s.lines()
	outcome.Faults = host.Faults()
	return outcome, nil
}

func config(properties [][2]string) *standin.Config {
	members := make([]standin.Member, len(properties))
	for i, p := range properties {
		members[i] = standin.Member{Key: p[0], Value: standin.Scalar(p[1], standin.String)}
	}
	return standin.Object(standin.Member{Key: "queues", Value: standin.List(standin.Object(
		standin.Member{Key: "id", Value: standin.Scalar(play.Queue, standin.String)},
		standin.Member{Key: "config", Value: standin.Object(members...)},
	))})
}

func (s *stage) lines() []play.Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]play.Line(nil), s.log...)
}

func (s *stage) step(step play.Step) (*play.Result, error) {
	result := &play.Result{Name: step.Name}
	began := time.Now()
	var err error
	switch {
	case step.Calls != nil:
		result.Answers, err = s.calls(step.Calls)
	case step.Until != nil:
		result.Answers, err = s.until(step.Until)
	case step.Settle:
		result.Dump = s.awaitEmpty()
	case step.Pause > 0:
		time.Sleep(time.Duration(step.Pause) * time.Millisecond)
	case step.Command != nil:
		var out []byte
		out, result.OK = s.host.Command(step.Command)
		result.Output = string(out)
	case step.Ask != "":
		err = s.ask(step.Ask)
	case step.Stop:
		s.host.Cleanup()
	default:
		err = fmt.Errorf("it does nothing")
	}
	result.Millis = time.Since(began).Milliseconds()
	s.host.Command(nil) // returns when every line before it has come
	result.Lines = len(s.lines())
	return result, err
}

// calls makes all calls in one script.
func (s *stage) calls(records []play.Record) ([]play.Answer, error) {
	answers := make([]play.Answer, 0, len(records))
	err := s.host.Script(context.Background(), func(script *standin.Script) error {
		for i := range records {
			answer, err := call(script, &records[i])
			if err != nil {
				return err
			}
			answers = append(answers, answer)
		}
		return nil
	})
	return answers, err
}

// until returns the one answer that counts, the last.
func (s *stage) until(record *play.Record) ([]play.Answer, error) {
	for end := time.Now().Add(patience); ; time.Sleep(5 * lookEvery) {
		answers, err := s.calls([]play.Record{*record})
		if err != nil || answers[0] == (play.Answer{}) || time.Now().After(end) {
			return answers, err
		}
	}
}

func call(script *standin.Script, r *play.Record) (play.Answer, error) {
	headers := standin.Array{}
	for _, h := range r.Headers {
		headers = append(headers, standin.Pair{Key: h.Name, Value: string(h.Value)})
	}
	ret, thrown, err := script.Call("kafka_producer", []any{
		play.Queue, r.Topic, text(r.Value), text(r.Key), headers, float64(r.Partition),
	})
	switch {
	case err != nil:
		return play.Answer{}, err
	case thrown != nil:
		return play.Answer{Exception: thrown.Message}, nil
	}
	return answer(ret)
}

func text(b *[]byte) any {
	if b == nil {
		return nil
	}
	return string(*b)
}

func answer(ret any) (play.Answer, error) {
	array, ok := ret.(standin.Array)
	if !ok || len(array) != 0 && (len(array) != 2 || array[0].Key != "errno" || array[1].Key != "errstr") {
		return play.Answer{}, fmt.Errorf("kafka_producer returned %v", ret)
	}
	if len(array) == 0 {
		return play.Answer{}, nil
	}
	number, isNumber := array[0].Value.(float64)
	words, isText := array[1].Value.(string)
	if !isNumber || !isText {
		return play.Answer{}, fmt.Errorf("kafka_producer returned %v", ret)
	}
	return play.Answer{Errno: int(number), Errstr: words}, nil
}

// nothingQueued is in the answer of dump of both plugins when every accepted message has its report.
var nothingQueued = regexp.MustCompile(`producer\.msg_cnt 0 \(`)

// awaitEmpty returns the dump that showed an empty queue, or the last one.
func (s *stage) awaitEmpty() string {
	for end := time.Now().Add(patience); ; time.Sleep(lookEvery) {
		out, ok := s.host.Command([]string{"dump", play.Queue})
		if !ok || nothingQueued.Match(out) || time.Now().After(end) {
			time.Sleep(lookEvery) // a report is counted before its line is in the log
			return string(out)
		}
	}
}
