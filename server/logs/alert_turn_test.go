package logs

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestTurns looks at one alert without any lines: what it knew, what a look found,
// what it does.
func TestTurns(t *testing.T) {
	t.Parallel()
	ago := func(minutes int64) int64 { return noon.UnixMilli() - minutes*60_000 }
	firing := func(subject string, since int64, told bool) stateRow {
		return stateRow{Subject: subject, Firing: true, Since: ago(since), Told: told, SeenAt: ago(1)}
	}
	quiet := func(subject string, seen int64) stateRow { return stateRow{Subject: subject, SeenAt: ago(seen)} }
	found := func(values ...string) (out []observed) {
		for _, text := range values {
			var o observed
			if _, err := fmt.Sscanf(text, "%1s=%g", &o.subject, &o.value); err != nil {
				t.Fatal(err)
			}
			out = append(out, o)
		}
		return out
	}
	many := Alert{Condition: AlertCondition{Kind: WhenThreshold, Figure: "count()", By: "host", Op: OpMore, Value: 5, Minutes: 5}, Throttle: 10, Resolve: true}
	few := many
	few.Condition.Op, few.Condition.Value = OpAtMost, 1
	slow := many
	slow.Condition.Figure = "p95(ms)"
	muted := many
	muted.MutedUntil = ago(-1)
	silent := many
	silent.Resolve = false
	remind := many
	remind.Remind = 30
	tests := []struct {
		name   string
		alert  Alert
		states []stateRow
		seen   []observed
		toldAt int64
		want   string
	}{
		{"nothing", many, nil, nil, 0, ""},
		{"at the limit", many, nil, found("a=5"), 0, ""},
		{"beyond it", many, nil, found("a=6", "b=9", "c=1"), 0, "began a b, tell a b"},
		{"told not long ago", many, nil, found("a=6"), ago(5), "began a"},
		{"told long ago", many, nil, found("a=6"), ago(10), "began a, tell a"},
		{"told in a future that was none", many, nil, found("a=6"), ago(-60), "began a, tell a"},
		{"goes on", many, []stateRow{firing("a", 3, true)}, found("a=7"), ago(3), "save a"},
		{"goes on untold", many, []stateRow{firing("a", 12, false)}, found("a=7"), ago(12), "save a, tell a"},
		{"told of together", many, []stateRow{firing("a", 12, false)}, found("a=7", "b=8"), ago(12), "began b, save a, tell a b"},
		{"over", many, []stateRow{firing("a", 3, true)}, found("a=5"), ago(3), "ended a, drop a, resolved a"},
		{"no lines any more", many, []stateRow{firing("a", 3, true)}, nil, ago(3), "ended a, drop a, resolved a"},
		{"over and never told", many, []stateRow{firing("a", 3, false)}, nil, ago(3), "ended a, drop a"},
		{"over while muted", muted, []stateRow{firing("a", 3, true)}, nil, ago(3), "ended a, drop a"},
		{"over and nobody asked", silent, []stateRow{firing("a", 3, true)}, nil, ago(3), "ended a, drop a"},
		{"muted", muted, nil, found("a=6"), 0, "began a"},
		{"a figure without numbers is no trouble", slow, []stateRow{firing("a", 3, true)}, nil, ago(3), "ended a, drop a, resolved a"},
		{"no reminder yet", remind, []stateRow{firing("a", 40, true)}, found("a=7"), ago(29), "save a"},
		{"a reminder", remind, []stateRow{firing("a", 40, true)}, found("a=7"), ago(30), "save a, remind a"},
		{"news rather than a reminder", remind, []stateRow{firing("a", 40, true)}, found("a=7", "b=7"), ago(30), "began b, save a, tell b"},
		{"a group is remembered", few, nil, found("a=9"), 0, "save a"},
		{"it falls silent", few, []stateRow{quiet("a", 30)}, nil, 0, "began a, tell a"},
		{"it is forgotten", few, []stateRow{quiet("a", 8*24*60)}, nil, 0, "drop a"},
		{"it fires until it is forgotten", few, []stateRow{{Subject: "a", Firing: true, Told: true, Since: ago(7 * 24 * 60), SeenAt: ago(8 * 24 * 60)}}, nil, ago(60), "ended a, drop a, resolved a"},
		{"it was heard of within the hour", few, []stateRow{quiet("a", 30)}, found("a=9"), 0, ""},
		{"it was heard of an hour ago", few, []stateRow{quiet("a", 60)}, found("a=9"), 0, "save a"},
		{"long values that begin alike", many, nil, found("a=6", "a=7"), 0, "began a, tell a"},
	}
	for _, test := range tests {
		got := test.alert.turn(test.states, test.seen, test.toldAt, noon)
		var words []string
		say := func(what string, n int, subject func(int) string) {
			if n == 0 {
				return
			}
			for i := range n {
				what += " " + subject(i)
			}
			words = append(words, what)
		}
		rows := func(list []stateRow) func(int) string { return func(i int) string { return list[i].Subject } }
		say("began", len(got.began), func(i int) string { return got.began[i].Subject })
		say("ended", len(got.ended), rows(got.ended))
		say("save", len(got.save), rows(got.save))
		say("drop", len(got.drop), func(i int) string { return got.drop[i] })
		say("tell", len(got.tell), rows(got.tell))
		say("remind", len(got.remind), rows(got.remind))
		say("resolved", len(got.resolved), rows(got.resolved))
		if text := strings.Join(words, ", "); text != test.want {
			t.Errorf("%s: %q, not %q", test.name, text, test.want)
		}
	}
}

// TestOwnPauses: how much longer a window is after the server did not run.
func TestOwnPauses(t *testing.T) {
	t.Parallel()
	c := AlertCondition{Kind: WhenAbsent, Minutes: 30}
	row := alertRow{}
	for _, step := range []struct {
		pass, want time.Duration
	}{
		{0, 0}, {time.Minute, 0}, {3 * time.Minute, 0}, {11 * time.Minute, 10 * time.Minute}, {time.Minute, 10 * time.Minute},
		{21 * time.Minute, 30 * time.Minute}, // again before the first is over
		{29 * time.Minute, 58 * time.Minute}, {time.Minute, 58 * time.Minute},
		{30 * 24 * time.Hour, maxGap}, {-time.Hour, maxGap},
	} {
		now := time.UnixMilli(row.CheckedAt).Add(step.pass)
		if row.CheckedAt == 0 {
			now = noon
		}
		row.lengthen(c, now)
		row.CheckedAt = now.UnixMilli()
		if got := row.extra(c, now); got != step.want {
			t.Errorf("after %s: %s, not %s", step.pass, got, step.want)
		}
	}
	for _, step := range []time.Duration{time.Minute, 31 * time.Minute} {
		over := time.UnixMilli(row.GapUntil).Add(step)
		if got := row.extra(c, over); got != 0 {
			t.Errorf("%s after it is over: %s", step, got)
		}
	}
	if got := row.extra(AlertCondition{Kind: WhenThreshold, Op: OpMore, Minutes: 30}, time.UnixMilli(row.CheckedAt)); got != 0 {
		t.Errorf("what is too much is too much within its own window: %s", got)
	}
}

func TestHowOften(t *testing.T) {
	t.Parallel()
	for minutes, want := range map[int64]time.Duration{1: time.Minute, 60: time.Minute, 119: time.Minute, 180: 3 * time.Minute, 10080: 5 * time.Minute} {
		if got := (AlertCondition{Minutes: minutes}).every(); got != want {
			t.Errorf("%d minutes: every %s, not %s", minutes, got, want)
		}
	}
	c := AlertCondition{Minutes: 180}
	row := alertRow{CheckedAt: noon.UnixMilli()}
	for pass, want := range map[time.Duration]bool{0: false, 2 * time.Minute: false, 175 * time.Second: true, time.Hour: true, -30 * time.Second: false, -time.Hour: true} {
		if got := row.due(c, noon.Add(pass)); got != want {
			t.Errorf("due after %s: %t", pass, got)
		}
	}
}

// TestTooManyKinds: messages without any pattern are said to be so.
func TestTooManyKinds(t *testing.T) {
	t.Parallel()
	w := setupAlerts(t)
	id := w.make("Kinds", AlertCondition{Kind: WhenPattern})
	var body strings.Builder
	for i := range maxKinds + 1 {
		word := strings.Map(func(r rune) rune { return r - '0' + 'a' }, fmt.Sprintf("%05d", i))
		fmt.Fprintf(&body, `{"time":%q,"msg":"%s %s"}`+"\n", w.Now().Format(time.RFC3339), word, word)
	}
	w.call("POST", "/insert/jsonline", body.String(), red)
	w.look()
	if a := w.alert(id); a.State != alertFailing || !strings.HasPrefix(a.Error, "There are more than 2000 kinds of messages") {
		t.Errorf("%+v", a)
	}
}
