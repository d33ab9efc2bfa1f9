package issues

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
)

// typicalEvent is about 5.6 kB, as a Python web application sends; kind decides the issue.
func typicalEvent(kind, n int, at time.Time) []byte {
	frames := make([]any, 14)
	for f := range frames {
		module := fmt.Sprintf("shop.layer%d.module%d", f, kind%97)
		frames[f] = map[string]any{"filename": strings.ReplaceAll(module, ".", "/") + ".py", "module": module, "function": fmt.Sprintf("handle_%d_%d", kind, f),
			"lineno": 10 + f, "in_app": f > 6, "context_line": "    return self.orders.get(order_id).total",
			"pre_context":  []string{"def handle(self, order_id):", "    # the order may be gone", "    log.debug('order %s', order_id)"},
			"post_context": []string{"", "def other(self):"}}
		if f > 10 {
			frames[f].(map[string]any)["vars"] = map[string]any{"order_id": strconv.Itoa(n), "self": "<shop.Orders object at 0x7f>"}
		}
	}
	crumbs := make([]any, 8)
	for c := range crumbs {
		crumbs[c] = map[string]any{"timestamp": at.Add(-time.Duration(c) * time.Second).Format(time.RFC3339), "category": "query", "message": "SELECT * FROM orders WHERE id = %s", "type": "default"}
	}
	raw, err := json.Marshal(map[string]any{
		"platform": "python", "level": "error", "timestamp": at.Format(time.RFC3339), "release": fmt.Sprintf("shop@1.%d.0", n/1000%20), "environment": []string{"production", "staging"}[n%2],
		"server_name": fmt.Sprintf("web-%d", n%8), "transaction": fmt.Sprintf("/orders/%d", kind%50), "user": map[string]any{"id": strconv.Itoa(n % 5000), "email": fmt.Sprintf("u%d@example.test", n%5000)},
		"exception": map[string]any{"values": []any{map[string]any{"type": fmt.Sprintf("Error%d", kind), "value": fmt.Sprintf("order %d is broken", n),
			"mechanism": map[string]any{"type": "django", "handled": false}, "stacktrace": map[string]any{"frames": frames}}}},
		"breadcrumbs": map[string]any{"values": crumbs}, "request": map[string]any{"url": "https://shop.example.test/orders/1", "method": "GET", "headers": map[string]any{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "Accept": "*/*"}},
		"contexts": map[string]any{"runtime": map[string]any{"name": "CPython", "version": "3.12.1"}, "trace": map[string]any{"trace_id": fmt.Sprintf("%032x", n+1), "span_id": "aaaaaaaaaaaaaaaa"}},
		"tags":     map[string]any{"region": []string{"eu", "us", "ap"}[n%3], "tier": "web"}, "sdk": map[string]any{"name": "sentry.python.django", "version": "2.64.0"},
	})
	if err != nil {
		panic(err)
	}
	return raw
}

func (d *desk) typical(kinds, from, n int) []Accepted {
	batch := make([]Accepted, n)
	for i := range batch {
		at := from + i
		batch[i] = d.item("event", fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()), string(typicalEvent(at*7919%kinds, at, d.Now())))
	}
	return batch
}

// fill makes the store hold so many events of so many issues: one event of each
// issue is digested, the rest are copies with ids, users and times of their own.
func (d *desk) fill(events, issues int) {
	d.t.Helper()
	for n := 0; n < issues; n += 1000 {
		d.take(d.typical(issues, n, min(1000, issues-n))...)
	}
	const columns = "team_id, project_id, issue_id, hash, received, level, environment, release, user_label, title, culprit, quality, body"
	for have := issues; have < events; {
		n := min(issues, events-have)
		err := d.DB.Writer(d.t.Context()).Exec(`INSERT INTO issues_events (event_id, timestamp, user_hash, trace_hash, `+columns+`)
			SELECT LOWER(HEX(RANDOMBLOB(16))), timestamp - ABS(RANDOM() % 1209600000), ABS(RANDOM()), ABS(RANDOM()), `+columns+`
			FROM issues_events WHERE id <= ? LIMIT ?`, issues, n).Error
		if err != nil {
			d.t.Fatal(err)
		}
		have += n
	}
	for _, q := range []string{
		`UPDATE issues_issues SET events = 1 + ABS(RANDOM() % 1000), users = 1 + ABS(RANDOM() % 300), last_seen = last_seen - ABS(RANDOM() % 1209600000),
			first_seen = first_seen - 1209600000 - ABS(RANDOM() % 1209600000)`,
		`INSERT INTO issues_hours (issue_id, hour, events) SELECT i.id, h.value, ABS(RANDOM() % 50) FROM issues_issues i, json_each('[1,2,3,4,5,6,7,8,9,10,11,12]') h
			WHERE TRUE ON CONFLICT DO NOTHING`,
		`UPDATE issues_hours SET hour = (SELECT MAX(hour) FROM issues_hours) - hour * 7 WHERE hour < 100`,
	} {
		if err := d.DB.Writer(d.t.Context()).Exec(q).Error; err != nil {
			d.t.Fatal(err)
		}
	}
}

// soak asks for the long forms, with as much in the store as the limits name.
var soak = os.Getenv("SIGNALBOX_SOAK") != ""

// BenchmarkDigest is the cost of an event in stores of several sizes, durable.
func BenchmarkDigest(b *testing.B) {
	sizes := []struct{ events, issues int }{{10_000, 2_000}, {50_000, 5_000}}
	if soak {
		sizes = []struct{ events, issues int }{{10_000, 2_000}, {100_000, 20_000}, {1_000_000, 20_000}}
	}
	for _, size := range sizes {
		b.Run(strconv.Itoa(size.events), func(b *testing.B) {
			d := newDesk(b)
			if d.DB.Dialect != database.SQLite {
				b.Skip("the store is filled by SQLite's own functions")
			}
			d.fill(size.events, size.issues)
			batches := make([][]Accepted, 20)
			for i := range batches {
				batches[i] = d.typical(size.issues, i*maxBatch*31, maxBatch)
			}
			b.SetBytes(int64(len(batches[0][0].Payload)))
			b.ResetTimer()
			before := processorTime(b)
			for n := 0; b.Loop(); n++ {
				batch := batches[n%len(batches)]
				if n >= len(batches) {
					for i := range batch {
						batch[i].EventID = fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())
					}
				}
				d.take(batch...)
			}
			b.ReportMetric(float64(b.N*maxBatch)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N*maxBatch), "cpu-us/event")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// processorTime is what this process has used: unlike the clock, it does not
// count what a busy machine gives to others.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRead is what pages cost, in the long form with a million events of 20,000 issues.
func BenchmarkRead(b *testing.B) {
	d := newDesk(b)
	if d.DB.Dialect != database.SQLite {
		b.Skip("the store is filled by SQLite's own functions")
	}
	events, issues := 50_000, 5_000
	if soak {
		events, issues = 1_000_000, 20_000
	}
	d.fill(events, issues)
	list := func(in issuesIn) func(int) error {
		return func(int) error {
			in.Team = "main"
			if err := in.Validate(); err != nil {
				return err
			}
			out, err := d.httpIssues(d.ctx, in)
			if err == nil && len(out.Issues) == 0 && in.Query != "nowhere" {
				return fmt.Errorf("%+v finds nothing", in)
			}
			return err
		}
	}
	for _, c := range []struct {
		name string
		run  func(n int) error
	}{
		{"list", list(issuesIn{Query: "is:unresolved"})},
		{"list-by-events", list(issuesIn{Query: "is:unresolved", Sort: ByEvents})},
		{"list-by-users", list(issuesIn{Sort: ByUsers})},
		{"search-rare-word", list(issuesIn{Query: "is:unresolved error777"})},
		{"search-prefix", list(issuesIn{Query: "is:unresolved error77"})},
		{"search-common-word", list(issuesIn{Query: "is:unresolved order"})},
		{"search-nothing", list(issuesIn{Query: "nowhere"})},
		{"tag-common", list(issuesIn{Query: "is:unresolved environment:production level:error"})},
		{"tag-rare", list(issuesIn{Query: "is:unresolved user.email:u77@example.test"})},
		{"tag-not", list(issuesIn{Query: "is:unresolved !region:eu"})},
		{"release-and-word", list(issuesIn{Query: "is:unresolved release:shop@1.* order"})},
		{"release-by-events", list(issuesIn{Query: "release:shop@1.*", Sort: ByEvents})},
		{"issue-page", func(n int) error {
			at := byIssue{int64(n*7919%issues + 1)}
			if _, err := d.httpIssue(d.ctx, at); err != nil {
				return err
			}
			if _, err := d.httpIssueTags(d.ctx, at); err != nil {
				return err
			}
			if _, err := d.httpActivity(d.ctx, at); err != nil {
				return err
			}
			_, err := d.httpEvent(d.ctx, eventIn{at.ID, "recommended"})
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			before := processorTime(b)
			for n := 0; b.Loop(); n++ {
				start := time.Now()
				if err := c.run(n); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/1000/float64(len(took)), "cpu-ms")
			slices.SortFunc(took, cmp.Compare)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
