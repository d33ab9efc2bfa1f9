package policy

import (
	"math/rand/v2"
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	got, err := time.Parse("2006-01-02 15:04Z07:00", text)
	if err != nil {
		t.Fatal(err)
	}
	return got.UTC()
}

func show(list []Interval) string {
	s := ""
	for _, i := range list {
		s += i.From.UTC().Format("01-02 15:04") + " to " + i.To.UTC().Format("01-02 15:04") + "; "
	}
	return s
}

func TestWindowsInWallClocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, windows, zone, after, want string }{
		{"the article's", "Tue 02:00-04:00", "America/New_York", "2024-11-01 00:00Z", "11-05 07:00 to 11-05 09:00; 11-12 07:00 to 11-12 09:00; "},
		{"while it is open", "Tue 02:00-04:00", "America/New_York", "2024-11-05 08:00Z", "11-05 07:00 to 11-05 09:00; 11-12 07:00 to 11-12 09:00; "},
		{"at its end it is over", "Tue 02:00-04:00", "America/New_York", "2024-11-05 09:00Z", "11-12 07:00 to 11-12 09:00; 11-19 07:00 to 11-19 09:00; "},
		{"an hour that is left out", "Sun 02:00-04:00", "America/New_York", "2026-03-08 00:00Z", "03-08 07:00 to 03-08 09:00; 03-15 06:00 to 03-15 08:00; "},
		{"a half hour in what is left out", "Sun 02:30-03:00", "America/New_York", "2026-03-08 00:00Z", "03-08 07:00 to 03-08 07:30; 03-15 06:30 to 03-15 07:00; "},
		{"up to what is left out", "Sun 01:00-02:00", "America/New_York", "2026-03-08 00:00Z", "03-08 06:00 to 03-08 07:00; 03-15 05:00 to 03-15 06:00; "},
		{"an hour that comes twice", "Sun 01:00-02:00", "America/New_York", "2026-11-01 00:00Z", "11-01 05:00 to 11-01 06:00; 11-08 06:00 to 11-08 07:00; "},
		{"over midnight", "Sat 22:00-03:00", "Europe/Berlin", "2026-03-28 00:00Z", "03-28 21:00 to 03-29 02:00; 04-04 20:00 to 04-05 01:00; "},
		{"a midnight that does not exist", "Sun 00:00-02:00", "America/Asuncion", "2023-10-01 00:00Z", "10-01 04:00 to 10-01 06:00; 10-08 03:00 to 10-08 05:00; "},
		{"half an hour of summer", "Sun 02:00-03:00", "Australia/Lord_Howe", "2026-10-03 00:00Z", "10-03 15:30 to 10-03 16:30; 10-10 15:00 to 10-10 16:00; "},
		{"a day that does not exist", "Fri 01:00-02:00", "Pacific/Apia", "2011-12-29 00:00Z", "01-05 11:00 to 01-05 12:00; 01-12 11:00 to 01-12 12:00; "},
		{"several", "Mon 01:00-02:00; Tue,Thu 03:00-04:00", "UTC", "2026-06-01 00:00Z", "06-01 01:00 to 06-01 02:00; 06-02 03:00 to 06-02 04:00; "},
		{"a range over the week's end", "Sat-Mon 01:00-02:00", "UTC", "2026-06-01 01:30Z", "06-01 01:00 to 06-01 02:00; 06-06 01:00 to 06-06 02:00; "},
		{"whole days run on", "daily 00:00-24:00", "America/New_York", "2026-03-08 04:00Z", "03-07 05:00 to 03-08 05:00; 03-08 05:00 to 03-09 04:00; "},
		{"one within another", "daily 01:00-06:00; Mon 02:00-03:00", "UTC", "2026-06-01 00:00Z", "06-01 01:00 to 06-01 02:00; 06-01 02:00 to 06-01 06:00; "},
	} {
		windows, err := ParseWindows(c.windows)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if got := show(Upcoming(windows, zone(t, c.zone), at(t, c.after), 2)); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.want)
		}
	}
}

func TestWindowMistakes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", ";", "Tue", "02:00-04:00", "Tue 2-4", "Tue 02:00-02:00", "Tue 24:00-02:00", "Tue 02:60-04:00", "Tue 02:00-25:00", "Tue 02:00-04:00 x", "Tues 02:00-04:00",
		"Tue- 02:00-04:00", "Tue 02:00", "Tue -1:00-02:00", "Tue +1:00-02:00", "Tue 02:00-04:00;"} {
		if w, err := ParseWindows(text); err == nil {
			t.Errorf("%q was read as %v", text, w)
		}
	}
}

// TestWindowsHoldInEveryZone: whatever the zone and the moment, windows last as
// they say, come in order, begin on their day at their hour or at the first
// minute after it that exists, and miss no week.
func TestWindowsHoldInEveryZone(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	zones := []string{"UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca", "America/Sao_Paulo", "Pacific/Chatham", "Asia/Tehran",
		"Africa/Cairo", "America/Havana", "Antarctica/Troll"}
	for range 4000 {
		loc := zone(t, zones[r.IntN(len(zones))])
		weekday := r.IntN(7)
		w := Window{Start: time.Duration(r.IntN(24*60)) * time.Minute, Length: time.Duration(1+r.IntN(24*60)) * time.Minute}
		w.Days[weekday] = true
		after := time.Unix(1_500_000_000+r.Int64N(600_000_000), 0).UTC()
		list := Upcoming([]Window{w}, loc, after, 8)
		if len(list) != 8 || !list[0].To.After(after) {
			t.Fatalf("%v %v in %s: %s", after, w, loc, show(list))
		}
		if list[0].From.Sub(after) > 7*day+2*time.Hour {
			t.Fatalf("%v %v in %s: a week was missed: %s", after, w, loc, show(list))
		}
		for i, got := range list {
			if got.Long() != w.Length {
				t.Fatalf("%v in %s lasts %v: %s", w, loc, got.Long(), show(list))
			}
			wall := shows(got.From, loc)
			late := wall.Sub(wall.Truncate(day).Add(w.Start))
			if int(wall.Weekday()) != weekday || late < 0 || late > 2*time.Hour {
				t.Fatalf("%v in %s begins at %v", w, loc, wall)
			}
			// Late only if the minute before was still before it: nothing that exists is passed over.
			if before := shows(got.From.Add(-time.Minute), loc); late > 0 && before.Truncate(day).Equal(wall.Truncate(day)) && !before.Before(wall.Truncate(day).Add(w.Start)) {
				t.Fatalf("%v in %s begins at %v, after %v", w, loc, wall, before)
			}
			if i > 0 && got.From.Sub(list[i-1].From).Round(day) != 7*day {
				t.Fatalf("%v in %s is not weekly: %s", w, loc, show(list))
			}
		}
	}
}

// TestWindowsNeverOverlap: of any set of windows, over any change of the clock.
func TestWindowsNeverOverlap(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 8))
	loc := zone(t, "America/New_York")
	for range 2000 {
		var windows []Window
		for range 1 + r.IntN(4) {
			w := Window{Start: time.Duration(r.IntN(24)) * time.Hour, Length: time.Duration(1+r.IntN(24)) * time.Hour}
			for d := range 7 {
				w.Days[d] = r.IntN(2) == 0
			}
			w.Days[r.IntN(7)] = true
			windows = append(windows, w)
		}
		after := time.Date(2026, time.Month(3+8*r.IntN(2)), 1+r.IntN(10), r.IntN(24), 0, 0, 0, time.UTC)
		list := Upcoming(windows, loc, after, 8)
		for i, got := range list {
			if got.Long() <= 0 || i > 0 && got.From.Before(list[i-1].To) {
				t.Fatalf("%v after %v: %s", windows, after, show(list))
			}
		}
	}
}

func TestScheduleCutsWindows(t *testing.T) {
	t.Parallel()
	s := Schedule{MaintenanceWindow: "Tue 02:00-04:00", Timezone: "America/New_York"}
	if err := s.Deadline.UnmarshalText([]byte("2024-11-19")); err != nil {
		t.Fatal(err)
	}
	f := Freeze{Allow: []string{"critical"}}
	if f.From.UnmarshalText([]byte("2024-11-12")) != nil || f.To.UnmarshalText([]byte("2024-11-12")) != nil {
		t.Fatal("a day")
	}
	s.Freeze = []Freeze{f}
	loc, err := s.Location("Asia/Tokyo")
	if err != nil || loc.String() != "America/New_York" {
		t.Fatal(loc, err)
	}
	now := at(t, "2024-11-01 00:00Z")
	if got := show(s.Windows(loc, now, 8, s.Frozen(loc, []string{"high"}), 0)); got != "11-05 07:00 to 11-05 09:00; 11-19 07:00 to 11-19 09:00; " {
		t.Errorf("frozen: %s", got)
	}
	if got := show(s.Windows(loc, now, 8, s.Frozen(loc, []string{"high", "critical"}), 0)); got != "11-05 07:00 to 11-05 09:00; 11-12 07:00 to 11-12 09:00; 11-19 07:00 to 11-19 09:00; " {
		t.Errorf("let through: %s", got)
	}
	// A freeze in the middle leaves two parts; what is too short goes.
	hole := []Interval{{at(t, "2024-11-05 07:20Z"), at(t, "2024-11-05 08:00Z")}}
	if got := show(s.Windows(loc, now, 1, hole, 30*time.Minute)); got != "11-05 08:00 to 11-05 09:00; " {
		t.Errorf("cut: %s", got)
	}
	// No window: at any time up to the deadline's end.
	s.MaintenanceWindow = ""
	if got := show(s.Windows(loc, now, 8, nil, 0)); got != "11-01 00:00 to 11-20 05:00; " {
		t.Errorf("always: %s", got)
	}
	if got := s.Windows(loc, at(t, "2024-11-21 00:00Z"), 8, nil, 0); len(got) != 0 {
		t.Errorf("after the deadline: %s", show(got))
	}
	s.Timezone = NodeTimezone
	for _, bad := range []string{"", "Local", "Mars/Olympus"} {
		if _, err := s.Location(bad); err == nil {
			t.Errorf("%q is a zone", bad)
		}
	}
	if loc, err := s.Location("Asia/Tokyo"); err != nil || loc.String() != "Asia/Tokyo" {
		t.Error(loc, err)
	}
}

func TestStagingHours(t *testing.T) {
	t.Parallel()
	s := Staging{Hours: "20:00-06:00"}
	if got := show(s.StagingHours(zone(t, "UTC"), at(t, "2026-06-01 03:00Z"), 2)); got != "05-31 20:00 to 06-01 06:00; 06-01 20:00 to 06-02 06:00; " {
		t.Error(got)
	}
	if (Staging{}).StagingHours(time.UTC, at(t, "2026-06-01 03:00Z"), 2) != nil {
		t.Error("always is no list")
	}
}

func FuzzWindows(f *testing.F) {
	f.Add("Mon-Fri 22:00-05:00; Sat,Sun 00:00-24:00", int64(1_800_000_000))
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		windows, err := ParseWindows(text)
		if err != nil || len(windows) > 20 || unix < 0 || unix > 4_000_000_000 {
			return
		}
		for _, i := range Upcoming(windows, zone(t, "Europe/Berlin"), time.Unix(unix, 0), 3) {
			if i.Long() <= 0 || !i.To.After(time.Unix(unix, 0)) {
				t.Fatalf("%q: %v", text, i)
			}
		}
	})
}
