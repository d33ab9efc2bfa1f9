package logs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
)

// The sources inside this server; each is the label "source" of its streams.
const (
	SourceBuild    = "build"
	SourceDelivery = "delivery"
	SourceOwn      = "signalbox"
	SourceNode     = "node"
)

// Fields by which lines from inside are found and linked.
const (
	fieldBuildID  = "build_id"
	fieldLine     = "build_line"
	fieldDelivery = "delivery_id"
	fieldReport   = "report_id"
)

// insideBatch is how many lines from inside are kept at once: few enough to be one
// write, which is kept whole or not at all.
const insideBatch = 500

// BuildLines are lines of one build. The store is what remembers how far a build has
// been handed over, so that a restart between two writes neither loses nor doubles.
type BuildLines struct {
	Team, Build           int64
	Number, Pipeline, Job string
	// From is no later than the build's first line.
	From  time.Time
	Lines []BuildLine
}

// BuildLine is one line; N is its number, which grows within the build, as Time does
// not fall.
type BuildLine struct {
	N                        int64
	Time                     time.Time
	Step, Kind, Output, Text string
	// Level is set where the build's end is told, and else found in the text.
	Level record.Level
}

func (b BuildLines) stream() record.Labels {
	return record.MakeLabels(map[string]string{"source": SourceBuild, "service": b.Pipeline, "pipeline": b.Pipeline, "job": b.Job})
}

// KeepBuildLines keeps them; after an error BuildPlace knows which of them are kept.
func (s *Service) KeepBuildLines(ctx context.Context, b BuildLines) error {
	labels := b.stream()
	build := strconv.FormatInt(b.Build, 10)
	for rest := b.Lines; len(rest) > 0; {
		part := rest[:min(len(rest), insideBatch)]
		rest = rest[len(part):]
		batch := Batch{Team: b.Team, Source: SourceBuild}
		var kept []BuildLine
		for _, line := range part {
			if strings.TrimSpace(line.Text) == "" {
				continue
			}
			kept = append(kept, line)
			batch.Records = append(batch.Records, record.Record{Time: line.Time, Stream: labels, Level: line.Level, Message: clipText(line.Text, maxLine)})
		}
		batch.Mark = func(i int, r *record.Record) {
			line := kept[i]
			r.Time = line.Time // the place is by time too
			r.Set(record.Field{Name: fieldBuildID, Value: build, Kind: record.Number})
			r.Set(record.Field{Name: fieldLine, Value: strconv.FormatInt(line.N, 10), Kind: record.Number})
			for name, value := range map[string]string{"build": b.Number, "step": line.Step, "step_kind": line.Kind, "output": line.Output} {
				if value != "" {
					r.Set(record.Field{Name: name, Value: value})
				}
			}
		}
		// What is half way to the disk must not be given up: the place would be wrong.
		if err := s.Accept(context.WithoutCancel(ctx), batch); err != nil {
			return err
		}
	}
	return nil
}

// BuildPlace is the last line that is kept of a build; zeros for none.
func (s *Service) BuildPlace(ctx context.Context, b BuildLines) (n int64, at time.Time, err error) {
	found, stats, err := s.Store.Search(ctx, store.Request{Team: b.Team, From: b.From, Newest: true, Limit: 1, Match: ofBuild{b.stream().Key(), strconv.FormatInt(b.Build, 10)}}).List()
	if err == nil && len(found) == 0 && stats.Partial != store.Whole && stats.Partial != store.PartialDamage {
		err = fmt.Errorf("find the last line of build %d: the search ended early (%s)", b.Build, stats.Partial)
	}
	if err != nil || len(found) == 0 {
		return 0, time.Time{}, err
	}
	f, _ := found[0].Field(fieldLine)
	if n, err = strconv.ParseInt(f.Value, 10, 64); err != nil {
		return 0, time.Time{}, fmt.Errorf("read the number of the last line of build %d: %w", b.Build, err)
	}
	return n, found[0].Time, nil
}

// ofBuild matches the lines of one build.
type ofBuild struct{ stream, build string }

// Match implements store.Matcher.
func (m ofBuild) Match(r *record.Record) bool {
	f, ok := r.Field(fieldBuildID)
	return ok && f.Value == m.build
}

// Tokens implements store.Matcher.
func (m ofBuild) Tokens() [][]string { return [][]string{{m.build}} }

// Streams implements store.Matcher.
func (m ofBuild) Streams(labels record.Labels) bool { return labels.Key() == m.stream }

// Columns implements store.Matcher.
func (m ofBuild) Columns() []string { return []string{fieldBuildID} }
