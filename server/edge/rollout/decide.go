package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/edge/policy"
)

// AwayAfter is after how long a node that does not fetch its release is taken to
// be away: three missed check-ins.
const AwayAfter = 15 * time.Minute

// RetryAfter is how soon a node that deferred may be released again.
const RetryAfter = 15 * time.Minute

// Node is what is known of a member.
type Node struct {
	// Name is for people.
	ID, Name, Site string
	Batch          int
	State          NodeState
	// Released is when it was let go, Delivered when it fetched that, Ended when
	// its State last became one that closes; zero while it has not.
	Released, Delivered, Ended time.Time
	// Heard is when the node last said anything, Due when it can begin: the first
	// window that follows what was last heard of it before it began.
	Heard, Due time.Time
	// Exit is that of its last run, -1 for none.
	Exit int
}

// Rollout is what is known of the whole.
type Rollout struct {
	State    State
	Strategy policy.Strategy
	// Retry says that who could not may try again.
	Retry bool
	// Deadline ends it; zero is never.
	Deadline time.Time
	// Batches is how many there are, Batch which was opened last, -1 for none.
	Batches, Batch int
	// Closed is when that one was closed; zero while it is open.
	Closed time.Time
	// Continue says that a person let the next batch go, whatever it waits for but
	// the batch before.
	Continue bool
	// Since is when a person last looked: what ended before pauses nothing any more.
	Since time.Time
}

// Change is a node's new state.
type Change struct {
	ID     string
	State  NodeState
	Reason string
}

// Decision is what is to be done now.
type Decision struct {
	Nodes []Change
	// Open begins the next batch, Close ends the present one.
	Open, Close bool
	// State is the rollout's new one, empty for the same, and Reason why.
	State  State
	Reason string
	// Waits says for whoever asks what it is waiting for.
	Waits string
	// Again is when time alone changes the answer; zero if it does not.
	Again time.Time
}

// Decide says what follows from what is known at now. It is called over and over:
// doing what it says and asking again ends with nothing to do.
func Decide(now time.Time, r Rollout, nodes []Node) Decision {
	d := decider{now: now, r: r, nodes: slices.Clone(nodes)}
	switch r.State {
	case Running:
		d.running()
	case Paused, AwaitingApproval:
		d.hush()
		d.expire()
	case RollingBack:
		d.rollingBack()
	}
	return d.out
}

type decider struct {
	now   time.Time
	r     Rollout
	nodes []Node
	out   Decision
}

func (d *decider) running() {
	d.hush()
	if d.expire() {
		return
	}
	if reason := Judge(d.nodes, d.r.Since, d.r.Strategy.PauseOn); reason != "" {
		d.out.State, d.out.Reason = Paused, reason
		return
	}
	d.batch()
	d.release()
	d.complete()
}

// set notes a node's change, and lets the rest of the decision see it.
func (d *decider) set(n *Node, s NodeState, reason string) {
	n.State = s
	if s.Closed() {
		n.Ended = d.now
	}
	d.out.Nodes = append(d.out.Nodes, Change{n.ID, s, reason})
}

// again asks to be called at t at the latest.
func (d *decider) again(t time.Time) {
	if t.After(d.now) && (d.out.Again.IsZero() || t.Before(d.out.Again)) {
		d.out.Again = t
	}
}

// hush finds nodes that went silent or never came.
func (d *decider) hush() {
	silent := d.r.Strategy.SilentAfter.Go()
	for i := range d.nodes {
		n := &d.nodes[i]
		switch {
		case n.State == Released && n.Delivered.IsZero():
			if away := later(n.Released, n.Heard).Add(AwayAfter); !d.now.Before(away) {
				d.set(n, Away, "has not been heard of since its release")
			} else {
				d.again(away)
			}
		case n.State == Released:
			if end := later(n.Due, n.Heard).Add(silent); !n.Due.IsZero() && !d.now.Before(end) {
				d.set(n, Silent, "was to begin and has not been heard of for "+d.r.Strategy.SilentAfter.String())
			} else if !n.Due.IsZero() {
				d.again(end)
			}
		case n.State == Installing:
			if end := later(n.Delivered, n.Heard).Add(silent); !d.now.Before(end) {
				d.set(n, Silent, "began and has not been heard of for "+d.r.Strategy.SilentAfter.String())
			} else {
				d.again(end)
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// expire ends a rollout whose deadline is over. What is installing ends by itself.
func (d *decider) expire() bool {
	if d.r.Deadline.IsZero() {
		return false
	}
	if d.now.Before(d.r.Deadline) {
		d.again(d.r.Deadline)
		return false
	}
	missed := 0
	for i := range d.nodes {
		if n := &d.nodes[i]; !n.State.Final() && n.State != Installing {
			d.set(n, Missed, "the deadline is over")
			missed++
		}
	}
	d.out.State, d.out.Reason = Expired, fmt.Sprintf("the deadline is over; %d nodes were not reached", missed)
	return true
}

// Judge says why a rollout must pause, "" if it need not. What ended up to since
// is known already and counts no more.
func Judge(nodes []Node, since time.Time, on policy.PauseOn) string {
	var ended []Node
	for _, n := range nodes {
		if (n.State == Succeeded || n.State.Failure()) && n.Ended.After(since) {
			ended = append(ended, n)
		}
	}
	slices.SortStableFunc(ended, func(a, b Node) int { return a.Ended.Compare(b.Ended) })
	failed, row := 0, 0
	for _, n := range ended {
		if !n.State.Failure() {
			row = 0
			continue
		}
		failed++
		row++
		if n.State != Silent && slices.Contains(on.AnyExit, n.Exit) {
			return fmt.Sprintf("node %s ended with exit %d", n.Name, n.Exit)
		}
		if on.Consecutive > 0 && row >= on.Consecutive {
			return fmt.Sprintf("%d nodes failed in a row", row)
		}
	}
	if len(ended) >= max(1, on.MinSamples) && on.FailureRate.Exceeded(failed, len(ended)) {
		limit, _ := on.FailureRate.MarshalText() // never fails
		return fmt.Sprintf("%d of %d nodes failed, which is more than %s", failed, len(ended), limit)
	}
	return ""
}

// batch closes the present batch when it can, and opens the next when it may.
func (d *decider) batch() {
	closed := d.r.Closed
	if d.r.Batch >= 0 && closed.IsZero() {
		for _, n := range d.nodes {
			if n.Batch == d.r.Batch && !n.State.Closed() {
				d.out.Waits = "for nodes of the present batch"
				return
			}
		}
		d.out.Close, closed = true, d.now
	}
	if d.r.Batch+1 >= d.r.Batches {
		return
	}
	if d.r.Strategy.Type == policy.Manual && !d.r.Continue {
		d.out.Waits = "for a person to let the next batch go"
		return
	}
	if d.r.Batch >= 0 && !d.r.Continue {
		if opens := closed.Add(d.r.rest()); d.now.Before(opens) {
			d.out.Waits = "until the next batch begins"
			d.again(opens)
			return
		}
	}
	d.out.Open = true
	d.r.Batch++
}

// rest is how long to wait between the present batch and the next.
func (r Rollout) rest() time.Duration {
	if r.Batch == 0 && r.Strategy.Canary != nil && r.Strategy.Type != policy.AllAtOnce && r.Strategy.Canary.Soak > 0 {
		return r.Strategy.Canary.Soak.Go()
	}
	return time.Duration(r.Strategy.BatchDelayMinutes) * time.Minute
}

// release lets nodes of opened batches go, as far as their sites allow: first who
// has not been, then who could not the last time and is there again.
func (d *decider) release() {
	most := d.r.Strategy.MaxUnavailablePerSite
	busy := map[string]int{}
	for _, n := range d.nodes {
		if n.State.AtWork() {
			busy[n.Site]++
		}
	}
	for _, again := range []bool{false, true} {
		for i := range d.nodes {
			n := &d.nodes[i]
			if n.Batch > d.r.Batch || again && !d.mayRetry(n) || !again && n.State != Waiting {
				continue
			}
			// A node without a site shares nothing with others.
			if most > 0 && n.Site != "" && busy[n.Site] >= most {
				continue
			}
			busy[n.Site]++
			reason := "its batch has begun"
			if again {
				reason = "is there again"
			}
			d.set(n, Released, reason)
		}
	}
}

// mayRetry reports whether a node that could not may be let go once more: a while
// after it said so, and when it has been heard of since.
func (d *decider) mayRetry(n *Node) bool {
	switch {
	case !d.r.Retry:
		return false
	case n.State == Away:
		return n.Heard.After(n.Ended)
	case n.State != Deferred:
		return false
	}
	at := n.Ended.Add(RetryAfter)
	if d.now.Before(at) {
		d.again(at)
		return false
	}
	return n.Heard.After(n.Ended)
}

// complete ends a rollout in which nobody has anything to do any more.
func (d *decider) complete() {
	if d.r.Batch+1 < d.r.Batches || d.out.Open {
		return
	}
	if d.r.Batches > 0 && d.r.Closed.IsZero() && !d.out.Close {
		return
	}
	failed, away := 0, 0
	for _, n := range d.nodes {
		switch {
		case n.State.Failure():
			failed++
		case n.State.Final():
		case d.r.Retry || !n.State.Closed():
			away++
		}
	}
	if away > 0 {
		d.out.Waits = fmt.Sprintf("for %d nodes that were away or could not yet", away)
		return
	}
	for i := range d.nodes {
		if n := &d.nodes[i]; !n.State.Final() {
			d.set(n, Missed, "could not in its window, and the policy does not try again")
		}
	}
	d.out.State, d.out.Reason = Completed, "every node is done"
	if failed > 0 {
		d.out.Reason = fmt.Sprintf("every node is done; %d failed", failed)
	}
}

// rollingBack ends when no node has anything left to take back.
func (d *decider) rollingBack() {
	left := 0
	for _, n := range d.nodes {
		if n.State == Reverting {
			left++
		}
	}
	if left == 0 {
		d.out.State, d.out.Reason = RolledBack, "every node has taken it back"
		return
	}
	d.out.Waits = fmt.Sprintf("for %d nodes that take it back", left)
}
