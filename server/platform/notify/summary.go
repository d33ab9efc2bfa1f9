package notify

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// SummaryEvent is what a letter is that tells of several things.
const SummaryEvent Event = "summary"

// told is one message on its way into a summary.
type told struct {
	Message
	at   time.Time
	why  Hold
	more int64
}

func (t told) key() string { return t.Rule + "\x00" + t.kind() }

// summarise makes one message of several, the oldest first. page is where all of them are listed.
func summarise(list []told, page string) Message {
	var total int64
	kinds := map[string]int64{}
	var order []string
	newest := map[string]told{}
	for _, t := range list {
		total += 1 + t.more
		if _, known := kinds[t.key()]; !known {
			order = append(order, t.key())
		}
		kinds[t.key()] += 1 + t.more
		newest[t.key()] = t
	}
	last := list[len(list)-1]
	when := span(list[0].at, last.at)
	if len(order) == 1 {
		return same(list, last, total, when)
	}
	m := Message{Event: SummaryEvent, Subject: string(SummaryEvent), Title: fmt.Sprintf("%d messages %s", total, because(list)), Text: when, URL: page, Count: total}
	for i, key := range order {
		if i == maxLines-1 && len(order) > maxLines {
			m.Lines = append(m.Lines, fmt.Sprintf("and %d kinds more", len(order)-i))
			break
		}
		line := newest[key].Title
		if kinds[key] > 1 {
			line = fmt.Sprintf("%d × %s", kinds[key], line)
		}
		m.Lines = append(m.Lines, line)
	}
	return m
}

// same tells of several messages of one rule and subject.
func same(list []told, last told, total int64, when string) Message {
	m := last.Message
	m.Count, m.Title = total, fmt.Sprintf("%d more of the same: %s", total, last.Title)
	m.Text = strings.TrimSpace(when + " The newest says:\n" + last.Text)
	if last.Text == "" {
		m.Text = when
	}
	if len(m.Lines) > 0 {
		return m
	}
	var titles []string
	for _, t := range list {
		if !slices.Contains(titles, t.Title) {
			titles = append(titles, t.Title)
		}
	}
	if len(titles) > 1 {
		m.Lines = titles
	}
	return m
}

// because says in a title why messages come together.
func because(list []told) string {
	why := list[0].why
	if slices.ContainsFunc(list, func(t told) bool { return t.why != why }) {
		return "that were held back"
	}
	switch why {
	case HeldQuiet:
		return "from the quiet hours"
	case HeldLimit:
		return "beyond the channel's limit"
	}
	return "in one letter"
}

func span(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	if to.Sub(from) < time.Minute {
		return "At " + from.Format("15:04") + " UTC."
	}
	if from.YearDay() != to.YearDay() || from.Year() != to.Year() {
		return "From " + from.Format("2 Jan 15:04") + " to " + to.Format("2 Jan 15:04") + " UTC."
	}
	return "From " + from.Format("15:04") + " to " + to.Format("15:04") + " UTC."
}
