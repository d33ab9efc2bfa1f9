package issues

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// schedule is when a job is expected to run.
type schedule interface {
	// next is the first time after t; zero when there is none within five years.
	next(t time.Time) time.Time
}

// interval is every so many units since the last check-in.
type interval struct {
	n    int
	unit string
}

// parseSchedule reads a monitor's: five fields of crontab, or so many units.
func parseSchedule(crontab string, n int, unit, zone string) (schedule, error) {
	place, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q", zone)
	}
	if crontab != "" {
		return parseCrontab(crontab, place)
	}
	switch unit {
	case "minute", "hour", "day", "week", "month", "year":
	default:
		return nil, fmt.Errorf("%q is no unit of an interval", unit)
	}
	if n < 1 || n > 10_000 {
		return nil, fmt.Errorf("%d is no number of intervals", n)
	}
	return interval{n, unit}, nil
}

func (i interval) next(t time.Time) time.Time {
	switch i.unit {
	case "minute":
		return t.Add(time.Duration(i.n) * time.Minute)
	case "hour":
		return t.Add(time.Duration(i.n) * time.Hour)
	case "day":
		return t.AddDate(0, 0, i.n)
	case "week":
		return t.AddDate(0, 0, 7*i.n)
	case "month":
		return t.AddDate(0, i.n, 0)
	}
	return t.AddDate(i.n, 0, 0)
}

// crontab holds the allowed values of each field as bits.
type crontab struct {
	minute, hour, day, month, weekday uint64
	// Days of the month and of the week both count, either suffices, unless one is *.
	anyDay, anyWeekday bool
	place              *time.Location
}

var crontabWords = map[string]string{"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *"}

var (
	monthNames   = []string{"", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	weekdayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

func parseCrontab(text string, place *time.Location) (c crontab, err error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if full := crontabWords[text]; full != "" {
		text = full
	}
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return c, fmt.Errorf("a crontab schedule has five fields, not %d", len(fields))
	}
	c.place, c.anyDay, c.anyWeekday = place, strings.HasPrefix(fields[2], "*"), strings.HasPrefix(fields[4], "*")
	for i, f := range []struct {
		into     *uint64
		from, to int
		names    []string
	}{{&c.minute, 0, 59, nil}, {&c.hour, 0, 23, nil}, {&c.day, 1, 31, nil}, {&c.month, 1, 12, monthNames}, {&c.weekday, 0, 7, weekdayNames}} {
		if *f.into, err = parseField(fields[i], f.from, f.to, f.names); err != nil {
			return c, err
		}
	}
	if c.weekday&(1<<7) != 0 { // Sunday has two numbers
		c.weekday |= 1
	}
	return c, nil
}

// parseField reads lists of ranges with steps: 1,5-10,*/15.
func parseField(text string, from, to int, names []string) (bits uint64, err error) {
	number := func(word string) (int, error) {
		for i, name := range names {
			if name != "" && word == name {
				return i, nil
			}
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < from || n > to {
			return 0, fmt.Errorf("%q is not between %d and %d", word, from, to)
		}
		return n, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		part, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return 0, fmt.Errorf("%q is no step", stepText)
			}
		}
		low, high := from, to
		if part != "*" {
			first, last, ranged := strings.Cut(part, "-")
			if low, err = number(first); err != nil {
				return 0, err
			}
			high = low
			if ranged {
				if high, err = number(last); err != nil {
					return 0, err
				}
			} else if stepped {
				high = to
			}
		}
		if low > high {
			return 0, fmt.Errorf("%q ends before it begins", part)
		}
		for n := low; n <= high; n += step {
			bits |= 1 << n
		}
	}
	return bits, nil
}

func (c crontab) onDay(t time.Time) bool {
	day, weekday := c.day&(1<<t.Day()) != 0, c.weekday&(1<<int(t.Weekday())) != 0
	if !c.anyDay && !c.anyWeekday {
		return day || weekday
	}
	return day && weekday
}

// next works on the clock on the wall: a time that a change of clocks leaves
// out is passed over, one that comes twice counts once.
func (c crontab) next(t time.Time) time.Time {
	local := t.In(c.place)
	y, m, d := local.Date()
	for range 5 * 366 {
		day := time.Date(y, m, d, 12, 0, 0, 0, c.place)
		if c.month&(1<<int(day.Month())) != 0 && c.onDay(day) {
			if at := c.within(day, t); !at.IsZero() {
				return at
			}
		}
		d++
	}
	return time.Time{}
}

// within is the first time of a day that is after t.
func (c crontab) within(day, t time.Time) time.Time {
	y, m, d := day.Date()
	for hour := range 24 {
		if c.hour&(1<<hour) == 0 {
			continue
		}
		for minute := range 60 {
			if c.minute&(1<<minute) == 0 {
				continue
			}
			at := time.Date(y, m, d, hour, minute, 0, 0, c.place)
			if at.Hour() == hour && at.Minute() == minute && at.After(t) {
				return at
			}
		}
	}
	return time.Time{}
}
