package hsl

// Precedence, from what binds loosest to what binds tightest:
//
//	 1  = += -= .= *= /= %= **= &= |= ^= <<= >>= >>>= ??=    right
//	 2  ? :   (also without the middle)                      right
//	 3  ??                                                   right
//	 4  or                                                   left
//	 5  and                                                  left
//	 6  not                                                  prefix
//	 7  == != === !== =~ !~                                  left
//	 8  < <= > >=                                            left
//	 9  |                                                    left
//	10  ^                                                    left
//	11  &                                                    left
//	12  << >> >>>                                            left
//	13  + - .                                                left
//	14  * / %                                                left
//	15  ! - + ~ ++ -- (before)                               prefix
//	16  **                                                   right
//	17  () [] -> ++ -- (after)                               postfix
//
// An assignment takes the variable on its left whatever stands before that: !$x = f() negates the
// result of the assignment.
const (
	precLowest   = 0
	precTernary  = 2
	precCoalesce = 3
	precOr       = 4
	precAnd      = 5
	precNot      = 6
	precUnary    = 15
	precPower    = 16
)

// binaryPrecedence has the operators whose two sides are always evaluated.
var binaryPrecedence = map[string]int{
	"==": 7, "!=": 7, "===": 7, "!==": 7, "=~": 7, "!~": 7,
	"<": 8, "<=": 8, ">": 8, ">=": 8,
	"|":  9,
	"^":  10,
	"&":  11,
	"<<": 12, ">>": 12, ">>>": 12,
	"+": 13, "-": 13, ".": 13,
	"*": 14, "/": 14, "%": 14,
	"**": precPower,
}

// assignments maps each assignment to the operator that it applies; "" is a plain one.
var assignments = map[string]string{
	"=": "", "+=": "+", "-=": "-", ".=": ".", "*=": "*", "/=": "/", "%=": "%", "**=": "**",
	"&=": "&", "|=": "|", "^=": "^", "<<=": "<<", ">>=": ">>", ">>>=": ">>>", "??=": "??",
}
