package assistant_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/bots/slack/slacktest"
)

// once reports whether each question of a channel has exactly one answer, and that Slack's rules were kept.
func (d *desk) once(channel string, threads map[string]int) {
	d.t.Helper()
	d.quiet()
	for ts, want := range threads {
		if got := len(d.answers(channel, ts)); got != want {
			d.t.Errorf("the thread of %s has %d answers, not %d: %s", ts, got, want, d.dump())
		}
	}
	for _, m := range d.slack.Messages("") {
		if m.FromBot() && (m.Stream || strings.HasPrefix(m.Said(), "…")) {
			d.t.Errorf("a message still says that something is being done: %q", m.Said())
		}
	}
	if broken := d.slack.Broken(); len(broken) > 0 {
		d.t.Error(broken)
	}
}

func TestSlackMention(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	ts := d.slack.Mention("U1", "C111", "", "which builds are failing?")
	m := d.answered("C111", ts, 1)
	for _, want := range []string{"which builds are failing?", "<https://box.example/teams/main/issues/7|the page>", "1 source", "/teams/main/assistant/runs/", "trace>", "[👍]", "[How I got this]"} {
		if !strings.Contains(m.Said(), want) {
			t.Errorf("the answer lacks %q: %s", want, m.Said())
		}
	}
	if strings.Contains(m.Said(), "evil.example") {
		t.Errorf("the answer links elsewhere: %s", m.Said())
	}
	if !strings.Contains(strings.Join(m.Tasks, " "), "Reading the question") {
		t.Errorf("nothing showed what was being done: %v", m.Tasks)
	}
	d.slack.Say("U1", "C111", ts, "and a long one that pings")
	second := d.answered("C111", ts, 2)
	if lines := strings.Split(second.Text, "\n"); len(lines) > 12 || !strings.Contains(second.Text, "more lines>") {
		t.Errorf("a long answer has %d lines: %s", len(lines), second.Text)
	}
	d.slack.Say("U1", "C111", ts, "one that pings")
	if third := d.answered("C111", ts, 3); strings.Contains(third.Said(), "<!channel>") || strings.Contains(third.Said(), "<@U1>") || strings.Contains(third.Text, "<!channel>") {
		t.Errorf("an answer pings: %s", third.Said())
	}
	d.slack.Say("U3", "C333", "", "nobody asked the bot this")
	d.once("C111", map[string]int{ts: 3})
	if got := d.answers("C333", ""); len(got) > 0 {
		t.Errorf("it answered what it was not asked: %v", got)
	}
}

// TestSlackTrouble asks while everything goes wrong that may: each question has one answer all the same.
func TestSlackTrouble(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	for name, trouble := range map[string]func(d *desk, ask func(string) string) string{
		"the same event twice": func(d *desk, ask func(string) string) string {
			ts := d.slack.Write("U1", "C111", "", "<@U222> builds?")
			event := d.slack.Event("Ev1", d.slack.Mentioned("U1", "C111", "", ts, "<@U222> builds?"), false)
			d.slack.Send(event)
			d.slack.Send(event)
			d.slack.Send(d.slack.Event("Ev2", d.slack.Told("U1", "C111", "", ts, "<@U222> builds?"), false))
			return ts
		},
		"a socket that is renewed": func(d *desk, ask func(string) string) string {
			before := d.slack.Opened()
			d.slack.Disconnect("refresh_requested")
			ts := ask("builds?")
			d.await("another socket", func() bool { return d.slack.Opened() > before })
			return ts
		},
		"a socket that is cut": func(d *desk, ask func(string) string) string {
			d.slack.Drop()
			return ask("builds?")
		},
		"no socket at first": func(d *desk, ask func(string) string) string {
			d.slack.Fail("apps.connections.open", slacktest.Fault{Times: 1, RetryAfter: 1})
			d.slack.Drop()
			return ask("builds?")
		},
		"no streams": func(d *desk, ask func(string) string) string {
			d.slack.Fail("chat.startStream", slacktest.Fault{Times: -1, Code: "channel_type_not_supported"})
			return ask("builds?")
		},
		"limits on every way to answer": func(d *desk, ask func(string) string) string {
			for _, method := range []string{"chat.startStream", "chat.postMessage", "chat.stopStream", "chat.update", "chat.appendStream"} {
				d.slack.Fail(method, slacktest.Fault{Times: 1, RetryAfter: 1})
			}
			return ask("builds?")
		},
		"answers of Slack that are lost": func(d *desk, ask func(string) string) string {
			d.slack.Fail("chat.startStream", slacktest.Fault{Times: -1, Code: "method_not_supported"})
			d.slack.Fail("chat.update", slacktest.Fault{Times: 1, Status: 500, After: true})
			return ask("builds?")
		},
		"a post that is lost": func(d *desk, ask func(string) string) string {
			d.slack.Fail("chat.startStream", slacktest.Fault{Times: 1, Code: "internal_error"})
			d.slack.Fail("chat.postMessage", slacktest.Fault{Times: 1, Code: "internal_error"})
			ts := ask("builds?")
			return ts
		},
		"a sign of life that is deleted": func(d *desk, ask func(string) string) string {
			d.slack.Fail("chat.startStream", slacktest.Fault{Times: -1, Code: "method_not_supported"})
			d.slack.Fail("chat.update", slacktest.Fault{Times: 1, Code: "message_not_found"})
			d.stopAt(func(context.Context) {
				for _, m := range d.slack.Messages("C111") {
					if m.FromBot() && strings.HasPrefix(m.Said(), "…") {
						d.slack.Forget("C111", m.TS)
					}
				}
			})
			return ask("builds?")
		},
	} {
		ts := trouble(d, func(text string) string { return d.slack.Mention("U1", "C111", "", text) })
		d.answered("C111", ts, 1)
		d.once("C111", map[string]int{ts: 1})
		if t.Failed() {
			t.Fatal(name)
		}
		d.slack.Heal()
		d.called.Store(nil)
	}
}

// TestSlackPostAnswerLost: a reply that was said, though its answer was lost, is found and not said again.
func TestSlackPostAnswerLost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	d.slack.Fail("chat.startStream", slacktest.Fault{Times: -1, Code: "method_not_supported"})
	d.slack.Fail("chat.postMessage", slacktest.Fault{Times: 1, Code: "internal_error"}) // no sign of life
	d.stopAt(func(context.Context) {
		d.slack.Fail("chat.postMessage", slacktest.Fault{Times: 1, Status: 500, After: true})
	})
	ts := d.slack.Mention("U1", "C111", "", "builds?")
	d.answered("C111", ts, 1)
	d.once("C111", map[string]int{ts: 1})
}

func TestSlackRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	threads := map[string]int{}
	for user, want := range map[string]string{"U3": "/signalbox link", "UGUEST": "do not answer guests", "USTRANGER": "from another one", "UBOT": "not programs"} {
		ts := d.slack.Mention(user, "C111", "", "builds?")
		threads[ts] = 1
		if m := d.answered("C111", ts, 1); !strings.Contains(m.Said(), want) || strings.Contains(m.Said(), "found") {
			t.Errorf("%s hears %q, not %q", user, m.Said(), want)
		}
	}
	ts := d.slack.Write("UBOT", "C111", "", "<@U222> builds?")
	e := d.slack.Mentioned("UBOT", "C111", "", ts, "<@U222> builds?")
	e["bot_id"] = "B9"
	d.slack.Send(d.slack.Event("", e, false))
	threads[ts] = 0
	d.exec("INSERT INTO assistant_slack_people (workspace, slack_user, slack_name, user_id, team, linked_at) VALUES (?, 'U3', 'ben', 8, '', 0)", slacktest.Workspace)
	delete(d.people, 8)
	ts = d.slack.Mention("U3", "C111", "", "builds?")
	threads[ts] = 1
	if m := d.answered("C111", ts, 1); !strings.Contains(m.Said(), "no longer sign in") {
		t.Errorf("who may not sign in hears %q", m.Said())
	}
	d.once("C111", threads)
}

// TestSlackVisibility: what a channel may not see goes to the asker alone, with a word in the thread.
func TestSlackVisibility(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	for _, c := range []struct {
		name, channel, question string
		direct                  bool
	}{
		{"builds in the team's channel", "C111", "builds?", false},
		{"builds elsewhere", "C333", "builds?", true},
		{"a public repository elsewhere", "C333", "what of acme/open", false},
		{"a private repository elsewhere", "C333", "what of acme/secret", true},
		{"a private repository that the channel is not for", "C111", "what of acme/secret", true},
		{"builds where others read", "CSHARED", "builds?", true},
	} {
		before := len(d.slack.Messages("DU1"))
		ts := d.slack.Mention("U1", c.channel, "", c.question)
		m := d.answered(c.channel, ts, 1)
		d.once(c.channel, map[string]int{ts: 1})
		after := d.slack.Messages("DU1")
		if !c.direct {
			if strings.Contains(m.Said(), "directly") || len(after) != before {
				t.Errorf("%s: not said in the channel: %s", c.name, m.Said())
			}
			continue
		}
		if !strings.Contains(m.Said(), "answered you directly") || strings.Contains(m.Said(), "found") || strings.Contains(m.Said(), "acme/secret") {
			t.Errorf("%s: the channel hears %q", c.name, m.Said())
		}
		if len(after) != before+1 || !strings.Contains(after[len(after)-1].Said(), "what I found") {
			t.Errorf("%s: the asker was not told: %v", c.name, after)
		}
	}
	if _, err := d.MapChannel(d.root, mainTeam, "C111", []string{"acme/secret"}); err != nil {
		t.Fatal(err)
	}
	ts := d.slack.Mention("U1", "C111", "", "what of acme/secret")
	if m := d.answered("C111", ts, 1); !strings.Contains(m.Said(), "what I found") {
		t.Errorf("a mapped channel hears %q", m.Said())
	}
	if _, err := d.MapChannel(d.root, mainTeam, "CSHARED", nil); err == nil {
		t.Error("a shared channel was given to a team")
	}
	if _, err := d.MapChannel(d.root, otherTeam, "C111", nil); err == nil {
		t.Error("a channel was taken from its team")
	}
}

// TestSlackDirect: direct messages, the assistant's threads, and a channel that the app cannot write to.
func TestSlackDirect(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	ts := d.slack.Say("U1", "DU1", "", "builds?")
	if m := d.answered("DU1", ts, 1); !strings.Contains(m.Said(), "what I found") {
		t.Errorf("a direct question hears %q", m.Said())
	}
	channel, thread := d.slack.OpenAssistant("U1")
	d.await("suggestions", func() bool { return len(d.slack.Prompts()) == 3 })
	d.slack.Say("U1", channel, thread, d.slack.Prompts()[0])
	d.answered(channel, thread, 1)
	d.slack.OpenHome("U1")
	d.await("the app's page", func() bool { return strings.Contains(string(d.slack.Home("U1")), "You are ann here") })
	d.slack.OpenHome("U3")
	d.await("the app's page for a stranger", func() bool { return strings.Contains(string(d.slack.Home("U3")), "/signalbox link") })
	d.quiet()
	before := len(d.slack.Messages("DU1"))
	closed := d.slack.Mention("U1", "CCLOSED", "", "what of acme/open")
	d.await("an answer in spite of the channel", func() bool { return len(d.slack.Messages("DU1")) > before })
	d.quiet()
	if got := d.slack.Messages("DU1"); len(got) != before+1 || len(d.answers("CCLOSED", closed)) != 0 {
		t.Errorf("a closed channel: %s", d.dump())
	}
}

// TestSlackQueue: one run at a time in a thread, three may wait, “stop” ends them.
func TestSlackQueue(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	running := make(chan struct{}, 10)
	d.stopAt(func(ctx context.Context) {
		running <- struct{}{}
		<-ctx.Done()
	})
	ts := d.slack.Mention("U1", "C111", "", "builds?")
	<-running
	for range 4 {
		d.slack.Say("U1", "C111", ts, "and more?")
	}
	full := d.answered("C111", ts, 1)
	if !strings.Contains(full.Said(), "4 questions waiting") {
		t.Errorf("the fifth question hears %q", full.Said())
	}
	d.await("a word about the queue", func() bool {
		for _, m := range d.slack.Messages("C111") {
			if m.OnlyFor == "U1" && strings.Contains(m.Said(), "before yours") {
				return true
			}
		}
		return false
	})
	if len(running) > 0 {
		t.Error("two questions of one thread run at once")
	}
	d.slack.Say("U1", "C111", ts, "Stop!")
	d.answered("C111", ts, 5)
	d.once("C111", map[string]int{ts: 5})
	stopped := 0
	for _, m := range d.answers("C111", ts) {
		if m.Said() == "Stopped." {
			stopped++
		}
	}
	if stopped != 4 {
		t.Errorf("%d of 4 questions were stopped: %s", stopped, d.dump())
	}
	d.slack.Say("U1", "C111", ts, "stop")
	if m := d.answered("C111", ts, 6); !strings.Contains(m.Said(), "Nothing is being looked up") {
		t.Errorf("stopping nothing hears %q", m.Said())
	}
}

// TestSlackRestart: a question in whose middle the server ends has one honest answer after it begins again.
func TestSlackRestart(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	running := make(chan struct{}, 1)
	d.stopAt(func(ctx context.Context) {
		running <- struct{}{}
		<-ctx.Done()
	})
	ts := d.slack.Mention("U1", "C111", "", "builds?")
	<-running
	d.stop()
	d.called.Store(nil)
	d.start()
	if m := d.answered("C111", ts, 1); !strings.Contains(m.Said(), "interrupted") || !strings.Contains(m.Said(), "ask again") {
		t.Errorf("after a restart it says %q", m.Said())
	}
	d.once("C111", map[string]int{ts: 1})
	again := d.slack.Mention("U1", "C111", "", "builds?")
	d.answered("C111", again, 1)
}

// TestSlackKilled: what a server that was killed left behind is answered too, with its sign of life replaced.
func TestSlackKilled(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.setUp("socket")
	d.stop()
	ts := d.slack.Write("U1", "C111", "", "<@U222> builds?")
	status := d.slack.Write(slacktest.BotUser, "C111", ts, "… Reading the question")
	d.exec(`INSERT INTO assistant_slack_asks (id, workspace, channel, thread, ts, direct, shared, slack_user, home, text, state, status_ts, streamed, run_id, created_at, ended_at)
		VALUES ('left', ?, 'C111', ?, ?, FALSE, FALSE, 'U1', '', 'builds', 'running', ?, FALSE, '', ?, 0)`, slacktest.Workspace, ts, ts, status, d.now.Load())
	d.exec(`INSERT INTO work_jobs (kind, team_id, payload, state, attempts, max_attempts, run_at, lease_owner, lease_until, created_at, updated_at)
		VALUES ('assistant.slack.ask', 0, '"left"', 'running', 1, 20, 0, 'node', ?, 0, 0)`, time.Now().Add(time.Hour).UnixMilli())
	d.start()
	if m := d.answered("C111", ts, 1); !strings.Contains(m.Said(), "interrupted") || m.TS != status {
		t.Errorf("what was left behind says %q in %s", m.Said(), m.TS)
	}
	d.once("C111", map[string]int{ts: 1})
}
