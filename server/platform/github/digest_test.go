package github

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

func (b *bundle) deliver(t *testing.T, h HookSecret, guid, event, body string) {
	t.Helper()
	if w := b.do(request(h, guid, event, body)); w.Code != 202 && w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

// mark writes a row that tells whether OnDelivery's transaction was kept.
func (b *bundle) mark(ctx context.Context, text string) error {
	return b.db.Writer(ctx).Exec("INSERT INTO accounts_audit (at, actor, action, object) VALUES (0, 'test', 'digest', ?)", text).Error
}

func (b *bundle) marks(t *testing.T) []string {
	t.Helper()
	var list []string
	if err := b.db.Reader(t.Context()).Raw("SELECT object FROM accounts_audit WHERE action = 'digest' ORDER BY id").Scan(&list).Error; err != nil {
		t.Fatal(err)
	}
	return list
}

func TestDigestInOrderAndOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	b.OnDelivery = func(ctx context.Context, d Delivery) ([]Effect, error) {
		push, err := d.Push()
		if err != nil {
			return nil, err
		}
		return []Effect{{Kind: "check", ID: push.Branch, Title: "checked " + push.Repo, URL: "/x"}}, b.mark(ctx, d.GUID)
	}
	for i := range 40 {
		b.deliver(t, h, fmt.Sprintf("g-%02d", i), "push", `{"ref":"refs/heads/main","repository":{"full_name":"a/b"}}`)
	}
	b.deliver(t, h, "g-00", "push", `{}`)
	b.deliver(t, h, "p", "ping", `{}`)
	for range 2 {
		if err := b.Digest(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	marks := b.marks(t)
	if len(marks) != 40 || marks[0] != "g-00" || marks[39] != "g-39" {
		t.Errorf("digested %v", marks)
	}
	d := b.list(t, DeliveryFilter{Event: "push"})[0]
	if d.State != Done || d.DigestedAt == 0 || len(d.Caused) != 1 || d.Caused[0].ID != "main" || d.Attempts != 1 {
		t.Errorf("%+v", d)
	}
}

func TestDigestFailures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	broken := true
	calls := map[string]int{}
	b.OnDelivery = func(ctx context.Context, d Delivery) ([]Effect, error) {
		calls[d.GUID]++
		if err := b.mark(ctx, d.GUID); err != nil {
			return nil, err
		}
		switch {
		case d.GUID == "panics":
			panic("boom")
		case d.GUID == "fails" && broken:
			return nil, errors.New("the pipeline is in pieces")
		}
		return nil, nil
	}
	for _, guid := range []string{"one", "fails", "panics", "two"} {
		b.deliver(t, h, guid, "push", `{}`)
	}
	if err := b.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(b.marks(t), " "); got != "one two" {
		t.Errorf("kept: %s", got)
	}
	byGUID := func() map[string]Delivery {
		m := map[string]Delivery{}
		for _, d := range b.list(t, DeliveryFilter{}) {
			m[d.GUID] = d
		}
		return m
	}
	failed := byGUID()["fails"]
	if failed.State != Waiting || failed.Error != "the pipeline is in pieces" || failed.Attempts != 1 || failed.NextAt <= Millis(b.Now().UnixMilli()-500) {
		t.Errorf("%+v", failed)
	}
	if p := byGUID()["panics"]; !strings.Contains(p.Error, "boom") {
		t.Errorf("%+v", p)
	}
	before := calls["fails"]
	b.clock.advance(-time.Hour) // not due yet
	if err := b.Digest(t.Context()); err != nil || calls["fails"] != before {
		t.Errorf("tried before its time: %v", err)
	}
	b.clock.advance(time.Hour)
	broken = false
	for range digestAttempts {
		b.clock.advance(20 * time.Minute)
		if err := b.Digest(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	after := byGUID()
	if after["fails"].State != Done || after["fails"].Error != "" || after["panics"].State != Failed || after["panics"].Attempts != digestAttempts {
		t.Errorf("%+v\n%+v", after["fails"], after["panics"])
	}
}

// Handlers that take long share no commit, and lose and repeat nothing by that.
func TestSlowHandlersGiveWay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	committed := []int{}
	b.OnDelivery = func(ctx context.Context, d Delivery) ([]Effect, error) {
		<-time.After(digestHold + time.Millisecond)    // slow by nature
		committed = append(committed, len(b.marks(t))) // as others see it
		return nil, b.mark(ctx, d.GUID)
	}
	n := digestBatch + 3
	for i := range n {
		b.deliver(t, h, fmt.Sprintf("g-%02d", i), "push", `{}`)
	}
	if err := b.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	marks := b.marks(t)
	if len(marks) != n || !slices.IsSorted(marks) {
		t.Errorf("digested %v", marks)
	}
	for i, before := range committed {
		if before != i {
			t.Errorf("%d of %d were committed before the next: %v", before, i, committed)
		}
	}
}

func TestDigestDelay(t *testing.T) {
	t.Parallel()
	for attempts, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 11: 15 * time.Minute, 60: 15 * time.Minute} {
		if got := digestDelay(attempts); got != want {
			t.Errorf("after %d: %v", attempts, got)
		}
	}
}

func TestRedeliver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	calls := 0
	b.OnDelivery = func(context.Context, Delivery) ([]Effect, error) { calls++; return nil, nil }
	b.deliver(t, h, "g", "push", `{}`)
	if err := b.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := b.list(t, DeliveryFilter{})[0].ID
	b.call(t, "POST", "/deliveries/"+id+"/redeliver", "", 200, nil)
	if err := b.Digest(t.Context()); err != nil || calls != 2 {
		t.Errorf("%d calls, %v", calls, err)
	}
	b.deliver(t, h, "p", "ping", `{}`)
	b.call(t, "POST", "/deliveries/"+b.list(t, DeliveryFilter{Event: "ping"})[0].ID+"/redeliver", "", 409, nil)
}

// TestTwoNodes has two nodes digest what arrives shuffled and doubled: each delivery counts once.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	b.OnDelivery = func(ctx context.Context, d Delivery) ([]Effect, error) { return nil, b.mark(ctx, d.GUID) }
	deps := b.Deps
	deps.Jobs = work.NewJobs(b.db, "other", b.clock.now, slog.New(slog.DiscardHandler))
	other := New(deps)
	other.OnDelivery = b.OnDelivery
	const n = 150
	order := rand.Perm(2 * n)
	var group sync.WaitGroup
	done := make(chan struct{})
	for _, node := range []*Service{b.Service, other} {
		group.Go(func() {
			for {
				if err := node.Digest(t.Context()); err != nil {
					t.Error(err)
				}
				select {
				case <-done:
					return
				case <-b.wake:
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	for _, i := range order {
		b.deliver(t, h, fmt.Sprintf("g-%d", i%n), "push", `{}`)
	}
	until(t, "all are digested", func() bool { return len(b.marks(t)) >= n })
	close(done)
	group.Wait()
	if got := len(b.marks(t)); got != n {
		t.Errorf("%d effects of %d deliveries", got, n)
	}
}

func TestDigestFollowsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	called := make(chan time.Time, 100)
	b.OnDelivery = func(context.Context, Delivery) ([]Effect, error) { called <- time.Now(); return nil, nil }
	loops := work.NewLoops(b.clock.now, slog.New(slog.DiscardHandler))
	loops.Start(t.Context(), b.Loops()...)
	t.Cleanup(loops.Stop)
	for i := range 5 {
		b.deliver(t, h, fmt.Sprint(i), "push", `{}`)
		answered := time.Now()
		select {
		case at := <-called:
			t.Logf("OnDelivery %v after the answer", at.Sub(answered))
		case <-time.After(time.Second): // the safety net is two seconds
			t.Fatal("the loop was not woken")
		}
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	b.deliver(t, h, "old", "push", `{"pad":"`+strings.Repeat("x", inlineBody)+`"}`)
	b.deliver(t, h, "p", "ping", `{}`)
	if err := b.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(keepDeliveries + time.Hour)
	b.deliver(t, h, "new", "push", `{}`)
	if err := b.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := b.list(t, DeliveryFilter{}); len(list) != 1 || list[0].GUID != "new" {
		t.Errorf("%+v", list)
	}
	b.clock.advance(2 * time.Hour)
	if n, err := b.Blobs.Collect(t.Context()); n != 1 || err != nil {
		t.Errorf("collected %d, %v", n, err)
	}
}
