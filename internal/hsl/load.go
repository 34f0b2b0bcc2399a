package hsl

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// maxFiles bounds the files of one program, whose includes may multiply.
const maxFiles = 1000

// Program is a script with all that it imports and includes, ready to run. It is immutable: any
// number of runs may go on at once.
type Program struct {
	main    *module
	modules []*module
}

// Parse reads the script src and the files that it names, and resolves every function.
//
// name stands in error messages; paths in the script are relative to its folder. Of env it uses
// Modules, for the names of the functions that can be imported, and ReadFile. Every error is a
// [*SyntaxError].
func Parse(name string, src []byte, env *Env) (*Program, error) {
	l := &loader{env: env, dir: filepath.Dir(name), modules: map[string]*module{}, once: map[string]bool{}}
	main, err := l.module(filepath.Clean(name), name, src)
	if err != nil {
		return nil, err
	}
	for _, m := range l.all {
		if err := m.resolve(); err != nil {
			return nil, err
		}
	}
	return &Program{main: main, modules: l.all}, nil
}

// loader reads the files of one program.
type loader struct {
	env *Env
	// dir is the folder of the main script.
	dir     string
	modules map[string]*module
	all     []*module
	// once has the files of include_once; including the files that are being included now.
	once      map[string]bool
	including []string
	files     int
}

func (l *loader) module(path, name string, src []byte) (*module, error) {
	m := &module{id: len(l.all), file: path, imports: map[string]*Function{}}
	m.root = newScope(m, nil)
	l.modules[path] = m
	l.all = append(l.all, m)
	toks, err := scan(name, src)
	if err != nil {
		return nil, err
	}
	p := &parser{loader: l, module: m, scope: m.root, toks: toks}
	m.body, err = p.file()
	m.done = true
	return m, err
}

// path is the file that a script means. The forms file://x and x start at the main script's folder,
// as they start at the root of the configuration in Halon; ./x and ../x at the script's own.
func (l *loader) path(from, written string) (string, bool) {
	file, isFile := strings.CutPrefix(written, "file://")
	if !isFile && strings.Contains(written, "://") {
		return "", false
	}
	switch {
	case filepath.IsAbs(file):
		return filepath.Clean(file), true
	case !isFile && (strings.HasPrefix(file, "./") || strings.HasPrefix(file, "../")):
		return filepath.Join(filepath.Dir(from), file), true
	}
	return filepath.Join(l.dir, file), true
}

func (l *loader) read(at Pos, path string) ([]byte, error) {
	if l.files++; l.files > maxFiles {
		return nil, &SyntaxError{at, "the script includes too many files"}
	}
	if l.env == nil || l.env.ReadFile == nil {
		return nil, &SyntaxError{at, "this script cannot read files: " + path}
	}
	src, err := l.env.ReadFile(path)
	if err != nil {
		return nil, &SyntaxError{at, err.Error()}
	}
	return src, nil
}

// natives are the functions of a plugin's module.
func (l *loader) natives(name string) (map[string]Native, bool) {
	if l.env == nil {
		return nil, false
	}
	fns, ok := l.env.Modules[name]
	return fns, ok
}

// resolve finds the function that each name stands for: those of the script, from the inside out,
// then what it imports, then the ones of the language.
func (m *module) resolve() error {
	for _, ref := range m.refs {
		if ref.target = m.lookup(ref); ref.target == nil {
			return &UnknownFunction{SyntaxError{ref.Pos, unknownFunction(ref.name)}, slices.Sorted(maps.Keys(library))}
		}
	}
	for _, c := range m.calls {
		if err := c.checkArity(); err != nil {
			return err
		}
	}
	return nil
}

func (m *module) lookup(ref *funcRef) *Function {
	if !ref.builtin {
		for s := ref.scope; s != nil; s = s.parent {
			if fn, ok := s.funcs[ref.name]; ok {
				return &Function{proto: fn}
			}
		}
		if fn, ok := m.imports[ref.name]; ok {
			return fn
		}
	}
	if b, ok := library[ref.name]; ok {
		return &Function{builtin: b}
	}
	return nil
}

// export is the function that a module gives to those who import it: its own, or one that it
// imported itself.
func (m *module) export(name string) *Function {
	if fn, ok := m.root.funcs[name]; ok {
		return &Function{proto: fn}
	}
	return m.imports[name]
}

// checkArity finds calls that can never work before the script runs.
func (c *call) checkArity() error {
	ref, ok := c.fn.(*funcRef)
	if !ok || slices.ContainsFunc(c.args, func(a argument) bool { return a.spread }) {
		return nil
	}
	if msg := ref.target.arity(len(c.args)); msg != "" {
		return &SyntaxError{c.Pos, msg}
	}
	return nil
}
