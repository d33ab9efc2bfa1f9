package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// clock is a bundle whose time stands still until it is moved.
func (b *bundle) clock(start time.Time) (move func(time.Duration)) {
	var at atomic.Int64
	at.Store(start.UnixMilli())
	b.Now = func() time.Time { return time.UnixMilli(at.Load()) }
	return func(d time.Duration) { at.Add(int64(d / time.Millisecond)) }
}

func (b *bundle) states(t *testing.T, channel string) string {
	t.Helper()
	list, err := b.deliveries(t.Context(), channel, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	words := make([]string, len(list))
	for i, d := range list {
		words[len(list)-1-i] = string(d.State)
	}
	return strings.Join(words, " ")
}

func (b *bundle) awaitStates(t *testing.T, channel, want string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); b.states(t, channel) != want; <-time.After(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("states %q, want %q", b.states(t, channel), want)
		}
	}
}

func failing(job string, n int) Message {
	return Message{Event: "build.failed", Subject: "build web/" + job, Title: fmt.Sprintf("web/%s #%d failed", job, n), Pipeline: "web"}
}

func (b *bundle) look(t *testing.T) {
	t.Helper()
	if err := b.lookAtHeld(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestMoreOfTheSameGoesAsOne(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	move := b.clock(time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC))
	slack := listen(t, say(200, "ok"))
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+slack.URL+`/x","manner":{"group_minutes":5,"limit":0,"limit_minutes":0,"quiet":{"zone":"","spans":[],"pass":[]}}}`)
	b.raise(t, failing("unit", 1))
	b.raise(t, failing("unit", 2))
	b.raise(t, failing("lint", 1))
	b.raise(t, failing("unit", 3))
	b.awaitStates(t, c.ID, "sent held sent held")
	b.look(t) // too early
	move(5 * time.Minute)
	// Two servers look at once, and one was killed in between: still one letter.
	b.look(t)
	b.look(t)
	b.awaitStates(t, c.ID, "sent grouped sent grouped sent")
	if got := slack.got(); len(got) != 3 || !strings.Contains(got[2], "2 more of the same: web/unit #3 failed") {
		t.Fatalf("%v", got)
	}
	// The letter about many opens a window of its own.
	b.raise(t, failing("unit", 4))
	b.awaitStates(t, c.ID, "sent grouped sent grouped sent held")
	last := b.newest(t, c.ID)
	if fared, err := b.Outcomes(t.Context(), []int64{last.ID, last.ID - 2}); err != nil || fared[0].State != Sent || fared[1].State != Waiting {
		t.Errorf("%+v %v", fared, err)
	}
	move(5 * time.Minute)
	b.look(t)
	b.awaitStates(t, c.ID, "sent grouped sent grouped sent sent")
	if got := slack.got(); !strings.Contains(got[3], `"web/unit #4 failed"`) {
		t.Errorf("one alone is told as itself: %s", got[3])
	}
}

func TestBeyondTheLimitComesASummary(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	move := b.clock(time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC))
	b.Page = func(context.Context, int64) (string, error) { return "https://ci.example.com/history", nil }
	there := listen(t, say(200, ""))
	c := b.create(t, `{"team":"main","kind":"webhook","name":"bus","url":"`+there.URL+`/in","manner":{"group_minutes":0,"limit":2,"limit_minutes":10,"quiet":{"zone":"","spans":[],"pass":[]}}}`)
	for i := range 5 {
		b.raise(t, failing("unit", i))
	}
	b.raise(t, Message{Event: "build.fixed", Title: "web/unit #9 succeeded again", Subject: "build web/unit", Good: true, Pipeline: "web"})
	b.awaitStates(t, c.ID, "sent sent held held held held")
	move(10 * time.Minute)
	b.raise(t, failing("lint", 1)) // the summary is due, and nobody overtakes it for long
	b.look(t)
	b.awaitStates(t, c.ID, "sent sent grouped grouped grouped grouped sent sent")
	got := strings.Join(there.got()[2:], "\n")
	if !strings.Contains(got, "4 messages beyond the channel's limit") || !strings.Contains(got, `"count":4`) || !strings.Contains(got, "3 × web/unit #4 failed") {
		t.Errorf("%s", got)
	}
	if strings.Contains(strings.Join(there.got(), ""), "web/unit #2") {
		t.Error("what was summarised was sent as well")
	}
}

func TestQuietHoursEndInOneLetter(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	move := b.clock(time.Date(2026, 11, 18, 22, 30, 0, 0, time.UTC))
	heard := make(chan Delivery, 50)
	b.Told = func(_ context.Context, _ int64, d Delivery) error { heard <- d; return nil }
	slack := listen(t, say(200, "ok"))
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+slack.URL+`/x","manner":{"group_minutes":0,"limit":0,"limit_minutes":0,
		"quiet":{"zone":"","spans":[{"days":[],"from":"22:00","to":"07:00"}],"pass":["build.fixed"]}}}`)
	b.raise(t, failing("unit", 1))
	b.raise(t, failing("lint", 1))
	b.raise(t, Message{Event: "build.fixed", Title: "urgent", Pipeline: "web"})
	if _, err := b.Send(t.Context(), 1, c.ID, Message{Event: "issues.alert", Rule: "issues:1", Title: "Test of an alert", Now: true}); err != nil {
		t.Fatal(err)
	}
	b.awaitStates(t, c.ID, "held held sent sent")
	if d, err := b.History(t.Context(), c.ID, 0); err == nil {
		t.Errorf("nobody may look: %+v", d)
	}
	list, err := b.deliveries(t.Context(), c.ID, 0, 10)
	if d := list[3]; err != nil || time.UnixMilli(int64(d.HeldUntil)).UTC().Format("15:04") != "07:00" || d.HeldFor != HeldQuiet {
		t.Errorf("%+v %v", d, err)
	}
	move(9 * time.Hour)
	b.look(t)
	b.awaitStates(t, c.ID, "grouped grouped sent sent sent")
	if got := slack.got(); len(got) != 3 || !strings.Contains(got[2], "2 messages from the quiet hours") || !strings.Contains(got[2], "web/lint #1 failed") {
		t.Errorf("%v", got)
	}
	// They hear of it once that is stored: of the summary, and of what it tells of.
	said := map[Event]int{}
	for deadline := time.After(time.Minute); said[SummaryEvent] == 0 || said["build.failed"] == 0; {
		select {
		case d := <-heard:
			said[d.Event]++
		case <-deadline:
			t.Fatalf("those who asked do not hear how their messages fared: %v", said)
		}
	}
	if said["build.failed"] != 1 || said[SummaryEvent] != 1 {
		t.Errorf("%v", said)
	}
}

// A server that dies between deciding and sending loses nothing: all that it decided is in
// rows, and what it had queued is a job.
func TestKilledWhileReleasing(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	move := b.clock(time.Date(2026, 11, 18, 22, 30, 0, 0, time.UTC))
	slack := listen(t, say(200, "ok"))
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+slack.URL+`/x","manner":{"group_minutes":0,"limit":0,"limit_minutes":0,"quiet":{"zone":"","spans":[{"days":[],"from":"22:00","to":"07:00"}],"pass":[]}}}`)
	b.raise(t, failing("unit", 1))
	b.raise(t, failing("lint", 1))
	b.awaitStates(t, c.ID, "held held")
	move(9 * time.Hour)
	died := errors.New("killed")
	row, err := b.findChannel(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.db.Tx(t.Context(), func(ctx context.Context) error {
		list, err := b.heldDue(ctx, c.ID)
		return errors.Join(err, b.letGo(ctx, row, list), died)
	}); !errors.Is(err, died) || b.states(t, c.ID) != "held held" {
		t.Fatalf("%v %s", err, b.states(t, c.ID))
	}
	job := work.Job{Payload: []byte(encode(channelPayload{c.ID}))}
	for range 3 { // its lease ended, and others took it up
		if err := b.release(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	b.awaitStates(t, c.ID, "grouped grouped sent")
	if got := slack.got(); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestAFloodIsCountedNotKept(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	move := b.clock(time.Date(2026, 11, 18, 22, 30, 0, 0, time.UTC))
	slack := listen(t, say(200, "ok"))
	c := b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+slack.URL+`/x","manner":{"group_minutes":0,"limit":0,"limit_minutes":0,"quiet":{"zone":"","spans":[{"days":[],"from":"22:00","to":"07:00"}],"pass":[]}}}`)
	row, err := b.findChannel(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	var last deliveryRow
	if err := b.db.Tx(t.Context(), func(ctx context.Context) error {
		for i := range maxHeld + 3 {
			last = b.newDelivery(row, failing("unit", i))
			if err := b.insertDelivery(ctx, &last); err != nil {
				return err
			}
			if held, err := b.weigh(ctx, row, last); err != nil || !held {
				return fmt.Errorf("%d: held %v: %w", i, held, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n, err := b.countHeld(t.Context(), c.ID); n != maxHeld || err != nil {
		t.Errorf("%d held, %v", n, err)
	}
	move(9 * time.Hour)
	b.look(t)
	until(t, "the summary", func() bool { return len(slack.got()) == 1 })
	if got := slack.got()[0]; !strings.Contains(got, fmt.Sprintf("%d more of the same", maxHeld+3)) {
		t.Errorf("%.300s", got)
	}
	until(t, "the letter is noted", func() bool { return b.newest(t, c.ID).State == Sent })
	if fared, err := b.Outcomes(t.Context(), []int64{last.ID}); err != nil || fared[0].State != Sent {
		t.Errorf("what was counted only fares as the letter does: %+v %v", fared, err)
	}
	if d := b.newest(t, c.ID); d.More != maxHeld+3 {
		t.Errorf("%+v", d)
	}
}

func TestChangingTheMannerLetsGo(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	b.clock(time.Date(2026, 11, 18, 22, 30, 0, 0, time.UTC))
	slack := listen(t, say(200, "ok"))
	quiet := `"manner":{"group_minutes":0,"limit":0,"limit_minutes":0,"quiet":{"zone":"","spans":[{"days":[],"from":"22:00","to":"07:00"}],"pass":[]}}`
	make := func(name string) string {
		c := b.create(t, `{"team":"main","kind":"slack","name":"`+name+`","url":"`+slack.URL+`/`+name+`",`+quiet+`}`)
		if _, err := b.Send(t.Context(), 1, c.ID, Message{Event: "logs.alert", Rule: "logs:1", Title: name}); err != nil {
			t.Fatal(err)
		}
		b.awaitStates(t, c.ID, "held")
		return c.ID
	}
	loud, off, still := make("loud"), make("off"), make("still")
	b.call(t, "PATCH", "/"+loud, `{"manner":{"group_minutes":0,"limit":0,"limit_minutes":0,"quiet":{"zone":"","spans":[],"pass":[]}}}`, 200, nil)
	b.call(t, "PATCH", "/"+off, `{"enabled":false}`, 200, nil)
	b.call(t, "PATCH", "/"+still, `{`+quiet+`}`, 200, nil)
	b.look(t)
	b.awaitStates(t, loud, "sent")
	b.awaitStates(t, off, "failed")
	if d := b.newest(t, off); !strings.Contains(d.Error, "switched off while this was held") {
		t.Errorf("%+v", d)
	}
	until(t, "it is held on", func() bool { d := b.newest(t, still); return d.State == Held && int64(d.HeldUntil) > b.millis() })
	mine := b.as(t.Context())
	team := identity.Team{ID: 1, Name: "main"}
	if _, err := b.Retry(mine, team, b.newest(t, off).ID, Search{}); !problem.Is(err, problem.Conflict) {
		t.Errorf("%v", err)
	}
	if got, err := b.Retry(mine, team, b.newest(t, still).ID, Search{}); err != nil || got.Retried != 1 {
		t.Errorf("send now: %+v %v", got, err)
	}
	b.awaitStates(t, still, "sent")
}
