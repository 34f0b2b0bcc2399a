package hsl

import "errors"

// Function is a function of a script, of the language or of a plugin. A value of it can be kept, but
// means something only within the run that made it.
type Function struct {
	proto    *proto
	captured []*cell
	builtin  *builtin
	native   *nativeRef
}

// nativeRef is a plugin's function; which one it is depends on the Env of the run.
type nativeRef struct{ module, name string }

func (fn *Function) name() string {
	switch {
	case fn.builtin != nil:
		return fn.builtin.name
	case fn.native != nil:
		return fn.native.name
	case fn.proto.fname != "":
		return fn.proto.fname
	}
	return "without a name"
}

// arity is what is wrong with a call of n arguments, or "".
func (fn *Function) arity(n int) string {
	least, most := 0, -1
	switch {
	case fn.builtin != nil:
		least, most = fn.builtin.least, fn.builtin.most
	case fn.proto != nil:
		least = fn.proto.required
		if fn.proto.rest < 0 {
			most = len(fn.proto.params)
		}
	}
	switch {
	case n < least:
		return "too few arguments for " + fn.name() + ": it takes " + count(least, most)
	case most >= 0 && n > most:
		return "too many arguments for " + fn.name() + ": it takes " + count(least, most)
	}
	return ""
}

// count is "2", "1 to 3" or "at least 1".
func count(least, most int) string {
	digits := func(n int) string { return string(appendNumber(nil, float64(n))) }
	switch {
	case least == most:
		return digits(least)
	case most < 0:
		return "at least " + digits(least)
	}
	return digits(least) + " to " + digits(most)
}

func (x *funcRef) eval(*machine, *frame) (Value, error) { return x.target, nil }

func (x *funcLiteral) eval(_ *machine, f *frame) (Value, error) {
	fn := &Function{proto: x.proto}
	for _, slot := range x.outer {
		fn.captured = append(fn.captured, f.vars[slot])
	}
	return fn, nil
}

func (x *call) eval(m *machine, f *frame) (Value, error) {
	fv, err := x.fn.eval(m, f)
	if err != nil {
		return nil, err
	}
	fn, ok := fv.(*Function)
	if !ok {
		return nil, throwf(x.Pos, "a value of type %s cannot be called", fv.typeName())
	}
	args, err := m.arguments(f, x.args, x.hold)
	if err != nil {
		return nil, err
	}
	return m.call(x.Pos, fn, args)
}

// arguments evaluates arguments. With hold, each one is marked as shared, since a later argument may
// change the array that it came from.
func (m *machine) arguments(f *frame, list []argument, hold bool) ([]Value, error) {
	args := make([]Value, 0, len(list))
	for _, a := range list {
		v, err := a.x.eval(m, f)
		if err != nil {
			return nil, err
		}
		if hold || a.spread {
			keep(v)
		}
		if !a.spread {
			args = append(args, v)
			continue
		}
		more, ok := v.(*Array)
		if !ok {
			return nil, throwf(a.x.at(), `"..." needs an array, not a value of type %s`, v.typeName())
		}
		if err := m.fits(a.x.at(), elementBytes*float64(len(args)+more.Len())); err != nil {
			return nil, err
		}
		for i := range more.Len() {
			_, v := more.At(i)
			args = append(args, keep(v))
		}
	}
	return args, nil
}

// call calls fn for the node at that place.
func (m *machine) call(at Pos, fn *Function, args []Value) (Value, error) {
	if err := m.tick(at); err != nil {
		return nil, err
	}
	if msg := fn.arity(len(args)); msg != "" {
		return nil, throwf(at, "%s", msg)
	}
	if m.depth++; m.depth > m.limits.Depth {
		return nil, &stopped{pos: at, msg: "functions call each other too deep"}
	}
	defer func() { m.depth-- }()
	switch {
	case fn.builtin != nil:
		return fn.builtin.call(m, at, args)
	case fn.native != nil:
		return m.callNative(at, fn.native, args)
	}
	return m.callScript(fn, args)
}

func (m *machine) callScript(fn *Function, args []Value) (Value, error) {
	p := fn.proto
	f := newFrame(p.scope)
	for i, slot := range p.captures {
		f.vars[slot] = fn.captured[i]
	}
	for i, prm := range p.params {
		if i < len(args) {
			f.vars[prm.slot].v = keep(args[i])
			continue
		}
		v, err := prm.def.eval(m, f)
		if err != nil {
			return nil, err
		}
		f.vars[prm.slot].v = keep(v)
	}
	if p.rest >= 0 {
		rest := &Array{}
		for i := len(p.params); i < len(args); i++ {
			rest.Append(args[i])
		}
		f.vars[p.rest].v = rest
	}
	if _, err := m.block(f, p.body); err != nil {
		return nil, err
	}
	if f.result == nil {
		return None{}, nil
	}
	return f.result, nil
}

func (m *machine) callNative(at Pos, ref *nativeRef, args []Value) (Value, error) {
	fn := m.env.Modules[ref.module][ref.name]
	if fn == nil {
		return nil, throwf(at, "the module %s has no %s", ref.module, ref.name)
	}
	for _, a := range args {
		keep(a)
	}
	v, err := fn(m.ctx, args)
	if err == nil {
		if v == nil {
			v = None{}
		}
		return v, nil
	}
	var t *Thrown
	if !errors.As(err, &t) {
		return nil, &stopped{pos: at, msg: ref.name + ": " + err.Error(), err: err}
	}
	out := *t
	if out.Value == nil {
		out.Value = None{}
	}
	if out.Pos.Line == 0 {
		out.Pos = at
	}
	if e, ok := out.Value.(*Exception); ok && e.Pos.Line == 0 {
		out.Value = &Exception{e.Message, out.Pos}
	}
	return nil, &out
}

func (m *machine) share(s *global, f *frame) error {
	mod := m.globals[s.module.id]
	for i, name := range s.names {
		if f.vars[s.local[i]].v != nil && f.vars[s.local[i]] != mod.vars[s.shared[i]] {
			return throwf(s.Pos, "the function has a variable $%s already", name)
		}
		f.vars[s.local[i]] = mod.vars[s.shared[i]]
	}
	return nil
}

// Methods exist on exceptions only.
func (x *methodCall) eval(m *machine, f *frame) (Value, error) {
	v, err := x.object.eval(m, f)
	if err != nil {
		return nil, err
	}
	e, ok := v.(*Exception)
	if !ok {
		return nil, throwf(x.Pos, "a value of type %s has no methods", v.typeName())
	}
	args, err := m.arguments(f, x.args, true)
	if err != nil {
		return nil, err
	}
	method, ok := exceptionMethods[x.name]
	switch {
	case !ok:
		return nil, throwf(x.Pos, "an exception has no method %s: it has message, toString, file, line and column", x.name)
	case len(args) > 0:
		return nil, throwf(x.Pos, "too many arguments for %s: it takes 0", x.name)
	}
	return method(e), nil
}

var exceptionMethods = map[string]func(*Exception) Value{
	"message":  func(e *Exception) Value { return String(e.Message) },
	"toString": func(e *Exception) Value { return String(e.describe()) },
	"file": func(e *Exception) Value {
		if e.Pos.Line == 0 {
			return None{}
		}
		return String(e.Pos.File)
	},
	"line": func(e *Exception) Value {
		if e.Pos.Line == 0 {
			return None{}
		}
		return Number(e.Pos.Line)
	},
	"column": func(e *Exception) Value {
		if e.Pos.Line == 0 {
			return None{}
		}
		return Number(e.Pos.Column)
	},
}
