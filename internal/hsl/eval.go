package hsl

import (
	"errors"
	"fmt"
)

// throwf is an exception of the language itself.
func throwf(at Pos, format string, args ...any) error {
	return &Thrown{&Exception{fmt.Sprintf(format, args...), at}, at}
}

// errAt gives an error that has no place yet the place of the node that met it.
func errAt(at Pos, err error) error {
	var t *Thrown
	var s *stopped
	switch {
	case err == nil || errors.As(err, &t):
		return err
	case errors.As(err, &s):
		if s.pos.Line == 0 {
			return &stopped{at, s.msg, s.err}
		}
		return err
	case errors.Is(err, errSize):
		return &stopped{pos: at, msg: "the script needs too much memory", err: err}
	}
	return throwf(at, "%s", err)
}

func (m *machine) block(f *frame, body []stmt) (signal, error) {
	for _, s := range body {
		sig, err := s.exec(m, f)
		if err != nil || sig != sigNext {
			return sig, err
		}
	}
	return sigNext, nil
}

func (s *block) exec(m *machine, f *frame) (signal, error) { return m.block(f, s.body) }

func (s *echoStmt) exec(m *machine, f *frame) (signal, error) {
	if err := m.tick(s.Pos); err != nil {
		return sigNext, err
	}
	v, err := s.x.eval(m, f)
	if err != nil {
		return sigNext, err
	}
	t, err := text(v, m.limits.Bytes)
	if err != nil {
		return sigNext, errAt(s.Pos, err)
	}
	if m.env.Echo != nil {
		m.env.Echo(t)
	}
	return sigNext, nil
}

func (s *exprStmt) exec(m *machine, f *frame) (signal, error) {
	if err := m.tick(s.x.at()); err != nil {
		return sigNext, err
	}
	_, err := s.x.eval(m, f)
	return sigNext, err
}

func (s *ifStmt) exec(m *machine, f *frame) (signal, error) {
	if err := m.tick(s.condition); err != nil {
		return sigNext, err
	}
	v, err := s.cond.eval(m, f)
	switch {
	case err != nil:
		return sigNext, err
	case Truth(v):
		return s.yes.exec(m, f)
	case s.no != nil:
		return s.no.exec(m, f)
	}
	return sigNext, nil
}

func (s *loop) exec(m *machine, f *frame) (signal, error) {
	if err := m.each(f, s.init); err != nil {
		return sigNext, err
	}
	for {
		if err := m.tick(s.Pos); err != nil {
			return sigNext, err
		}
		if s.cond != nil {
			v, err := s.cond.eval(m, f)
			if err != nil || !Truth(v) {
				return sigNext, err
			}
		}
		sig, err := s.body.exec(m, f)
		if err != nil || sig == sigReturn {
			return sig, err
		}
		if sig == sigBreak {
			return sigNext, nil
		}
		if err := m.each(f, s.post); err != nil {
			return sigNext, err
		}
	}
}

func (m *machine) each(f *frame, xs []expr) error {
	for _, x := range xs {
		if _, err := x.eval(m, f); err != nil {
			return err
		}
	}
	return nil
}

// The loop goes over the array as it was at its start, whatever the body does to the variable.
func (s *foreach) exec(m *machine, f *frame) (signal, error) {
	v, err := s.over.eval(m, f)
	if err != nil {
		return sigNext, err
	}
	a, ok := keep(v).(*Array)
	if !ok {
		return sigNext, throwf(s.over.at(), "foreach needs an array, not a value of type %s", v.typeName())
	}
	for i := range a.Len() {
		if err := m.tick(s.Pos); err != nil {
			return sigNext, err
		}
		key, val := a.At(i)
		if s.key != nil {
			if err := m.store(f, s.key, key); err != nil {
				return sigNext, err
			}
		}
		if err := m.store(f, s.val, val); err != nil {
			return sigNext, err
		}
		sig, err := s.body.exec(m, f)
		if err != nil || sig == sigReturn {
			return sig, err
		}
		if sig == sigBreak {
			break
		}
	}
	return sigNext, nil
}

func (s *switchStmt) exec(m *machine, f *frame) (signal, error) {
	if err := m.tick(s.Pos); err != nil {
		return sigNext, err
	}
	v, err := s.x.eval(m, f)
	if err != nil {
		return sigNext, err
	}
	keep(v)
	start, fallback := -1, -1
	for i, c := range s.cases {
		if c.x == nil {
			fallback = i
			continue
		}
		w, err := c.x.eval(m, f)
		if err != nil {
			return sigNext, err
		}
		same, err := m.equal(v, w, 0)
		if err != nil {
			return sigNext, errAt(c.x.at(), err)
		}
		if same {
			start = i
			break
		}
	}
	if start < 0 {
		start = fallback
	}
	if start < 0 {
		return sigNext, nil
	}
	for _, c := range s.cases[start:] {
		sig, err := m.block(f, c.body)
		if err != nil || sig == sigReturn || sig == sigContinue {
			return sig, err
		}
		if sig == sigBreak {
			break
		}
	}
	return sigNext, nil
}

func (x *match) eval(m *machine, f *frame) (Value, error) {
	v, err := x.x.eval(m, f)
	if err != nil {
		return nil, err
	}
	keep(v)
	var fallback expr
	for _, arm := range x.arms {
		if len(arm.cases) == 0 {
			fallback = arm.val
		}
		for _, c := range arm.cases {
			w, err := c.eval(m, f)
			if err != nil {
				return nil, err
			}
			same, err := m.equal(v, w, 0)
			if err != nil {
				return nil, errAt(c.at(), err)
			}
			if same {
				return arm.val.eval(m, f)
			}
		}
	}
	if fallback == nil {
		return nil, throwf(x.Pos, "nothing in the match fits, and it has no default")
	}
	return fallback.eval(m, f)
}

func (s *jump) exec(*machine, *frame) (signal, error) { return s.sig, nil }

func (s *result) exec(m *machine, f *frame) (signal, error) {
	if err := m.tick(s.Pos); err != nil {
		return sigNext, err
	}
	if s.x == nil {
		f.result = None{}
		return sigReturn, nil
	}
	v, err := s.x.eval(m, f)
	f.result = keep(v)
	return sigReturn, err
}

func (s *throwStmt) exec(m *machine, f *frame) (signal, error) {
	v, err := s.x.eval(m, f)
	if err != nil {
		return sigNext, err
	}
	return sigNext, &Thrown{keep(v), s.Pos}
}

func (s *try) exec(m *machine, f *frame) (signal, error) {
	sig, err := s.body.exec(m, f)
	var t *Thrown
	if !errors.As(err, &t) {
		return sig, err
	}
	f.vars[s.slot].v = keep(t.Value)
	return s.handler.exec(m, f)
}

func (s *global) exec(m *machine, f *frame) (signal, error) {
	return sigNext, m.share(s, f)
}

func (s *importStmt) exec(m *machine, f *frame) (signal, error) {
	for _, c := range s.consts {
		f.vars[c.slot].v = c.val
	}
	if s.from == nil {
		return sigNext, nil
	}
	if !m.ran[s.from.id] {
		if err := m.runModule(s.from); err != nil {
			return sigNext, err
		}
	}
	for _, v := range s.vars {
		f.vars[v[1]] = m.globals[s.from.id].vars[v[0]]
	}
	return sigNext, nil
}
