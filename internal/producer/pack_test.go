package producer

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/record"
	"github.com/halon-extras/kafka/internal/recordbatch"
)

// drawCall draws a call as a script may make one, with sizes around those where something changes: values that stay in their chunk, records with
// a chunk of their own, lengths of one and more bytes.
func drawCall(t *rapid.T, queue string) *intake.Call {
	size := rapid.SampledFrom([]int{0, 0, 1, 63, 64, 200, 1023, 1024, 1025, 5000, 8191, 8192, 20_000, 40_000})
	some := func(name string) []byte {
		switch n := size.Draw(t, name); {
		case rapid.IntRange(0, 4).Draw(t, "null") == 0:
			return nil
		default:
			return bytes.Repeat([]byte{byte(n), byte(n >> 8), 'x'}, n/3+1)[:n]
		}
	}
	c := &intake.Call{
		Queue: queue, Topic: rapid.SampledFrom([]string{"one", "three", "unknown"}).Draw(t, "topic"), Partition: -1,
		Value: some("value"), Milliseconds: rapid.SampledFrom([]int64{0, 1, 1700000000000, 1700000000063, 1700000000064, 1699999990000, math.MaxInt64, math.MinInt64}).Draw(t, "timestamp"),
	}
	if rapid.Bool().Draw(t, "key") {
		c.Key = []byte(fmt.Sprint("key", rapid.IntRange(0, 9).Draw(t, "k")))[:rapid.IntRange(0, 4).Draw(t, "bytes")]
	}
	if c.Topic == "three" && rapid.IntRange(0, 3).Draw(t, "named") == 0 {
		c.Partition = rapid.Int32Range(0, 2).Draw(t, "partition")
	}
	for range rapid.SampledFrom([]int{0, 0, 1, 2, 70}).Draw(t, "headers") {
		c.Headers = append(c.Headers, [2]string{"name", string(some("header"))})
	}
	return c
}

// The records of every batch are what the calls have left, in their order, each in the partition that it named or that its key means; the bytes
// are those that Go writes; and what is made of them again is what was left.
func TestWhatIsPackedIsWhatWasLeft(t *testing.T) {
	queue := 0
	rapid.Check(t, func(t *rapid.T) {
		queue++
		id := fmt.Sprint("packed ", queue)
		in, err := intake.New(id, math.MaxInt32, -184, -197)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		in.Ledger().Limit(1000, 1<<30, math.MaxInt64/2)
		in.Publish()
		in.Open()
		most := limits{rapid.SampledFrom([]int{1, 3, 1000}).Draw(t, "records"), rapid.SampledFrom([]int{1, 300, 3000, 1 << 20}).Draw(t, "bytes")}
		p := &Producer{ingress: ingress{Intake: in}}
		p.pool.intake = in
		chooser := intake.NewChooser(intake.Murmur2, intake.HashAll, 0)
		if p.packer, err = in.NewPacker(chooser, most.records, most.bytes); err != nil {
			t.Fatal(err)
		}
		topics := map[int]*topic{}
		for name, n := range map[string]int32{"one": 1, "three": 3} {
			i, gate, _ := in.Topic(name)
			gate.Open(n)
			p.packer.Route(i, int(n), nil)
			topics[i] = &topic{name: name}
		}

		var made, left []*intake.Call
		var batches []*intake.Batch
		closed := 0
		collect := func() {
			for _, c := range in.Take(nil) {
				n := c.Count()
				calls := made[:n]
				made = made[n:]
				if got := p.packer.Pack(c, 0); got > n {
					t.Fatalf("%d of %d records are left", got, n)
				}
				for i, call := range calls {
					if p.packer.Skipped(i) != (call.Topic == "unknown") {
						t.Fatalf("record %d to %s: skipped is %v", i, call.Topic, p.packer.Skipped(i))
					}
					if call.Topic != "unknown" {
						left = append(left, call)
					}
				}
				p.packer.Begun(func(b *intake.Batch) { batches = append(batches, b) })
				in.Free(c)
			}
			if len(batches) > closed && rapid.Bool().Draw(t, "close") {
				closed = len(batches)
				for _, b := range batches {
					b.Close()
				}
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "calls") {
			c := drawCall(t, id)
			if a, code := c.Offer(); a != intake.Taken {
				t.Fatalf("a call was answered with %v, %d", a, code)
			}
			made = append(made, c)
			if rapid.IntRange(0, 5).Draw(t, "collect") == 0 {
				collect()
			}
		}
		collect()

		for _, b := range batches {
			b.Close()
			tp := topics[b.Topic()]
			first, oldest, newest := b.Timestamps()
			want := recordbatch.Begin(nil)
			var calls []*intake.Call
			values, cost := int64(0), int64(0)
			for i := 0; i < len(left) && len(calls) < b.Count(); i++ {
				c := left[i]
				if c.Topic != tp.name || partitionOf(chooser, c) != b.Partition() {
					continue
				}
				var headers []record.Header
				payload := len(c.Key) + len(c.Value)
				for _, h := range c.Headers {
					headers = append(headers, record.Header{Key: h[0], Value: []byte(h[1])})
					payload += len(h[0]) + len(h[1])
				}
				want = recordbatch.AppendRecord(want, int32(len(calls)), c.Milliseconds-first, c.Key, c.Value, headers)
				calls = append(calls, c)
				values += int64(len(c.Value))
				cost += int64(intake.RecordCost + payload + intake.HeaderCost*len(headers))
				left = slices.Delete(left, i, i+1)
				i--
			}
			if len(calls) != b.Count() || b.Count() == 0 || first != calls[0].Milliseconds {
				t.Fatalf("%d records of a batch of %d", len(calls), b.Count())
			}
			if b.Count() > most.records || b.Count() > 1 && b.Size() > most.bytes {
				t.Fatalf("a batch of %d records and %d bytes, of %+v", b.Count(), b.Size(), most)
			}
			times := func(c *intake.Call) int64 { return c.Milliseconds }
			for _, c := range calls {
				if times(c) < oldest || times(c) > newest {
					t.Fatalf("timestamp %d is not in %d to %d", times(c), oldest, newest)
				}
			}
			got := bytes.Join(b.Pieces(nil), nil)
			if !bytes.Equal(got[recordbatch.Overhead:], want[recordbatch.Overhead:]) || b.Size() != len(got) {
				t.Fatalf("a batch of %d records is\n%x\nwant\n%x", b.Count(), got, want)
			}
			if v, c := b.Holds(); v != values || c != cost {
				t.Fatalf("a batch holds %d and %d, want %d and %d", v, c, values, cost)
			}
			unpacked := &batch{partition: &partition{topic: tp, id: b.Partition()}, packed: b, id: -1, sequence: unnumbered, oldest: 1 << 60, earliest: 5}
			p.unpackBatch(unpacked)
			for i, e := range unpacked.entries {
				c := calls[i]
				want := record.Record{Topic: c.Topic, Partition: c.Partition, Key: c.Key, Value: c.Value, Timestamp: c.Milliseconds}
				for _, h := range c.Headers {
					want.Headers = append(want.Headers, record.Header{Key: h[0], Value: []byte(h[1])})
				}
				if got := e.record(); !reflect.DeepEqual(want, got) {
					t.Fatalf("record %d of a batch is another when it is made again (-left +made):\n%s", i, cmp.Diff(want, got))
				}
				cost -= e.cost
				if e.number != b.Number()+uint64(i) || e.born < 5 {
					t.Fatalf("record %d has the number %d and was born at %d", i, e.number, e.born)
				}
			}
			if cost != 0 {
				t.Fatalf("the records of a batch cost %d less than the batch", cost)
			}
			p.packer.Free(b)
		}
		if len(left) > 0 {
			t.Fatalf("%d records are in no batch", len(left))
		}
		p.packer.Close()
	})
}

func partitionOf(chooser *intake.Chooser, c *intake.Call) int32 {
	if c.Partition >= 0 {
		return c.Partition
	}
	if c.Topic == "one" {
		return 0
	}
	choice := intake.NewChoice()
	return chooser.Choose(&choice, c.Key, 3, nil, 0)
}
