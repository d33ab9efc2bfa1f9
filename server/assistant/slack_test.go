package assistant_test

import (
	"strings"
	"testing"
)

func TestSlackMention(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	ts := d.slack.Mention("U1", "C111", "", "which builds are failing?")
	m := d.answered("C111", ts, 1)
	for _, want := range []string{"which builds are failing?", "<https://box.example/builds|the page>", "1 source", "/teams/main/assistant/runs/", "trace>"} {
		if !strings.Contains(m.Said(), want) {
			t.Errorf("the answer lacks %q: %s", want, m.Said())
		}
	}
	if strings.Contains(m.Said(), "evil.example") {
		t.Errorf("the answer links elsewhere: %s", m.Said())
	}
	follow := d.slack.Say("U1", "C111", ts, "and a long one")
	d.answered("C111", ts, 2)
	d.quiet()
	if got := d.answers("C111", ts); len(got) != 2 {
		t.Errorf("two questions (the second %s) have %d answers: %s", follow, len(got), d.dump())
	}
	if lines := strings.Split(d.answers("C111", ts)[1].Text, "\n"); len(lines) > 12 {
		t.Errorf("a long answer has %d lines", len(lines))
	}
	if broken := d.slack.Broken(); len(broken) > 0 {
		t.Error(broken)
	}
}
