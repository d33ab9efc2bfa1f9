package issues

import (
	"testing"
	"time"
)

// TestRetention keeps what a project's own bounds, or the installation's, allow; the oldest goes first.
func TestRetention(t *testing.T) {
	t.Parallel()
	const events = 12 // one a day
	day := 24 * time.Hour
	for _, c := range []struct {
		name  string
		keep  Retention
		whole Retention // of the installation
		left  int
	}{
		{"nothing is said", Retention{}, Retention{}, events},
		{"all fits", Retention{Days: 90, Events: 100, Bytes: 1 << 20}, Retention{}, events},
		{"age", Retention{Days: 5}, Retention{}, 5},
		{"age of the installation", Retention{}, Retention{Days: 3}, 3},
		{"the project's wins", Retention{Days: 7}, Retention{Days: 3}, 7},
		{"count", Retention{Events: 4}, Retention{}, 4},
		{"count and age", Retention{Days: 6, Events: 4}, Retention{}, 4},
		{"age and count", Retention{Days: 2, Events: 4}, Retention{}, 2},
		{"bytes", Retention{Bytes: -5}, Retention{}, 5}, // below: of five events
		{"fewer bytes than one event", Retention{Bytes: 1}, Retention{}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.Retention = c.whole
			var batch []Accepted
			for n := range events {
				batch = append(batch, d.event(sample{id: id(n), kind: "ValueError", value: "x", user: "ann@x.test"}), d.item("attachment", id(n), "of "+id(n)))
				d.pass(day)
			}
			d.take(batch...)
			d.pass(-time.Minute) // the latest is less than a day old
			rows, err := d.rows().eventsAfter(d.ctx, d.project.ID, 0, events)
			if err != nil {
				t.Fatal(err)
			}
			if c.keep.Bytes < 0 {
				c.keep.Bytes = 0
				for _, e := range rows[events-c.left:] {
					c.keep.Bytes += int64(len(e.Body))
				}
			}
			if _, err := d.ChangeProject(d.ctx, d.project.ID, func(p *Project) { p.Retention = c.keep }); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second run finds nothing to do
				if err := d.Sweep(d.ctx); err != nil {
					t.Fatal(err)
				}
			}
			rows, err = d.rows().eventsAfter(d.ctx, d.project.ID, 0, events)
			if err != nil || len(rows) != c.left || c.left > 0 && rows[0].EventID != id(events-c.left) {
				t.Errorf("%d are left, want %d: %v", len(rows), c.left, err)
			}
			u, err := d.httpUsage(d.ctx, projectIn{d.project.ID})
			if err != nil || u.Events != int64(c.left) || (u.OldestAt == 0) != (c.left == 0) || u.Retention != c.keep.or(c.whole) {
				t.Errorf("%+v %v", u, err)
			}
			if n := d.count("issues_attachments"); n != int64(c.left) {
				t.Errorf("%d attachments", n)
			}
			if i := d.list(""); len(i) != 1 || i[0].Events != events {
				t.Errorf("an issue counts what it had: %+v", i)
			}
		})
	}
}
