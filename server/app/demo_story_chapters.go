package app

import (
	"fmt"
	"net/url"
	"strings"
)

// chapter is one of the story's. Done is what the server itself says, never that
// somebody has pressed a button.
type chapter struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	// What says what happens, Seen what there is to see of it now.
	What string `json:"what"`
	Seen string `json:"seen"`
	Done bool   `json:"done"`
	// Busy says that it has begun and goes on by itself.
	Busy  bool       `json:"busy"`
	Act   *storyAct  `json:"act,omitempty"`
	Links []pageLink `json:"links"`
}

// storyAct is a button.
type storyAct struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	// Refusal says why it cannot be pressed now, "" when it can.
	Refusal string `json:"refusal"`
}

// pageLink leads to the real page.
type pageLink struct {
	Label string `json:"label"`
	Path  string `json:"path"`
}

// storyTeam begins the addresses of the team's pages.
const storyTeam = "/teams/" + demoTeam

func buildPage(b storyBuild) string {
	return storyTeam + "/pipelines/" + storyPackage + "/jobs/" + b.Job.Name + "/builds/" + b.Name
}

const stillSettingUp = "The story is still being set up; a moment."

// chapters are the story as it stands.
func (s *story) chapters(m storyMemory, v storySeen, phase storyPhase) []chapter {
	list := []chapter{s.pushChapter(m, v), s.breakChapter(m, v), s.slackChapter(m, v), commitChapter(m, v), linesChapter(m, v), askChapter(m, v), fixChapter(m, v), bundleChapter(m, v, phase), rollOutChapter(m, v), endChapter(m, v)}
	for i := range list {
		if list[i].Links == nil {
			list[i].Links = []pageLink{}
		}
		if list[i].Act != nil && phase < storyOpen {
			list[i].Act.Refusal = stillSettingUp
		}
	}
	return list
}

func (s *story) pushChapter(m storyMemory, v storySeen) chapter {
	c := chapter{Key: "push", Title: "A push breaks production",
		What: "Bob pushes the parcel service's new prices. The tests are green, so the pipeline puts the release into the web shop at once."}
	c.Act = &storyAct{Name: "push", Label: "Push as Bob"}
	again := m.Round > 0
	if again {
		c.Act.Label = "Begin again"
	}
	if again && !v.over() {
		c.Act.Refusal = "The story is under way; it can begin again once it has ended."
	}
	if !again {
		return c
	}
	c.Done = v.brokenRelease != 0 && m.Running != "" && (m.Running == m.Broken || m.Fix != "")
	c.Busy = !c.Done
	c.Seen = "The push is delivered."
	for _, job := range []string{"test", "web-shop"} {
		if b, there := v.build(job, m.Broken); there {
			c.Links = append(c.Links, pageLink{job + " #" + b.Name, buildPage(b)})
			c.Seen = fmt.Sprintf("%s #%s %s.", job, b.Name, b.Status)
		}
	}
	if c.Done {
		c.Seen = fmt.Sprintf("Commit %.9s is release %s, and it is out.", m.Broken, m.BrokenVersion)
		c.Links = append(c.Links, pageLink{"The release", fmt.Sprintf("%s/issues/releases/%d", storyTeam, v.brokenRelease)})
	}
	c.Links = append(c.Links, pageLink{"The pipeline", storyTeam + "/pipelines/" + storyPackage})
	return c
}

// over says that the story has ended, or that its fix is out and nothing hangs.
func (v *storySeen) over() bool {
	return v.rollout.State == "completed" || v.rollout.State == "aborted" || v.rollout.State == "failed"
}

func (s *story) breakChapter(m storyMemory, v storySeen) chapter {
	c := chapter{Key: "break", Title: "Customers meet the error",
		What: "People order in the web shop. Whoever lives in the country that the new list has lost gets a white page; the program reports each error by its DSN and logs every order."}
	c.Act = &storyAct{Name: "customers", Label: "Let customers in"}
	if m.Broken == "" || m.Running != m.Broken {
		c.Act.Refusal = "The broken release is not out."
	}
	c.Busy = m.Event != "" && v.issue.ID == 0
	if c.Done = v.issue.ID != 0; c.Done {
		c.Seen = fmt.Sprintf("%s %s: %d times.", v.issue.ShortID, v.issue.Title, v.issue.Events)
		c.Links = []pageLink{{"The error", issuePage(v)}}
	}
	return c
}

func issuePage(v storySeen) string { return fmt.Sprintf("%s/issues/%d", storyTeam, v.issue.ID) }

func (s *story) slackChapter(_ storyMemory, v storySeen) chapter {
	c := chapter{Key: "alert", Title: "The alert arrives in Slack",
		What: "A rule tells the channel #" + demoRoomName + " of errors that are new or come back. This Slack is the demo's own; the message took the way that it would take to the real one."}
	c.Done, c.Busy = v.told, v.issue.ID != 0 && !v.told
	if c.Done {
		c.Seen = "The channel has it."
		c.Links = []pageLink{{"The rules", storyTeam + "/issues/alerts"}, {"The channel", storyTeam + "/notifications/channels"}}
	}
	return c
}

func commitChapter(m storyMemory, v storySeen) chapter {
	c := chapter{Key: "commit", Title: "The error names the commit",
		What: "The release knows its commits, the error its stack: who changed the file in which it crashed is named on its page."}
	if len(v.issue.Suspects) > 0 {
		first := v.issue.Suspects[0]
		c.Done = first.SHA == m.Broken
		message, _, _ := strings.Cut(first.Message, "\n")
		c.Seen = fmt.Sprintf("%.9s by %s: %s.", first.SHA, first.Author, message)
	}
	if v.issue.ID != 0 {
		c.Links = []pageLink{{"The error", issuePage(v)}, {"The release", fmt.Sprintf("%s/issues/releases/%d", storyTeam, v.brokenRelease)}}
	}
	return c
}

func linesChapter(m storyMemory, v storySeen) chapter {
	c := chapter{Key: "logs", Title: "The logs show the trace",
		What: "The error has the trace of its request, and so have the lines that the shop logged: one search shows what happened to that order."}
	if c.Done = v.lines > 0; c.Done {
		c.Seen = fmt.Sprintf("%d lines of trace %.8s….", v.lines, m.Trace)
	}
	if m.Trace != "" {
		query := url.Values{"q": {"trace_id:" + m.Trace}, "from": {"now-3h"}, "to": {"now"}}
		c.Links = []pageLink{{"The lines of the trace", storyTeam + "/logs?" + query.Encode()}}
	}
	return c
}

func askChapter(_ storyMemory, v storySeen) chapter {
	c := chapter{Key: "ask", Title: "The assistant explains it",
		What: "Ask what the error is, in the portal or in Slack. The answer names the error, its release and the commit, each with its source; no model is needed for that."}
	c.Act = &storyAct{Name: "ask", Label: "Ask in Slack"}
	if v.issue.ID == 0 {
		c.Act.Refusal = "There is no error to ask about yet."
		return c
	}
	c.Links = []pageLink{{"Ask in the portal", storyTeam + "/assistant"}}
	c.Seen = "Ask: what is " + v.issue.ShortID + "?"
	if c.Done = v.run != ""; c.Done {
		c.Seen = "It has answered “what is " + v.issue.ShortID + "?”, and shows how it got there."
		c.Links = append(c.Links, pageLink{"The answer and its steps", storyTeam + "/assistant/runs/" + v.run})
	}
	return c
}

func fixChapter(m storyMemory, v storySeen) chapter {
	c := chapter{Key: "fix", Title: "The fix builds and is approved",
		What: "Ann gives the country its price back. The web shop has it at once; the machines in the shops get nothing that nobody has approved, so the build waits for you."}
	c.Act = &storyAct{Name: "fix", Label: "Push the fix as Ann"}
	switch {
	case v.issue.ID == 0:
		c.Act.Refusal = "There is nothing to fix yet."
	case m.Fix != "":
		c.Act.Refusal = "The fix is pushed."
	}
	if m.Fix == "" {
		return c
	}
	c.Seen = fmt.Sprintf("Commit %.9s is being built.", m.Fix)
	for _, job := range []string{"test", "web-shop", "shops"} {
		if b, there := v.build(job, m.Fix); there {
			c.Seen = fmt.Sprintf("%s #%s %s.", job, b.Name, b.Status)
			if job == "shops" {
				c.Links = append(c.Links, pageLink{job + " #" + b.Name, buildPage(b)})
			}
		}
	}
	if v.approval == "waiting" {
		c.Seen = "Release " + m.FixVersion + " waits for your approval."
		c.Links = append([]pageLink{{"Approve it", storyTeam + "/ci/approvals"}}, c.Links...)
	}
	c.Done = v.approval == "approved"
	c.Busy = !c.Done && v.approval != "waiting"
	if c.Done {
		c.Seen = "Release " + m.FixVersion + " is approved."
	}
	return c
}

func bundleChapter(m storyMemory, v storySeen, phase storyPhase) chapter {
	c := chapter{Key: "bundle", Title: "It becomes a bundle",
		What: "The pipeline has packed the program and built a patch bundle. Keys that sign are never on a server: the bundle is carried to an unplugged machine, which the demo plays, signed there, carried back and published."}
	c.Act = &storyAct{Name: "sign", Label: "Sign and publish"}
	switch {
	case v.published:
		c.Act.Refusal = "It is published."
	case v.bundleFile == "":
		c.Act.Refusal = "The pipeline has built no bundle yet."
		c.Busy = v.approval == "approved"
	case phase < storyFleetHere:
		c.Act.Refusal = "The demo's fleet is still being told; a moment."
		c.Busy = true
	default:
		c.Seen = storyBundle(m.FixVersion) + " is built, and unsigned."
	}
	if c.Done = v.published; c.Done {
		c.Seen = storyBundle(m.FixVersion) + " is signed and published."
		c.Links = []pageLink{{"The bundle", storyTeam + "/edge/bundles/" + storyBundle(m.FixVersion)}}
	}
	return c
}

func rollOutChapter(m storyMemory, v storySeen) chapter {
	c := chapter{Key: "rollout", Title: "It rolls out to the fleet",
		What: "Three machines take it first, as canaries; when they are well, the others follow in batches. The rollout would stop by itself."}
	c.Act = &storyAct{Name: "rollout", Label: "Roll it out"}
	switch {
	case m.Rollout != "":
		c.Act.Refusal = "It is rolling out."
	case !v.published:
		c.Act.Refusal = "There is no signed bundle yet."
	}
	if m.Rollout == "" {
		return c
	}
	c.Links = []pageLink{{"The rollout", storyTeam + "/edge/rollouts/" + m.Rollout}}
	c.Seen = fmt.Sprintf("%d of %d machines have it.", v.rollout.Counts["succeeded"], v.rollout.Total)
	c.Done = len(v.rollout.BatchList) > 0 && v.rollout.BatchList[0].ClosedAt != nil
	c.Busy = !c.Done
	return c
}

func endChapter(m storyMemory, v storySeen) chapter {
	c := chapter{Key: "end", Title: "The fleet reports back",
		What: "Every machine tells what it has installed. The release shows where it runs, and the error is resolved by the commit that says so."}
	if m.Rollout == "" {
		return c
	}
	c.Done = v.rollout.State == "completed" && v.fleetHas == v.rollout.Total && v.issue.State == "resolved"
	c.Busy = !c.Done
	c.Seen = fmt.Sprintf("%d of %d machines say that they run %s; %s is %s.", v.fleetHas, v.rollout.Total, m.FixVersion, v.issue.ShortID, v.issue.State)
	c.Links = []pageLink{{"The release", fmt.Sprintf("%s/issues/releases/%d", storyTeam, v.fixRelease)}, {"The service", storyTeam + "/services/" + storyPackage}, {"The error", issuePage(v)}, {"The fleet", storyTeam + "/edge"}}
	return c
}
