package logs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// intake is what all ways in share.
type intake struct {
	// memory bounds what requests hold while they are read.
	memory *semaphore.Weighted
}

func (in *intake) init(maxDecoded int64) {
	in.memory = semaphore.NewWeighted(max(4*maxDecoded, 64<<20))
}

// Batch is what one request or message of a shipper brought.
type Batch struct {
	Team int64
	// Source is how it came: loki, elastic, otlp, syslog, fluent, journald,
	// jsonline, or a word for what is inside this server.
	Source  string
	Records []record.Record
	// Rejected are records that could not be read, by reason.
	Rejected map[string]int
	// Drop lets go of lines beyond the team's limits, and counts them, where the
	// sender cannot be told to wait.
	Drop bool
	// Mark is called last for each record, with its place in Records: what this server
	// says of a line nothing in the line can take the place of. nil adds nothing.
	Mark func(i int, r *record.Record)
}

// Accept makes records whole and keeps them; they are on the disk when it
// returns. An error is for the shipper, which is to send the batch again.
func (s *Service) Accept(ctx context.Context, b Batch) error {
	now := s.Store.Receipt(s.Now())
	masker, err := s.masker(ctx, b.Team)
	if err != nil {
		return err
	}
	for i := range b.Records {
		r := &b.Records[i]
		if len(r.Message) > 1 && r.Message[0] == '{' {
			record.Expand(r, record.DefaultLimits)
		}
		record.Normalise(r, now)
		clampTime(r, now)
		masker.Record(r)
		if b.Mark != nil {
			b.Mark(i, r)
		}
	}
	if len(b.Records) == 0 {
		s.sources.reject(b.Team, b.Source, b.Rejected, now)
		return nil
	}
	size := 0
	for i := range b.Records {
		size += b.Records[i].Size()
	}
	if err := s.admit(ctx, b.Team, len(b.Records), size); err != nil {
		if !b.Drop || !problem.Is(err, problem.TooMany) {
			return err
		}
		s.sources.reject(b.Team, b.Source, map[string]int{problem.From(err).Detail: len(b.Records)}, now)
		s.sources.reject(b.Team, b.Source, b.Rejected, now)
		return nil
	}
	if err = s.Store.Append(ctx, b.Team, b.Records); err != nil {
		s.giveBack(b.Team, len(b.Records), size)
	}
	switch {
	case errors.Is(err, store.ErrFull):
		return &problem.Error{Kind: problem.Unavailable, Detail: "The disk for logs is full; free space or shorten the retention. Send the batch again later.", RetryAfter: 60}
	case errors.Is(err, store.ErrClosed):
		return &problem.Error{Kind: problem.Unavailable, Detail: "The server is stopping; send the batch again.", RetryAfter: 5}
	case err != nil:
		return fmt.Errorf("keep %d lines: %w", len(b.Records), err)
	}
	// Only what was answered is counted: the rest comes again.
	s.sources.accept(b.Team, b.Source, b.Records, now)
	s.sources.reject(b.Team, b.Source, b.Rejected, now)
	return nil
}

// farFuture is how wrong a shipper's clock may be; beyond it the time of
// receipt is taken and the line says what it claimed.
const farFuture = 24 * time.Hour

func clampTime(r *record.Record, now time.Time) {
	if r.Time.After(now.Add(farFuture)) {
		r.Set(record.Field{Name: "claimed_time", Value: r.Time.UTC().Format(time.RFC3339Nano)})
		r.Time = now
	}
}

// clipText shortens a text without leaving half a character.
func clipText(text string, n int) string {
	return strings.ToValidUTF8(text[:min(len(text), n)], "")
}
