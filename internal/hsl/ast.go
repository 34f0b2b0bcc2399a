package hsl

// expr is an expression. Its eval is in the eval files.
type expr interface {
	at() Pos
	eval(m *machine, f *frame) (Value, error)
}

// stmt is a statement.
type stmt interface {
	exec(m *machine, f *frame) (signal, error)
}

// at makes a Pos the at method of the nodes that embed it.
func (p Pos) at() Pos { return p }

type (
	literal struct {
		Pos
		val Value
	}
	// interpolated is a "string" with variables in it.
	interpolated struct {
		Pos
		parts []expr
	}
	variable struct {
		Pos
		name string
		slot int
	}
	// element is base[key]; a nil key is base[], which can only be assigned to.
	element struct {
		Pos
		base expr
		key  expr
	}
	// slice is base[from:to:step]; what is left out is nil.
	slice struct {
		Pos
		base           expr
		from, to, step expr
	}
	arrayLiteral struct {
		Pos
		items []arrayItem
	}
	arrayItem struct {
		key    expr // nil for a numbered element
		val    expr
		spread bool
	}
	unary struct {
		Pos
		op string
		x  expr
	}
	binary struct {
		Pos
		op   string
		l, r expr
		// hold tells that evaluating r may change an array that l gave.
		hold bool
	}
	logical struct {
		Pos
		and  bool
		l, r expr
	}
	// ternary is cond ? yes : no; yes is nil for cond ?: no.
	ternary struct {
		Pos
		cond, yes, no expr
	}
	coalesce struct {
		Pos
		l, r expr
	}
	// match is match (x) { a, b => value, default => other }.
	match struct {
		Pos
		x    expr
		arms []matchArm
	}
	matchArm struct {
		cases []expr // none for default
		val   expr
	}
	// assign is target = val, or target op= val.
	assign struct {
		Pos
		op     string
		target expr
		val    expr
	}
	// destructure is [$a, "k" => $b, ...$rest] = val.
	destructure struct {
		Pos
		pattern *arrayLiteral
		val     expr
	}
	step struct {
		Pos
		target expr
		by     Number
		after  bool
	}
	// funcRef is a function by its name, resolved once the whole file is read.
	funcRef struct {
		Pos
		name    string
		scope   *scope
		builtin bool
		target  *Function
	}
	call struct {
		Pos
		fn   expr
		args []argument
		// hold tells that evaluating one argument may change an array that another gave.
		hold bool
	}
	methodCall struct {
		Pos
		object expr
		name   string
		args   []argument
	}
	argument struct {
		x      expr
		spread bool
	}
	funcLiteral struct {
		Pos
		proto *proto
		// outer are the slots that its captures have in the function around.
		outer []int
	}
	isset struct {
		Pos
		x expr
	}
	unset struct {
		Pos
		x expr
	}
)

type (
	echoStmt struct {
		Pos
		x expr
	}
	exprStmt struct{ x expr }
	block    struct{ body []stmt }
	ifStmt   struct {
		cond      expr
		yes, no   stmt // no may be nil
		condition Pos
	}
	// loop is while, for and forever; a nil cond is true.
	loop struct {
		Pos
		init, post []expr
		cond       expr
		body       stmt
	}
	foreach struct {
		Pos
		over     expr
		key, val expr // key may be nil; val may be a pattern
		body     stmt
	}
	switchStmt struct {
		Pos
		x     expr
		cases []switchCase
	}
	switchCase struct {
		x    expr // nil for default
		body []stmt
	}
	jump   struct{ sig signal }
	result struct {
		Pos
		x expr // may be nil
	}
	throwStmt struct {
		Pos
		x expr
	}
	try struct {
		body, handler stmt
		slot          int
	}
	// global shares variables of the module with the function.
	global struct {
		Pos
		module        *module
		names         []string
		local, shared []int
	}
	// importStmt runs a module on its first import, and shares the variables it names.
	importStmt struct {
		Pos
		from   *module
		vars   [][2]int // slots: in the module, here
		consts []importedConst
	}
	importedConst struct {
		slot int
		val  Value
	}
)

// signal is how a statement ended.
type signal int

const (
	sigNext signal = iota
	sigBreak
	sigContinue
	sigReturn
)

// proto is a function of a script.
type proto struct {
	Pos
	fname  string
	scope  *scope
	params []param
	rest   int // slot of ...$rest, or -1
	// required counts the parameters without a default.
	required int
	// captures are the slots of the closure's variables.
	captures []int
	body     []stmt
}

type param struct {
	name string
	slot int
	def  expr // nil when required
}

// scope is the variables and named functions of one function, or of a module outside functions.
type scope struct {
	module *module
	parent *scope
	slots  map[string]int
	names  []string
	funcs  map[string]*proto
}

func newScope(m *module, parent *scope) *scope {
	return &scope{module: m, parent: parent, slots: map[string]int{}, funcs: map[string]*proto{}}
}

// slot is the place of the variable in the frame, made on first use.
func (s *scope) slot(name string) int {
	if i, ok := s.slots[name]; ok {
		return i
	}
	i := len(s.names)
	s.slots[name] = i
	s.names = append(s.names, name)
	return i
}

// module is a script file that is run once, with variables and functions of its own.
type module struct {
	id      int
	file    string
	root    *scope
	imports map[string]*Function
	body    []stmt
	refs    []*funcRef
	calls   []*call
	done    bool
}

// simple tells that evaluating x changes nothing and calls nothing.
func simple(x expr) bool {
	switch x := x.(type) {
	case *literal, *variable, *funcRef, *isset:
		return true
	case *element:
		return simple(x.base) && (x.key == nil || simple(x.key))
	case *binary:
		return simple(x.l) && simple(x.r)
	}
	return false
}
