package ci

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/payload"
)

// causes notes what deliveries caused, as the part that keeps deliveries would.
type causes struct {
	mu   sync.Mutex
	told []BuildCaused
}

func (c *causes) hear(_ context.Context, b BuildCaused) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, b)
	return nil
}

// of are the builds that a delivery caused, sorted.
func (c *causes) of(delivery string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, b := range c.told {
		if b.Delivery == delivery {
			out = append(out, b.Effect.Title)
		}
	}
	slices.Sort(out)
	return out
}

func withCauses(t *testing.T) (*world, *causes) {
	t.Helper()
	w, c := setup(t), &causes{}
	w.ci.OnBuildCaused = c.hear // nothing is scheduled yet
	return w, c
}

// deliver is what a delivery does: it is received and noted in one transaction.
func (w *world) deliver(id string, receive func(ctx context.Context) (Told, error)) {
	w.t.Helper()
	err := w.db.Tx(w.t.Context(), func(ctx context.Context) error {
		told, err := receive(ctx)
		if err != nil {
			return err
		}
		return w.ci.NoteDelivery(ctx, id, told)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deliverPush(id string, p payload.Push) {
	w.t.Helper()
	w.deliver(id, func(ctx context.Context) (Told, error) { return w.ci.ReceivePush(ctx, teamMain, p) })
}

func TestADeliveryIsToldOfItsBuilds(t *testing.T) {
	t.Parallel()
	w, c := withCauses(t)
	w.set("web", pushed+`
- name: ship
  plan: [{get: repo, trigger: true, passed: [unit]}]
- name: audit
  plan: [{get: docs, trigger: true}, {get: repo, trigger: true}]
`)
	w.deliverPush("one", pushOf(1, "main.go"))
	w.waitBuild("web", "ship", "1", Succeeded)
	if got := c.of("one"); !slices.Equal(got, []string{"web/ship #1", "web/unit #1"}) {
		t.Errorf("%q", got)
	}
	w.deliverPush("two", pushOf(2, "docs/a.md"))
	w.waitBuild("web", "docs", "1", Succeeded)
	w.waitBuild("web", "audit", "1", Succeeded)
	w.waitBuild("web", "ship", "2", Succeeded)
	// Both inputs of audit are the second push's, which is told once.
	if got := c.of("two"); !slices.Equal(got, []string{"web/audit #1", "web/docs #1", "web/ship #2", "web/unit #2"}) {
		t.Errorf("%q", got)
	}
	// The same again: nothing new, so nothing more, and a build that a person starts is theirs.
	w.deliverPush("two", pushOf(2, "docs/a.md"))
	w.call("POST", "/api/v1/teams/main/pipelines/web/jobs/unit/builds", "")
	w.waitBuild("web", "unit", "3", Succeeded)
	if got := len(c.told); got != 6 {
		t.Errorf("%d told: %+v", got, c.told)
	}
	first := c.told[0]
	if first.Team != teamMain || first.Effect.Kind != "build" || first.Effect.URL != "http://127.0.0.1:18080/teams/main/pipelines/web/jobs/unit/builds/1" {
		t.Errorf("%+v", first)
	}
}

// A version that only a check can bring is the delivery's all the same.
func TestADeliveryIsToldOfBuildsThroughACheck(t *testing.T) {
	t.Parallel()
	w, c := withCauses(t)
	w.set("web", `
resources:
- {name: repo, type: git, check_every: never, source: {uri: "https://github.com/acme/web", branch: main, commit_filter: {exclude: [x]}}}
jobs:
- name: unit
  plan: [{get: repo, trigger: true}]
`)
	w.remote.publish("https://github.com/acme/web", fmt.Sprintf(sha, 1))
	w.deliverPush("one", pushOf(1, "main.go"))
	w.waitBuild("web", "unit", "1", Succeeded)
	if got := c.of("one"); !slices.Equal(got, []string{"web/unit #1"}) {
		t.Errorf("%q", got)
	}
	// A version that nobody told of is no delivery's.
	w.remote.publish("https://github.com/acme/web", fmt.Sprintf(sha, 9))
	if err := w.ci.askForCheck(t.Context(), []int64{w.resource("web", "repo")}, ""); err != nil {
		t.Fatal(err)
	}
	w.waitBuild("web", "unit", "2", Succeeded)
	if len(c.told) != 1 {
		t.Errorf("%+v", c.told)
	}
}

func TestPullRequestsTellTheDeliveryThatMadeThemWanted(t *testing.T) {
	t.Parallel()
	w, c := withCauses(t)
	w.set("web", pulls)
	receive := func(id, action string, p payload.PullRequest) {
		t.Helper()
		w.deliver(id, func(ctx context.Context) (Told, error) { return w.ci.ReceivePull(ctx, teamMain, webPlaces, action, p) })
	}
	receive("opened", "opened", pullOf(7, 1, ""))
	w.waitBuild("web", "beside", "1", Succeeded)
	receive("labeled", "labeled", pullOf(7, 1, ""))
	receive("pushed", "synchronize", pullOf(7, 2, ""))
	w.waitBuild("web", "beside", "2", Succeeded)
	for delivery, want := range map[string][]string{"opened": {"web/beside #1", "web/review #1"}, "labeled": nil, "pushed": {"web/beside #2", "web/review #2"}} {
		if got := c.of(delivery); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", delivery, got, want)
		}
	}
}

func TestWhatWasToldIsForgotten(t *testing.T) {
	t.Parallel()
	w, _ := withCauses(t)
	w.set("web", pushed)
	id := w.resource("web", "repo")
	now := toMillis(time.Now())
	old := now - millis((keepTold + time.Hour).Milliseconds())
	for delivery, at := range map[string]millis{"old": old, "new": now} {
		if err := w.ci.insertTold(t.Context(), delivery, []mark{{id, "x", at}}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := w.ci.toldBy(t.Context(), id, "x", old); got != "old" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if err := w.ci.pruneTold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := w.ci.toldBy(t.Context(), id, "x", old); got != "" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if got, err := w.ci.toldBy(t.Context(), id, "x", now); got != "new" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

// A resource says why its hook is silent, where that is known.
func TestAResourceSaysWhatIsWrongWithItsRepository(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set("web", strings.ReplaceAll(pushed, "check_every: never", "check_every: 2m"))
	alive, trouble := false, "the repository was deleted at GitHub"
	w.ci.deps.HookAlive = func(context.Context, int64, string) (bool, error) { return alive, nil }
	reason := func() string {
		r, err := w.ci.resource(t.Context(), w.resource("web", "repo"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.ci.pollingOf(t.Context(), r)
		if err != nil || p.by != checkedByPoll {
			t.Fatal(p, err)
		}
		return p.reason
	}
	without := reason()
	w.ci.RepositoryTrouble = func(_ context.Context, team int64, place string) (string, error) {
		if team != teamMain || place != "github.com/acme/web" {
			return "", nil
		}
		return trouble, nil
	}
	if got := reason(); got != "It is polled every 2 minutes, since the repository was deleted at GitHub." {
		t.Error(got)
	}
	if trouble = ""; reason() != without {
		t.Error(reason())
	}
}
