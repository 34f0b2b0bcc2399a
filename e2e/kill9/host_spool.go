package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/halon-extras/kafka/internal/killpoint"
	"github.com/halon-extras/kafka/internal/spool"
)

// Small segments and a small spool, so that a life sees segments come and go.
const (
	segmentBytes = 256 << 10
	maxBytes     = 64 << 20
)

// runSpool is the host that has a spool and no Kafka: what the cursor gives goes into the pipe, and is acknowledged.
func (h *host) runSpool(ctx context.Context) error {
	s, err := spool.Open(spool.Options{
		Dir: h.Dir, MaxBytes: maxBytes, SegmentBytes: segmentBytes,
		Log:   slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Point: killpoint.From(os.Getenv(killpoint.Variable)),
	})
	if err != nil {
		return err
	}
	h.say(lineReady, "")
	delivered := make(chan error, 1)
	go func() { delivered <- h.deliver(ctx, s) }()
	h.work(ctx, func(_ int, next func() id) {
		answer := make(chan error, 1)
		for ctx.Err() == nil {
			i := next()
			if _, err := s.Append(i.value(), func(err error) { answer <- err }); err != nil {
				h.say(lineRefused, i.String())
				time.Sleep(time.Millisecond) // the spool is full, and the answer comes at once
				continue
			}
			if h.Lie {
				h.say(lineAnswered, i.String())
			}
			if err := <-answer; err != nil {
				h.say(lineRefused, i.String())
				continue
			}
			h.say(lineAnswered, i.String())
		}
	})
	if err := <-delivered; !errors.Is(err, context.Canceled) {
		return err
	}
	return s.Close(context.Background())
}

// deliver says each record before it is acknowledged.
func (h *host) deliver(ctx context.Context, s *spool.Spool) error {
	c := s.NewCursor()
	defer c.Close()
	for {
		batch, err := c.Next(ctx)
		if err != nil {
			return err
		}
		for _, f := range batch.Frames {
			h.say(lineDelivered, string(f.Payload))
			s.Ack(f.Seq)
		}
		batch.Release()
	}
}
