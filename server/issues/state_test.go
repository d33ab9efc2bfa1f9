package issues

import (
	"math/rand/v2"
	"testing"
	"time"
)

// dated orders releases: semantic versions by themselves, "abc…" by these dates.
var dated = orderReleases(func(release string) (time.Time, bool) {
	n, known := map[string]int64{"aaa111": 100, "bbb222": 200, "ccc333": 300, "other@1.0.0": 400, "api@9.0.0": 50}[release]
	return time.Unix(n, 0), known
})

func TestStatesFollowTheRules(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	later, before := now.Add(time.Hour), now.Add(-time.Minute)
	resolved := func(t Terms) state { return state{Status: Resolved, Terms: t} }
	archived := func(t Terms) state { return state{Status: Archived, Terms: t} }
	stays := ChangeKind("")
	for _, c := range []struct {
		name string
		from state
		s    sighting
		kind ChangeKind
	}{
		{"new stays", state{Status: Unresolved, Substate: Recent}, sighting{}, stays},
		{"ongoing stays", state{Status: Unresolved, Substate: Ongoing}, sighting{Release: "web@9.9.9"}, stays},
		{"regressed stays", state{Status: Unresolved, Substate: Regressed}, sighting{}, stays},
		{"escalating stays", state{Status: Unresolved, Substate: Escalating}, sighting{Hour: 1e6}, stays},
		{"merged stays", state{Status: Merged}, sighting{}, stays},

		{"resolved, no release", resolved(Terms{Kind: AtOnce}), sighting{}, ChangeRegressed},
		{"resolved, any release", resolved(Terms{Kind: AtOnce}), sighting{Release: "web@0.0.1"}, ChangeRegressed},
		{"resolved with lost terms", resolved(Terms{}), sighting{}, ChangeRegressed},

		{"in release, older", resolved(Terms{Kind: InRelease, Release: "web@2.0.0"}), sighting{Release: "web@1.9.9"}, stays},
		{"in release, the same", resolved(Terms{Kind: InRelease, Release: "web@2.0.0"}), sighting{Release: "web@2.0.0"}, stays},
		{"in release, newer", resolved(Terms{Kind: InRelease, Release: "web@2.0.0"}), sighting{Release: "web@2.0.1"}, ChangeRegressed},
		{"in release, ten is more than nine", resolved(Terms{Kind: InRelease, Release: "web@1.9.0"}), sighting{Release: "web@1.10.0"}, ChangeRegressed},
		{"in release, a candidate of it", resolved(Terms{Kind: InRelease, Release: "web@2.0.0"}), sighting{Release: "web@2.0.0-rc.1"}, stays},
		{"in a candidate, the release", resolved(Terms{Kind: InRelease, Release: "web@2.0.0-rc.1"}), sighting{Release: "web@2.0.0"}, ChangeRegressed},
		{"in a candidate, the next one", resolved(Terms{Kind: InRelease, Release: "web@2.0.0-rc.9"}), sighting{Release: "web@2.0.0-rc.10"}, ChangeRegressed},
		{"in release, a later build", resolved(Terms{Kind: InRelease, Release: "web@2.0.0+41"}), sighting{Release: "web@2.0.0+112"}, ChangeRegressed},
		{"in release, an earlier build", resolved(Terms{Kind: InRelease, Release: "web@2.0.0+112"}), sighting{Release: "web@2.0.0+41"}, stays},
		{"in release, no release", resolved(Terms{Kind: InRelease, Release: "web@2.0.0"}), sighting{}, ChangeRegressed},
		{"in release, by date newer", resolved(Terms{Kind: InRelease, Release: "aaa111"}), sighting{Release: "bbb222"}, ChangeRegressed},
		{"in release, by date older", resolved(Terms{Kind: InRelease, Release: "bbb222"}), sighting{Release: "aaa111"}, stays},
		{"in release, of unknown date", resolved(Terms{Kind: InRelease, Release: "bbb222"}), sighting{Release: "zzz999"}, ChangeRegressed},
		{"in release, another package by date newer", resolved(Terms{Kind: InRelease, Release: "api@9.0.0"}), sighting{Release: "other@1.0.0"}, ChangeRegressed},
		{"in release, another package by date older", resolved(Terms{Kind: InRelease, Release: "other@1.0.0"}), sighting{Release: "api@9.0.0"}, stays},

		{"in next release, the newest then", resolved(Terms{Kind: InNextRelease, Release: "web@2.0.0"}), sighting{Release: "web@2.0.0"}, stays},
		{"in next release, older", resolved(Terms{Kind: InNextRelease, Release: "web@2.0.0"}), sighting{Release: "web@1.0.0"}, stays},
		{"in next release, newer", resolved(Terms{Kind: InNextRelease, Release: "web@2.0.0"}), sighting{Release: "web@2.1.0"}, ChangeRegressed},
		{"in next release, no release", resolved(Terms{Kind: InNextRelease, Release: "web@2.0.0"}), sighting{}, stays},
		{"in next release, unordered", resolved(Terms{Kind: InNextRelease, Release: "aaa111"}), sighting{Release: "zzz999"}, stays},
		{"in next release, none known, none named", resolved(Terms{Kind: InNextRelease}), sighting{}, stays},
		{"in next release, none known, one named", resolved(Terms{Kind: InNextRelease}), sighting{Release: "web@1.0.0"}, ChangeRegressed},

		{"in commit, not released", resolved(Terms{Kind: InCommit, Commit: "c0ffee"}), sighting{Release: "web@9.0.0"}, stays},
		{"in commit, released in the event's", resolved(Terms{Kind: InCommit, Commit: "c0ffee", Release: "web@2.0.0"}), sighting{Release: "web@2.0.0"}, ChangeRegressed},
		{"in commit, released later", resolved(Terms{Kind: InCommit, Commit: "c0ffee", Release: "web@2.0.0"}), sighting{Release: "web@1.0.0"}, stays},

		{"archived for ever", archived(Terms{Kind: Forever}), sighting{Events: 1e6, Users: 1e6, Hour: 1e6}, stays},
		{"until a time that is not come", archived(Terms{Kind: UntilTime, Until: &later}), sighting{}, stays},
		{"until a time that is come", archived(Terms{Kind: UntilTime, Until: &now}), sighting{}, ChangeUnresolved},
		{"until a time that is over", archived(Terms{Kind: UntilTime, Until: &before}), sighting{}, ChangeUnresolved},
		{"until 10 more events, 9", archived(Terms{Kind: UntilEvents, Events: 10, FromEvents: 100}), sighting{Events: 109}, stays},
		{"until 10 more events, 10", archived(Terms{Kind: UntilEvents, Events: 10, FromEvents: 100}), sighting{Events: 110}, ChangeUnresolved},
		{"until 10 events an hour, within it", archived(Terms{Kind: UntilEvents, Events: 10, FromEvents: 100, Window: 60, WindowStart: &before}), sighting{Events: 110}, ChangeUnresolved},
		{"until 10 events a minute, after it", archived(Terms{Kind: UntilEvents, Events: 10, FromEvents: 100, Window: 1, WindowStart: &before}), sighting{Events: 110}, stays},
		{"until 1 event a minute, after it", archived(Terms{Kind: UntilEvents, Events: 1, FromEvents: 100, Window: 1, WindowStart: &before}), sighting{Events: 500}, ChangeUnresolved},
		{"until 3 more users, 2", archived(Terms{Kind: UntilUsers, Users: 3, FromUsers: 5}), sighting{Users: 7, Events: 1e6}, stays},
		{"until 3 more users, 3", archived(Terms{Kind: UntilUsers, Users: 3, FromUsers: 5}), sighting{Users: 8}, ChangeUnresolved},
		{"until escalating, at the threshold", archived(Terms{Kind: UntilEscalating, Threshold: 40}), sighting{Hour: 40}, stays},
		{"until escalating, above it", archived(Terms{Kind: UntilEscalating, Threshold: 40}), sighting{Hour: 41}, ChangeEscalating},
		{"until escalating, a handful", archived(Terms{Kind: UntilEscalating}), sighting{Hour: minEscalation}, stays},
	} {
		c.s.At = now
		next, kind := c.from.advance(c.s, dated)
		if kind != c.kind {
			t.Errorf("%s: %q, want %q", c.name, kind, c.kind)
		}
		want := map[ChangeKind]state{ChangeRegressed: {Status: Unresolved, Substate: Regressed}, ChangeUnresolved: {Status: Unresolved, Substate: Ongoing},
			ChangeEscalating: {Status: Unresolved, Substate: Escalating}}
		if kind != "" && !next.same(want[kind]) {
			t.Errorf("%s: became %+v", c.name, next)
		}
		if kind == "" && next.Status != c.from.Status {
			t.Errorf("%s: became %+v without saying so", c.name, next)
		}
	}
}

func TestTheClockSettlesStates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	soon, over := now.Add(time.Minute), now.Add(-time.Minute)
	for _, c := range []struct {
		name  string
		from  state
		since time.Duration
		want  state
		kind  ChangeKind
	}{
		{"new for six days", state{Status: Unresolved, Substate: Recent}, 6 * 24 * time.Hour, state{Status: Unresolved, Substate: Recent}, ""},
		{"new for a week", state{Status: Unresolved, Substate: Recent}, freshFor, state{Status: Unresolved, Substate: Ongoing}, ""},
		{"regressed for a week", state{Status: Unresolved, Substate: Regressed}, freshFor, state{Status: Unresolved, Substate: Ongoing}, ""},
		{"ongoing for ever", state{Status: Unresolved, Substate: Ongoing}, 100 * freshFor, state{Status: Unresolved, Substate: Ongoing}, ""},
		{"resolved for ever", state{Status: Resolved}, 100 * freshFor, state{Status: Resolved}, ""},
		{"archived, not over", state{Status: Archived, Terms: Terms{Kind: UntilTime, Until: &soon}}, 0, state{Status: Archived, Terms: Terms{Kind: UntilTime, Until: &soon}}, ""},
		{"archived, over", state{Status: Archived, Terms: Terms{Kind: UntilTime, Until: &over}}, 0, state{Status: Unresolved, Substate: Ongoing}, ChangeUnresolved},
	} {
		if got, kind := c.from.settle(now.Add(-c.since), now); !got.same(c.want) || kind != c.kind {
			t.Errorf("%s: %+v %q", c.name, got, kind)
		}
	}
}

func TestReleasesAreOrdered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b  string
		want  int
		known bool
	}{
		{"web@1.0.0", "web@1.0.0", 0, true}, {"web@1.0.1", "web@1.0.0", 1, true}, {"1.2", "1.10", -1, true}, {"v2.0.0", "1.9.9", 1, true},
		{"web@1", "web@2", -1, true}, {"17", "9", 0, false}, {"web@1.0.0-alpha", "web@1.0.0-alpha.1", -1, true}, {"web@1.0.0-1", "web@1.0.0-beta", -1, true},
		{"web@1.0.0.4", "web@1.0.0.12", -1, true}, {"web@1.0.0", "api@1.0.0", 0, false}, {"aaa111", "ccc333", -1, true}, {"nope", "aaa111", 0, false},
	} {
		if got, known := dated(c.a, c.b); got != c.want || known != c.known {
			t.Errorf("%s and %s: %d %v, want %d %v", c.a, c.b, got, known, c.want, c.known)
		}
	}
	if got := newest([]string{"web@1.0.0", "web@1.10.0", "web@1.9.0"}, dated); got != "web@1.10.0" {
		t.Errorf("the newest is %s", got)
	}
}

func TestEstimatesAreClose(t *testing.T) {
	t.Parallel()
	for _, n := range []int{10, keptUsers, 5_000, 100_000} {
		hashes := make([]int64, n)
		for i := range hashes {
			hashes[i] = rand.Int64()
		}
		keep, below := keepSmallest(hashes)
		got := estimateUsers(int64(len(keep)), below)
		if off := float64(got)/float64(n) - 1; off > 0.15 || off < -0.15 || n <= keptUsers && int(got) != n {
			t.Errorf("%d users are estimated as %d", n, got)
		}
	}
}

func TestWordsAreCut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"CheckoutHTTPServer.process_order(42)": "checkouthttpserver checkout http server process order 42",
		"order 17 is empty":                    "order 17 is empty",
		"Größe überschritten":                  "größe überschritten",
		"a b c":                                "",
	} {
		if got := joinWords(text); got != want {
			t.Errorf("%q is cut into %q, want %q", text, got, want)
		}
	}
}
