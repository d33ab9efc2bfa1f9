package grammar

import (
	"testing"
	"time"
)

// names of the world that the questions are asked in.
var names = Names{Things: []string{"web", "api", "nightly", "payments", "20260415-build-42"}, People: []string{"ann", "bob", "carol"}, Labels: []string{"enhancement"}}

func noon(t testing.TB) time.Time {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 4, 17, 13, 0, 0, 0, zone)
}

func TestParse(t *testing.T) {
	t.Parallel()
	for question, want := range map[string]string{
		"How many open bugs do we have?":                          "count issue, open, label bug",
		"number of open bugs":                                     "count issue, open, label bug",
		"what is the count of open bugs in acme/shop":             "count issue, open, label bug, acme/shop",
		"Show me the critical open bugs":                          "issue, open, label critical, label bug",
		"Which bugs are critical and still open?":                 "issue, open, label bug, label critical",
		"What PRs were merged this week?":                         "pull request, merged, this week since Mon 13 Apr 00:00 Europe/London",
		"show me the pull requests that were merged since monday": "pull request, merged, monday since Mon 13 Apr 00:00 Europe/London",
		"What's the latest release?":                              "latest release",
		"newest relase":                                           "latest release",
		"What is the latest release of acme/api?":                 "latest release, acme/api",
		"Are any critical bugs related to PRs merged this week?":  "linked pull request, merged, label critical, label bug, this week since Mon 13 Apr 00:00 Europe/London",
		"Show me PRs merged this week still linked to open bugs":  "linked pull request, merged, open, label bug, this week since Mon 13 Apr 00:00 Europe/London",
		"Who reviewed PR 5678?":                                   "who pull request #5678, reviewed",
		"who has reviewed #5678":                                  "who pull request #5678, reviewed",
		"Which PRs are waiting for my review?":                    "pull request, reviewable, yours",
		"Which open PRs have no review yet?":                      "pull request, open, unreviewed",
		"What PRs are pending?":                                   "pull request, open",
		"Which builds are failing right now?":                     "build, failed",
		"Why did the last web build fail?":                        "why build, failed, web",
		"Is PR 5710 good to merge?":                               "judge pull request #5710",
		"Which PRs can be merged now?":                            "pull request, mergeable",
		"What changed between v1.4.1 and v1.4.2?":                 "compare release, v1.4.1 to v1.4.2",
		"What new errors came in since the last release?":         "error, new, since the latest release",
		"Did v1.4.2 break something?":                             "judge, v1.4.2",
		"Any errors in payments in the last hour?":                "log line, payments, the last hour since Fri 17 Apr 12:00 Europe/London",
		"Which edge agents are not patched?":                      "node, unpatched",
		"Did any webhook deliveries fail today?":                  "delivery, failed, today since Fri 17 Apr 00:00 Europe/London",
		"Who should I ask about the refund code?":                 "judge, about \"the refund code\"",
		"Any open bugs in acme/api?":                              "issue, open, label bug, acme/api",
		"Show bugs in acme/legacy":                                "issue, label bug, acme/legacy",
		"Please merge 5715":                                       "change #5715",
		"Summarise issue 1320":                                    "summarise issue #1320",
		"only carol's":                                            "carol",
		"who approved it?":                                        "who pull request, approved",
		"and last week?":                                          "last week from Mon 6 Apr 00:00 to Mon 13 Apr 00:00 Europe/London",
		"hello":                                                   "help",
		"":                                                        "",
		"what's the weather":                                      "| weather",
		"delete the repo":                                         "change",
		"critical bugs about payments":                            "issue, label critical, label bug, about \"payments\"",
		"critical bugs touching wombats":                          "issue, label critical, label bug| touching wombats",
		"errors in payments over the past 30 minutes":             "log line, payments, the last 30 minutes since Fri 17 Apr 12:30 Europe/London| over",
		"PRs merged yesterday by bob":                             "pull request, merged, bob, yesterday from Thu 16 Apr 00:00 to Fri 17 Apr 00:00 Europe/London",
		`bugs with "null pointer"`:                                "issue, label bug, about \"null pointer\"",
		"bugs assigned to dave":                                   "issue, label bug, dave",
		"dave's open PRs":                                         "pull request, open, dave",
		"<@U0BOT> how many open bugs?":                            "count issue, open, label bug",
	} {
		r := Parse(question, noon(t), names)
		got := r.String()
		for i, w := range r.Left {
			if i == 0 {
				got += "|"
			}
			got += " " + w
		}
		if r.Left == nil && question == "" && got == "" {
			continue
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", question, got, want)
		}
	}
}

func TestNear(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{{"relase", "release", true}, {"releases", "release", true}, {"releaze", "release", true}, {"relaese", "release", true}, {"lease", "release", false}, {"", "a", true}, {"ab", "ba", true}, {"abc", "cba", false}} {
		if near(c.a, c.b) != c.want {
			t.Errorf("%s %s", c.a, c.b)
		}
	}
}

// FuzzParse looks for words that make the reader stumble.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"How many open bugs?", "the last 24 hours", "last", "since", "\"a b\" about", "PR#12 <@U1|x>", "v1.2.3-rc.1 acme/shop SHOP-7"} {
		f.Add(s)
	}
	now := time.Date(2026, 4, 17, 13, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if r := Parse(s, now, names); len(r.Left) > len(s) || r.String() == "" && r.Entity != Nothing {
			t.Errorf("%+v", r)
		}
	})
}
