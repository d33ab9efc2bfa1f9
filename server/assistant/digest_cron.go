package assistant

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// crontab holds the allowed values of each field as bits.
type crontab struct {
	minute, hour, day, month, weekday uint64
	// Days of the month and of the week both count, either suffices, unless one is *.
	anyDay, anyWeekday bool
	place              *time.Location
}

// parseCrontab reads the five fields of a crontab line.
func parseCrontab(text string, place *time.Location) (c crontab, err error) {
	fields := strings.Fields(strings.ToLower(text))
	if len(fields) != 5 {
		return c, fmt.Errorf("has %d fields where a crontab line has five", len(fields))
	}
	c.place, c.anyDay, c.anyWeekday = place, strings.HasPrefix(fields[2], "*"), strings.HasPrefix(fields[4], "*")
	for i, f := range []struct {
		into     *uint64
		from, to int
		names    string
	}{{&c.minute, 0, 59, ""}, {&c.hour, 0, 23, ""}, {&c.day, 1, 31, ""}, {&c.month, 1, 12, "    jan feb mar apr may jun jul aug sep oct nov dec"}, {&c.weekday, 0, 7, "sun mon tue wed thu fri sat"}} {
		if *f.into, err = cronField(fields[i], f.from, f.to, f.names); err != nil {
			return c, err
		}
	}
	if c.weekday&(1<<7) != 0 { // Sunday has two numbers
		c.weekday |= 1
	}
	return c, nil
}

// cronField reads lists of ranges with steps: 1,5-10,*/15. Names stand four apart.
func cronField(text string, from, to int, names string) (bits uint64, err error) {
	value := func(word string) (int, error) {
		if i := strings.Index(names, word); len(word) == 3 && i >= 0 && i%4 == 0 {
			return i / 4, nil
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < from || n > to {
			return 0, fmt.Errorf("%.20q is not between %d and %d", word, from, to)
		}
		return n, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		part, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return 0, fmt.Errorf("%.20q is no step", stepText)
			}
		}
		low, high := from, to
		if part != "*" {
			first, last, ranged := strings.Cut(part, "-")
			if low, err = value(first); err != nil {
				return 0, err
			}
			switch {
			case ranged:
				if high, err = value(last); err != nil {
					return 0, err
				}
			case !stepped:
				high = low
			}
		}
		if low > high {
			return 0, fmt.Errorf("%.20q ends before it begins", part)
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

// next is the first time after t on the clock on the wall, zero when there is none within five
// years: a time that a change of clocks leaves out is passed over, one that comes twice counts once.
func (c crontab) next(t time.Time) time.Time {
	y, m, d := t.In(c.place).Date()
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
