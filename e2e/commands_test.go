package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// kafkaCommand is the script's command `kafka`.
func kafkaCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: kafka start|stop|hang|resume|cut|storm|calm")
	}
	s := sceneOf(ts)
	if args[0] == "start" {
		ts.Check(s.start(ts, args[1:]))
		return
	}
	if s.broker == nil {
		ts.Fatalf("kafka %s: no broker; `kafka start` comes first", args[0])
	}
	if len(args) > 1 {
		ts.Fatalf("kafka %s takes no arguments, got %q", args[0], args[1:])
	}
	switch args[0] {
	case "stop":
		ts.Check(s.broker.stop())
		s.down = true
	case "hang":
		ts.Check(s.broker.hang())
	case "resume":
		ts.Check(s.broker.resume())
	case "cut":
		s.broker.cut()
	case "storm":
		if s.calm != nil {
			ts.Fatalf("kafka storm: there is one already")
		}
		s.storm()
	case "calm":
		if s.calm == nil {
			ts.Fatalf("kafka calm: there is no storm")
		}
		ts.Logf("the storm cut all connections %d times", s.calm())
	default:
		ts.Fatalf("kafka %s: use start, stop, hang, resume, cut, storm or calm", args[0])
	}
}

func (s *scene) start(ts *testscript.TestScript, args []string) error {
	plan, err := parseStart(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	switch {
	case s.broker == nil:
		if s.broker, err = obtain(ctx, plan.autoCreate, plan.sasl); err != nil {
			return err
		}
	case s.down:
		if err := s.broker.start(ctx); err != nil {
			return err
		}
		s.down = false
	default:
		return fmt.Errorf("kafka start: the broker runs already")
	}
	ts.Setenv("BROKER", s.broker.address())
	if len(plan.topics) > 0 {
		if err := createTopics(ctx, s.broker.address(), plan.partitions, plan.topics...); err != nil {
			return err
		}
	}
	if plan.hang {
		return s.broker.hang()
	}
	return nil
}

// storm cuts all connections again and again, at random, until calm ends it.
func (s *scene) storm() {
	ctx, cancel := context.WithCancel(context.Background())
	cuts := make(chan int)
	go func() {
		n := 0
		defer func() { cuts <- n }()
		for {
			// Long enough for some requests to be answered, short enough to hit one in every state.
			wait := time.NewTimer(time.Duration(10+rand.IntN(190)) * time.Millisecond)
			select {
			case <-wait.C:
				s.broker.cut()
				n++
			case <-ctx.Done():
				wait.Stop()
				return
			}
		}
	}()
	s.calm = func() int {
		s.calm = nil
		cancel()
		return <-cuts
	}
}

type startPlan struct {
	topics     []string
	partitions int32
	hang       bool
	autoCreate bool
	sasl       string // user:password of SASL/PLAIN, or ""
}

func parseStart(args []string) (startPlan, error) {
	plan := startPlan{partitions: 1}
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		switch {
		case name == "topic" && value != "":
			plan.topics = append(plan.topics, value)
		case name == "partitions":
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil || n < 1 {
				return plan, fmt.Errorf("kafka start: partitions=%s is no positive number", value)
			}
			plan.partitions = int32(n)
		case arg == "produce=hang":
			plan.hang = true
		case arg == "create=auto":
			plan.autoCreate = true
		case name == "login" && strings.Contains(value, ":"):
			plan.sasl = value
		case arg == "produce=ok":
		default:
			return plan, fmt.Errorf("kafka start: %q; use topic=NAME, partitions=N, create=auto, login=USER:PASSWORD, produce=hang or produce=ok", arg)
		}
	}
	return plan, nil
}

// awaitCommand waits until a file has a line that matches: `await FILE REGEXP`.
func awaitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE REGEXP")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	file := ts.MkAbs(args[0])
	var text []byte
	err = poll(func() (bool, error) {
		text, err = os.ReadFile(file)
		if os.IsNotExist(err) {
			return false, nil
		}
		return pattern.Match(text), err
	})
	if err != nil {
		ts.Fatalf("await %s %s: %v; the file has:\n%s", args[0], args[1], err, text)
	}
}

// poll asks until done answers yes or fails, at most for as long as a script may wait.
func poll(done func() (bool, error)) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			return fmt.Errorf("not within %v", patience)
		}
	}
}
