package hsl

// condition reads ( expression ).
func (p *parser) condition() (expr, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	return x, p.expect(")")
}

// inner reads a statement below an if or a loop, where imports cannot stand.
func (p *parser) inner() (stmt, error) {
	p.blocks++
	defer func() { p.blocks-- }()
	return p.statement()
}

// loopBody reads a statement that break and continue can leave.
func (p *parser) loopBody() (stmt, error) {
	p.loops++
	defer func() { p.loops-- }()
	return p.inner()
}

func (p *parser) ifElse(at Pos) (stmt, error) {
	cond, err := p.condition()
	if err != nil {
		return nil, err
	}
	s := &ifStmt{cond: cond, condition: at}
	if s.yes, err = p.inner(); err != nil {
		return nil, err
	}
	if p.isName("elseif") {
		return nil, p.errorf(p.peek().pos, `the language has no "elseif": write "else if"`)
	}
	if p.isName("else") {
		p.take()
		s.no, err = p.inner()
	}
	return s, err
}

func (p *parser) while(at Pos) (stmt, error) {
	cond, err := p.condition()
	if err != nil {
		return nil, err
	}
	body, err := p.loopBody()
	return &loop{Pos: at, cond: cond, body: body}, err
}

func (p *parser) forever(at Pos) (stmt, error) {
	body, err := p.loopBody()
	return &loop{Pos: at, body: body}, err
}

// forLoop reads for (init; cond; post), where init and post may be lists.
func (p *parser) forLoop(at Pos) (stmt, error) {
	s := &loop{Pos: at}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var err error
	if s.init, err = p.list(";"); err != nil {
		return nil, err
	}
	if !p.accept(";") {
		if s.cond, err = p.expression(); err != nil {
			return nil, err
		}
		if err := p.expect(";"); err != nil {
			return nil, err
		}
	}
	if s.post, err = p.list(")"); err != nil {
		return nil, err
	}
	s.body, err = p.loopBody()
	return s, err
}

// list reads expressions with commas between them up to and including end.
func (p *parser) list(end string) ([]expr, error) {
	var xs []expr
	if p.accept(end) {
		return nil, nil
	}
	for {
		x, err := p.expression()
		if err != nil {
			return nil, err
		}
		xs = append(xs, x)
		if !p.accept(",") {
			return xs, p.expect(end)
		}
	}
}

// foreach reads foreach (x as $v) and foreach (x as $k => $v); $v may be a pattern.
func (p *parser) foreach(at Pos) (stmt, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	over, err := p.expression()
	if err != nil {
		return nil, err
	}
	if !p.isName("as") {
		return nil, p.unexpected(`"as"`)
	}
	p.take()
	s := &foreach{Pos: at, over: over}
	if s.val, err = p.loopTarget(); err != nil {
		return nil, err
	}
	if p.accept("=>") {
		s.key = s.val
		if _, ok := s.key.(*arrayLiteral); ok {
			return nil, p.errorf(s.key.at(), "the key of foreach must be a variable")
		}
		if s.val, err = p.loopTarget(); err != nil {
			return nil, err
		}
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	s.body, err = p.loopBody()
	return s, err
}

// loopTarget reads a variable or a pattern.
func (p *parser) loopTarget() (expr, error) {
	x, err := p.postfix()
	if err != nil {
		return nil, err
	}
	if pattern, ok := x.(*arrayLiteral); ok {
		return pattern, p.checkPattern(pattern)
	}
	return x, p.checkTarget(x)
}

// switchCase reads switch (x) { case a: ... default: ... }.
func (p *parser) switchCase(at Pos) (stmt, error) {
	x, err := p.condition()
	if err != nil {
		return nil, err
	}
	s := &switchStmt{Pos: at, x: x}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	p.switches++
	p.blocks++
	defer func() { p.switches--; p.blocks-- }()
	hasDefault := false
	for !p.accept("}") {
		t := p.peek()
		var c switchCase
		switch {
		case p.isName("case"):
			p.take()
			if c.x, err = p.expression(); err != nil {
				return nil, err
			}
		case p.isName("default"):
			if hasDefault {
				return nil, p.errorf(t.pos, "the switch has a default already")
			}
			hasDefault = true
			p.take()
		default:
			return nil, p.unexpected(`"case", "default" or "}"`)
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		for !p.isName("case") && !p.isName("default") && !p.isOp("}") {
			if p.peek().kind == tokEOF {
				return nil, p.errorf(at, `the switch is not closed: "}" is missing`)
			}
			st, err := p.statement()
			if err != nil {
				return nil, err
			}
			c.body = append(c.body, st)
		}
		s.cases = append(s.cases, c)
	}
	return s, nil
}

// match reads (x) { a, b => value, default => other }.
func (p *parser) match(at Pos) (expr, error) {
	x, err := p.condition()
	if err != nil {
		return nil, err
	}
	m := &match{Pos: at, x: x}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	hasDefault := false
	for !p.accept("}") {
		var arm matchArm
		t := p.peek()
		switch {
		case p.isOp("=>"):
			return nil, p.unexpected("an expression")
		case p.isName("default"):
			if hasDefault {
				return nil, p.errorf(t.pos, "the match has a default already")
			}
			hasDefault = true
			p.take()
			err = p.expect("=>")
		default:
			arm.cases, err = p.list("=>")
		}
		if err != nil {
			return nil, err
		}
		if arm.val, err = p.expression(); err != nil {
			return nil, err
		}
		m.arms = append(m.arms, arm)
		if !p.accept(",") && !p.isOp("}") {
			return nil, p.unexpected(`"," or "}"`)
		}
	}
	return m, nil
}

// jump reads break; and continue;
func (p *parser) jump(at Pos, word string) (stmt, error) {
	sig := sigContinue
	if word == "break" {
		sig = sigBreak
	}
	if p.loops == 0 && (sig == sigContinue || p.switches == 0) {
		return nil, p.errorf(at, "%q stands inside a loop only", word)
	}
	return &jump{sig}, p.expect(";")
}
