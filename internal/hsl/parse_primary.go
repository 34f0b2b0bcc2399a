package hsl

// primary reads a literal, a variable, a function or something in parentheses.
func (p *parser) primary() (expr, error) {
	t := p.peek()
	switch t.kind {
	case tokVar:
		p.take()
		if t.text == "this" {
			return nil, p.errorf(t.pos, `"$this": classes are not supported here`)
		}
		return &variable{t.pos, t.text, p.scope.slot(t.text)}, nil
	case tokNumber:
		p.take()
		return &literal{t.pos, t.num}, nil
	case tokRegex:
		p.take()
		return &literal{t.pos, t.regex}, nil
	case tokString:
		p.take()
		return p.stringLiteral(t), nil
	case tokName:
		p.take()
		return p.named(t)
	case tokOp:
		switch t.text {
		case "(":
			p.take()
			x, err := p.expression()
			if err != nil {
				return nil, err
			}
			return x, p.expect(")")
		case "[":
			p.take()
			return p.array(t.pos)
		}
	}
	return nil, p.unexpected("an expression")
}

// reserved words are never names of functions.
var reserved = map[string]bool{
	"and": true, "as": true, "break": true, "case": true, "catch": true, "closure": true, "continue": true,
	"default": true, "echo": true, "else": true, "elseif": true, "finally": true, "for": true, "foreach": true,
	"forever": true, "from": true, "global": true, "if": true, "import": true, "include": true,
	"include_once": true, "or": true, "return": true, "switch": true, "throw": true, "try": true,
	"while": true, "with": true,
}

func (p *parser) stringLiteral(t token) expr {
	switch {
	case len(t.parts) == 0:
		return &literal{t.pos, String("")}
	case len(t.parts) == 1 && t.parts[0].name == "":
		return &literal{t.pos, String(t.parts[0].text)}
	}
	x := &interpolated{Pos: t.pos}
	for _, part := range t.parts {
		if part.name == "" {
			x.parts = append(x.parts, &literal{t.pos, String(part.text)})
			continue
		}
		x.parts = append(x.parts, &variable{part.pos, part.name, p.scope.slot(part.name)})
	}
	return x
}

// named reads what begins with a word.
func (p *parser) named(t token) (expr, error) {
	switch t.text {
	case "true", "false":
		return &literal{t.pos, Bool(t.text == "true")}, nil
	case "none":
		return &literal{t.pos, None{}}, nil
	case "isset", "unset":
		return p.probe(t)
	case "function":
		return p.anonymous(t.pos)
	case "match":
		return p.match(t.pos)
	case "builtin":
		name := p.peek()
		if name.kind != tokName {
			return nil, p.unexpected("the name of a function")
		}
		p.take()
		return p.reference(name, true), nil
	}
	if what, ok := unsupported[t.text]; ok {
		return nil, p.errorf(t.pos, "%q: %s are not supported here", t.text, what)
	}
	if reserved[t.text] {
		return nil, p.errorf(t.pos, "expected an expression, found %s", t)
	}
	return p.reference(t, false), nil
}

// reference is a function by name; which one is known when the file has been read to its end.
func (p *parser) reference(t token, builtin bool) *funcRef {
	ref := &funcRef{Pos: t.pos, name: t.text, scope: p.scope, builtin: builtin}
	p.module.refs = append(p.module.refs, ref)
	return ref
}

// probe reads isset(x) and unset(x), which take a variable and not its value.
func (p *parser) probe(t token) (expr, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if err := p.checkTarget(x); err != nil {
		return nil, p.errorf(x.at(), "%s takes a variable or an element of one", t.text)
	}
	if e, ok := x.(*element); ok && e.key == nil {
		return nil, p.errorf(e.Pos, "%s takes a variable or an element of one", t.text)
	}
	if t.text == "isset" {
		return &isset{t.pos, x}, nil
	}
	return &unset{t.pos, x}, nil
}

// array reads what follows [ : elements, "key" => elements and ...spread.
func (p *parser) array(at Pos) (expr, error) {
	a := &arrayLiteral{Pos: at}
	for !p.accept("]") {
		var it arrayItem
		it.spread = p.accept("...")
		var err error
		if it.val, err = p.expression(); err != nil {
			return nil, err
		}
		if !it.spread && p.accept("=>") {
			it.key = it.val
			if it.val, err = p.expression(); err != nil {
				return nil, err
			}
		}
		a.items = append(a.items, it)
		if p.accept(",") {
			continue
		}
		if p.accept("]") {
			break
		}
		return nil, p.unexpected(`"," or "]"`)
	}
	return a, nil
}
