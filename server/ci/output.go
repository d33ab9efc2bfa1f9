package ci

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Output is a part of what a build said, for whoever keeps such lines elsewhere.
type Output struct {
	Team, Build int64
	// Number is the build's name within its job; Pipeline and Job are empty for one-off builds.
	Number, Pipeline, Job string
	// StartedAt is no later than any of the lines.
	StartedAt time.Time
	Lines     []OutputLine
}

// OutputLine is one line of a step, or what the server says at the build's end.
type OutputLine struct {
	// N orders the lines of a build. It is the same however often a line is told.
	N    int64
	Time time.Time
	// Step and Kind are the step's name and noun, Source is its stdout or stderr.
	Step, Kind, Source string
	// Text is without escape sequences of terminals.
	Text string
	// Status is how the build ended, on its last line alone.
	Status Status
}

// OutputPlace is a line by which a listener knows how far it has come. The zero
// is before the first.
type OutputPlace struct {
	N    int64
	Time time.Time
}

// OutputListener hears what the builds that run on this node say. Lines are told in
// order and, after a restart or an error, from behind the place that Heard gives.
type OutputListener struct {
	// Heard is the last line that the listener has of a build, whose Lines are not set.
	Heard func(ctx context.Context, of Output) (OutputPlace, error)
	// Tell keeps lines; after an error some of them may be kept.
	Tell func(ctx context.Context, said Output) error
}

const (
	// outputBatch is how many lines are told at once, outputShare how many of a build
	// before the next one has its turn.
	outputBatch = 1000
	outputShare = 20_000
	// outputPast is how far back builds are looked for that ended shortly before the
	// server did, outputRecent how many builds there may have been since.
	outputPast   = 24 * time.Hour
	outputRecent = 5000
	// maxPiece bounds a line that came in parts.
	maxPiece = 64 << 10
	// pieceReach is how many lines before the last one told the parts of the next may begin.
	pieceReach = 500
)

// outputs are the builds whose output is not told to its end.
type outputs struct {
	mu     sync.Mutex
	builds map[int64]*outputCursor
	// recalled says that those of a former life are among them.
	recalled bool
}

func (o *outputs) note(build int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.builds == nil {
		o.builds = map[int64]*outputCursor{}
	}
	if o.builds[build] == nil {
		o.builds[build] = &outputCursor{}
	}
}

// noteOutput has a build's output told, if anybody listens.
func (s *Service) noteOutput(build int64) {
	if s.Output.Tell != nil {
		s.outputs.note(build)
	}
}

func (o *outputs) list() map[int64]*outputCursor {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.builds)
}

func (o *outputs) forget(build int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.builds, build)
}

// outputCursor is how far a build's output has been told.
type outputCursor struct {
	of    Output
	steps map[string]stepName
	// known is false when the listener is to be asked.
	known bool
	told  OutputPlace
	// next is the next line to read, pieces are lines whose end is not there yet.
	next   int64
	pieces map[[2]string]*outputPiece
}

type stepName struct{ kind, name string }

type outputPiece struct {
	line OutputLine
	n    int64
}

// tellOutput tells what builds have said since the last time.
func (s *Service) tellOutput(ctx context.Context) error {
	if !s.outputs.recalled {
		ids, err := s.lately(ctx, s.now().Add(-outputPast), outputRecent)
		if err != nil {
			return fmt.Errorf("find builds whose output may not have been told: %w", err)
		}
		for _, id := range ids {
			s.outputs.note(id)
		}
		s.outputs.recalled = true
	}
	var errs []error
	for id, c := range s.outputs.list() {
		over, err := s.tellOutputOf(ctx, id, c)
		if err != nil {
			c.known = false // what it has now only the listener knows
			errs = append(errs, fmt.Errorf("tell the output of build %d: %w", id, err))
		}
		if over {
			s.outputs.forget(id)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// tellOutputOf tells what is new in one build; over says that nothing more will come.
func (s *Service) tellOutputOf(ctx context.Context, id int64, c *outputCursor) (over bool, err error) {
	b, err := s.outputRow(ctx, id)
	if problem.Is(err, problem.NotFound) || err == nil && (b.ResourceID != 0 || b.ReapedAt != 0) {
		return true, nil // gone, or a check, whose lines say the same every minute
	}
	if err != nil || b.StartedAt == 0 && !b.Status.Ended() {
		return false, err
	}
	if !c.known {
		if err := s.placeOutput(ctx, b, c); err != nil {
			return false, err
		}
	}
	err = s.withLog(id, func(l *buildlog.Log) error {
		for told := 0; told < outputShare && ctx.Err() == nil; {
			lines, err := l.Lines(c.next, outputBatch)
			if err != nil {
				return err
			}
			batch := s.join(ctx, c, lines)
			end := len(lines) < outputBatch && b.Status.Ended()
			if end {
				batch = append(batch, c.rest(l.Stats().Lines, b)...)
			}
			if err := s.tellLines(ctx, c, batch); err != nil {
				return err
			}
			told += len(lines)
			if len(lines) < outputBatch {
				over = end
				return nil
			}
		}
		return nil
	})
	return over, err
}

// placeOutput finds out whose build it is and how far its output has been told.
func (s *Service) placeOutput(ctx context.Context, b buildRow, c *outputCursor) (err error) {
	b, err = s.build(ctx, b.ID) // with its plan
	if err != nil {
		return err
	}
	n := s.names()
	c.of = Output{Team: b.TeamID, Build: b.ID, Number: b.Name, StartedAt: b.StartedAt.Time()}
	p, err := n.pipelineRow(ctx, b.PipelineID)
	if err != nil {
		return err
	}
	c.of.Pipeline = p.Name
	if c.of.Job, err = n.jobName(ctx, b.JobID); err != nil {
		return err
	}
	if c.told, err = s.Output.Heard(ctx, c.of); err != nil {
		return err
	}
	if c.told.Time.Before(c.of.StartedAt) {
		c.told.Time = c.of.StartedAt // so that no line is before it
	}
	c.steps = map[string]stepName{}
	if b.Plan != "" {
		all, err := decode[plan.Plan](b.Plan)
		if err != nil {
			return err
		}
		all.Each(func(p *plan.Plan) {
			kind, name, _ := describePlan(p)
			c.steps[string(p.ID)] = stepName{kind, name}
		})
	}
	c.next, c.pieces, c.known = max(c.told.N-pieceReach, 1), map[[2]string]*outputPiece{}, true
	return nil
}

// join makes whole lines of what the log has, and leaves out those that were told.
func (s *Service) join(ctx context.Context, c *outputCursor, lines []buildlog.Line) []OutputLine {
	var out []OutputLine
	for _, line := range lines {
		c.next = line.N + 1
		key := [2]string{line.Origin, line.Source}
		piece := c.pieces[key]
		if piece == nil {
			step := s.stepOf(ctx, c, line.Origin)
			piece = &outputPiece{line: OutputLine{Time: line.Time, Step: step.name, Kind: step.kind, Source: line.Source}}
		}
		piece.line.Text += line.Text
		piece.n = line.N
		if line.Partial && len(piece.line.Text) < maxPiece {
			c.pieces[key] = piece
			continue
		}
		delete(c.pieces, key)
		piece.line.N, piece.line.Text = line.N, buildlog.Plain(piece.line.Text)
		if line.N > c.told.N {
			out = append(out, piece.line)
		}
	}
	return out
}

// rest are the lines that a build left unfinished, and what is said of its end. They
// are numbered behind all others, which are complete by now.
func (c *outputCursor) rest(total int64, b buildRow) []OutputLine {
	left := slices.SortedFunc(maps.Values(c.pieces), func(a, b *outputPiece) int { return cmp.Compare(a.n, b.n) })
	var out []OutputLine
	for i, p := range left {
		p.line.N, p.line.Text = total+1+int64(i), buildlog.Plain(p.line.Text)
		out = append(out, p.line)
	}
	clear(c.pieces)
	out = append(out, OutputLine{N: total + 1 + int64(len(out)), Time: b.EndedAt.Time(), Text: endOfBuild(b), Status: b.Status})
	return slices.DeleteFunc(out, func(line OutputLine) bool { return line.N <= c.told.N })
}

func endOfBuild(b buildRow) string {
	text := fmt.Sprintf("Build %s %s", b.Name, b.Status)
	if d := b.duration(b.EndedAt.Time()); d > 0 {
		text += " after " + d.Round(time.Millisecond).String()
	}
	if b.Message != "" {
		return text + ": " + b.Message
	}
	return text + "."
}

func (s *Service) tellLines(ctx context.Context, c *outputCursor, lines []OutputLine) error {
	if len(lines) == 0 {
		return nil
	}
	said := c.of
	for i := range lines {
		// The newest line by time is the last one told, also when clocks jump back.
		if lines[i].Time.Before(c.told.Time) {
			lines[i].Time = c.told.Time
		}
		c.told = OutputPlace{lines[i].N, lines[i].Time}
	}
	said.Lines = lines
	return s.Output.Tell(ctx, said)
}

// stepOf names the step that a line is from. The plan does not have them all:
// fetched images and the combinations of across are found among the rows.
func (s *Service) stepOf(ctx context.Context, c *outputCursor, origin string) stepName {
	if name, ok := c.steps[origin]; ok || origin == "" {
		return name
	}
	rows, err := s.steps(ctx, c.of.Build)
	if err != nil {
		return stepName{} // the line matters more than the name of its step
	}
	for _, row := range rows {
		if _, ok := c.steps[row.PlanID]; !ok {
			c.steps[row.PlanID] = stepName{string(row.Kind), row.Name}
		}
	}
	if _, ok := c.steps[origin]; !ok {
		c.steps[origin] = stepName{}
	}
	return c.steps[origin]
}
