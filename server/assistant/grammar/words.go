package grammar

// phrase is a run of words and what it says; the longest that fits wins.
type phrase struct {
	words string
	says  func(*Reading)
}

func entity(e Entity) func(*Reading) {
	return func(r *Reading) {
		if r.Entity == Nothing {
			r.Entity = e
		}
	}
}

// about is the entity whatever other words say: "reviewed" is about pull requests even if "bugs" stand beside.
func about(e Entity, next ...func(*Reading)) func(*Reading) {
	return func(r *Reading) {
		r.Entity = e
		for _, n := range next {
			n(r)
		}
	}
}

func state(s string) func(*Reading) {
	return func(r *Reading) {
		if !r.Has(s) {
			r.States = append(r.States, s)
		}
	}
}

func label(l string) func(*Reading) {
	return func(r *Reading) {
		if !r.Labelled(l) {
			r.Labels = append(r.Labels, l)
		}
	}
}

func op(o Op) func(*Reading) {
	return func(r *Reading) {
		// The first says what is asked; "list" is only what remains.
		if r.Op == "" || r.Op == List || r.Op == Summarise && o != List || o == Linked || o == Judge || o == Change {
			r.Op = o
		}
	}
}

func all(list ...func(*Reading)) func(*Reading) {
	return func(r *Reading) {
		for _, f := range list {
			f(r)
		}
	}
}

func mine(r *Reading)         { r.Mine = true }
func sinceRelease(r *Reading) { r.SinceRelease = true }
func happened(r *Reading)     { r.happened = true }
func nothing(*Reading)        {}

// phrases are read left to right over lower-case words without punctuation.
var phrases = table(
	// What it is about.
	"bug", all(entity(Issue), label("bug")), "bugs", all(entity(Issue), label("bug")),
	"issue", entity(Issue), "issues", entity(Issue), "ticket", entity(Issue), "tickets", entity(Issue),
	"pr", entity(Pull), "prs", entity(Pull), "pull request", entity(Pull), "pull requests", entity(Pull), "pull", entity(Pull), "pulls", entity(Pull),
	"release", entity(Release), "releases", entity(Release),
	"build", entity(Build), "builds", entity(Build), "pipeline", entity(Build), "pipelines", entity(Build), "ci", entity(Build), "job", entity(Build), "jobs", entity(Build),
	"error", entity(Error), "errors", entity(Error), "exception", entity(Error), "exceptions", entity(Error), "crashes", entity(Error),
	"log", entity(Log), "logs", entity(Log), "line", entity(Log), "lines", entity(Log), "error lines", about(Log), "log line", entity(Log), "log lines", entity(Log), "log errors", about(Log), "errors in the logs", about(Log), "errors in the logs of", about(Log),
	"agent", entity(Node), "agents", entity(Node), "edge agents", entity(Node), "edge agent", entity(Node), "node", entity(Node), "nodes", entity(Node), "edge nodes", entity(Node), "machine", entity(Node), "machines", entity(Node), "fleet", entity(Node),
	"delivery", entity(Delivery), "deliveries", entity(Delivery), "webhook", entity(Delivery), "webhooks", entity(Delivery), "webhook delivery", entity(Delivery), "webhook deliveries", entity(Delivery), "hooks", entity(Delivery),
	"approval", entity(Approval), "approvals", entity(Approval), "gates", entity(Approval),
	"rollout", entity(Rollout), "rollouts", entity(Rollout),
	"what happened", happened, "what has happened", happened, "what was happening", happened, "what is happening", happened, "what was going on", happened, "what is going on", happened, "what went on", happened, "timeline", happened, "what happened to", happened, "events", happened,
	// In which state.
	"open", state("open"), "still open", state("open"), "unresolved", state("open"), "pending", state("open"), "closed", state("closed"), "fixed", state("closed"),
	"merged", about(Pull, state("merged")), "that were merged", about(Pull, state("merged")), "draft", state("draft"), "drafts", state("draft"),
	"failed", state("failed"), "fail", state("failed"), "failing", state("failed"), "broken", state("failed"), "red", state("failed"), "failures", state("failed"), "rejected", state("failed"),
	"running", state("running"), "in progress", state("running"), "new", state("new"), "unassigned", state("unassigned"), "assigned to nobody", state("unassigned"), "assigned", func(r *Reading) { r.assigned = true }, "nobody owns", state("unassigned"), "without assignee", state("unassigned"),
	"no review yet", about(Pull, state("unreviewed")), "no review", about(Pull, state("unreviewed")), "no reviews", about(Pull, state("unreviewed")), "without review", about(Pull, state("unreviewed")), "without a review", about(Pull, state("unreviewed")), "without reviews", about(Pull, state("unreviewed")), "unreviewed", about(Pull, state("unreviewed")), "not been reviewed", about(Pull, state("unreviewed")), "not reviewed", about(Pull, state("unreviewed")), "nobody has reviewed", about(Pull, state("unreviewed")), "nobody reviewed", about(Pull, state("unreviewed")),
	"waiting for my review", about(Pull, state("reviewable"), mine), "waiting for review by me", about(Pull, state("reviewable"), mine), "waiting on me", about(Pull, state("reviewable"), mine), "waiting for me", about(Pull, state("reviewable"), mine), "need my review", about(Pull, state("reviewable"), mine), "needs my review", about(Pull, state("reviewable"), mine), "should i review", about(Pull, state("reviewable"), mine), "do i have to review", about(Pull, state("reviewable"), mine), "to review", about(Pull, state("reviewable"), mine), "asked me to review", about(Pull, state("reviewable"), mine),
	"can be merged", about(Pull, state("mergeable")), "ready to merge", about(Pull, state("mergeable")), "ready to be merged", about(Pull, state("mergeable")), "can we merge", about(Pull, state("mergeable")), "can i merge", about(Pull, state("mergeable")), "mergeable", about(Pull, state("mergeable")), "approved not merged", about(Pull, state("mergeable")),
	"not patched", about(Node, state("unpatched")), "unpatched", about(Node, state("unpatched")), "not been patched", about(Node, state("unpatched")), "missing the patch", about(Node, state("unpatched")), "without the patch", about(Node, state("unpatched")), "without patch", about(Node, state("unpatched")), "still need the patch", about(Node, state("unpatched")), "need patching", about(Node, state("unpatched")), "need patches", about(Node, state("unpatched")), "still need patching", about(Node, state("unpatched")), "patched", about(Node, state("patched")), "patch status", about(Node, state("unpatched")), "offline", about(Node, state("offline")), "silent", about(Node, state("offline")),
	"waiting for approval", about(Approval, state("waiting")), "waiting for an approval", about(Approval, state("waiting")), "waiting", state("waiting"),
	"critical", label("critical"), "urgent", label("critical"), "severe", label("critical"),
	// What is asked.
	"how many", op(Count), "count", op(Count), "number of", op(Count), "count of", op(Count),
	"show", op(List), "show me", op(List), "list", op(List), "which", op(List), "what", op(List), "what are", op(List), "any", op(List), "are there any", op(List), "are any", op(List), "is any", op(List), "did any", op(List), "do we have any", op(List), "give me", op(List), "find", op(List),
	"latest", op(Latest), "newest", op(Latest), "most recent", op(Latest), "last", op(Latest), "current", op(Latest), "recent", op(List),
	"who reviewed", about(Pull, op(Who), state("reviewed")), "who has reviewed", about(Pull, op(Who), state("reviewed")), "reviews of", about(Pull, op(Who), state("reviewed")), "reviews on", about(Pull, op(Who), state("reviewed")), "reviewers of", about(Pull, op(Who), state("reviewed")), "who approved", about(Pull, op(Who), state("approved")), "who has approved", about(Pull, op(Who), state("approved")),
	"why did", op(Why), "why has", op(Why), "why is", op(Why), "why", op(Why), "what broke", all(op(Why), state("failed")), "reason", op(Why),
	"related to", op(Linked), "linked to", op(Linked), "linked with", op(Linked), "connected to", op(Linked), "still linked to", op(Linked), "belong to", op(Linked), "fixed by", op(Linked), "touched by", op(Linked), "addressed by", op(Linked),
	"changed between", all(op(Compare), entity(Release)), "change between", all(op(Compare), entity(Release)), "changes between", all(op(Compare), entity(Release)), "difference between", all(op(Compare), entity(Release)), "what is in", all(op(Compare), entity(Release)), "compare", all(op(Compare), entity(Release)), "diff", all(op(Compare), entity(Release)), "changed from", all(op(Compare), entity(Release)),
	"summarise", op(Summarise), "summarize", op(Summarise), "summary of", op(Summarise), "sum up", op(Summarise), "describe", op(Summarise), "tell me about", op(Summarise), "what is", op(Summarise), "explain", op(Summarise),
	"since the last release", sinceRelease, "since the latest release", sinceRelease, "since last release", sinceRelease, "after the last release", sinceRelease, "since we released", sinceRelease, "since our last release", sinceRelease,
	"my", mine, "mine", mine, "me", mine, "i", mine, "assigned to me", mine, "by me", mine,
	// What only a model can answer, and what only a person may do.
	"good to merge", about(Pull, op(Judge)), "safe to merge", about(Pull, op(Judge)), "should we merge", about(Pull, op(Judge)), "break something", op(Judge), "break anything", op(Judge), "who should i ask", op(Judge), "who knows", op(Judge), "what do you think", op(Judge), "should we", op(Judge),
	"merge", op(Change), "please merge", op(Change), "delete", op(Change), "restart", op(Change), "rerun", op(Change), "re-run", op(Change), "abort", op(Change), "approve", op(Change), "deploy", op(Change), "resolve", op(Change), "redeliver", op(Change), "trigger", op(Change), "start", op(Change), "stop", op(Change), "assign", op(Change), "close", op(Change), "pause", op(Change), "roll back", op(Change), "rollback", op(Change),
	"hello", op(Greet), "hi", op(Greet), "hey", op(Greet), "help", op(Greet), "what can you do", op(Greet), "thanks", op(Greet), "thank you", op(Greet),
	// Follow-ups.
	"only", followUp, "just", followUp, "and", nothing, "and of those", followUp, "of those", followUp, "who approved it", about(Pull, followUp, op(Who), state("approved")), "who reviewed it", about(Pull, followUp, op(Who), state("reviewed")), "what about", followUp, "and what about", followUp, "how about", followUp,
)

func followUp(r *Reading) { r.FollowUp = true }

// silent words carry no meaning of their own.
var silent = set("a an the do does did we you us our have has had is are was were be been being in on at of for to from by with it its that this these those there still came come out please could can would will " +
	"tell see get go yet right now currently at moment so far all some happened happening happen were exist exists or if then not than as into up ever already got between versus vs since within during time times were's what's which's")

// table pairs phrases with what they say.
func table(list ...any) []phrase {
	out := make([]phrase, 0, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		words, _ := list[i].(string)
		says, _ := list[i+1].(func(*Reading))
		out = append(out, phrase{words, says})
	}
	return out
}
