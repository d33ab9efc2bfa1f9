package logs

import (
	"context"
	"net/url"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// Thread is what log lines contribute to the pages of everything.
func (s *Service) Thread() thread.Source {
	return thread.Source{Capability: "logs", Happened: s.threadHappened, Find: s.threadFind, Needs: s.threadNeeds}
}

// An alert or a saved search of a thread.
type threadRow struct {
	Kind, ID, Name, Detail string
	At                     int64
}

func logsPage(team, rest string) string { return "/teams/" + url.PathEscape(team) + "/logs" + rest }

// threadHappened are the alerts that fired.
func (s *Service) threadHappened(ctx context.Context, span thread.Span) ([]thread.Event, error) {
	rows, err := s.rows.threadFired(ctx, span.Team.ID, span.From.UnixMilli(), span.To.UnixMilli(), span.Limit)
	out := make([]thread.Event, len(rows))
	for i, r := range rows {
		out[i] = thread.Event{At: time.UnixMilli(r.At).UTC(), Capability: "logs", Kind: "alert", Title: "Alert: " + r.Name, Detail: r.Detail, Path: logsPage(span.Team.Name, "/alerts/"+url.PathEscape(r.ID)), Tone: thread.Warn}
	}
	return out, err
}

// threadFind knows saved searches and alerts.
func (s *Service) threadFind(ctx context.Context, team identity.Team, text string, limit int) ([]thread.Hit, error) {
	rows, err := s.rows.threadLike(ctx, team.ID, identity.From(ctx).UserID, text, limit)
	out := make([]thread.Hit, len(rows))
	for i, r := range rows {
		h := thread.Hit{Capability: "logs", Kind: r.Kind, Title: r.Name, Detail: r.Detail, Path: logsPage(team.Name, "/alerts/"+url.PathEscape(r.ID))}
		if r.Kind == "saved search" {
			h.Path = logsPage(team.Name, "?q="+url.QueryEscape(r.Detail))
		}
		out[i] = h
	}
	return out, err
}

// threadNeeds are alerts that fire.
func (s *Service) threadNeeds(ctx context.Context, team identity.Team) ([]thread.Need, error) {
	rows, err := s.rows.threadFiring(ctx, team.ID)
	out := make([]thread.Need, len(rows))
	for i, r := range rows {
		out[i] = thread.Need{Capability: "logs", Kind: "alert", Title: r.Name + " fires", Detail: r.Detail, Path: logsPage(team.Name, "/alerts/"+url.PathEscape(r.ID)), Since: time.UnixMilli(r.At).UTC(), Tone: thread.Warn}
	}
	return out, err
}
