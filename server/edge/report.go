package edge

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// unreadable says what is wrong with a report, "" when nothing is. It is kept all
// the same: a queue must not wait for ever behind one bad entry.
func unreadable(r *protocol.Report) string {
	switch {
	case !r.State.Valid():
		return "its state is none"
	case r.Exit != nil && !r.Exit.Valid():
		return "its exit code is none"
	case !printable(r.Rollout, 128) || !printable(r.Bundle, 128) || !printable(r.Method, 40):
		return "a name in it is too long or has control characters"
	case len(r.Details) > protocol.MaxDetails || len(r.Details) > 0 && r.Details[0] != '{' && string(r.Details) != "null":
		return "its details are too long or no object"
	}
	return ""
}

// TakeReports keeps a node's reports, each once, and gives the number up to which
// the node may forget.
func (s *Service) TakeReports(ctx context.Context, n Node, list []protocol.Report) (int64, error) {
	if len(list) > protocol.MaxReports {
		return 0, problem.FieldError("reports", "give at most %d at once", protocol.MaxReports)
	}
	if slices.ContainsFunc(list, func(r protocol.Report) bool { return r.Seq <= 0 }) {
		return 0, problem.FieldError("reports", "a report has no number")
	}
	slices.SortFunc(list, func(a, b protocol.Report) int { return cmp.Compare(a.Seq, b.Seq) })
	var acked int64
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if acked, err = s.rows().reportSeq(ctx, n.ID); err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(r protocol.Report) bool { return r.Seq <= acked })
		list = slices.CompactFunc(list, func(a, b protocol.Report) bool { return a.Seq == b.Seq })
		if len(list) == 0 {
			return nil
		}
		acked = list[len(list)-1].Seq
		return s.keepReports(ctx, n, list, acked)
	})
	return acked, err
}

func (s *Service) keepReports(ctx context.Context, n Node, list []protocol.Report, last int64) error {
	taken, err := s.rows().takeReports(ctx, n.ID, last)
	if err != nil {
		return err
	}
	if !taken {
		return problem.New(problem.Conflict, "These reports are being taken already.")
	}
	events := make([]Event, len(list))
	var readable []protocol.Report
	for i, r := range list {
		e := s.happened(&n, KindReport, "", clip(r.Message, protocol.MaxText))
		e.Seq, e.At = r.Seq, api.Millis(r.At.UnixMilli())
		if why := unreadable(&r); why != "" {
			e.Message = clip("a report that cannot be read, "+why+": "+r.Message, protocol.MaxText)
		} else {
			e.Rollout, e.Bundle, e.State, e.Exit, e.Method = r.Rollout, r.Bundle, r.State, r.Exit, r.Method
			if len(r.Details) > 0 && r.Details[0] == '{' {
				e.Details = r.Details
			}
			readable = append(readable, r)
		}
		events[i] = e
	}
	s.DB.AfterCommit(ctx, func() { s.Counters.Reports.Add(int64(len(list))) })
	if err := s.rows().insertEvents(ctx, events...); err != nil {
		return err
	}
	if s.OnReports != nil && len(readable) > 0 {
		if err := s.OnReports(ctx, n, readable); err != nil {
			return err
		}
	}
	return s.publish(ctx, n.Team, nodesTopic, n.ID)
}

// clip bounds a text of a node, at a whole character, and takes out what no
// database keeps.
func clip(text string, most int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
