package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

func (b *bundle) effects(t *testing.T, id string) (titles []string) {
	t.Helper()
	var d Delivery
	b.call(t, "GET", "/deliveries/"+id, "", 200, &d)
	for _, e := range d.Caused {
		titles = append(titles, e.Kind+" "+e.Title)
	}
	return titles
}

func TestEffectsAreAppended(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.newHook(t)
	b.OnDelivery = func(context.Context, Delivery) ([]Effect, error) {
		return []Effect{{Kind: "version", ID: "1", Title: "New version of web/repo"}}, nil
	}
	b.do(request(h, "one", "push", `{}`))
	b.do(request(h, "two", "push", `{}`))
	if err := b.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := b.list(t, DeliveryFilter{})
	one, two := list[1].ID, list[0].ID
	build := Effect{Kind: "build", ID: "7", Title: "web/unit #3", URL: "/teams/main/pipelines/web/jobs/unit/builds/3"}
	for range 2 { // the second time nothing changes
		if err := b.Caused(t.Context(), one, build, Effect{Kind: "version", ID: "1", Title: "known by digesting"}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"version New version of web/repo", "build web/unit #3"}
	if got := b.effects(t, one); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := b.effects(t, two); !slices.Equal(got, want[:1]) {
		t.Errorf("%q", got)
	}
	if list = b.list(t, DeliveryFilter{}); len(list[1].Caused) != 2 || list[1].Caused[1] != build || len(list[0].Caused) != 1 {
		t.Errorf("%+v", list)
	}
	// What digesting again causes replaces what digesting caused, and leaves the builds.
	b.OnDelivery = func(context.Context, Delivery) ([]Effect, error) {
		return []Effect{{Kind: "resource", ID: "1", Title: "web/repo knows this already"}}, nil
	}
	b.call(t, "POST", "/deliveries/"+one+"/redeliver", "", 200, nil)
	if err := b.Digest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.effects(t, one); !slices.Equal(got, []string{"resource web/repo knows this already", "build web/unit #3", "version known by digesting"}) {
		t.Errorf("%q", got)
	}
	// A delivery that is past its time is no error, and takes its effects along.
	b.clock.advance(keepDeliveries + time.Hour)
	if err := b.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Caused(t.Context(), one, build); err != nil {
		t.Error(err)
	}
	var left int64
	if err := b.db.Reader(t.Context()).Raw("SELECT COUNT(*) FROM github_effects").Scan(&left).Error; err != nil || left != 0 {
		t.Errorf("%d effects are left, %v", left, err)
	}
}

func TestManyEffectsAreCapped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.do(request(b.newHook(t), "one", "push", `{}`))
	id := b.list(t, DeliveryFilter{})[0].ID
	for i := range maxEffects + 5 {
		if err := b.Caused(t.Context(), id, Effect{Kind: "build", ID: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.effects(t, id); len(got) != maxEffects {
		t.Errorf("%d effects", len(got))
	}
}

// TestHookDeletedWhileStoring: the hook is found, and gone when its delivery is stored.
func TestHookDeletedWhileStoring(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h, other := b.newHook(t), b.newHook(t)
	if w := b.do(request(h, "before", "push", `{}`)); w.Code != http.StatusAccepted { // known to the cache from now on
		t.Fatal(w.Code)
	}
	// Deleted as another node would whose notification has not come yet.
	if err := b.removeHook(t.Context(), h.ID); err != nil {
		t.Fatal(err)
	}
	if w := b.do(request(h, "after", "push", `{}`)); w.Code != http.StatusNotFound {
		t.Errorf("alone: %d %s", w.Code, w.Body)
	}
	// In one batch with others, which are stored all the same.
	open, err := b.openHook(t.Context(), other.ID)
	if err != nil {
		t.Fatal(err)
	}
	var batch []*arrival
	for i, hook := range []string{open.id, h.ID, open.id} {
		open.id = hook
		r := request(HookSecret{Hook: Hook{ID: hook}, Secret: "x"}, fmt.Sprintf("batch-%d", i), "push", `{}`)
		row, err := open.read(r.Header, "", []byte(`{}`), b.clock.now())
		if err != nil {
			t.Fatal(err)
		}
		batch = append(batch, &arrival{row: row, done: make(chan struct{})})
	}
	b.spool.write(t.Context(), batch)
	if batch[0].err != nil || batch[2].err != nil || batch[1].err == nil || batch[1].err.Error() != "There is no such hook." {
		t.Errorf("%v, %v, %v", batch[0].err, batch[1].err, batch[2].err)
	}
	if list := b.list(t, DeliveryFilter{}); len(list) != 2 {
		t.Errorf("%d deliveries", len(list))
	}
}
