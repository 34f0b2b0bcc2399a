package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/halon-extras/kafka/internal/hsl"
	"github.com/halon-extras/kafka/internal/standin"
)

// maxReports bounds the errors that are shown of one run repeated many times.
const maxReports = 10

// runScripts runs the program as often as asked, and tells whether one of the runs failed. A run that is
// parked does not hold a thread, so more runs than threads may have begun; the next one begins when a thread is
// free.
func (s *stage) runScripts(ctx context.Context, program *hsl.Program) (failed bool) {
	names := s.host.Functions()
	var wg sync.WaitGroup
	var mu sync.Mutex
	failures := 0
	for range s.o.repeat {
		begun := make(chan struct{})
		wg.Go(func() {
			var once sync.Once
			begin := func() { once.Do(func() { close(begun) }) }
			defer begin()
			err := s.host.Script(ctx, func(script *standin.Script) error {
				begin()
				return program.Run(ctx, s.env(script, names))
			})
			if err == nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if failures++; failures <= maxReports {
				s.t.logf("%v", err)
			}
		})
		<-begun
		if ctx.Err() != nil {
			break
		}
	}
	wg.Wait()
	if failures > maxReports {
		s.t.logf("hslrun: %d runs more failed", failures-maxReports)
	}
	return failures > 0
}

func (s *stage) env(script *standin.Script, names []string) *hsl.Env {
	return &hsl.Env{
		Modules: map[string]map[string]hsl.Native{s.module(): natives(script, names)},
		Echo:    s.t.line,
		Log:     s.t.syslog,
		Metric:  func(name string, value float64) { s.t.logf("[metric] %s %g", name, value) },
	}
}

// runCommands runs the commands in order, also after one has failed, and tells whether all were done.
func (s *stage) runCommands(commands []string) bool {
	ok := true
	for _, command := range commands {
		out, done := s.host.Command(strings.Fields(command))
		if text := strings.TrimSuffix(string(out), "\n"); text != "" {
			s.t.line(text)
		}
		if !done {
			s.t.logf("hslrun: the command failed: %s", command)
			ok = false
		}
	}
	return ok
}

// checkRules reports what the plugin did against the rules of the host.
func (s *stage) checkRules(ctx context.Context) bool {
	faults := s.host.Faults()
	// A run that was stopped while it was parked leaves its values to the plugin.
	if live := s.host.Live(); live != 0 && ctx.Err() == nil {
		faults = append(faults, fmt.Sprintf("%d values are still alive at the end", live))
	}
	for _, fault := range faults {
		s.t.logf("hslrun: the plugin broke a rule of the host: %s", fault)
	}
	return len(faults) == 0
}
