package notify

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// tracker is a repository's issues, and what is said of them.
type tracker struct {
	mu       sync.Mutex
	issues   []Issue
	titles   []string
	bodies   []string
	comments []string
	// dies makes the next write succeed there and fail here, as when a server is killed.
	dies   bool
	refuse error
}

func (d *tracker) Connected(context.Context, int64) (bool, error) { return true, nil }

func (d *tracker) wrote() error {
	if d.dies {
		d.dies = false
		return errors.New("the connection broke")
	}
	return nil
}

func (d *tracker) Open(_ context.Context, _ int64, _, title, body string) (Issue, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return Issue{}, d.refuse
	}
	i := Issue{Number: int64(len(d.issues) + 1), URL: "https://github.example.com/octo/shop/issues/1"}
	d.issues, d.titles, d.bodies = append(d.issues, i), append(d.titles, title), append(d.bodies, body)
	return i, d.wrote()
}

func (d *tracker) Find(_ context.Context, _ int64, _, text string, _ time.Time) (Issue, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, body := range d.bodies {
		if strings.Contains(body, text) {
			return d.issues[i], true, nil
		}
	}
	return Issue{}, false, nil
}

func (d *tracker) Get(_ context.Context, _ int64, _ string, number int64) (Issue, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.issues[number-1], nil
}

func (d *tracker) Comment(_ context.Context, _ int64, _ string, number int64, text, body string, _ time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.comments {
		if strings.Contains(c, text) {
			return nil
		}
	}
	d.comments = append(d.comments, body)
	return d.wrote()
}

func (d *tracker) said() (issues, comments int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.issues), len(d.comments)
}

func TestGitHubIssuesAreOpenedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, config.SMTP{})
	desk := &tracker{}
	b.call(t, "POST", "", `{"team":"main","kind":"github","name":"tracker","repository":"octo/shop"}`, 409, nil)
	b.Issues = desk
	b.call(t, "POST", "", `{"team":"main","kind":"github","name":"tracker","repository":"shop"}`, 400, nil)
	c := b.create(t, `{"team":"main","kind":"github","name":"tracker","repository":"octo/shop"}`)
	if c.Summary != "octo/shop" {
		t.Errorf("%+v", c)
	}
	last := int64(0)
	raise := func(m Message, issues, comments int) {
		t.Helper()
		b.raise(t, m)
		until(t, "it is told", func() bool { d := b.newest(t, c.ID); return d.ID > last && d.State == Sent })
		last = b.newest(t, c.ID).ID
		if i, said := desk.said(); i != issues || said != comments {
			t.Fatalf("%s: %d issues and %d comments, want %d and %d", m.Title, i, said, issues, comments)
		}
	}
	first := failing("unit", 1)
	first.Text, first.Lines, first.URL = "Ping @octocat <!-- signalbox:x -->", []string{"````", "FAIL"}, "https://ci.example.com/(1)"
	desk.dies = true // the second attempt finds what the first one opened
	raise(first, 1, 0)
	if body := desk.bodies[0]; strings.Contains(body, "@octocat") || strings.Count(body, "<!--") != 1 || !strings.Contains(body, "`````text\n````\nFAIL\n`````") || !strings.Contains(body, "(https://ci.example.com/%281%29)") {
		t.Errorf("%s", body)
	}
	desk.dies = true
	raise(failing("unit", 2), 1, 1)
	raise(failing("lint", 1), 2, 1)
	fixed := Message{Event: "build.fixed", Subject: "build web/unit", Title: "web/unit #3 succeeded again", Good: true, Pipeline: "web"}
	raise(fixed, 2, 2)
	desk.mu.Lock()
	desk.issues[0].Closed = true
	desk.mu.Unlock()
	raise(fixed, 2, 3) // good news opens nothing
	raise(failing("unit", 9), 3, 3)
	if !strings.Contains(desk.bodies[2], "Before: #1") || desk.titles[2] != "web/unit #9 failed" {
		t.Errorf("%v", desk.bodies)
	}
	desk.refuse = problem.New(problem.Forbidden, "The connection may not write issues of octo/shop.")
	b.raise(t, failing("e2e", 1))
	until(t, "it is given up", func() bool { return b.newest(t, c.ID).State == Failed })
	if d := b.newest(t, c.ID); d.Attempts != 1 || !strings.Contains(d.Error, "may not write") {
		t.Errorf("%+v", d)
	}
	if _, err := b.Send(t.Context(), 1, c.ID, Message{Event: "github.rule", Title: "Issue opened"}); !problem.Is(err, problem.Conflict) {
		t.Errorf("it answers itself: %v", err)
	}
	desk.refuse = nil
	last = b.newest(t, c.ID).ID
	b.call(t, "PATCH", "/"+c.ID, `{"repository":"octo/other"}`, 200, nil)
	raise(failing("lint", 2), 4, 3) // what lies in another repository is not commented on
}
