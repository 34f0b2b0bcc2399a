package intake

import (
	"fmt"
	"testing"
)

func TestMessageMaxBytesIsForGoToMeasure(t *testing.T) {
	in, err := New(t.Name(), 1000, full, ended)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	in.Ledger().Limit(100, 1<<20, 1<<30)
	in.Publish()
	in.Open()
	if got := answer(call(t.Name(), string(make([]byte, 900)))); got != Taken {
		t.Errorf("900 bytes: %v", got)
	}
	if got := answer(call(t.Name(), string(make([]byte, 980)))); got != Ask {
		t.Errorf("980 bytes, which are too many with what a batch adds: %v", got)
	}
}

func TestTheLimitsAreKeptToTheRecordAndTheByte(t *testing.T) {
	for _, test := range []struct {
		sentence    string
		count, size int64
		value, fit  int
	}{
		{"one record", 1, 1 << 20, 10, 1},
		{"ten records", 10, 1 << 20, 10, 10},
		{"a few more than a chunk takes", 300, 1 << 20, 10, 300},
		{"bytes for three", 1000, 1024, 341, 3},
		{"bytes for three and one too few for a fourth", 1000, 1363, 341, 3},
		{"bytes for four", 1000, 1364, 341, 4},
		{"bytes of many chunks", 100000, 1 << 20, 1024, 1024},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			in := open(t, t.Name(), test.count, test.size)
			c := call(t.Name(), string(make([]byte, test.value)))
			var taken []string
			try := func() (Answer, bool) {
				got, isFull := offer(c)
				if got == Ask { // the bytes of what was not taken yet are an estimate
					taken = append(taken, take(in, false)...)
					got, isFull = offer(c)
				}
				if got == Ask { // and what is left is for Go to count
					if isFull = !in.Charge(test.value, int64(RecordCost+test.value)); !isFull {
						got, taken = Taken, append(taken, "")
					}
				}
				return got, isFull
			}
			for i := range test.fit {
				if got, _ := try(); got != Taken {
					t.Fatalf("record %d of %d: %v", i+1, test.fit, got)
				}
			}
			for range 3 {
				if got, isFull := try(); !isFull {
					t.Fatalf("one more than %d: %v", test.fit, got)
				}
			}
			if in.Refused() != 3 || in.Refused() != 0 {
				t.Error("three calls were refused, and the count says otherwise")
			}
			taken = append(taken, take(in, false)...)
			if len(taken) != test.fit {
				t.Fatalf("%d records came, %d were taken", len(taken), test.fit)
			}
			if in.Charge(test.value, 0) {
				t.Error("Go found room in a full queue")
			}
			in.Ledger().Released().Count.Add(1)
			in.Ledger().Released().Bytes.Add(int64(test.value))
			if got, _ := try(); got != Taken {
				t.Errorf("one has left, and there is no room: %v", got)
			}
			if got, isFull := try(); !isFull {
				t.Errorf("one has left, and there is room for two: %v", got)
			}
		})
	}
}

func TestMemoryIsALimitOfItsOwn(t *testing.T) {
	in := open(t, t.Name(), 1<<40, 1<<40)
	in.Ledger().Limit(1<<40, 1<<40, 100*(RecordCost+10))
	n := 0
	for c := call(t.Name(), "ten bytes."); ; n++ {
		got := answer(c)
		if got == Ask {
			take(in, false)
			got = answer(c)
		}
		if got == Ask && in.Charge(10, RecordCost+10) { // what is left is for Go to count
			got = Taken
		}
		if got != Taken {
			break
		}
	}
	if n != 100 {
		t.Errorf("%d records of ten bytes fit into the memory of 100", n)
	}
}

func TestACallWaitsForRoomInItsTurn(t *testing.T) {
	in := open(t, t.Name(), 300, 1<<20)
	c := call(t.Name(), "v")
	for i := range 300 {
		if got := answer(c); got != Taken {
			t.Fatalf("call %d: %v", i, got)
		}
	}
	for i := range 3 {
		waiting := call(t.Name(), fmt.Sprintf("waiting %d", i))
		waiting.Waits, waiting.Headers = true, [][2]string{{"n", "v"}}
		if got := answer(waiting); got != Parked {
			t.Fatalf("a call that waits: %v", got)
		}
	}
	if in.Refused() != 0 {
		t.Error("a call that waits is counted as refused")
	}
	take(in, true) // there is room now, for those who wait
	if _, isFull := offer(c); !isFull {
		t.Error("a call passed by those who wait")
	}
	n := 0
	in.TakeParked(func(_ Script, f *Record) {
		name, value := f.NextHeader()
		if got := fmt.Sprintf("%s %s=%s", f.Value, name, value); got != fmt.Sprintf("waiting %d n=v", n) {
			t.Errorf("call %d waits with %s", n, got)
		}
		n++
	})
	if n != 3 || in.Parked() {
		t.Errorf("%d calls wait", n)
	}
	if _, isFull := offer(c); !isFull {
		t.Error("a call passed by those who were taken and have not been let in")
	}
	in.SetHasWaiters(false)
	if got := answer(c); got != Taken {
		t.Errorf("nobody waits and there is room: %v", got)
	}
}

func TestWhatNeverFitsDoesNotWait(t *testing.T) {
	open(t, t.Name(), 300, 1000)
	c := call(t.Name(), string(make([]byte, 1001)))
	c.Waits = true
	if got := answer(c); got != Ask {
		t.Errorf("it is answered %v", got)
	}
}

func TestTheLastBytesAreNotTakenTwice(t *testing.T) {
	in := open(t, t.Name(), 1000, 3000)
	c := call(t.Name(), string(make([]byte, 900)))
	for range 3 {
		if got := answer(c); got == Ask {
			take(in, false)
			answer(c)
		}
	}
	take(in, false)
	small := call(t.Name(), "small")
	small.Key = make([]byte, 2000) // its frame has more room for a value than the queue
	if got := answer(small); got != Ask {
		t.Errorf("a record whose place a larger value could take is answered %v", got)
	}
}
