package grammar

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Entity is what a question is about.
type Entity string

// The entities. Issue is GitHub's; Error is what programs report.
const (
	Nothing  Entity = ""
	Issue    Entity = "issue"
	Pull     Entity = "pull request"
	Release  Entity = "release"
	Build    Entity = "build"
	Error    Entity = "error"
	Log      Entity = "log line"
	Node     Entity = "node"
	Delivery Entity = "delivery"
	Approval Entity = "approval"
	Rollout  Entity = "rollout"
	// Happening is anything that happened, when nothing narrower is asked about.
	Happening Entity = "happening"
)

// Op is what is asked about it.
type Op string

// The operations.
const (
	List      Op = "list"
	Count     Op = "count"
	Latest    Op = "latest"
	Who       Op = "who"
	Why       Op = "why"
	Linked    Op = "linked"    // issues with pull requests
	Compare   Op = "compare"   // two versions
	Summarise Op = "summarise" // one numbered thing
	Change    Op = "change"    // an order, not a question
	Judge     Op = "judge"     // an opinion: needs a model
	Greet     Op = "help"
)

// Span is a stretch of time; To is zero for "until now".
type Span struct {
	From, To time.Time
	// Words say it as the question did.
	Words string
}

// Reading is what a question was understood to mean.
type Reading struct {
	Entity Entity
	Op     Op
	// Repo is owner/name as written, "" when none is named.
	Repo string
	// Number of an issue or pull request; ShortID of an error, such as SHOP-7.
	Number  int
	ShortID string
	// Versions that are named, in order.
	Versions []string
	Time     *Span
	// SinceRelease asks for what came after the latest release.
	SinceRelease bool
	// States are open, closed, merged, draft, failed, running, new, unassigned, reviewable, unreviewed, mergeable, unpatched, offline, waiting, reviewed, approved.
	States []string
	// Labels that are implied or named: bug, critical, …
	Labels []string
	// Mine is about the asker; Person names somebody else.
	Mine   bool
	Person string
	// Name is a pipeline, service or bundle that exists.
	Name string
	// Text is searched for: what follows "about" or stands in quotes.
	Text string
	// Left are words that carry meaning and were not understood.
	Left []string
	// FollowUp is a question that only makes sense after another one.
	FollowUp bool
	// assigned says that the next person is an assignee.
	assigned bool
	// happened says that the question asks what happened.
	happened bool
}

// Has tells whether a state was asked for.
func (r Reading) Has(state string) bool { return slices.Contains(r.States, state) }

// Labelled tells whether a label was asked for.
func (r Reading) Labelled(label string) bool { return slices.Contains(r.Labels, label) }

// String says how the question was read, for the answer's first line.
func (r Reading) String() string {
	var parts []string
	add := func(s string) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	what := string(r.Entity)
	if r.Op != List && r.Op != "" {
		what = string(r.Op) + " " + what
	}
	if r.Number > 0 {
		what += " #" + strconv.Itoa(r.Number)
	}
	add(strings.Join(strings.Fields(what+" "+r.ShortID), " "))
	add(strings.Join(r.States, ", "))
	for _, l := range r.Labels {
		add("label " + l)
	}
	if r.Mine {
		add("yours")
	}
	add(r.Person)
	add(r.Name)
	if r.Text != "" {
		add("about \"" + r.Text + "\"")
	}
	add(strings.Join(r.Versions, " to "))
	if r.SinceRelease {
		add("since the latest release")
	}
	if r.Time != nil {
		add(r.Time.Words)
	}
	add(r.Repo)
	return strings.Join(parts, ", ")
}
