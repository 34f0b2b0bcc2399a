package hsl

import (
	"context"
	"errors"
	"time"
)

// Native is a function of a plugin. It is called on the goroutine of the run, with the context of
// the run, and may block. It may keep args and what they hold, and must not change them. Returning
// a [*Thrown] throws an exception that the script can catch; any other error ends the run.
type Native func(ctx context.Context, args []Value) (Value, error)

// Env is what a script can see of the world. A nil hook has the default that its comment names.
// One Env may serve many runs at once when its hooks may be called concurrently.
type Env struct {
	// Modules are the plugins' functions, by import path and name.
	Modules map[string]map[string]Native
	// ReadFile reads imported and included files while parsing. Nil: there are none.
	ReadFile func(path string) ([]byte, error)
	// Echo gets each echo statement's text, without a newline. Nil: it is dropped.
	Echo func(text string)
	// Log gets the messages of syslog(), with syslog's number for the priority. Nil: dropped.
	Log func(priority int, message string)
	// Metric gets the values of metrics_set(). Nil: dropped.
	Metric func(name string, value float64)
	// Limits bound the run. Zero fields have the defaults.
	Limits Limits
}

// Limits bound what one run can take. The first one reached ends the run; a script cannot catch it.
type Limits struct {
	// Steps is the number of statements, calls and loops. Default: no limit.
	Steps int
	// Depth is how deep functions call each other. Default: 500.
	Depth int
	// Bytes is the length of one string, and of one array in elements of 16 bytes. Default: 256 MiB.
	Bytes int
}

const (
	defaultDepth = 500
	defaultBytes = 256 << 20
)

// machine is one run.
type machine struct {
	ctx    context.Context
	env    *Env
	limits Limits
	begun  time.Time
	steps  int
	depth  int
	// globals are the modules' variables; ran tells which modules have run.
	globals []*frame
	ran     []bool
}

// frame is the variables of one call.
type frame struct {
	vars   []*cell
	result Value
}

// cell is one variable. Closures and global share it. A nil value is a variable not assigned yet.
type cell struct{ v Value }

func newFrame(s *scope) *frame {
	f := &frame{vars: make([]*cell, len(s.names))}
	cells := make([]cell, len(s.names))
	for i := range cells {
		f.vars[i] = &cells[i]
	}
	return f
}

// Run runs the script on the caller's goroutine, and ends with nil, or with a [*ScriptError] when an
// exception was not caught, when ctx ended, or when a limit was reached.
func (p *Program) Run(ctx context.Context, env *Env) error {
	m := &machine{ctx: ctx, env: env, limits: env.Limits, ran: make([]bool, len(p.modules))}
	if m.limits.Depth == 0 {
		m.limits.Depth = defaultDepth
	}
	if m.limits.Bytes == 0 {
		m.limits.Bytes = defaultBytes
	}
	m.begun = time.Now()
	for _, mod := range p.modules {
		m.globals = append(m.globals, newFrame(mod.root))
	}
	err := m.runModule(p.main)
	var t *Thrown
	if errors.As(err, &t) {
		return &ScriptError{Pos: t.Pos, Msg: messageOf(t.Value), Value: t.Value}
	}
	var s *stopped
	if errors.As(err, &s) {
		return &ScriptError{Pos: s.pos, Msg: s.msg, Err: s.err}
	}
	return err
}

func (m *machine) runModule(mod *module) error {
	m.ran[mod.id] = true
	_, err := m.block(m.globals[mod.id], mod.body)
	return err
}

func (m *machine) sleep(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-m.ctx.Done():
		return m.ctx.Err()
	}
}

// tick counts a step. Asking the context each time would cost more than the step.
func (m *machine) tick(at Pos) error {
	m.steps++
	if m.limits.Steps > 0 && m.steps > m.limits.Steps {
		return &stopped{pos: at, msg: "the script took too many steps"}
	}
	if m.steps%256 == 0 {
		if err := m.ctx.Err(); err != nil {
			return &stopped{pos: at, msg: "the script was stopped: " + err.Error(), err: err}
		}
	}
	return nil
}

// fits bounds the length of a result before it is made.
func (m *machine) fits(at Pos, bytes float64) error {
	if bytes > float64(m.limits.Bytes) {
		return &stopped{pos: at, msg: "the script needs too much memory"}
	}
	return nil
}

// elementBytes is what an array element counts for in Limits.Bytes.
const elementBytes = 16
