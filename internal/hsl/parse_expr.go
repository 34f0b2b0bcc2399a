package hsl

// expression reads an expression of any precedence.
func (p *parser) expression() (expr, error) { return p.climb(precLowest) }

// climb reads an expression whose operators bind tighter than above, after the table in precedence.go.
func (p *parser) climb(above int) (expr, error) {
	if err := p.nest(p.peek().pos); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	l, err := p.prefix()
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		t := p.peek()
		if n > maxChain {
			return nil, p.errorf(t.pos, "the expression is too long")
		}
		x, err := p.infix(l, t, above)
		if err != nil {
			return nil, err
		}
		if x == nil {
			return l, nil
		}
		l = x
	}
}

// infix reads the operator t and its right side, or gives nil when t binds no tighter than above.
func (p *parser) infix(l expr, t token, above int) (expr, error) {
	if t.kind == tokName {
		switch {
		case t.text == "and" && precAnd > above:
			p.take()
			r, err := p.climb(precAnd)
			return &logical{t.pos, true, l, r}, err
		case t.text == "or" && precOr > above:
			p.take()
			r, err := p.climb(precOr)
			return &logical{t.pos, false, l, r}, err
		}
		return nil, nil
	}
	if t.kind != tokOp {
		return nil, nil
	}
	if prec, ok := binaryPrecedence[t.text]; ok && prec > above {
		p.take()
		if t.text == "**" {
			prec-- // to the right: 2 ** 3 ** 2 is 2 ** 9
		}
		r, err := p.climb(prec)
		if err != nil {
			return nil, err
		}
		return &binary{t.pos, t.text, l, r, !simple(r)}, nil
	}
	switch {
	case t.text == "??" && precCoalesce > above:
		p.take()
		r, err := p.climb(precCoalesce - 1)
		return &coalesce{t.pos, l, r}, err
	case t.text == "?" && precTernary > above:
		p.take()
		x := &ternary{Pos: t.pos, cond: l}
		var err error
		if !p.accept(":") {
			if x.yes, err = p.expression(); err != nil {
				return nil, err
			}
			if err := p.expect(":"); err != nil {
				return nil, err
			}
		}
		x.no, err = p.climb(precTernary - 1)
		return x, err
	}
	return nil, nil
}

// prefix reads the operators before an operand, and the operand.
func (p *parser) prefix() (expr, error) {
	t := p.peek()
	if t.kind == tokName && t.text == "not" {
		p.take()
		x, err := p.climb(precNot)
		return &unary{t.pos, "!", x}, err
	}
	if t.kind != tokOp {
		return p.postfix()
	}
	switch t.text {
	case "!", "-", "+", "~":
		p.take()
		x, err := p.climb(precUnary)
		return &unary{t.pos, t.text, x}, err
	case "++", "--":
		p.take()
		x, err := p.climb(precUnary)
		if err != nil {
			return nil, err
		}
		return &step{t.pos, x, stepOf(t.text), false}, p.checkTarget(x)
	}
	return p.postfix()
}

func stepOf(op string) Number {
	if op == "++" {
		return 1
	}
	return -1
}

// postfix reads an operand with its calls and indexes, and an assignment to it.
func (p *parser) postfix() (expr, error) {
	x, err := p.primary()
	for n := 0; err == nil; n++ {
		t := p.peek()
		if n > maxChain {
			return nil, p.errorf(t.pos, "the expression is too long")
		}
		if t.kind != tokOp {
			return x, nil
		}
		switch t.text {
		case "(":
			p.take()
			c := &call{Pos: t.pos, fn: x}
			if c.args, err = p.arguments(); err != nil {
				return nil, err
			}
			if ref, ok := x.(*funcRef); ok {
				c.Pos = ref.Pos
			}
			for _, a := range c.args {
				c.hold = c.hold || len(c.args) > 1 && !simple(a.x)
			}
			p.module.calls = append(p.module.calls, c)
			x = c
		case "[":
			p.take()
			x, err = p.subscript(t.pos, x)
		case "->":
			p.take()
			x, err = p.method(t.pos, x)
		case "::":
			// After a number or a variable it belongs to a slice, [1::2].
			if _, ok := x.(*funcRef); !ok {
				return x, nil
			}
			return nil, p.errorf(t.pos, `"::": static members are not supported here`)
		case "++", "--":
			p.take()
			return &step{t.pos, x, stepOf(t.text), true}, p.checkTarget(x)
		default:
			op, ok := assignments[t.text]
			if !ok {
				return x, nil
			}
			p.take()
			return p.assignment(t, op, x)
		}
	}
	return nil, err
}

// assignment reads the right side of t and checks the left one.
func (p *parser) assignment(t token, op string, target expr) (expr, error) {
	val, err := p.climb(precLowest)
	if err != nil {
		return nil, err
	}
	if pattern, ok := target.(*arrayLiteral); ok {
		if op != "" {
			return nil, p.errorf(t.pos, "%q cannot assign to a list of variables", t.text)
		}
		return &destructure{t.pos, pattern, val}, p.checkPattern(pattern)
	}
	if op != "" {
		if e, ok := target.(*element); ok && e.key == nil {
			return nil, p.errorf(e.Pos, "a new element has no value to change")
		}
	}
	return &assign{t.pos, op, target, val}, p.checkTarget(target)
}

// checkTarget tells whether x can be assigned to.
func (p *parser) checkTarget(x expr) error {
	for y := x; ; {
		switch z := y.(type) {
		case *variable:
			return nil
		case *element:
			y = z.base
			continue
		case *slice:
			return p.errorf(z.Pos, "assigning to a slice is not supported here")
		}
		return p.errorf(x.at(), "only a variable or an element of one can be assigned to")
	}
}

// checkPattern tells whether an array literal can stand on the left of =.
func (p *parser) checkPattern(a *arrayLiteral) error {
	for i, it := range a.items {
		if it.spread && i != len(a.items)-1 {
			return p.errorf(it.val.at(), `"..." must be the last of the list`)
		}
		if inner, ok := it.val.(*arrayLiteral); ok && !it.spread {
			if err := p.checkPattern(inner); err != nil {
				return err
			}
			continue
		}
		if err := p.checkTarget(it.val); err != nil {
			return err
		}
	}
	return nil
}

// subscript reads what follows [ : an element, an append, or a slice.
func (p *parser) subscript(at Pos, base expr) (expr, error) {
	if p.accept("]") {
		return &element{at, base, nil}, nil
	}
	var parts [3]expr
	colons := 0
	for {
		switch {
		case p.accept("::"):
			colons += 2
		case p.accept(":"):
			colons++
		case p.accept("]"):
			if colons == 0 {
				return &element{at, base, parts[0]}, nil
			}
			return &slice{at, base, parts[0], parts[1], parts[2]}, nil
		default:
			if parts[colons] != nil {
				return nil, p.unexpected(`"]"`)
			}
			x, err := p.expression()
			if err != nil {
				return nil, err
			}
			parts[colons] = x
		}
		if colons > 2 {
			return nil, p.errorf(at, "a slice is [from:to] or [from:to:step]")
		}
	}
}

// method reads ->name(arguments).
func (p *parser) method(at Pos, object expr) (expr, error) {
	t := p.peek()
	if t.kind != tokName {
		return nil, p.unexpected("the name of a method")
	}
	p.take()
	if err := p.expect("("); err != nil {
		return nil, err
	}
	args, err := p.arguments()
	return &methodCall{at, object, t.text, args}, err
}

// arguments reads what follows ( up to and including ).
func (p *parser) arguments() ([]argument, error) {
	var args []argument
	for !p.accept(")") {
		var a argument
		a.spread = p.accept("...")
		var err error
		if a.x, err = p.expression(); err != nil {
			return nil, err
		}
		args = append(args, a)
		if !p.accept(",") {
			return args, p.expect(")")
		}
	}
	return args, nil
}
