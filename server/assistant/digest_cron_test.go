package assistant

import (
	"testing"
	"time"
)

func TestCrontab(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, after, want string }{
		{"45 9 * * 1-5", "2026-04-17T12:00:00Z", "2026-04-20T08:45:00Z"}, // over a weekend, in summer time
		{"45 9 * * mon-fri", "2026-01-15T09:00:00Z", "2026-01-15T09:45:00Z"},
		{"30 1 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"}, // 01:30 is left out on the 29th
		{"30 1 * * *", "2026-10-24T12:00:00Z", "2026-10-25T01:30:00Z"}, // 01:30 comes twice, and counts once
		{"30 1 * * *", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
		{"*/20 8-9 1,15 * *", "2026-04-01T08:10:00Z", "2026-04-01T08:20:00Z"},
		{"0 9 13 * fri", "2026-04-02T12:00:00Z", "2026-04-03T08:00:00Z"}, // either day suffices
		{"0 0 29 2 *", "2026-04-02T12:00:00Z", "2028-02-29T00:00:00Z"},
		{"0 12 * jan 7", "2026-04-02T12:00:00Z", "2027-01-03T12:00:00Z"},
	} {
		schedule, err := parseCrontab(c.line, london)
		if err != nil {
			t.Fatalf("%s: %v", c.line, err)
		}
		after, err := time.Parse(time.RFC3339, c.after)
		if err != nil {
			t.Fatal(err)
		}
		if got := schedule.next(after).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s after %s is %s, not %s", c.line, c.after, got, c.want)
		}
	}
	for _, bad := range []string{"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "x * * * *", "* * * * mo", "1,,2 * * * *"} {
		if _, err := parseCrontab(bad, london); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// FuzzCrontab: whatever is taken comes later than now, or never.
func FuzzCrontab(f *testing.F) {
	for _, line := range []string{"45 9 * * 1-5", "*/20 8-9 1,15 * *", "0 0 29 2 *"} {
		f.Add(line)
	}
	now := time.Date(2026, 4, 17, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, line string) {
		schedule, err := parseCrontab(line, time.UTC)
		if err != nil {
			return
		}
		if next := schedule.next(now); !next.IsZero() && !next.After(now) {
			t.Errorf("%q comes %s", line, next)
		}
	})
}
