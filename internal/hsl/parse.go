package hsl

import "fmt"

const (
	// maxParseDepth bounds how deep blocks and expressions nest: the parser and the evaluation recurse.
	maxParseDepth = 400
	// maxChain bounds a row of operators such as 1 + 1 + 1 ..., whose tree is as deep as it is long.
	maxChain = 5000
)

// parser reads the statements of one file.
type parser struct {
	loader *loader
	module *module
	scope  *scope
	toks   []token
	i      int
	depth  int
	// blocks counts the blocks around, since imports stand outside of all of them.
	blocks int
	// loops and switches count what break and continue can leave, within the function.
	loops, switches int
}

func (p *parser) peek() token { return p.toks[p.i] }

func (p *parser) take() token {
	t := p.toks[p.i]
	if t.kind != tokEOF {
		p.i++
	}
	return t
}

func (p *parser) isOp(op string) bool { return p.peek().kind == tokOp && p.peek().text == op }

func (p *parser) isName(name string) bool { return p.peek().kind == tokName && p.peek().text == name }

// accept takes the operator when it is next.
func (p *parser) accept(op string) bool {
	if p.isOp(op) {
		p.i++
		return true
	}
	return false
}

func (p *parser) expect(op string) error {
	if p.accept(op) {
		return nil
	}
	return p.unexpected(`"` + op + `"`)
}

func (p *parser) unexpected(wanted string) error {
	return p.errorf(p.peek().pos, "expected %s, found %s", wanted, p.peek())
}

func (p *parser) errorf(at Pos, format string, args ...any) error {
	return &SyntaxError{at, fmt.Sprintf(format, args...)}
}

func (p *parser) nest(at Pos) error {
	if p.depth++; p.depth > maxParseDepth {
		return p.errorf(at, "the script is nested too deep")
	}
	return nil
}

// file reads statements up to the end of the file.
func (p *parser) file() ([]stmt, error) {
	var body []stmt
	for p.peek().kind != tokEOF {
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		body = append(body, s)
	}
	return body, nil
}

// braced reads { statements }.
func (p *parser) braced() ([]stmt, error) {
	open := p.peek().pos
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	p.blocks++
	defer func() { p.blocks-- }()
	var body []stmt
	for !p.accept("}") {
		if p.peek().kind == tokEOF {
			return nil, p.errorf(open, `the block is not closed: "}" is missing`)
		}
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		body = append(body, s)
	}
	return body, nil
}

// unsupported are words of the language that this package refuses.
var unsupported = map[string]string{
	"class": "classes", "barrier": "barriers", "cache": "cached calls", "yield": "generators",
	"object": "objects", "static": "static members",
}

func (p *parser) statement() (stmt, error) {
	t := p.peek()
	if err := p.nest(t.pos); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if t.kind == tokOp {
		switch t.text {
		case "{":
			body, err := p.braced()
			return &block{body}, err
		case ";":
			p.take()
			return &block{}, nil
		}
	}
	if t.kind == tokName {
		if read, ok := p.keyword(t.text); ok {
			p.take()
			return read(t.pos)
		}
		if what, ok := unsupported[t.text]; ok {
			return nil, p.errorf(t.pos, "%q: %s are not supported here", t.text, what)
		}
	}
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	return &exprStmt{x}, p.expect(";")
}

// keyword is what reads the statement that begins with the word.
func (p *parser) keyword(word string) (func(Pos) (stmt, error), bool) {
	switch word {
	case "echo":
		return p.echo, true
	case "if":
		return p.ifElse, true
	case "while":
		return p.while, true
	case "for":
		return p.forLoop, true
	case "foreach":
		return p.foreach, true
	case "forever":
		return p.forever, true
	case "switch":
		return p.switchCase, true
	case "break", "continue":
		return func(at Pos) (stmt, error) { return p.jump(at, word) }, true
	case "return":
		return p.returnValue, true
	case "try":
		return p.tryCatch, true
	case "throw":
		return p.throw, true
	case "global":
		return p.global, true
	case "import":
		return p.importFrom, true
	case "include":
		return func(at Pos) (stmt, error) { return p.include(at, false) }, true
	case "include_once":
		return func(at Pos) (stmt, error) { return p.include(at, true) }, true
	case "function":
		// A statement that begins with a function and no name is an expression.
		if p.toks[p.i+1].kind == tokName && p.toks[p.i+1].text != "closure" {
			return p.namedFunction, true
		}
	}
	return nil, false
}

func (p *parser) echo(at Pos) (stmt, error) {
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	return &echoStmt{at, x}, p.expect(";")
}

func (p *parser) returnValue(at Pos) (stmt, error) {
	if p.accept(";") {
		return &result{at, nil}, nil
	}
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	return &result{at, x}, p.expect(";")
}

func (p *parser) throw(at Pos) (stmt, error) {
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	return &throwStmt{at, x}, p.expect(";")
}

// tryCatch reads try { } catch ($e) { }.
func (p *parser) tryCatch(Pos) (stmt, error) {
	body, err := p.braced()
	if err != nil {
		return nil, err
	}
	if !p.isName("catch") {
		return nil, p.unexpected(`"catch"`)
	}
	p.take()
	if err := p.expect("("); err != nil {
		return nil, err
	}
	name := p.peek()
	if name.kind != tokVar {
		return nil, p.unexpected("a variable")
	}
	p.take()
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	slot := p.scope.slot(name.text)
	handler, err := p.braced()
	if err != nil {
		return nil, err
	}
	if p.isName("finally") {
		return nil, p.errorf(p.peek().pos, `the language has no "finally"`)
	}
	return &try{&block{body}, &block{handler}, slot}, nil
}

// global reads global $a, $b;
func (p *parser) global(at Pos) (stmt, error) {
	if p.scope.parent == nil {
		return nil, p.errorf(at, `"global" stands inside a function only`)
	}
	g := &global{Pos: at, module: p.module}
	for {
		t := p.peek()
		if t.kind != tokVar {
			return nil, p.unexpected("a variable")
		}
		p.take()
		g.names = append(g.names, t.text)
		g.local = append(g.local, p.scope.slot(t.text))
		g.shared = append(g.shared, p.module.root.slot(t.text))
		if !p.accept(",") {
			return g, p.expect(";")
		}
	}
}
