package grammar

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	clockForm = regexp.MustCompile(`^([01]?[0-9]|2[0-4])[:.]([0-5][0-9])(am|pm)?$`)
	hourForm  = regexp.MustCompile(`^(1[0-2]|[1-9])(am|pm)$`)
)

// clockOf reads 14:00, 9.30, 2pm, noon and midnight as the time since the day began.
func clockOf(word string) (time.Duration, bool) {
	switch word {
	case "noon", "midday":
		return 12 * time.Hour, true
	case "midnight":
		return 0, true
	}
	m := clockForm.FindStringSubmatch(word)
	if m == nil {
		if h := hourForm.FindStringSubmatch(word); h != nil {
			m = []string{word, h[1], "0", h[2]}
		} else {
			return 0, false
		}
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	switch {
	case m[3] == "pm" && hour < 12:
		hour += 12
	case m[3] == "am" && hour == 12:
		hour = 0
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute, true
}

// clockSpan reads "between 14:00 and 15:00", "from 9 to 10:30 yesterday" and "since 14:00". A stretch
// that would lie ahead is yesterday's.
func clockSpan(words []string, now time.Time) (Span, int) {
	open := len(words) >= 2 && (words[0] == "since" || words[0] == "after")
	closed := len(words) >= 4 && (words[0] == "between" && words[2] == "and" || words[0] == "from" && (words[2] == "to" || words[2] == "until"))
	if !open && !closed {
		return Span{}, 0
	}
	from, ok := clockOf(words[1])
	if !ok {
		return Span{}, 0
	}
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	at := func(d time.Duration) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day(), int(d/time.Hour), int(d/time.Minute)%60, 0, 0, day.Location())
	}
	used := 2
	var to time.Duration
	if closed {
		if to, ok = clockOf(words[3]); !ok {
			return Span{}, 0
		}
		used = 4
	}
	said := used < len(words) && (words[used] == "today" || words[used] == "yesterday")
	if said && words[used] == "yesterday" || !said && at(from).After(now) {
		day = day.AddDate(0, 0, -1)
	}
	if said {
		used++
	}
	span := Span{From: at(from)}
	if closed {
		if span.To = at(to); !span.To.After(span.From) {
			span.To = span.To.AddDate(0, 0, 1)
		}
	}
	span.Words = strings.TrimSpace(window("", span.From, span.To))
	return span, used
}
