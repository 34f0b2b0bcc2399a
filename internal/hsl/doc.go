// Package hsl runs the part of the Halon scripting language that logging scripts use, for people
// who want to try a plugin without a Halon installation.
//
// It promises: a script that runs here uses only syntax and functions that the language has; what
// this package does not know is an error with file, line and column, never a silent guess; a
// program, once parsed, may run in many goroutines at once; no script, however broken, makes it
// panic, and [Limits] bound what a script can take.
//
// It refuses: classes, generators, barriers, shared memory, network and file functions, and every
// function that exists only inside a hook of the mail server. It imports no other package of this
// project and knows nothing of Kafka: plugin functions arrive as [Native] values in an [Env].
//
// [Parse] reads the script and everything that it imports or includes, and resolves each name.
// [Program.Run] runs it on the caller's goroutine until it ends, fails, or its context ends.
//
// # Where the manual is silent
//
// The public part of the language's manual leaves some rules open. These are the choices here; a
// script that should behave the same everywhere does not depend on them.
//
//   - Precedence is the table in precedence.go; parentheses make a script independent of it.
//   - Everything is true but none, false, 0, "" and [].
//   - == compares values of one type as === does; a boolean with anything by truth; a number with
//     a string as numbers where the string is a number in full, else as text; nothing else is equal.
//   - + adds numbers and merges arrays (numbered elements are appended, named ones replaced), and
//     is an error for anything else.
//   - Whole numbers are written without a fraction, others with the fewest digits that read back
//     as the same number. none is written as "none". Inside an array a string is quoted, with \", \\, \n,
//     \r, \t and \xHH where they are needed.
//   - A number key and a string key are different keys: $a[1] is not $a["1"].
//   - Reading an element that is missing, or any element of none, gives none.
//   - closure ($x) shares the variable with the function around it.
package hsl
