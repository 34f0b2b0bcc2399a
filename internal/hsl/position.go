package hsl

import "fmt"

// Pos is a place in a script. Line and Column start at 1; a column counts characters, not bytes.
type Pos struct {
	File   string
	Line   int
	Column int
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// SyntaxError is a script that cannot run: its text is malformed, or it names a function, module
// or file that does not exist. Nothing of the script has run.
type SyntaxError struct {
	Pos
	Msg string
}

func (e *SyntaxError) Error() string { return e.String() + ": " + e.Msg }

// UnknownFunction is the [SyntaxError] of a name that nothing defines, with the names of the language that are known here.
type UnknownFunction struct {
	SyntaxError
	Known []string
}

func (e *UnknownFunction) Unwrap() error { return &e.SyntaxError }

// ScriptError is a script that ended early.
type ScriptError struct {
	Pos
	Msg string
	// Value is what the script threw, or nil when the run was stopped by its context or a limit.
	Value Value
	// Err is the cause when the run was stopped, for errors.Is.
	Err error
}

func (e *ScriptError) Error() string {
	if e.Value != nil {
		return e.String() + ": uncaught exception: " + e.Msg
	}
	return e.String() + ": " + e.Msg
}

func (e *ScriptError) Unwrap() error { return e.Err }

// Thrown is an exception on its way to a catch. A [Native] returns one to throw.
type Thrown struct {
	Value Value
	// Pos is where it was thrown. Left zero by a Native, it becomes the place of the call.
	Pos Pos
}

func (t *Thrown) Error() string { return messageOf(t.Value) }

// Throw is an exception whose message() is exactly msg.
func Throw(msg string) *Thrown { return &Thrown{Value: &Exception{Message: msg}} }

// stopped ends a run and cannot be caught: a script in a loop must not catch the end of its time.
type stopped struct {
	pos Pos
	msg string
	err error
}

func (s *stopped) Error() string { return s.msg }
func (s *stopped) Unwrap() error { return s.err }
