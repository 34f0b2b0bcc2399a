package hsl

import (
	"slices"
	"strings"
)

// fixedPath reads a string without variables.
func (p *parser) fixedPath() (string, Pos, error) {
	t := p.peek()
	if t.kind != tokString {
		return "", t.pos, p.unexpected("a path in quotes")
	}
	p.take()
	x, ok := p.stringLiteral(t).(*literal)
	if !ok {
		return "", t.pos, p.errorf(t.pos, "the path must not depend on variables")
	}
	return string(x.val.(String)), t.pos, nil
}

// wanted is a name in import { name as local }.
type wanted struct {
	token
	local string
}

// importFrom reads import { a, b as c, $v } from "module"; and import $v from "data.json";
func (p *parser) importFrom(at Pos) (stmt, error) {
	if p.scope.parent != nil || p.blocks > 0 {
		return nil, p.errorf(at, "an import stands outside of functions and blocks")
	}
	if t := p.peek(); t.kind == tokVar {
		return p.importData(at)
	}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	var names []wanted
	for !p.accept("}") {
		w := wanted{token: p.peek()}
		w.local = w.text
		if w.kind != tokName && w.kind != tokVar {
			return nil, p.unexpected("the name of a function or a variable")
		}
		p.take()
		if p.isName("as") {
			p.take()
			if p.peek().kind != w.kind {
				return nil, p.unexpected("a name")
			}
			w.local = p.take().text
		}
		names = append(names, w)
		if !p.accept(",") && !p.isOp("}") {
			return nil, p.unexpected(`"," or "}"`)
		}
	}
	path, pathPos, err := p.fromPath()
	if err != nil {
		return nil, err
	}
	if fns, ok := p.loader.natives(path); ok {
		return p.importNative(names, path, fns)
	}
	return p.importModule(at, names, path, pathPos)
}

// fromPath reads from "path";
func (p *parser) fromPath() (string, Pos, error) {
	if !p.isName("from") {
		return "", Pos{}, p.unexpected(`"from"`)
	}
	p.take()
	path, at, err := p.fixedPath()
	if err != nil {
		return "", at, err
	}
	if p.isName("with") {
		return "", at, p.errorf(p.peek().pos, `"with" is not supported here`)
	}
	return path, at, p.expect(";")
}

// bind makes an imported function known in the file.
func (p *parser) bind(w wanted, fn *Function) error {
	if _, ok := p.module.imports[w.local]; ok {
		return p.errorf(w.pos, "%s is imported already", w.local)
	}
	p.module.imports[w.local] = fn
	return nil
}

func (p *parser) importNative(names []wanted, path string, fns map[string]Native) (stmt, error) {
	for _, w := range names {
		if _, ok := fns[w.text]; !ok || w.kind != tokName {
			return nil, p.errorf(w.pos, "the module %s has no %s", path, w.token)
		}
		if err := p.bind(w, &Function{native: &nativeRef{path, w.text}}); err != nil {
			return nil, err
		}
	}
	return &block{}, nil
}

func (p *parser) importModule(at Pos, names []wanted, path string, pathPos Pos) (stmt, error) {
	m, err := p.loader.importFile(p.module.file, path, pathPos)
	if err != nil {
		return nil, err
	}
	s := &importStmt{Pos: at, from: m}
	for _, w := range names {
		if w.kind == tokVar {
			slot, ok := m.root.slots[w.text]
			if !ok {
				return nil, p.errorf(w.pos, "the module %s has no %s", path, w.token)
			}
			s.vars = append(s.vars, [2]int{slot, p.scope.slot(w.local)})
			continue
		}
		fn := m.export(w.text)
		if fn == nil {
			return nil, p.errorf(w.pos, "the module %s has no function %s", path, w.text)
		}
		if err := p.bind(w, fn); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (l *loader) importFile(from, written string, at Pos) (*module, error) {
	path, ok := l.path(from, written)
	if !ok {
		return nil, &SyntaxError{at, "there is no module " + written}
	}
	if m, ok := l.modules[path]; ok {
		if !m.done {
			return nil, &SyntaxError{at, "the modules import each other: " + written}
		}
		return m, nil
	}
	src, err := l.read(at, path)
	if err != nil {
		return nil, err
	}
	return l.module(path, path, src)
}

// importData reads import $v from "file.json"; the file becomes a constant of the program.
func (p *parser) importData(at Pos) (stmt, error) {
	name := p.take()
	written, pathPos, err := p.fromPath()
	if err != nil {
		return nil, err
	}
	path, ok := p.loader.path(p.module.file, written)
	if !ok {
		return nil, p.errorf(pathPos, "there is no file %s", written)
	}
	src, err := p.loader.read(pathPos, path)
	if err != nil {
		return nil, err
	}
	var val Value
	switch {
	case strings.HasSuffix(path, ".json"):
		if val, err = decodeJSON(string(src), false); err != nil {
			return nil, p.errorf(pathPos, "%s: %v", path, err)
		}
	case strings.HasSuffix(path, ".txt"):
		val = String(src)
	default:
		return nil, p.errorf(pathPos, "only .json and .txt files can be imported into a variable here")
	}
	return &importStmt{Pos: at, consts: []importedConst{{p.scope.slot(name.text), freeze(val)}}}, nil
}

// include reads include "file"; and puts the statements of the file in its place.
func (p *parser) include(at Pos, once bool) (stmt, error) {
	written, pathPos, err := p.fixedPath()
	if err != nil {
		return nil, err
	}
	if err := p.expect(";"); err != nil {
		return nil, err
	}
	l := p.loader
	path, ok := l.path(at.File, written)
	if !ok {
		return nil, p.errorf(pathPos, "there is no file %s", written)
	}
	if slices.Contains(l.including, path) || path == p.module.file {
		return nil, p.errorf(pathPos, "the file includes itself: %s", path)
	}
	if once && l.once[path] {
		return &block{}, nil
	}
	l.once[path] = true
	src, err := l.read(pathPos, path)
	if err != nil {
		return nil, err
	}
	toks, err := scan(path, src)
	if err != nil {
		return nil, err
	}
	l.including = append(l.including, path)
	defer func() { l.including = l.including[:len(l.including)-1] }()
	sub := &parser{loader: l, module: p.module, scope: p.scope, toks: toks, depth: p.depth, blocks: p.blocks}
	body, err := sub.file()
	return &block{body}, err
}
