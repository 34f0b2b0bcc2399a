// Package play is what the parity tests and their runner say to each other: a plan of calls, and what came of it.
//
// The runner reads one Plan as a JSON line on standard input and writes JSON lines of Word on standard output. A Word with
// Ask wants something done at the broker and waits for a line in return; the last Word carries the Outcome. Nothing here
// knows a plugin or a broker. It holds no state, and may be used from any goroutine.
package play

// Queue is the id of the one queue of a plan.
const Queue = "q"

// A Plan is one run of one plugin, in a process of its own: a library built by Go cannot be unloaded.
type Plan struct {
	Plugin string
	Config [][2]string // the properties of the queue, in order
	Steps  []Step
}

// A Step is one thing to do and to look at. Exactly one of the fields beside Name says what.
type Step struct {
	Name    string
	Calls   []Record `json:",omitempty"` // each answer counts
	Until   *Record  `json:",omitempty"` // called again and again until it is accepted
	Settle  bool     `json:",omitempty"` // wait until each accepted message has its report
	Pause   int      `json:",omitempty"` // milliseconds
	Command []string `json:",omitempty"`
	Ask     string   `json:",omitempty"` // what the broker's side is to do
	Stop    bool     `json:",omitempty"` // the host stops the plugin
}

// A Record is the arguments of one call. A nil Value or Key is none, an empty one is not.
type Record struct {
	Topic     string
	Value     *[]byte
	Key       *[]byte
	Headers   []Header // nil: the argument is an empty array
	Partition int
}

// A Header is one pair.
type Header struct {
	Name  string
	Value []byte
}

// An Answer is what a script gets from one call.
type Answer struct {
	Errno     int    `json:",omitempty"` // 0: accepted
	Errstr    string `json:",omitempty"`
	Exception string `json:",omitempty"`
}

// A Line is one that the plugin sent to syslog(3).
type Line struct {
	Priority int
	Text     string
}

// A Result is what one step showed.
type Result struct {
	Name    string
	Answers []Answer `json:",omitempty"`
	Dump    string   `json:",omitempty"` // of the wait for an empty queue: the last answer of the command dump
	Output  string   `json:",omitempty"` // of a command
	OK      bool     `json:",omitempty"` // of a command
	Millis  int64    // how long the step took
	Lines   int      // how many log lines there were when it ended
}

// An Outcome is all of a run.
type Outcome struct {
	Started bool
	Results []Result
	Log     []Line
	Faults  []string // against the rules of the host
}

// A Word is one line from the runner.
type Word struct {
	Ask     string   `json:",omitempty"`
	Outcome *Outcome `json:",omitempty"`
	Error   string   `json:",omitempty"`
}
