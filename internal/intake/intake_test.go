package intake

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
)

// What calls of a full queue and of one that has ended are answered with.
const full, ended = -184, -197

// open returns an intake that calls for queue find. Names are the
// test's own: calls find the intake of the whole process.
func open(t *testing.T, queue string, count, size int64) *Intake {
	t.Helper()
	in, err := New(queue, math.MaxInt32, full, ended)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	in.Ledger().Limit(count, size, math.MaxInt64/2)
	in.Publish()
	in.Open()
	return in
}

func call(queue, value string) *Call {
	return &Call{Queue: queue, Topic: "t", Value: []byte(value), Partition: -1, Milliseconds: 1}
}

func (a Answer) String() string { return [...]string{"ask", "taken", "refused", "parked", "gone"}[a] }

// offer makes a call and tells a full queue from other refusals.
func offer(c *Call) (answer Answer, isFull bool) {
	answer, code := c.Offer()
	return answer, answer == Refused && code == full
}

// answer makes a call whose code is of no interest.
func answer(c *Call) Answer {
	a, _ := c.Offer()
	return a
}

func TestWhatIsLeftIsFoundAgain(t *testing.T) {
	in := open(t, t.Name(), 1000, 1<<20)
	_, gate, _ := in.Topic("other")
	gate.Open(3)
	calls := []*Call{
		{Topic: "t", Value: []byte("value"), Key: []byte("key"), Partition: -1, Milliseconds: 1234567890123},
		{Topic: "t", Partition: -1},
		{Topic: "t", Value: []byte{}, Key: []byte{}, Partition: -1},
		{Topic: "t", Value: []byte("a\x00b"), Partition: -1, Headers: [][2]string{{"foo", "bar"}, {"", ""}, {"foo", "again"}}},
		{Topic: "other", Value: bytes.Repeat([]byte("x"), 9000), Partition: 2},
		{Topic: "other", Key: []byte("k"), Partition: 0},
	}
	for i, c := range calls {
		if c.Queue = t.Name(); answer(c) != Taken {
			t.Fatalf("call %d was not taken", i)
		}
	}
	var got []string
	var f Record
	for _, chunk := range in.Take(nil) {
		if _, complete := chunk.Sum(); !complete {
			t.Fatal("nobody is copying, and the chunk is not complete")
		}
		for r := chunk.Reader(); r.Next(&f); {
			line := fmt.Sprintf("%d %s %d %#v %#v", f.Milliseconds, in.TopicName(f.Topic), f.Partition, f.Key, f.Value)
			for range f.Headers {
				name, value := f.NextHeader()
				line += fmt.Sprintf(" %q=%q", name, value)
			}
			got = append(got, line)
		}
		in.Free(chunk)
	}
	if len(got) != len(calls) {
		t.Fatalf("%d records, want %d: %q", len(got), len(calls), got)
	}
	for i, c := range calls {
		want := fmt.Sprintf("%d %s %d %#v %#v", c.Milliseconds, c.Topic, c.Partition, c.Key, c.Value)
		for _, h := range c.Headers {
			want += fmt.Sprintf(" %q=%q", h[0], h[1])
		}
		if got[i] != want {
			t.Errorf("record %d\n got %s\nwant %s", i, got[i], want)
		}
	}
}

func TestWhatGoMustDecide(t *testing.T) {
	in := open(t, t.Name(), 1000, 1<<20)
	_, gate, _ := in.Topic("three")
	gate.Open(3)
	_, refused, _ := in.Topic("refused")
	refused.Refuse(29)
	for _, test := range []struct {
		sentence string
		change   func(*Call)
		want     Answer
	}{
		{"nothing", func(*Call) {}, Taken},
		{"a queue that is not known", func(c *Call) { c.Queue = "nobody's" }, Ask},
		{"a topic that is new", func(c *Call) { c.Topic = "new" }, Taken},
		{"a topic without a name", func(c *Call) { c.Topic = "" }, Taken},
		{"a topic with a NUL, which ends its name", func(c *Call) { c.Topic = "three\x00" }, Ask},
		{"a topic with the longest name", func(c *Call) { c.Topic = strings.Repeat("x", 512) }, Taken},
		{"a topic with a longer name", func(c *Call) { c.Topic = strings.Repeat("x", 513) }, Ask},
		{"a topic that is refused", func(c *Call) { c.Topic = "refused" }, Refused},
		{"a partition while their number is not known", func(c *Call) { c.Partition = 0 }, Ask},
		{"the last partition", func(c *Call) { c.Topic, c.Partition = "three", 2 }, Taken},
		{"a partition that is not there", func(c *Call) { c.Topic, c.Partition = "three", 3 }, Ask},
		{"a partition below zero", func(c *Call) { c.Topic, c.Partition = "three", -2 }, Ask},
		{"a large value", func(c *Call) { c.Value = make([]byte, 17000) }, Taken},
		{"a large key", func(c *Call) { c.Key = make([]byte, 17000) }, Taken},
		{"many headers", func(c *Call) { c.Headers = make([][2]string, 3000) }, Taken},
		{"a large header", func(c *Call) { c.Headers = [][2]string{{"a", string(make([]byte, 17000))}} }, Taken},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			c := call("TestWhatGoMustDecide", "v")
			test.change(c)
			if got := answer(c); got != test.want {
				t.Errorf("the answer is %v, want %v", got, test.want)
			}
		})
	}
	if !refused.Asked() || refused.Asked() {
		t.Error("one call was refused for its topic since nobody asked")
	}
	refused.Open(0)
	if got := answer(&Call{Queue: t.Name(), Topic: "refused", Partition: -1}); got != Taken {
		t.Errorf("a topic that is refused no longer: %v", got)
	}
	in.Shut()
	if got := answer(call(t.Name(), "v")); got != Ask {
		t.Errorf("an intake that is shut: %v", got)
	}
	in.Open()
	if got := answer(call(t.Name(), "v")); got != Taken {
		t.Errorf("an intake that is open again: %v", got)
	}
	in.End()
	if got, code := call(t.Name(), "v").Offer(); got != Refused || code != ended {
		t.Errorf("a queue that has ended: %v, %d", got, code)
	}
	in.Gone()
	if got := answer(call(t.Name(), "v")); got != Gone {
		t.Errorf("a queue that nobody knows any more: %v", got)
	}
}

// A large record has a chunk of its own, in the order of calls, charged to the byte; what is left of it after Free is nothing.
func TestLargeRecordsKeepTheirPlaceAndTheLimits(t *testing.T) {
	in := open(t, t.Name(), 100, 1<<20)
	var want []string
	put := func(size int) Answer {
		v := fmt.Sprintf("%06d", len(want)) + strings.Repeat("x", size)
		a, _ := (&Call{Queue: t.Name(), Topic: "t", Value: []byte(v), Headers: [][2]string{{"n", v}}, Partition: -1}).Offer()
		if a == Taken {
			want = append(want, v)
		}
		return a
	}
	for _, size := range []int{10, 100_000, 10, 10, 300_000, 16_000, 17_000} {
		if a := put(size); a != Taken {
			t.Fatalf("%d bytes are answered %v", size, a)
		}
	}
	var chunks []Chunk
	chunks = in.Take(chunks)
	var got []string
	var f Record
	values := 0
	for _, c := range chunks {
		sum, complete := c.Sum()
		if !complete || sum.Values == 0 {
			t.Fatalf("%+v, complete %t", sum, complete)
		}
		values += sum.Values
		in.Correct(c, sum)
		for r := c.Reader(); r.Next(&f); {
			_, header := f.NextHeader()
			if string(header) != string(f.Value) {
				t.Error("the header is another record's")
			}
			got = append(got, string(f.Value))
		}
		in.Free(c)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%d records in another order, or with other bytes", len(got))
	}
	if a := put(1<<20 - values + 1); a != Refused {
		t.Errorf("more bytes than there is room for are answered %v", a)
	}
	if a := put(1<<20 - values - 6); a != Taken {
		t.Errorf("the last byte of room is answered %v", a)
	}
}

// Scripts may make up topics: the intake knows thousands, each by its own number, and leaves the rest to Go.
func TestManyTopics(t *testing.T) {
	in := open(t, t.Name(), 1<<40, 1<<40)
	const most = 32768
	for i := range most + 10 {
		want := Taken
		if i >= most {
			want = Ask
		}
		name := fmt.Sprintf("topic-%d", i)
		if got := answer(&Call{Queue: t.Name(), Topic: name, Value: []byte(name), Partition: -1}); got != want {
			t.Fatalf("topic %d: %v", i, got)
		}
	}
	if _, _, ok := in.Topic("one more"); ok {
		t.Error("there is room for one more topic that calls had no room for")
	}
	var f Record
	n := 0
	for _, c := range in.Take(nil) {
		for r := c.Reader(); r.Next(&f); n++ {
			if name := in.TopicName(f.Topic); name != string(f.Value) {
				t.Fatalf("a record of %s carries the number of %s", f.Value, name)
			}
		}
	}
	if n != most {
		t.Errorf("%d records, want %d", n, most)
	}
}

// take does what the producer does with what it takes, and returns the values.
func take(in *Intake, leave bool) (values []string) {
	var f Record
	for _, c := range in.Take(nil) {
		sum, _ := c.Sum()
		in.Correct(c, sum)
		for r := c.Reader(); r.Next(&f); {
			values = append(values, string(f.Value))
			if leave {
				in.Ledger().Released().Count.Add(1)
				in.Ledger().Released().Bytes.Add(int64(len(f.Value)))
				in.Ledger().Released().Cost.Add(int64(RecordCost + len(f.Value)))
			}
		}
		in.Free(c)
	}
	return values
}

// Threads call, and another one takes, as long as it takes for every call to be accepted: nothing is
// lost, each thread's records keep their order, and all that was charged is given back.
func TestThreadsThatCallAtOnce(t *testing.T) {
	const threads, each, limit = 8, 20000, 3000
	in := open(t, t.Name(), limit, 1<<20)
	var callers sync.WaitGroup
	for thread := range threads {
		callers.Go(func() {
			for n := 0; n < each; {
				value := binary.BigEndian.AppendUint32([]byte{byte(thread)}, uint32(n))
				if answer(call(t.Name(), string(append(value, make([]byte, n%300)...)))) == Taken {
					n++
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		callers.Wait()
		close(done)
	}()
	var next [threads]uint32
	total := 0
	for ended := false; !ended || total < threads*each; {
		select {
		case <-done:
			ended = true
		default:
		}
		var f Record
		for _, c := range in.Take(nil) {
			sum, complete := c.Sum()
			for !complete {
				sum, complete = c.Sum()
			}
			in.Correct(c, sum)
			for r := c.Reader(); r.Next(&f); total++ {
				thread, n := f.Value[0], binary.BigEndian.Uint32(f.Value[1:])
				if n != next[thread] {
					t.Fatalf("thread %d: record %d came after %d", thread, n, next[thread]-1)
				}
				next[thread]++
				in.Ledger().Released().Bytes.Add(int64(len(f.Value)))
				in.Ledger().Released().Cost.Add(int64(RecordCost + len(f.Value)))
				in.Ledger().Released().Count.Add(1)
			}
			in.Free(c)
		}
	}
	in.Shut() // what a chunk has a grant for is charged
	for i := range limit {
		if !in.Charge(0, 0) {
			t.Fatalf("the queue is empty and has room for %d of %d records", i, limit)
		}
	}
	if in.Charge(0, 0) {
		t.Error("the queue has room for more records than its limit")
	}
}

// The first record after Sleep ends Wait, however the two meet.
func TestNoCallIsSleptThrough(t *testing.T) {
	in := open(t, t.Name(), 1<<40, 1<<40)
	const calls = 20000
	go func() {
		for range calls {
			for answer(call(t.Name(), "v")) != Taken {
			}
		}
	}()
	for got := 0; got < calls; {
		if in.Sleep() && !in.Wait() {
			t.Fatal("the intake was closed")
		}
		in.Awake()
		got += len(take(in, true))
	}
}

func TestMemoryThatNobodyNeedsGoesBack(t *testing.T) {
	in := open(t, t.Name(), 1<<40, 1<<40)
	for range 100 {
		for range 64 {
			answer(call(t.Name(), string(make([]byte, 1000))))
		}
	}
	if n := len(take(in, true)); n != 6400 {
		t.Fatalf("%d records", n)
	}
	for range 20 {
		in.Trim(4)
	}
	for range 6400 {
		if answer(call(t.Name(), string(make([]byte, 1000)))) != Taken {
			t.Fatal("memory that was given back is not used again")
		}
	}
	for i, v := range take(in, true) {
		if len(v) != 1000 {
			t.Fatalf("record %d has %d bytes", i, len(v))
		}
	}
}

// A process may stop its queues and start them again: calls find the new one of the same name.
func TestAQueueOfTheSameNameIsFoundAfterTheOld(t *testing.T) {
	for range 3 {
		in := open(t, t.Name(), 10, 1<<20)
		for range 2 {
			if got := answer(call(t.Name(), "v")); got != Taken {
				t.Errorf("the present queue: %v", got)
			}
		}
		if n := len(take(in, true)); n != 2 {
			t.Errorf("%d records came", n)
		}
		in.End()
		in.Gone()
		if got := answer(call(t.Name(), "v")); got != Gone {
			t.Errorf("after its end: %v", got)
		}
	}
}

// Each change of a queue between memory and a spool would cost a descriptor and the memory of an intake otherwise.
func TestAnIntakeThatPassedItsNameOnIsUsedAgain(t *testing.T) {
	for _, test := range []struct {
		sentence string
		pass     func(*Intake)
	}{
		{"its queue has passed its name on", (*Intake).Pass},
		{"Go has taken the name, after the end", func(in *Intake) { in.End(); in.Gone(); Disown(t.Name()) }},
		{"Go has taken the name, before the end", func(in *Intake) { Disown(t.Name()); in.End() }},
	} {
		var before *Intake
		for range 3 {
			in := open(t, t.Name(), 10, 1<<20)
			if got := answer(call(t.Name(), "v")); got != Taken {
				t.Errorf("%s: the present queue: %v", test.sentence, got)
			}
			if n := len(take(in, true)); n != 1 {
				t.Errorf("%s: %d records came", test.sentence, n)
			}
			test.pass(in)
			for _, end := range []func(){func() {}, in.Gone} {
				end()
				if got := answer(call(t.Name(), "v")); got != Ask {
					t.Errorf("%s: with the name passed on: %v", test.sentence, got)
				}
			}
			if before != nil && in.c != before.c {
				t.Errorf("%s: the intake is not used again", test.sentence)
			}
			before = in
		}
	}
}

func TestAQueueWithoutAnIntakeIsGosAgain(t *testing.T) {
	in := open(t, t.Name(), 10, 1<<20)
	in.End()
	in.Gone()
	Disown(t.Name())
	Disown("never known")
	if got := answer(call(t.Name(), "v")); got != Ask {
		t.Errorf("%v", got)
	}
}
