package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// patience is how long the broker may give nothing while there are records to read.
const patience = 30 * time.Second

// consume prints the records that the topic holds now, one partition after another.
func (s *stage) consume(topic string) error {
	// Not the context of the scripts: what was delivered is shown also when a signal ended them.
	ctx := context.Background()
	admin, err := s.dial()
	if err != nil {
		return fmt.Errorf("topic %s: %w", topic, err)
	}
	defer admin.Close()
	starts, ends, err := bounds(ctx, kadm.NewClient(admin), topic)
	if err != nil {
		return fmt.Errorf("topic %s: %w", topic, err)
	}
	for _, end := range ends.Offsets().Sorted() {
		start, ok := starts.Lookup(topic, end.Partition)
		if !ok || start.Offset >= end.At {
			continue
		}
		if err := s.consumePartition(ctx, start, end.At); err != nil {
			return fmt.Errorf("topic %s, partition %d: %w", topic, end.Partition, err)
		}
	}
	return nil
}

// bounds are the first offsets of the topic and the ones after the last.
func bounds(ctx context.Context, admin *kadm.Client, topic string) (starts, ends kadm.ListedOffsets, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if starts, err = admin.ListStartOffsets(ctx, topic); err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, nil, err
	}
	if ends, err = admin.ListEndOffsets(ctx, topic); err == nil {
		err = ends.Error()
	}
	return starts, ends, err
}

func (s *stage) dial(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(s.servers, ",")...), kgo.ClientID("hslrun"))...)
}

// consumePartition reads up to end. Control records are read too, since the last offset may be one.
func (s *stage) consumePartition(ctx context.Context, start kadm.ListedOffset, end int64) error {
	client, err := s.dial(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
			start.Topic: {start.Partition: kgo.NewOffset().At(start.Offset)},
		}),
		kgo.KeepControlRecords(),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for next := start.Offset; next < end; {
		wait, cancel := context.WithTimeout(ctx, patience)
		fetches := client.PollFetches(wait)
		cancel()
		if err := fetches.Err(); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("the broker gave nothing for %v after offset %d of %d", patience, next, end)
			}
			return err
		}
		for _, r := range fetches.Records() {
			if r.Offset >= end {
				return nil
			}
			next = r.Offset + 1
			if !r.Attrs.IsControl() {
				s.t.line(recordLine(r))
			}
		}
	}
	return nil
}
