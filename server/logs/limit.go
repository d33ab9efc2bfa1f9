package logs

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Limits are what a team has set for itself; 0 leaves it to the installation,
// whose own are never exceeded.
type Limits struct {
	RetentionDays  int64 `json:"retention_days"`
	RetentionBytes int64 `json:"retention_bytes"`
	// LinesPerSecond holds on average over ten seconds.
	LinesPerSecond int64 `json:"lines_per_second"`
	// BytesPerDay is of lines as they came, by days of UTC.
	BytesPerDay int64 `json:"bytes_per_day"`
}

const (
	// limitsLast is for how long other nodes may go on with old limits.
	limitsLast = 5 * time.Second
	// burst is how many seconds' worth of lines may come at once.
	burst = 10
	// minRetention is the least that a team may keep, so that a slip does not empty it.
	minRetention = 64 << 20
	usageKept    = 90
)

// ceiling is what the installation keeps of any team.
type ceiling struct {
	RetentionDays  int64 `json:"retention_days"`
	RetentionBytes int64 `json:"retention_bytes"`
}

func (s *Service) ceiling() ceiling {
	most := s.Retention(0)
	return ceiling{int64(most.Age / (24 * time.Hour)), most.Bytes}
}

func (l Limits) check(most ceiling) error {
	for _, f := range []struct {
		field              string
		value, least, most int64
	}{
		{"retention_days", l.RetentionDays, 1, most.RetentionDays}, {"retention_bytes", l.RetentionBytes, minRetention, most.RetentionBytes},
		{"lines_per_second", l.LinesPerSecond, 1, 0}, {"bytes_per_day", l.BytesPerDay, 1 << 20, 0},
	} {
		if f.value == 0 {
			continue
		}
		if f.value < f.least {
			return problem.FieldError(f.field, "is less than %d; 0 leaves it to the installation", f.least)
		}
		if f.most > 0 && f.value > f.most {
			return problem.FieldError(f.field, "is more than %d, which is the installation's own limit", f.most)
		}
	}
	return nil
}

// limits knows what teams may send, and what they have sent.
type limits struct {
	mu    sync.Mutex
	known map[int64]Limits
	read  time.Time
	teams map[int64]*allowance
}

// allowance is what is left to a team.
type allowance struct {
	// lines may go below zero, so that a batch larger than all that may come at once
	// gets in and the next one waits.
	lines  float64
	filled time.Time
	day    int64
	// before is what this day had when it was read, since what came after.
	before, since usage
	ready         bool
}

type usage struct{ lines, bytes int64 }

func dayNumber(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// RetentionOf is how long a team's lines are kept: what it has set, and the
// installation's where it has set nothing or the installation has less.
func (s *Service) RetentionOf(team int64) store.Retention {
	kept := s.Retention(team)
	s.limits.mu.Lock()
	own := s.limits.known[team]
	s.limits.mu.Unlock()
	if age := time.Duration(own.RetentionDays) * 24 * time.Hour; age > 0 && (kept.Age == 0 || age < kept.Age) {
		kept.Age = age
	}
	if own.RetentionBytes > 0 && (kept.Bytes == 0 || own.RetentionBytes < kept.Bytes) {
		kept.Bytes = own.RetentionBytes
	}
	return kept
}

// loadLimits reads what teams have set; it is called before anything is let go of,
// and a failure keeps everything.
func (s *Service) loadLimits(ctx context.Context) error {
	if s.rows.db == nil { // a service without a database has no limits of teams
		return nil
	}
	list, err := s.rows.allLimits(ctx)
	if err != nil {
		return fmt.Errorf("read the limits of teams: %w", err)
	}
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	s.limits.known, s.limits.read = list, s.Now()
	return nil
}

// admit lets a batch in or says when to come again. What is let in is counted.
func (s *Service) admit(ctx context.Context, team int64, lines, bytes int) error {
	if s.rows.db == nil {
		return nil
	}
	now := s.Now()
	s.limits.mu.Lock()
	stale := s.limits.read.IsZero() || now.Sub(s.limits.read).Abs() >= limitsLast
	a := s.limits.teams[team]
	begin := a == nil || a.day != dayNumber(now)
	s.limits.mu.Unlock()
	if stale {
		if err := s.loadLimits(ctx); err != nil {
			return err
		}
	}
	if begin {
		if err := s.beginDay(ctx, team, dayNumber(now)); err != nil {
			return err
		}
	}
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	return s.limits.teams[team].take(s.limits.known[team], now, lines, bytes)
}

// beginDay reads what a team has sent today already.
func (s *Service) beginDay(ctx context.Context, team, day int64) error {
	// What is left of yesterday is written down first.
	if err := s.flushUsage(ctx); err != nil {
		return err
	}
	sent, err := s.rows.usage(ctx, team, day)
	if err != nil {
		return fmt.Errorf("read what came today: %w", err)
	}
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	if s.limits.teams == nil {
		s.limits.teams = map[int64]*allowance{}
	}
	a := s.limits.teams[team]
	if a == nil {
		a = &allowance{}
		s.limits.teams[team] = a
	}
	if a.day != day {
		a.day, a.before, a.since = day, sent, usage{}
	}
	return nil
}

// take counts a batch, or says when to come again.
func (a *allowance) take(l Limits, now time.Time, lines, bytes int) error {
	if l.BytesPerDay > 0 && a.before.bytes+a.since.bytes >= l.BytesPerDay {
		wait := time.Unix((a.day+1)*24*60*60, 0).Sub(now)
		return &problem.Error{Kind: problem.TooMany, RetryAfter: seconds(min(wait, time.Hour)),
			Detail: fmt.Sprintf("The team's limit of %d bytes a day is reached; it begins anew at midnight UTC.", l.BytesPerDay)}
	}
	if l.LinesPerSecond > 0 {
		rate := float64(l.LinesPerSecond)
		if since := now.Sub(a.filled); !a.ready || since < 0 {
			a.lines, a.ready = burst*rate, true
		} else {
			a.lines = min(a.lines+since.Seconds()*rate, burst*rate)
		}
		a.filled = now
		if a.lines <= 0 {
			return &problem.Error{Kind: problem.TooMany, RetryAfter: seconds(time.Duration((1 - a.lines) / rate * float64(time.Second))),
				Detail: fmt.Sprintf("The team's limit of %d lines a second is reached.", l.LinesPerSecond)}
		}
		a.lines -= float64(lines)
	}
	a.since.lines += int64(lines)
	a.since.bytes += int64(bytes)
	return nil
}

// seconds is a wait as Retry-After says it: whole, and never none.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }

// giveBack takes back what was counted and then not kept.
func (s *Service) giveBack(team int64, lines, bytes int) {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	if a := s.limits.teams[team]; a != nil {
		a.lines += float64(lines)
		a.since.lines -= int64(lines)
		a.since.bytes -= int64(bytes)
	}
}

// flushUsage writes down what teams have sent.
func (s *Service) flushUsage(ctx context.Context) error {
	type entry struct {
		team, day int64
		n         usage
	}
	var list []entry
	s.limits.mu.Lock()
	for team, a := range s.limits.teams {
		if a.since != (usage{}) {
			list = append(list, entry{team, a.day, a.since})
			a.before.lines, a.before.bytes, a.since = a.before.lines+a.since.lines, a.before.bytes+a.since.bytes, usage{}
		}
	}
	s.limits.mu.Unlock()
	var failed error
	for _, e := range list {
		if failed == nil {
			failed = s.rows.addUsage(ctx, e.team, e.day, e.n)
		}
		if failed != nil {
			s.keepUsage(e.team, e.day, e.n)
		}
	}
	return failed
}

// keepUsage takes back what could not be written down.
func (s *Service) keepUsage(team, day int64, n usage) {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	if a := s.limits.teams[team]; a != nil && a.day == day {
		a.before.lines, a.before.bytes = a.before.lines-n.lines, a.before.bytes-n.bytes
		a.since.lines, a.since.bytes = a.since.lines+n.lines, a.since.bytes+n.bytes
	}
}

// TeamLimits are a team's with what they are held against.
type TeamLimits struct {
	Limits
	Ceiling ceiling `json:"ceiling"`
	// Today is what came today.
	TodayLines int64       `json:"today_lines"`
	TodayBytes int64       `json:"today_bytes"`
	Updated    *api.Millis `json:"updated_at,omitempty"`
	By         string      `json:"updated_by"`
}

// LimitsOf tells what holds for a team.
func (s *Service) LimitsOf(ctx context.Context, team int64) (TeamLimits, error) {
	if err := s.flushUsage(ctx); err != nil {
		return TeamLimits{}, err
	}
	out, err := s.rows.limits(ctx, team)
	if err != nil {
		return out, err
	}
	sent, err := s.rows.usage(ctx, team, dayNumber(s.Now()))
	out.Ceiling, out.TodayLines, out.TodayBytes = s.ceiling(), sent.lines, sent.bytes
	return out, err
}

// SetLimits changes what a team may send and how long it is kept.
func (s *Service) SetLimits(ctx context.Context, team identity.Team, l Limits) (TeamLimits, error) {
	if err := l.check(s.ceiling()); err != nil {
		return TeamLimits{}, err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows.setLimits(ctx, team.ID, l, s.Now(), identity.From(ctx).Name); err != nil {
			return err
		}
		return s.audit(ctx, team.ID, "logs.limits", team.Name, written(l))
	})
	if err != nil {
		return TeamLimits{}, err
	}
	if err := s.loadLimits(ctx); err != nil {
		return TeamLimits{}, err
	}
	return s.LimitsOf(ctx, team.ID)
}
