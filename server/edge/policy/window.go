package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Window is a stretch of the week by the wall clock.
type Window struct {
	// Days says on which days it begins, by time.Weekday.
	Days [7]bool
	// Start is the minute of the day, Length how long it lasts.
	Start, Length time.Duration
}

// Interval is a stretch of real time, its end not included.
type Interval struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Long is how long it lasts.
func (i Interval) Long() time.Duration { return i.To.Sub(i.From) }

const day = 24 * time.Hour

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseWindows reads one or several windows apart by ";": "Tue 02:00-04:00",
// "Mon-Fri 22:00-05:00", "Sat,Sun 00:00-24:00", "daily 02:00-04:00".
func ParseWindows(text string) ([]Window, error) {
	var list []Window
	for part := range strings.SplitSeq(text, ";") {
		fields := strings.Fields(part)
		if len(fields) != 2 {
			return nil, fmt.Errorf("%q is no window such as \"Tue 02:00-04:00\"", strings.TrimSpace(part))
		}
		days, err := parseDays(fields[0])
		if err != nil {
			return nil, err
		}
		w, err := ParseHours(fields[1])
		if err != nil {
			return nil, err
		}
		w.Days = days
		list = append(list, w)
	}
	return list, nil
}

// ParseHours reads a stretch of every day: "20:00-06:00".
func ParseHours(text string) (Window, error) {
	w := Window{Days: everyDay}
	from, to, found := strings.Cut(strings.TrimSpace(text), "-")
	start, ok := clock(from)
	end, ok2 := clock(to)
	if !found || !ok || !ok2 || start == day {
		return w, fmt.Errorf("%q are no hours such as \"02:00-04:00\"", text)
	}
	w.Start, w.Length = start, end-start
	if w.Length == 0 {
		return w, fmt.Errorf("%q has no length; for a whole day write 00:00-24:00", text)
	}
	if w.Length < 0 {
		w.Length += day
	}
	return w, nil
}

var everyDay = [7]bool{true, true, true, true, true, true, true}

func parseDays(text string) ([7]bool, error) {
	var days [7]bool
	text = strings.ToLower(text)
	if text == "daily" || text == "*" {
		return everyDay, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		from, to, ranged := strings.Cut(part, "-")
		first, ok := weekday(from)
		last := first
		if ranged && ok {
			last, ok = weekday(to)
		}
		if !ok {
			return days, fmt.Errorf("%q is no day; days are Mon, Tue, Wed, Thu, Fri, Sat, Sun, Mon-Fri or daily", part)
		}
		for d := first; ; d = (d + 1) % 7 {
			days[d] = true
			if d == last {
				break
			}
		}
	}
	return days, nil
}

func weekday(name string) (int, bool) {
	for i, short := range dayNames {
		if name == short || name == strings.ToLower(time.Weekday(i).String()) {
			return i, true
		}
	}
	return 0, false
}

// clock reads hh:mm, up to 24:00.
func clock(text string) (time.Duration, bool) {
	hours, minutes, found := strings.Cut(text, ":")
	h, err := strconv.ParseUint(hours, 10, 8)
	m, err2 := strconv.ParseUint(minutes, 10, 8)
	if !found || err != nil || err2 != nil || len(hours) > 2 || len(minutes) != 2 || h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, false
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, true
}

// Upcoming gives the next n stretches that end after the instant, in order and
// never overlapping: where the clock's change makes one run into the next, it is
// cut there.
func Upcoming(windows []Window, loc *time.Location, after time.Time, n int) []Interval {
	var list []Interval
	y, m, d := after.In(loc).Date()
	// One day before, because a window may still be open; the rest is enough
	// for n windows of one day a week.
	for offset := -2; offset <= 7*(n+1); offset++ {
		list = append(list, onDay(windows, loc, y, m, d+offset)...)
	}
	slices.SortFunc(list, func(a, b Interval) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	var out []Interval
	for i, w := range list {
		if i+1 < len(list) && list[i+1].From.Before(w.To) {
			if list[i+1].To.Before(w.To) {
				list[i+1].To = w.To // the later one begins inside and would end sooner
			}
			w.To = list[i+1].From
		}
		if w.To.After(after) && w.To.After(w.From) && len(out) < n {
			out = append(out, w)
		}
	}
	return out
}

func onDay(windows []Window, loc *time.Location, y int, m time.Month, d int) []Interval {
	date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	var list []Interval
	for _, w := range windows {
		if !w.Days[date.Weekday()] {
			continue
		}
		from := firstMoment(y, m, d, w.Start, loc)
		// A day that the zone leaves out altogether has no windows.
		if _, _, at := from.In(loc).Date(); at != date.Day() {
			continue
		}
		list = append(list, Interval{from, from.Add(w.Length).UTC()})
	}
	return list
}

// firstMoment is the first instant at which the clock in loc shows that time of
// that date; if it never does, the first at which it shows a later one.
func firstMoment(y int, m time.Month, d int, at time.Duration, loc *time.Location) time.Time {
	wall := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Add(at)
	// time.Date does not say which of two instants it gives where the clock goes
	// back, and one hour too early where it goes forward; so both offsets are tried.
	_, before := wall.Add(-26 * time.Hour).In(loc).Zone()
	_, behind := wall.Add(26 * time.Hour).In(loc).Zone()
	early := wall.Add(-time.Duration(max(before, behind)) * time.Second)
	late := wall.Add(-time.Duration(min(before, behind)) * time.Second)
	for _, t := range []time.Time{early, late} {
		if shows(t, loc).Equal(wall) {
			return t
		}
	}
	begins, _ := late.In(loc).ZoneBounds()
	return begins.UTC()
}

// shows is what the clock in loc says at t, as if it were UTC.
func shows(t time.Time, loc *time.Location) time.Time {
	_, offset := t.In(loc).Zone()
	return t.Add(time.Duration(offset) * time.Second).UTC()
}

// Without cuts the holes out of the intervals and drops what is left shorter
// than least.
func Without(list, holes []Interval, least time.Duration) []Interval {
	var out []Interval
	for _, whole := range list {
		parts := []Interval{whole}
		for _, hole := range holes {
			var next []Interval
			for _, p := range parts {
				if !hole.From.Before(p.To) || !hole.To.After(p.From) {
					next = append(next, p)
					continue
				}
				if hole.From.After(p.From) {
					next = append(next, Interval{p.From, hole.From})
				}
				if hole.To.Before(p.To) {
					next = append(next, Interval{hole.To, p.To})
				}
			}
			parts = next
		}
		for _, p := range parts {
			if p == whole || p.Long() >= least {
				out = append(out, p)
			}
		}
	}
	return out
}
