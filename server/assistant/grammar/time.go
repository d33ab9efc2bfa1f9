package grammar

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

var units = map[string]time.Duration{"minute": time.Minute, "minutes": time.Minute, "hour": time.Hour, "hours": time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour}

var numbers = map[string]int{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10, "twelve": 12, "twenty-four": 24, "thirty": 30, "a": 1, "an": 1, "couple": 2}

var weekdays = map[string]time.Weekday{"monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 0}

// spanAt reads a stretch of time at the beginning of words; used is how many of them it took.
func spanAt(words []string, now time.Time) (span Span, used int) {
	if span, used := clockSpan(words, now); used > 0 {
		return span, used
	}
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	named := []struct {
		words    string
		from, to time.Time
	}{
		{"today", day, time.Time{}},
		{"since yesterday", day.AddDate(0, 0, -1), time.Time{}},
		{"yesterday", day.AddDate(0, 0, -1), day},
		{"this week", monday, time.Time{}},
		{"since monday", monday, time.Time{}},
		{"last week", monday.AddDate(0, 0, -7), monday},
		{"the previous week", monday.AddDate(0, 0, -7), monday},
		{"previous week", monday.AddDate(0, 0, -7), monday},
		{"the week before", monday.AddDate(0, 0, -7), monday},
		{"this month", month, time.Time{}},
		{"last month", month.AddDate(0, -1, 0), month},
		{"last night", day.AddDate(0, 0, -1).Add(18 * time.Hour), day.Add(8 * time.Hour)},
		{"this morning", day, time.Time{}},
	}
	for _, n := range named {
		if k := begins(words, n.words); k > 0 {
			return Span{n.from, n.to, window(n.words, n.from, n.to)}, k
		}
	}
	if len(words) >= 2 && words[0] == "since" {
		if d, ok := weekdays[words[1]]; ok {
			from := day.AddDate(0, 0, -(int(day.Weekday())-int(d)+7)%7)
			return Span{From: from, Words: window("since "+words[1], from, time.Time{})}, 2
		}
	}
	return lastSpan(words, now)
}

// lastSpan reads "the last hour", "past 24 hours", "30 minutes", "24h".
func lastSpan(words []string, now time.Time) (Span, int) {
	at := 0
	if at < len(words) && words[at] == "the" {
		at++
	}
	if at >= len(words) || words[at] != "last" && words[at] != "past" && words[at] != "previous" {
		return Span{}, 0
	}
	at++
	count := 1
	if at < len(words) {
		if n, err := strconv.Atoi(words[at]); err == nil && n > 0 && n < 1000 {
			count, at = n, at+1
		} else if n, ok := numbers[words[at]]; ok {
			count, at = n, at+1
		} else if d, err := time.ParseDuration(words[at]); err == nil && d > 0 {
			from := now.Add(-d)
			return Span{From: from, Words: window("the last "+words[at], from, time.Time{})}, at + 1
		}
	}
	if at >= len(words) {
		return Span{}, 0
	}
	unit, ok := units[words[at]]
	if !ok {
		return Span{}, 0
	}
	from := now.Add(-time.Duration(count) * unit)
	said := "the last " + words[at]
	if count > 1 {
		said = fmt.Sprintf("the last %d %s", count, words[at])
	}
	return Span{From: from, Words: window(said, from, time.Time{})}, at + 1
}

// window says a stretch as it was meant: "this week since Mon 13 Apr 00:00 Europe/London".
func window(said string, from, to time.Time) string {
	zone := from.Location().String()
	if zone == "Local" {
		zone, _ = from.Zone()
	}
	const layout = "Mon 2 Jan 15:04"
	if to.IsZero() {
		return strings.TrimPrefix(said, "since ") + " since " + from.Format(layout) + " " + zone
	}
	return said + " from " + from.Format(layout) + " to " + to.Format(layout) + " " + zone
}

// begins tells how many of the words a phrase covers, 0 when it is not there.
func begins(words []string, phrase string) int {
	list := strings.Fields(phrase)
	if len(list) > len(words) {
		return 0
	}
	for i, w := range list {
		if words[i] != w {
			return 0
		}
	}
	return len(list)
}
