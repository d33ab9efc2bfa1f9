package issues

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Ingest is what became of what a project's clients sent.
type Ingest struct {
	// Hours has one entry for every hour asked for, the last one running.
	Hours []IngestHour `json:"hours"`
	// Reasons sums the hours by outcome, reason and category.
	Reasons []IngestReason `json:"reasons"`
	// Rejected are the last items that could not be digested.
	Rejected []Rejected `json:"rejected"`
	// Waiting is how many bytes of all projects wait for digestion on this server.
	Waiting int64 `json:"waiting_bytes"`
	// Room is how many there may be.
	Room int64 `json:"room_bytes"`
}

// IngestHour counts one hour by outcome.
type IngestHour struct {
	Hour      api.Millis `json:"hour"`
	Accepted  int64      `json:"accepted"`
	Filtered  int64      `json:"filtered"`
	Limited   int64      `json:"limited"`
	Dropped   int64      `json:"dropped"`
	Invalid   int64      `json:"invalid"`
	Discarded int64      `json:"discarded"`
}

func (h *IngestHour) add(o Outcome, n int64) {
	for outcome, into := range map[Outcome]*int64{OutcomeAccepted: &h.Accepted, OutcomeFiltered: &h.Filtered, OutcomeLimited: &h.Limited,
		OutcomeDropped: &h.Dropped, OutcomeInvalid: &h.Invalid, OutcomeDiscarded: &h.Discarded} {
		if outcome == o {
			*into += n
		}
	}
}

// IngestReason counts by outcome, reason and category.
type IngestReason struct {
	Outcome  Outcome `json:"outcome"`
	Reason   string  `json:"reason"`
	Category string  `json:"category"`
	Quantity int64   `json:"quantity"`
}

const maxIngestHours = 24 * 90

// Ingest gives a project's health over the last hours to a caller who may read it.
func (s *Service) Ingest(ctx context.Context, project int64, hours int) (Ingest, error) {
	if hours < 1 || hours > maxIngestHours {
		return Ingest{}, problem.FieldError("hours", "give 1 to %d", maxIngestHours)
	}
	if _, err := s.ReadableProject(ctx, project); err != nil {
		return Ingest{}, err
	}
	since := s.Now().UTC().Truncate(time.Hour).Add(-time.Duration(hours-1) * time.Hour)
	rows, err := s.outcomesOf(ctx, project, since.UnixMilli())
	if err != nil {
		return Ingest{}, err
	}
	out := Ingest{Hours: make([]IngestHour, hours), Reasons: []IngestReason{}, Room: s.spool.max}
	for i := range out.Hours {
		out.Hours[i].Hour = api.Millis(since.Add(time.Duration(i) * time.Hour).UnixMilli())
	}
	at := map[IngestReason]int{}
	for _, r := range rows {
		if i := int((r.Hour - since.UnixMilli()) / time.Hour.Milliseconds()); i < hours {
			out.Hours[i].add(Outcome(r.Outcome), r.Quantity)
		}
		key := IngestReason{Outcome: Outcome(r.Outcome), Reason: r.Reason, Category: r.Category}
		i, known := at[key]
		if !known {
			i = len(out.Reasons)
			at[key] = i
			out.Reasons = append(out.Reasons, key)
		}
		out.Reasons[i].Quantity += r.Quantity
	}
	digested, durable := s.spool.state()
	out.Waiting = durable - digested
	out.Rejected, err = s.rejectedOf(ctx, project, 20)
	return out, err
}

// Waiting is how many bytes of acknowledged items this server has not digested.
func (s *Service) Waiting() int64 {
	s.spool.mu.Lock()
	defer s.spool.mu.Unlock()
	return s.spool.durable - s.spool.digested
}
