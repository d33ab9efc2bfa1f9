package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

func instant(t *testing.T, zone, text string) time.Time {
	t.Helper()
	place, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, place)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestQuietHours(t *testing.T) {
	t.Parallel()
	nights := []Span{{From: "22:00", To: "07:00"}}
	weekend := []Span{{Days: []string{"sat", "sun"}, From: "00:00", To: "00:00"}}
	both := append(weekend, nights...)
	for name, tc := range map[string]struct {
		spans []Span
		zone  string
		event Event
		at    string
		want  string // "" tells
	}{
		"by day":                       {nights, "UTC", "build.failed", "2026-11-18 12:00", ""},
		"in the evening":               {nights, "UTC", "build.failed", "2026-11-18 22:00", "2026-11-19 07:00"},
		"before the morning":           {nights, "UTC", "build.failed", "2026-11-19 06:59", "2026-11-19 07:00"},
		"at its end":                   {nights, "UTC", "build.failed", "2026-11-19 07:00", ""},
		"what may pass":                {nights, "UTC", "node.doubled", "2026-11-19 03:00", ""},
		"a night that begins on sun":   {[]Span{{Days: []string{"sun"}, From: "22:00", To: "07:00"}}, "UTC", "x", "2026-11-23 03:00", "2026-11-23 07:00"},
		"the night after it":           {[]Span{{Days: []string{"sun"}, From: "22:00", To: "07:00"}}, "UTC", "x", "2026-11-24 03:00", ""},
		"a whole weekend":              {weekend, "UTC", "x", "2026-11-21 10:00", "2026-11-23 00:00"},
		"a weekend and its nights":     {both, "UTC", "x", "2026-11-20 23:00", "2026-11-23 07:00"},
		"noon":                         {[]Span{{From: "12:00", To: "13:00"}}, "UTC", "x", "2026-11-21 12:30", "2026-11-21 13:00"},
		"another zone":                 {nights, "America/New_York", "x", "2026-11-18 23:30", "2026-11-19 07:00"},
		"the clock goes back":          {nights, "Europe/Oslo", "x", "2026-10-25 01:00", "2026-10-25 07:00"},
		"the clock goes forth":         {nights, "Europe/Oslo", "x", "2026-03-28 23:00", "2026-03-29 07:00"},
		"a start that the clock skips": {[]Span{{From: "02:30", To: "04:00"}}, "Europe/Oslo", "x", "2026-03-29 03:45", "2026-03-29 04:00"},
	} {
		q := Quiet{Zone: tc.zone, Spans: tc.spans, Pass: []Event{"node.doubled"}}
		var want time.Time
		if tc.want != "" {
			want = instant(t, tc.zone, tc.want)
		}
		if got := q.until(tc.event, instant(t, tc.zone, tc.at)); !got.Equal(want) {
			t.Errorf("%s: held until %v, want %v", name, got, want)
		}
	}
	if got := (Quiet{Zone: "No/Where", Spans: nights}).until("x", instant(t, "UTC", "2026-11-18 23:00")); got.IsZero() {
		t.Error("a zone that is gone ends quiet hours")
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	now := instant(t, "UTC", "2026-11-18 12:00")
	ago := func(minutes ...int) (list []time.Time) {
		for _, m := range minutes {
			list = append(list, now.Add(-time.Duration(m)*time.Minute))
		}
		return list
	}
	noon := Quiet{Spans: []Span{{From: "11:30", To: "12:30"}}, Pass: []Event{"urgent"}}
	for name, tc := range map[string]struct {
		manner Manner
		event  Event
		st     standing
		until  int // minutes from now; 0 goes
		why    Hold
	}{
		"no manner":                         {Manner{}, "x", standing{last: now, letters: ago(0, 0, 0)}, 0, ""},
		"the first of its kind":             {Manner{GroupMinutes: 10}, "x", standing{}, 0, ""},
		"one more of it":                    {Manner{GroupMinutes: 10}, "x", standing{last: ago(4)[0]}, 6, HeldGroup},
		"one more when the window is over":  {Manner{GroupMinutes: 10}, "x", standing{last: ago(10)[0]}, 0, ""},
		"within the limit":                  {Manner{Limit: 3, LimitMinutes: 10}, "x", standing{letters: ago(9, 5)}, 0, ""},
		"beyond the limit":                  {Manner{Limit: 3, LimitMinutes: 10}, "x", standing{letters: ago(1, 9, 5)}, 1, HeldLimit},
		"more than the limit left":          {Manner{Limit: 2, LimitMinutes: 10}, "x", standing{letters: ago(9, 5, 3, 1)}, 7, HeldLimit},
		"old letters do not count":          {Manner{Limit: 1, LimitMinutes: 10}, "x", standing{letters: ago(10, 11)}, 0, ""},
		"nobody overtakes the queue":        {Manner{Limit: 3, LimitMinutes: 10}, "x", standing{queue: now.Add(2 * time.Minute)}, 2, HeldLimit},
		"a queue that is due is none":       {Manner{Limit: 3, LimitMinutes: 10}, "x", standing{queue: now}, 0, ""},
		"quiet before all else":             {Manner{GroupMinutes: 10, Quiet: noon}, "x", standing{last: ago(1)[0]}, 30, HeldQuiet},
		"what passes is grouped still":      {Manner{GroupMinutes: 10, Quiet: noon}, "urgent", standing{last: ago(1)[0]}, 9, HeldGroup},
		"what passes and is new goes":       {Manner{GroupMinutes: 10, Quiet: noon}, "urgent", standing{}, 0, ""},
		"grouping counts before the limit":  {Manner{GroupMinutes: 10, Limit: 1, LimitMinutes: 60}, "x", standing{last: ago(1)[0], letters: ago(1)}, 9, HeldGroup},
		"a clock that went back holds once": {Manner{GroupMinutes: 10}, "x", standing{last: now.Add(time.Minute)}, 11, HeldGroup},
	} {
		v := tc.manner.judge(tc.event, tc.st, now)
		if want := now.Add(time.Duration(tc.until) * time.Minute); v.goes() != (tc.until == 0) || !v.goes() && !v.until.Equal(want) || v.why != tc.why {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	now := instant(t, "UTC", "2026-11-18 12:00")
	m := Manner{Limit: 1, LimitMinutes: 10, Quiet: Quiet{Spans: []Span{{From: "11:30", To: "12:30"}}, Pass: []Event{"urgent"}}}
	list := []due{{1, "x"}, {2, "urgent"}, {3, "urgent"}}
	together, on := m.release(list, nil, now)
	if len(together) != 2 || together[0] != 2 || on[1].why != HeldQuiet || !on[1].until.Equal(now.Add(30*time.Minute)) {
		t.Errorf("%v %v", together, on)
	}
	together, on = m.release(list, []time.Time{now.Add(-4 * time.Minute)}, now)
	if len(together) != 0 || on[2].why != HeldLimit || !on[2].until.Equal(now.Add(6*time.Minute)) {
		t.Errorf("%v %v", together, on)
	}
	if together, on = (Manner{}).release(list, []time.Time{now}, now); len(together) != 3 || len(on) != 0 {
		t.Errorf("%v %v", together, on)
	}
}

func TestMannersThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for field, m := range map[string]Manner{
		"manner.group_minutes": {GroupMinutes: -1},
		"manner.limit":         {Limit: 101, LimitMinutes: 1},
		"manner.limit_minutes": {Limit: 1},
		"manner.quiet.zone":    {Quiet: Quiet{Zone: "Middle/Earth"}},
		"manner.quiet.pass":    {Quiet: Quiet{Pass: []Event{"tea"}}},
	} {
		p := problem.From(m.check([]Event{"build.failed"}))
		if len(p.Fields) != 1 || p.Fields[0].Field != field {
			t.Errorf("%s: %+v", field, p)
		}
	}
	for name, spans := range map[string][]Span{
		"no time":       {{From: "25:00", To: "07:00"}},
		"half a time":   {{From: "7:00", To: "08:00"}},
		"no day":        {{Days: []string{"mo"}, From: "22:00", To: "07:00"}},
		"always":        {{From: "00:00", To: "00:00"}},
		"always in two": {{From: "00:00", To: "12:00"}, {From: "12:00", To: "00:00"}},
		"too many":      make([]Span, maxSpans+1),
	} {
		if err := (&Manner{Quiet: Quiet{Spans: spans}}).check(nil); err == nil || problem.From(err).Fields[0].Field != "manner.quiet.spans" {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := Manner{LimitMinutes: 7, Quiet: Quiet{Zone: "Europe/Oslo", Spans: []Span{{From: "22:00", To: "07:00"}, {Days: []string{"sat", "sun"}, From: "00:00", To: "00:00"}}, Pass: []Event{"build.failed"}}}
	if err := good.check([]Event{"build.failed"}); err != nil || good.LimitMinutes != 0 {
		t.Errorf("%v %+v", err, good)
	}
}

func TestSummaries(t *testing.T) {
	t.Parallel()
	at := instant(t, "UTC", "2026-11-18 22:10")
	of := func(rule, subject, title string, later int, why Hold, more int64) told {
		return told{Message: Message{Event: "build.failed", Rule: rule, Subject: subject, Title: title, Text: "It broke.", URL: "https://x.example/" + title, Pipeline: "web"}, at: at.Add(time.Duration(later) * time.Minute), why: why, more: more}
	}
	m := summarise([]told{of("r", "s", "#8", 0, HeldGroup, 0), of("r", "s", "#9", 4, HeldGroup, 10)}, "https://x.example/history")
	if m.Title != "12 more of the same: #9" || m.Count != 12 || m.Rule != "r" || m.Subject != "s" || m.URL != "https://x.example/#9" || m.Pipeline != "web" ||
		m.Text != "From 22:10 to 22:14 UTC. The newest says:\nIt broke." || strings.Join(m.Lines, ",") != "#8,#9" {
		t.Errorf("%+v", m)
	}
	m = summarise([]told{of("r", "a", "#8", 0, HeldQuiet, 0), of("r", "b", "#1", 60*9, HeldQuiet, 0), of("r", "a", "#9", 60*9, HeldQuiet, 1)}, "https://x.example/history")
	if m.Title != "4 messages from the quiet hours" || m.Event != SummaryEvent || m.Count != 4 || strings.Join(m.Lines, ",") != "3 × #9,#1" ||
		m.URL != "https://x.example/history" || m.Text != "From 18 Nov 22:10 to 19 Nov 07:10 UTC." {
		t.Errorf("%+v", m)
	}
	over := of("r", "a", "over", 1, HeldLimit, 0)
	over.Good = true
	if m = summarise([]told{of("r", "a", "#8", 0, HeldQuiet, 0), over}, ""); m.Title != "2 messages that were held back" || len(m.Lines) != 2 {
		t.Errorf("that something is over is another kind: %+v", m)
	}
	var many []told
	for i := range 50 {
		many = append(many, of("r", strings.Repeat("s", i), strings.Repeat("t", i+1), 0, HeldLimit, 0))
	}
	if m = summarise(many, ""); len(m.Lines) != maxLines || m.Lines[maxLines-1] != "and 21 kinds more" || m.Title != "50 messages beyond the channel's limit" || m.Text != "At 22:10 UTC." {
		t.Errorf("%+v", m)
	}
}
