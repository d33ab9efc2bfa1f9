package notify

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestSendReachesOneChannel(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	slack := listen(t, say(200, "ok"))
	web := b.create(t, `{"team":"main","kind":"slack","name":"web","url":"`+slack.URL+`/x","events":["build.failed"],"pipelines":["other"]}`)
	b.create(t, `{"team":"main","kind":"slack","name":"ops","url":"`+slack.URL+`/y"}`)
	id, err := b.Send(t.Context(), 1, web.ID, Message{Event: "github.rule", Title: "Review requested"})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "it is sent", func() bool { return b.newest(t, web.ID).State == Sent })
	if got := slack.got(); len(got) != 1 || !strings.Contains(got[0], "Review requested") {
		t.Errorf("%v", got)
	}
	if list, err := b.Outcomes(t.Context(), []int64{id, id + 100}); err != nil || len(list) != 1 || list[0].State != Sent {
		t.Errorf("%+v %v", list, err)
	}
	undone := errors.New("rolled back")
	if err := b.db.Tx(t.Context(), func(ctx context.Context) error {
		if _, err := b.Send(ctx, 1, web.ID, Message{Title: "never"}); err != nil {
			t.Error(err)
		}
		return undone
	}); !errors.Is(err, undone) || b.newest(t, web.ID).ID != id {
		t.Errorf("%v", err)
	}
	for _, c := range []struct {
		team    int64
		channel string
	}{{2, web.ID}, {1, "none"}} {
		if _, err := b.Send(t.Context(), c.team, c.channel, Message{}); !problem.Is(err, problem.NotFound) {
			t.Errorf("%+v: %v", c, err)
		}
		if _, has, err := b.KindOf(t.Context(), c.team, c.channel); has || err != nil {
			t.Errorf("%+v: %v %v", c, has, err)
		}
	}
	if _, has, err := b.KindOf(t.Context(), 1, web.ID); !has || err != nil {
		t.Errorf("%v %v", has, err)
	}
	b.call(t, "PATCH", "/"+web.ID, `{"enabled":false}`, 200, nil)
	if _, err := b.Send(t.Context(), 1, web.ID, Message{}); !problem.Is(err, problem.Conflict) {
		t.Errorf("switched off: %v", err)
	}
}
