package binding

import (
	"math"
	"testing"
	"time"

	"github.com/halon-extras/kafka/internal/record"
)

func str(s string) Arg   { return Arg{Kind: String, Bytes: []byte(s)} }
func num(f float64) Arg  { return Arg{Kind: Number, Number: f} }
func boolean(b bool) Arg { return Arg{Kind: Boolean, Boolean: b} }
func call(args ...Arg) *Produce {
	c := &Produce{}
	for i, at := range []*Arg{&c.ID, &c.Topic, &c.Value, &c.Key, &c.Headers, &c.Partition, &c.Block} {
		if i < len(args) {
			*at = args[i]
		}
	}
	return c
}

var none, array, other = Arg{Kind: None}, Arg{Kind: Array}, Arg{Kind: Other}

func TestTheFirstWrongArgumentIsNamed(t *testing.T) {
	ok := []Arg{str("kafka1"), str("t"), str("v"), str("k"), array, num(-1), boolean(true)}
	with := func(position int, a Arg) *Produce {
		args := append([]Arg(nil), ok...)
		args[position] = a
		return call(args...)
	}
	for _, test := range []struct {
		sentence string
		call     *Produce
		want     Exception
	}{
		{"all seven are right", call(ok...), ""},
		{"id and topic are enough", call(ok[:2]...), ""},
		{"no arguments at all", call(), "Invalid id argument"},
		{"the id is a number", with(0, num(1)), "Invalid id argument"},
		{"the id is none", with(0, none), "Invalid id argument"},
		{"the topic is missing", call(str("kafka1")), "Invalid topic argument"},
		{"the topic is an array", with(1, array), "Invalid topic argument"},
		{"the value is none", with(2, none), ""},
		{"the value is a number", with(2, num(1)), "Invalid value argument"},
		{"the value is a boolean", with(2, boolean(true)), "Invalid value argument"},
		{"the value is an object", with(2, other), "Invalid value argument"},
		{"the key is none", with(3, none), ""},
		{"the key is an array", with(3, array), "Invalid key argument"},
		{"the headers are none, which is not missing", with(4, none), "Invalid header argument"},
		{"the headers are a string", with(4, str("a")), "Invalid header argument"},
		{"the partition is none", with(5, none), "Invalid partition argument"},
		{"the partition is a string", with(5, str("1")), "Invalid partition argument"},
		{"the partition is not a number", with(5, num(math.NaN())), "Invalid partition argument"},
		{"the partition is infinite", with(5, num(math.Inf(1))), "Invalid partition argument"},
		{"the partition is infinitely small", with(5, num(math.Inf(-1))), "Invalid partition argument"},
		{"the partition is the largest 32-bit number", with(5, num(math.MaxInt32)), ""},
		{"the partition is one more", with(5, num(math.MaxInt32+1)), "Invalid partition argument"},
		{"the partition is a fraction that fits", with(5, num(math.MaxInt32+0.5)), ""},
		{"the partition is the smallest 32-bit number", with(5, num(math.MinInt32)), ""},
		{"the partition is one less", with(5, num(math.MinInt32-1)), "Invalid partition argument"},
		{"block is none", with(6, none), "argument is not a boolean"},
		{"block is a number", with(6, num(1)), "argument is not a boolean"},
		{"topic and key are wrong, the topic is first", call(str("kafka1"), num(1), str("v"), num(2)), "Invalid topic argument"},
		{"headers and block are wrong, the headers are first", call(str("a"), str("b"), none, none, num(1), num(1), num(1)), "Invalid header argument"},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			if got := test.call.Check(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestArgumentsBecomeARecord(t *testing.T) {
	for _, test := range []struct {
		sentence   string
		call       *Produce
		value, key []byte
		partition  int32
	}{
		{"missing is null", call(str("q"), str("t")), nil, nil, -1},
		{"none is null", call(str("q"), str("t"), none, none), nil, nil, -1},
		{"empty is empty", call(str("q"), str("t"), Arg{Kind: String}, Arg{Kind: String}), []byte{}, []byte{}, -1},
		{"bytes are bytes, NUL too", call(str("q"), str("t"), str("a\x00b"), str("\x00")), []byte("a\x00b"), []byte("\x00"), -1},
		{"a partition is cut to its integral part", call(str("q"), str("t"), none, none, array, num(2.9)), nil, nil, 2},
		{"minus a half is zero", call(str("q"), str("t"), none, none, array, num(-0.5)), nil, nil, 0},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			if e := test.call.Check(); e != "" {
				t.Fatal(e)
			}
			var r record.Record
			test.call.Record(&r, string(test.call.TopicName()))
			if (r.Value == nil) != (test.value == nil) || string(r.Value) != string(test.value) {
				t.Errorf("value %#v, want %#v", r.Value, test.value)
			}
			if (r.Key == nil) != (test.key == nil) || string(r.Key) != string(test.key) {
				t.Errorf("key %#v, want %#v", r.Key, test.key)
			}
			if r.Partition != test.partition || r.Topic != "t" {
				t.Errorf("partition %d of %q", r.Partition, r.Topic)
			}
		})
	}
}

func TestTheIDAndTheTopicEndAtANUL(t *testing.T) {
	c := call(str("kafka1\x00junk"), str("topic\x00junk"))
	if id, topic := string(c.QueueID()), string(c.TopicName()); id != "kafka1" || topic != "topic" {
		t.Errorf("queue %q, topic %q", id, topic)
	}
}

func TestBlockIsReadNotMerelySeen(t *testing.T) {
	base := []Arg{str("q"), str("t"), none, none, array, num(-1)}
	if call(base...).Blocks() || call(append(base, boolean(false))...).Blocks() {
		t.Error("a call without block, or with false, would wait")
	}
	if !call(append(base, boolean(true))...).Blocks() {
		t.Error("a call with block=true would not wait")
	}
}

func TestATimeoutIsANumberOfSeconds(t *testing.T) {
	deliver := func(timeout Arg) *Deliver {
		return &Deliver{Produce: *call(str("kafka1"), str("t")), Timeout: timeout}
	}
	for _, test := range []struct {
		sentence string
		call     *Deliver
		want     Exception
		limit    time.Duration
	}{
		{"none at all is no limit", deliver(Arg{}), "", 0},
		{"a second and a half", deliver(num(1.5)), "", 1500 * time.Millisecond},
		{"less than a nanosecond is one", deliver(num(1e-30)), "", 1},
		{"more than anybody waits is no limit", deliver(num(1e300)), "", 0},
		{"for ever", deliver(num(math.Inf(1))), "", 0},
		{"no time", deliver(num(0)), "Invalid timeout argument", 0},
		{"less than none", deliver(num(-1)), "Invalid timeout argument", 0},
		{"not a number", deliver(num(math.NaN())), "Invalid timeout argument", 0},
		{"none", deliver(none), "Invalid timeout argument", 0},
		{"a string", deliver(str("1")), "Invalid timeout argument", 0},
		{"a boolean, as block is", deliver(boolean(true)), "Invalid timeout argument", 0},
		{"a wrong topic comes first", &Deliver{Produce: *call(str("kafka1"), num(1)), Timeout: none}, "Invalid topic argument", 0},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			if got := test.call.Check(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := test.call.Limit(); test.want == "" && got != test.limit {
				t.Errorf("the limit is %v, want %v", got, test.limit)
			}
		})
	}
}
