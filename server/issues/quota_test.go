package issues

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// change changes a project's settings and waits until the intake knows.
func (w *world) change(t testing.TB, p Project, settings map[string]any) {
	t.Helper()
	w.call(t, "PATCH", fmt.Sprintf("/api/v1/issues/projects/%d", p.ID), settings, 200, nil)
	want, err := w.findProject(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the intake knows the settings", func() bool {
		got, err := w.project(t.Context(), p.ID)
		return err == nil && fmt.Sprint(got.Limits, got.Filters) == fmt.Sprint(want.Limits, want.Filters)
	})
}

func TestNoisyCategorySilencesNoOther(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "shop")
	w.clock.offset.Store(int64(time.Until(time.Now().Truncate(time.Hour).Add(90 * time.Minute)))) // not at an hour's end
	w.change(t, p, map[string]any{"limits": []Limit{{"transaction", 3, PerHour}, {"session", 0, PerMonth}}})
	transaction := func() string {
		return fmt.Sprintf("{\"event_id\":%q}\n{\"type\":\"transaction\"}\n{\"type\":\"transaction\"}\n", newID())
	}
	for i := range 10 {
		a := w.send(k, transaction(), "Origin", "https://a.example")
		if want := map[bool]int{true: 200, false: 429}[i < 3]; a.Code != want {
			t.Fatalf("%d: %s", i, status(a))
		}
		if i < 3 {
			continue
		}
		retry, err := strconv.Atoi(a.Header().Get("Retry-After"))
		parts := strings.Split(a.Header().Get("X-Sentry-Rate-Limits"), ":")
		if err != nil || retry < 1 || retry > 3600 || len(parts) != 4 || parts[0] != fmt.Sprint(retry) || parts[1] != "transaction" || parts[2] != "project" || parts[3] != "hour_limit" {
			t.Errorf("%v", a.Header())
		}
		if !strings.Contains(a.Header().Get("Access-Control-Expose-Headers"), "x-sentry-rate-limits") || a.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("browsers cannot see it: %v", a.Header())
		}
	}
	for range 10 {
		if a := w.send(k, event(newID(), "x")); a.Code != 200 || a.Header().Get("X-Sentry-Rate-Limits") != "" {
			t.Errorf("errors are silenced: %s %v", status(a), a.Header())
		}
	}
	// One envelope with both: what may pass passes, and the other is told of.
	mixed := w.send(k, event(newID(), "x")+"{\"type\":\"session\"}\n{\"sid\":\"1\"}\n")
	if mixed.Code != 200 || !strings.Contains(mixed.Header().Get("X-Sentry-Rate-Limits"), ":session:project:month_limit") {
		t.Errorf("%s %v", status(mixed), mixed.Header())
	}
	out := w.outcome(t, p.ID)
	if out["accepted//transaction"] != 3 || out["limited/hour_limit/transaction"] != 7 || out["accepted//error"] != 11 || out["limited/month_limit/session"] != 1 {
		t.Errorf("%v", out)
	}
	w.clock.advance(time.Hour)
	if a := w.send(k, transaction()); a.Code != 200 {
		t.Errorf("in the next hour: %s", status(a))
	}
}

func TestKeysHaveLimitsOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	p, first := w.newProject(t, "shop")
	second, err := w.CreateKey(w.as(t.Context()), p.ID, "mobile", []Limit{{"", 2, PerMonth}})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the key is known", func() bool { return w.send(second, "{}\n").Code == 200 })
	for i := range 4 {
		a := w.send(second, event(newID(), "x"))
		if (a.Code == 200) != (i < 2) || a.Code == 429 && !strings.Contains(a.Header().Get("X-Sentry-Rate-Limits"), "::key:month_limit") {
			t.Errorf("%d: %s %v", i, status(a), a.Header())
		}
	}
	if a := w.send(first, event(newID(), "x")); a.Code != 200 {
		t.Errorf("the other key: %s", status(a))
	}
	// A restart gives no second month.
	w.Stop(t.Context())
	w.Service = w.service(t)
	collect(w.Service)
	w.run(t)
	if a := w.send(second, event(newID(), "x")); a.Code != 429 {
		t.Errorf("after a restart: %s", status(a))
	}
}

func TestLimitsAreExactUnderLoad(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "shop")
	w.change(t, p, map[string]any{"limits": []Limit{{"error", 50, PerMonth}, {"", 1000, PerMonth}}})
	var passed atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 40 {
				if w.send(k, event(newID(), "x")).Code == 200 {
					passed.Add(1)
				}
			}
		})
	}
	group.Wait()
	if passed.Load() != 50 {
		t.Errorf("%d passed", passed.Load())
	}
}

func TestWhatIsNotKeptIsSaidPolitely(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	w.run(t)
	_, k := w.newProject(t, "shop")
	body := event(newID(), "x") + "{\"type\":\"replay_event\"}\n{}\n{\"type\":\"replay_recording\",\"length\":3}\nabc\n{\"type\":\"log\",\"item_count\":2}\n{\"items\":[]}\n"
	a := w.send(k, body)
	limits := a.Header().Get("X-Sentry-Rate-Limits")
	if a.Code != 200 || limits != "3600:replay:project:not_kept, 3600:log_item:project:not_kept" || a.Header().Get("Retry-After") != "" {
		t.Errorf("%s %v", status(a), a.Header())
	}
	if list := c.await(t, 1); len(list) != 1 || list[0].ItemType != "event" {
		t.Errorf("%+v", list)
	}
	if out := w.outcome(t, k.Project); out["dropped/not_kept/replay"] != 2 || out["dropped/not_kept/log_item"] != 2 {
		t.Errorf("%v", out)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		filter Filters
		event  string
		reason string
	}{
		{"nothing", Filters{Localhost: true, LegacyBrowsers: true}, `{"message":"x"}`, ""},
		{"localhost", Filters{Localhost: true}, `{"request":{"url":"http://localhost:3000/a"}}`, reasonLocalhost},
		{"loopback", Filters{Localhost: true}, `{"request":{"url":"https://127.0.0.1/a"}}`, reasonLocalhost},
		{"a host with localhost in it", Filters{Localhost: true}, `{"request":{"url":"https://localhost.example.com/a"}}`, ""},
		{"release", Filters{Releases: []string{"shop@1.*"}}, `{"release":"shop@1.9"}`, reasonRelease},
		{"another release", Filters{Releases: []string{"shop@1.*"}}, `{"release":"shop@2.1"}`, ""},
		{"error by type", Filters{Errors: []string{"TypeError: *"}}, `{"exception":{"values":[{"type":"TypeError","value":"x is not a function"}]}}`, reasonMessage},
		{"error by value", Filters{Errors: []string{"*ResizeObserver*"}}, `{"exception":[{"type":"Error","value":"resizeobserver loop"}]}`, reasonMessage},
		{"message", Filters{Errors: []string{"*chunk*"}}, `{"logentry":{"message":"Loading chunk %s failed"}}`, reasonMessage},
		{"another message", Filters{Errors: []string{"chunk"}}, `{"message":"Loading chunk failed"}`, ""},
		{"old browser", Filters{LegacyBrowsers: true}, `{"request":{"headers":{"User-Agent":"Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko"}}}`, reasonBrowser},
		{"old Chrome", Filters{LegacyBrowsers: true}, `{"request":{"headers":[["user-agent","Mozilla/5.0 Chrome/49.0.2 Safari/537"]]}}`, reasonBrowser},
		{"new Chrome", Filters{LegacyBrowsers: true}, `{"request":{"headers":{"User-Agent":"Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"}}}`, ""},
		{"new Safari", Filters{LegacyBrowsers: true}, `{"request":{"headers":{"User-Agent":"Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/18.2 Safari/605.1.15"}}}`, ""},
	} {
		e, err := sentry.ParseEvent([]byte(c.event), time.Now(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.filter.compile().byEvent(e); got != c.reason {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	for address, list := range map[string][]string{"192.0.2.7": {"192.0.2.0/24"}, "::ffff:10.1.1.1": {"10.1.1.1"}, "2001:db8::1": {"2001:db8::/32"}} {
		if !(Filters{Addresses: list}).compile().byAddress(address) || (Filters{Addresses: []string{"198.51.100.1"}}).compile().byAddress(address) {
			t.Errorf("%s", address)
		}
	}
}

func TestFilteredEventsTakeTheirAttachmentsAlong(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "shop")
	w.change(t, p, map[string]any{"filters": Filters{Errors: []string{"*noise*"}}, "limits": []Limit{{"error", 1, PerMonth}}})
	attached := "{\"type\":\"attachment\",\"length\":1}\na\n"
	if a := w.send(k, event(newID(), "just noise")+attached); a.Code != 200 {
		t.Error(status(a))
	}
	if a := w.send(k, event(newID(), "important")+attached); a.Code != 200 {
		t.Errorf("what is filtered costs the limit: %s", status(a))
	}
	w.change(t, p, map[string]any{"filters": Filters{Addresses: []string{"192.0.2.1"}}})
	if a := w.send(k, event(newID(), "from an unwanted address")+attached); a.Code != 200 {
		t.Error(status(a))
	}
	c.await(t, 2)
	out := w.outcome(t, p.ID)
	if out["filtered/error-message/error"] != 1 || out["filtered/error-message/attachment"] != 1 || out["filtered/ip-address/error"] != 1 || out["accepted//attachment"] != 1 || len(c.list()) != 2 {
		t.Errorf("%v", out)
	}
}

func TestWindows(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 31, 23, 59, 30, 0, time.FixedZone("x", 3600))
	for per, want := range map[Per][2]string{PerMinute: {"2026-12-31T22:59:00Z", "2026-12-31T23:00:00Z"}, PerHour: {"2026-12-31T22:00:00Z", "2026-12-31T23:00:00Z"},
		PerMonth: {"2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"}} {
		start, end := per.window(at)
		if start.Format(time.RFC3339) != want[0] || end.Format(time.RFC3339) != want[1] {
			t.Errorf("%s: %s to %s", per, start, end)
		}
	}
	q := newQuotas()
	q.buckets[bucketKey{project: 1}] = &bucket{end: at}
	q.buckets[bucketKey{project: 2}] = &bucket{end: at.Add(time.Hour)}
	if q.sweep(at); len(q.buckets) != 1 {
		t.Errorf("%d", len(q.buckets))
	}
}

func TestCountersAreNotLostWhenTheyCannotBeWritten(t *testing.T) {
	t.Parallel()
	o := newOutcomes()
	key := tally{project: 1, key: 2, hour: 3, outcome: OutcomeAccepted, category: "error"}
	o.add(key, 5)
	counts, used, events := o.take()
	o.add(key, 1)
	if n := o.pending(1, 0, "", 0); n != 6 {
		t.Errorf("%d pending", n)
	}
	o.settle(counts, used, events, false)
	if counts, _, _ := o.take(); counts[key] != 6 {
		t.Errorf("%v", counts)
	}
	for i := range maxTallies + 100 {
		o.add(tally{project: 1, reason: fmt.Sprint(i)}, 1)
	}
	if len(o.counts) > maxTallies+1 {
		t.Errorf("%d counters", len(o.counts))
	}
}
