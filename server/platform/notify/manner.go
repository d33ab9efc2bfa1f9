package notify

import (
	"cmp"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Manner is how often and when a channel tells. Nothing is lost by it: what may not
// go now is held, and goes later, several messages as one letter.
type Manner struct {
	// GroupMinutes: after a letter, further messages of the same rule and subject are
	// held for so long and go as one; 0 sends each.
	GroupMinutes int64 `json:"group_minutes"`
	// Limit is how many letters leave within LimitMinutes at most; 0 is no limit.
	Limit        int64 `json:"limit"`
	LimitMinutes int64 `json:"limit_minutes"`
	Quiet        Quiet `json:"quiet"`
}

// Hold is why a message is held; the words are stored.
type Hold string

// The reasons.
const (
	HeldQuiet Hold = "quiet" // quiet hours
	HeldLimit Hold = "limit" // the channel's limit is reached
	HeldGroup Hold = "group" // another message of the same was told a while ago
)

const (
	maxGroup        = 24 * 60
	maxLimit        = 100
	maxLimitMinutes = 24 * 60
)

func (m *Manner) check(known []Event) error {
	if m.GroupMinutes < 0 || m.GroupMinutes > maxGroup {
		return problem.FieldError("manner.group_minutes", "is not between 0 and %d", maxGroup)
	}
	if m.Limit < 0 || m.Limit > maxLimit {
		return problem.FieldError("manner.limit", "is not between 0 and %d", maxLimit)
	}
	if m.Limit == 0 {
		m.LimitMinutes = 0
	} else if m.LimitMinutes < 1 || m.LimitMinutes > maxLimitMinutes {
		return problem.FieldError("manner.limit_minutes", "is not between 1 and %d", maxLimitMinutes)
	}
	return m.Quiet.check(known)
}

// plain reports whether every message goes at once.
func (m Manner) plain() bool { return m.GroupMinutes == 0 && m.Limit == 0 && len(m.Quiet.Spans) == 0 }

// standing is what has happened in a channel before a message of some rule and subject.
type standing struct {
	// last is when the newest letter about the same left.
	last time.Time
	// letters are when letters left, at least those within the limit's minutes.
	letters []time.Time
	// queue is until when messages are held because of the limit; zero when none is. Who
	// comes later does not overtake them.
	queue time.Time
}

// verdict is what becomes of a message: it goes now, or is held until later.
type verdict struct {
	until time.Time
	why   Hold
}

func (v verdict) goes() bool { return v.until.IsZero() }

// judge decides about a message when its turn comes.
func (m Manner) judge(e Event, st standing, now time.Time) verdict {
	if until := m.Quiet.until(e, now); !until.IsZero() {
		return verdict{until, HeldQuiet}
	}
	if until := st.last.Add(minutes(m.GroupMinutes)); m.GroupMinutes > 0 && until.After(now) && !st.last.IsZero() {
		return verdict{until, HeldGroup}
	}
	if st.queue.After(now) {
		return verdict{st.queue, HeldLimit}
	}
	if until := m.room(st.letters, now); until.After(now) {
		return verdict{until, HeldLimit}
	}
	return verdict{}
}

// room is when the limit lets another letter go: zero is now.
func (m Manner) room(letters []time.Time, now time.Time) time.Time {
	if m.Limit == 0 {
		return time.Time{}
	}
	within := minutes(m.LimitMinutes)
	recent := slices.DeleteFunc(slices.Clone(letters), func(at time.Time) bool { return !at.Add(within).After(now) })
	if int64(len(recent)) < m.Limit {
		return time.Time{}
	}
	slices.SortFunc(recent, time.Time.Compare)
	return recent[int64(len(recent))-m.Limit].Add(within)
}

// due is a held message whose time has come.
type due struct {
	id    int64
	event Event
}

// release decides about those whose time has come: some go together as one letter,
// others are held on.
func (m Manner) release(list []due, letters []time.Time, now time.Time) (together []int64, on map[int64]verdict) {
	on = map[int64]verdict{}
	full := m.room(letters, now)
	for _, d := range list {
		switch quiet := m.Quiet.until(d.event, now); {
		case !quiet.IsZero():
			on[d.id] = verdict{quiet, HeldQuiet}
		case full.After(now):
			on[d.id] = verdict{full, HeldLimit}
		default:
			together = append(together, d.id)
		}
	}
	return together, on
}

func minutes(n int64) time.Duration { return time.Duration(n) * time.Minute }

// Quiet are hours in which a channel tells nothing but what may pass.
type Quiet struct {
	// Zone is a time zone such as Europe/Oslo; "" is UTC.
	Zone  string `json:"zone"`
	Spans []Span `json:"spans"`
	// Pass are the events that are told nevertheless.
	Pass []Event `json:"pass"`
}

// Span is from one time of the day to another one, on the next day when that is not
// later: from 22:00 to 07:00, or the whole day from 00:00 to 00:00.
type Span struct {
	// Days on which it begins: mon, tue, wed, thu, fri, sat, sun; none means each.
	Days []string `json:"days"`
	From string   `json:"from"`
	To   string   `json:"to"`
}

const maxSpans = 7

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (q *Quiet) check(known []Event) error {
	if _, err := time.LoadLocation(q.Zone); err != nil {
		return problem.FieldError("manner.quiet.zone", "%.60q is no time zone; send a name such as Europe/London", q.Zone)
	}
	if len(q.Spans) > maxSpans {
		return problem.FieldError("manner.quiet.spans", "are more than %d", maxSpans)
	}
	for _, span := range q.Spans {
		for _, text := range []string{span.From, span.To} {
			if _, err := time.Parse("15:04", text); err != nil || len(text) != 5 {
				return problem.FieldError("manner.quiet.spans", "%.20q is no time of the day such as 22:00", text)
			}
		}
		for _, day := range span.Days {
			if !slices.Contains(weekdays, day) {
				return problem.FieldError("manner.quiet.spans", "%.20q is no day such as mon", day)
			}
		}
	}
	for _, e := range q.Pass {
		if !slices.Contains(known, e) {
			return problem.FieldError("manner.quiet.pass", "%.60q is none of %s", string(e), joined(known))
		}
	}
	if q.never() {
		return problem.FieldError("manner.quiet.spans", "leave no time in which the channel may tell; switch it off instead")
	}
	return nil
}

// never reports whether the spans cover a whole week.
func (q Quiet) never() bool {
	monday := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	return Quiet{Spans: q.Spans}.until("", monday).Sub(monday) > 8*24*time.Hour
}

// until is the end of the quiet hours in which an event may not be told; zero when it may.
func (q Quiet) until(e Event, now time.Time) time.Time {
	if len(q.Spans) == 0 || slices.Contains(q.Pass, e) {
		return time.Time{}
	}
	zone, err := time.LoadLocation(q.Zone)
	if err != nil { // the zone's file is gone since
		zone = time.UTC
	}
	at, end := now.In(zone), time.Time{}
	// Spans that follow each other are one; more rounds than spans of nine days are none that end.
	for range 9 * maxSpans {
		longest := time.Time{}
		for _, span := range q.Spans {
			if until := span.until(at); until.After(longest) {
				longest = until
			}
		}
		if longest.IsZero() {
			break
		}
		at, end = longest, longest
	}
	return end
}

// until is the end of the span in which an instant lies; zero when it lies in none.
func (s Span) until(at time.Time) time.Time {
	from, err := time.Parse("15:04", s.From)
	to, failed := time.Parse("15:04", s.To)
	if cmp.Or(err, failed) != nil {
		return time.Time{}
	}
	for _, back := range []int{0, 1} {
		y, m, d := at.AddDate(0, 0, -back).Date()
		start := time.Date(y, m, d, from.Hour(), from.Minute(), 0, 0, at.Location())
		if len(s.Days) > 0 && !slices.Contains(s.Days, weekdays[start.Weekday()]) {
			continue
		}
		if !to.After(from) {
			d++
		}
		end := time.Date(y, m, d, to.Hour(), to.Minute(), 0, 0, at.Location())
		if !at.Before(start) && at.Before(end) {
			return end
		}
	}
	return time.Time{}
}
