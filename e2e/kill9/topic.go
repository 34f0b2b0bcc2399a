package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// patience bounds every wait for the broker: three of them on a busy machine have taken more than a minute for a restart.
const patience = 4 * time.Minute

// calm is how long nothing may have come before the topic counts as quiet: what a dead host has sent is in the
// kernel's buffers for a moment more.
const calm = 30 * time.Millisecond

// reader reads the topic, each offset once: when a leader moves, the client may go back to one that it has read.
type reader struct {
	broker broker
	client *kgo.Client
	admin  *kadm.Client
	next   [partitions]int64
	sums   [partitions][]uint32 // of the values by offset: what is read again must be the same
}

func newReader(b broker) (*reader, error) {
	start := map[int32]kgo.Offset{}
	for p := range int32(partitions) {
		start[p] = kgo.NewOffset().At(0)
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(b.address(), ",")...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: start}),
		kgo.KeepControlRecords(), kgo.FetchMaxWait(50*time.Millisecond), kgo.KeepRetryableFetchErrors(),
	)
	if err != nil {
		return nil, err
	}
	return &reader{broker: b, client: client, admin: kadm.NewClient(client)}, nil
}

// catchUp hands over everything on the topic once nothing more comes.
func (r *reader) catchUp(ctx context.Context, each func(*kgo.Record)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ends, err := r.quiet(ctx)
	if err != nil {
		return err
	}
	for behind(r.next, ends) {
		fetches := r.client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("the topic is read up to %v of %v: %w", r.next, ends, err)
		}
		// Errors of a fetch are those of a broker that is away, and pass; the deadline ends what does not.
		for _, record := range fetches.Records() {
			fresh, err := r.note(record)
			if err != nil {
				return err
			}
			if fresh && !record.Attrs.IsControl() {
				each(record)
			}
		}
	}
	return nil
}

// note says whether the record has not been read before.
func (r *reader) note(record *kgo.Record) (fresh bool, err error) {
	sum, sums := crc32.ChecksumIEEE(record.Value), &r.sums[record.Partition]
	switch known := int64(len(*sums)); {
	case record.Offset > known:
		return false, fmt.Errorf("offset %d of partition %d comes after %d", record.Offset, record.Partition, known-1)
	case record.Offset < known && (*sums)[record.Offset] != sum:
		return false, fmt.Errorf("the log of partition %d has changed at offset %d", record.Partition, record.Offset)
	case record.Offset < known:
		return false, nil
	}
	*sums = append(*sums, sum)
	r.next[record.Partition] = record.Offset + 1
	return true, nil
}

// quiet returns the ends of the partitions when they have stood still.
func (r *reader) quiet(ctx context.Context) (ends [partitions]int64, err error) {
	since := time.Now()
	for {
		busy, err := r.broker.busy()
		if err != nil {
			return ends, fmt.Errorf("the broker did not come back: %w", err)
		}
		now, err := r.ends(ctx)
		switch {
		case ctx.Err() != nil:
			return ends, errors.Join(ctx.Err(), err)
		case busy || err != nil || now != ends:
			ends, since = now, time.Now()
		case time.Since(since) >= calm:
			return ends, nil
		}
		time.Sleep(calm / 10)
	}
}

func (r *reader) ends(ctx context.Context) (ends [partitions]int64, err error) {
	listed, err := r.admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return ends, err
	}
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}

func behind(at, ends [partitions]int64) bool {
	for p := range at {
		if at[p] < ends[p] {
			return true
		}
	}
	return false
}

func (r *reader) close() { r.client.Close() }
