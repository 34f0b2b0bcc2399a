package hsl

// namedFunction reads function name(parameters) { body }. The name is known in the whole scope, also
// before the function's own place.
func (p *parser) namedFunction(Pos) (stmt, error) {
	name := p.take()
	fn := &proto{Pos: name.pos, fname: name.text}
	if old, ok := p.scope.funcs[name.text]; ok {
		return nil, p.errorf(name.pos, "the function %s exists already, at %s", name.text, old.Pos)
	}
	p.scope.funcs[name.text] = fn
	if err := p.function(fn, nil); err != nil {
		return nil, err
	}
	return &block{}, nil
}

// anonymous reads what follows "function": (parameters) closure ($x) { body }.
func (p *parser) anonymous(at Pos) (expr, error) {
	fn := &funcLiteral{Pos: at, proto: &proto{Pos: at}}
	return fn, p.function(fn.proto, fn)
}

// function reads the parameters, the closure when lit is set, and the body, in a scope of its own.
func (p *parser) function(fn *proto, lit *funcLiteral) error {
	outer, loops, switches := p.scope, p.loops, p.switches
	fn.scope = newScope(p.module, outer)
	p.scope, p.loops, p.switches = fn.scope, 0, 0
	defer func() { p.scope, p.loops, p.switches = outer, loops, switches }()
	if err := p.parameters(fn); err != nil {
		return err
	}
	if p.isName("closure") {
		if lit == nil {
			return p.errorf(p.peek().pos, "only a function without a name has a closure")
		}
		p.take()
		if err := p.closure(lit, outer); err != nil {
			return err
		}
	}
	var err error
	fn.body, err = p.braced()
	return err
}

// parameters reads ($a, $b = default, ...$rest).
func (p *parser) parameters(fn *proto) error {
	fn.rest = -1
	if err := p.expect("("); err != nil {
		return err
	}
	for !p.accept(")") {
		rest := p.accept("...")
		t := p.peek()
		if t.kind != tokVar {
			return p.unexpected("a parameter")
		}
		p.take()
		if fn.has(t.text) {
			return p.errorf(t.pos, "there are two parameters $%s", t.text)
		}
		slot := fn.scope.slot(t.text)
		if rest {
			fn.rest = slot
			return p.expect(")")
		}
		prm := param{name: t.text, slot: slot}
		if p.accept("=") {
			var err error
			if prm.def, err = p.expression(); err != nil {
				return err
			}
		} else if fn.required++; fn.required != len(fn.params)+1 {
			return p.errorf(t.pos, "$%s needs a default, since a parameter before it has one", t.text)
		}
		fn.params = append(fn.params, prm)
		if !p.accept(",") {
			return p.expect(")")
		}
	}
	return nil
}

// closure reads ($x, $y): the variables of the function around that are shared.
func (p *parser) closure(lit *funcLiteral, outer *scope) error {
	if err := p.expect("("); err != nil {
		return err
	}
	for {
		t := p.peek()
		if t.kind != tokVar {
			return p.unexpected("a variable")
		}
		p.take()
		if lit.proto.has(t.text) {
			return p.errorf(t.pos, "$%s is a parameter already", t.text)
		}
		lit.outer = append(lit.outer, outer.slot(t.text))
		lit.proto.captures = append(lit.proto.captures, p.scope.slot(t.text))
		if !p.accept(",") {
			return p.expect(")")
		}
	}
}

// has tells whether there is a parameter of that name.
func (fn *proto) has(name string) bool {
	for _, prm := range fn.params {
		if prm.name == name {
			return true
		}
	}
	return fn.rest >= 0 && fn.scope.names[fn.rest] == name
}
