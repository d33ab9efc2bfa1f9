package logs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/work"
)

// NodeReport is something that a node of the fleet said or that happened to it.
type NodeReport struct {
	// ID orders them.
	ID, Team                               int64
	At                                     time.Time
	Node, Name, Site, Kind, State, Message string
	Rollout, Bundle, Actor                 string
	// Output is what the node's package manager said, several lines.
	Output string
	// Exit is the run's exit code; negative when no run ended.
	Exit int64
}

const (
	// nodePast is how old a report may be that gets a line.
	nodePast = 24 * time.Hour
	// nodeRest lets reports settle: numbers are given before transactions end.
	nodeRest = 10 * time.Second
)

// NodeReports gives reports of all teams in order, those after an id and received within the span.
type NodeReports func(ctx context.Context, after int64, from, to time.Time, limit int) ([]NodeReport, error)

// nodeLines makes lines of reports. How far it came is read from the store at the start
// and after an error, so that a line that was kept is not kept again.
type nodeLines struct {
	service *Service
	list    NodeReports
	after   int64
	kept    map[int64]int64 // team to the last report that has its lines
}

// NodeLoop makes lines of what nodes report.
func (s *Service) NodeLoop(list NodeReports) work.Loop {
	n := &nodeLines{service: s, list: list, kept: map[int64]int64{}}
	return work.Loop{Name: "logs.nodes", Every: 5 * time.Second, Run: n.keep}
}

func (n *nodeLines) keep(ctx context.Context) error {
	now := n.service.Now()
	for {
		page, err := n.list(ctx, n.after, now.Add(-nodePast), now.Add(-nodeRest), insideBatch)
		if err != nil {
			return fmt.Errorf("list what nodes report: %w", err)
		}
		byTeam := map[int64][]NodeReport{}
		for _, r := range page {
			byTeam[r.Team] = append(byTeam[r.Team], r)
		}
		for team, list := range byTeam {
			if err := n.keepOf(ctx, team, list, now); err != nil {
				n.after, n.kept = 0, map[int64]int64{} // the store knows which lines were kept
				return err
			}
		}
		if len(page) > 0 {
			n.after = page[len(page)-1].ID
		}
		if len(page) < insideBatch {
			return nil
		}
	}
}

func (n *nodeLines) keepOf(ctx context.Context, team int64, list []NodeReport, now time.Time) error {
	last, loaded := n.kept[team]
	if !loaded {
		var err error
		if last, err = n.load(ctx, team, now.Add(-nodePast-time.Hour)); err != nil {
			return err
		}
	}
	var records []record.Record
	flush := func() error {
		if len(records) == 0 {
			return nil
		}
		part := records
		records = nil
		return n.service.Accept(context.WithoutCancel(ctx), Batch{Team: team, Source: SourceNode, Records: part})
	}
	for _, r := range list {
		if r.ID <= last {
			continue
		}
		lines := r.records()
		if len(records)+len(lines) > insideBatch { // a report's lines are written together
			if err := flush(); err != nil {
				return err
			}
		}
		records = append(records, lines...)
		last = r.ID
	}
	if err := flush(); err != nil {
		return err
	}
	n.kept[team] = last
	return nil
}

// load finds the last report of a team that has its lines.
func (n *nodeLines) load(ctx context.Context, team int64, since time.Time) (last int64, err error) {
	rows := n.service.Store.Search(ctx, store.Request{Team: team, From: since, Match: ofSource(SourceNode)})
	for row := range rows.All() {
		if f, ok := row.Field(fieldReport); ok {
			if id, err := strconv.ParseInt(f.Value, 10, 64); err == nil {
				last = max(last, id)
			}
		}
	}
	if partial := rows.Stats().Partial; rows.Err() == nil && partial != store.Whole && partial != store.PartialDamage {
		return 0, fmt.Errorf("find the lines of nodes: the search ended early (%s)", partial)
	}
	return last, rows.Err()
}

// records are the line of the report, then the lines that it brought.
func (r NodeReport) records() []record.Record {
	text := r.Name + ": " + r.Kind
	if r.State != "" {
		text = r.Name + ": " + r.State
	}
	if r.Bundle != "" {
		text += " of " + r.Bundle
	}
	if r.Message != "" {
		text += ": " + r.Message
	}
	level := record.Info
	if r.Exit > 0 {
		level = record.Error
	}
	list := []record.Record{r.record(text, level)}
	for line := range strings.Lines(r.Output) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, r.record(line, record.Info))
		}
	}
	return list[:min(len(list), insideBatch)]
}

func (r NodeReport) record(text string, level record.Level) record.Record {
	one := record.Record{Time: r.At, Level: level, Message: clipText(text, maxLine),
		Stream: record.MakeLabels(map[string]string{"source": SourceNode, "service": "signalbox-agent", "site": r.Site})}
	for name, value := range map[string]string{"host": r.Name, "node_id": r.Node, "kind": r.Kind, "state": r.State, "rollout": r.Rollout, "bundle": r.Bundle, "actor": r.Actor} {
		if value != "" {
			one.Set(record.Field{Name: name, Value: value})
		}
	}
	one.Set(record.Field{Name: fieldReport, Value: strconv.FormatInt(r.ID, 10), Kind: record.Number})
	if r.Exit >= 0 {
		one.Set(record.Field{Name: "exit_code", Value: strconv.FormatInt(r.Exit, 10), Kind: record.Number})
	}
	return one
}
