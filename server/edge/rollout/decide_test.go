package rollout

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/edge/policy"
)

// world plays a fleet against Decide, as the loop and the nodes do.
type world struct {
	now   time.Time
	r     Rollout
	nodes []Node
	log   []string
	at    map[string]int
	// opened and closed are when each batch was.
	opened, closed []time.Time
}

func play(members []Member, s policy.Strategy) *world {
	w := &world{now: start, r: Rollout{State: Running, Strategy: s, Retry: true, Batch: -1, Continue: true}}
	for i, b := range Batches("seed", members, s) {
		w.r.Batches++
		for _, m := range b {
			w.nodes = append(w.nodes, Node{ID: m.ID, Site: m.Site, Batch: i, State: Waiting, Exit: -1, Heard: start})
		}
	}
	return w
}

// settle asks and does until nothing more follows.
func (w *world) settle(t *testing.T) Decision {
	t.Helper()
	for range 20 {
		d := Decide(w.now, w.r, w.nodes)
		if len(d.Nodes) == 0 && !d.Open && !d.Close && d.State == "" {
			return d
		}
		w.apply(t, d)
	}
	t.Fatal("it never settles")
	return Decision{}
}

func (w *world) apply(t *testing.T, d Decision) {
	t.Helper()
	for _, c := range d.Nodes {
		n := w.node(c.ID)
		n.State = c.State
		if c.State == Released {
			n.Released, n.Delivered, n.Due = w.now, time.Time{}, time.Time{}
		}
		if c.State.Closed() {
			n.Ended = w.now
		}
	}
	if d.Close {
		w.r.Closed = w.now
		w.closed = append(w.closed, w.now)
	}
	if d.Open {
		w.r.Batch++
		w.r.Closed, w.r.Continue = time.Time{}, false
		w.opened = append(w.opened, w.now)
	}
	if d.State != "" {
		if !w.r.State.CanBecome(d.State) {
			t.Fatalf("%s became %s", w.r.State, d.State)
		}
		w.r.State = d.State
		w.log = append(w.log, string(d.State)+": "+d.Reason)
	}
}

func (w *world) node(id string) *Node {
	if w.at == nil {
		w.at = map[string]int{}
		for i, n := range w.nodes {
			w.at[n.ID] = i
		}
	}
	return &w.nodes[w.at[id]]
}

// in gives the nodes of a state.
func (w *world) in(s NodeState) (list []*Node) {
	for i := range w.nodes {
		if w.nodes[i].State == s {
			list = append(list, &w.nodes[i])
		}
	}
	return list
}

func (w *world) deliver(n *Node) { n.Delivered, n.Heard, n.Due = w.now, w.now, w.now }

func (w *world) end(n *Node, s NodeState, exit int) {
	n.State, n.Exit, n.Ended, n.Heard = s, exit, w.now, w.now
}

// all lets every released node end in a state.
func (w *world) all(s NodeState, exit int) {
	for _, n := range w.in(Released) {
		w.deliver(n)
		w.end(n, s, exit)
	}
}

func rolling(size int) policy.Strategy {
	return policy.Strategy{Type: policy.RollingUpdate, BatchSize: policy.Count{Number: size}, BatchDelayMinutes: 15, SilentAfter: policy.Duration(6 * time.Hour),
		PauseOn: policy.PauseOn{FailureRate: 2_00, MinSamples: 20, Consecutive: 5, AnyExit: []int{2, 3, 7}}}
}

func TestBatchAfterBatch(t *testing.T) {
	t.Parallel()
	s := rolling(10)
	s.Canary = &policy.Canary{Count: 2, Soak: policy.Duration(24 * time.Hour)}
	w := play(fleet(22, 5, 1), s)
	w.settle(t)
	if len(w.in(Released)) != 2 || w.r.Batch != 0 {
		t.Fatalf("%d canaries are released", len(w.in(Released)))
	}
	w.now = w.now.Add(5 * time.Minute)
	w.all(Succeeded, 0)
	d := w.settle(t)
	if len(w.in(Released)) != 0 || !d.Again.Equal(w.now.Add(24*time.Hour)) || d.Waits == "" {
		t.Fatalf("the canaries do not soak: %+v", d)
	}
	w.now = w.now.Add(24 * time.Hour)
	w.settle(t)
	if len(w.in(Released)) != 10 {
		t.Fatalf("%d are released after the soak", len(w.in(Released)))
	}
	w.all(Succeeded, 0)
	if d := w.settle(t); !d.Again.Equal(w.now.Add(15 * time.Minute)) {
		t.Fatalf("no delay: %+v", d)
	}
	w.now = w.now.Add(15 * time.Minute)
	w.settle(t)
	w.all(Succeeded, 0)
	w.settle(t)
	if fmt.Sprint(w.log) != "[completed: every node is done]" {
		t.Error(w.log)
	}
}

func TestManualWaitsForAPerson(t *testing.T) {
	t.Parallel()
	s := rolling(3)
	s.Type = policy.Manual
	w := play(fleet(6, 1, 1), s)
	w.settle(t)
	w.all(Succeeded, 0)
	w.now = w.now.Add(time.Hour)
	if d := w.settle(t); w.r.Batch != 0 || !strings.Contains(d.Waits, "person") {
		t.Fatalf("it went on by itself: %+v", d)
	}
	w.r.Continue = true
	w.settle(t)
	if w.r.Batch != 1 || len(w.in(Released)) != 3 {
		t.Fatal("it did not go on")
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		good int
		bad  []NodeState
		exit int
		want string
	}{
		{"within the rate", 99, []NodeState{Failed, Failed}, 5, ""},
		{"over the rate", 97, []NodeState{Failed, RolledBackItself, Silent}, 5, "3 of 100 nodes failed, which is more than 2%"},
		{"too few to judge", 10, []NodeState{Failed, Failed, Failed}, 5, ""},
		{"in a row", 0, []NodeState{Failed, Failed, Failed, Silent, Failed}, 5, "5 nodes failed in a row"},
		{"an exit that must never be", 0, []NodeState{Quarantined}, 3, "node bad0 ended with exit 3"},
		{"an exit that may", 0, []NodeState{Failed}, 5, ""},
		{"away is no failure", 20, []NodeState{Away, Deferred, Skipped, Missed, Away, Away}, 4, ""},
	} {
		var nodes []Node
		for i := range c.good {
			nodes = append(nodes, Node{ID: fmt.Sprint("good", i), State: Succeeded, Ended: start.Add(time.Duration(i) * time.Second)})
		}
		for i, s := range c.bad {
			// The failures come first and the successes later, so that rows end.
			nodes = append(nodes, Node{ID: fmt.Sprint("id", i), Name: fmt.Sprint("bad", i), State: s, Exit: c.exit, Ended: start.Add(time.Duration(i) * time.Millisecond)})
		}
		if got := Judge(nodes, time.Time{}, rolling(1).PauseOn); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := Judge(nodes, start.Add(time.Hour), rolling(1).PauseOn); got != "" {
			t.Errorf("%s: what a person has seen pauses it again: %s", c.name, got)
		}
	}
}

func TestPauseIsSticky(t *testing.T) {
	t.Parallel()
	w := play(fleet(40, 5, 1), rolling(10))
	w.settle(t)
	w.all(Failed, 5)
	w.settle(t)
	if w.r.State != Paused {
		t.Fatal(w.r.State, w.log)
	}
	w.now = w.now.Add(100 * time.Hour)
	w.settle(t)
	if w.r.State != Paused || len(w.in(Released)) != 0 || len(w.in(Waiting)) != 30 {
		t.Fatal("a paused rollout goes on")
	}
	// A person resumes: the same failures are known, new ones count anew.
	w.r.State, w.r.Since = Running, w.now
	w.settle(t)
	w.now = w.now.Add(15 * time.Minute)
	w.settle(t)
	if w.r.State != Running || len(w.in(Released)) != 10 {
		t.Fatal("a resumed rollout does not go on", w.r.State, w.log)
	}
	w.all(Failed, 5)
	w.settle(t)
	if w.r.State != Paused {
		t.Fatal("new failures pause nothing")
	}
}

func TestSilenceAndAbsence(t *testing.T) {
	t.Parallel()
	w := play(fleet(4, 1, 1), rolling(4))
	w.settle(t)
	nodes := w.in(Released)
	installing, waiting, away, alive := nodes[0], nodes[1], nodes[2], nodes[3]
	w.deliver(installing)
	installing.State = Installing
	w.deliver(waiting)
	waiting.Due = start.Add(48 * time.Hour) // its window
	w.deliver(alive)
	step := func(after time.Duration) { w.now = start.Add(after); alive.Heard = w.now; w.settle(t) }
	step(AwayAfter - time.Second)
	if away.State != Released {
		t.Error("too soon to be away")
	}
	step(AwayAfter)
	if away.State != Away {
		t.Error("it never came and is", away.State)
	}
	step(6*time.Hour - time.Second)
	if installing.State != Installing {
		t.Error("too soon to be silent")
	}
	step(6 * time.Hour)
	if installing.State != Silent || waiting.State != Released || alive.State != Released {
		t.Error(installing.State, waiting.State, alive.State)
	}
	step(54*time.Hour - time.Second)
	if waiting.State != Released {
		t.Error("a node that waits for its window offline is", waiting.State)
	}
	step(54 * time.Hour)
	if waiting.State != Silent || alive.State != Released {
		t.Error(waiting.State, alive.State)
	}
	w.end(alive, Succeeded, 0)
	if d := w.settle(t); w.r.State != Running || !strings.Contains(d.Waits, "1 nodes that were away") {
		t.Error("it does not wait for who was away:", w.r.State, d.Waits, w.log)
	}
	away.Heard = w.now.Add(time.Minute)
	w.now = away.Heard
	w.settle(t)
	if away.State != Released || !away.Delivered.IsZero() {
		t.Error("it is there again and is", away.State)
	}
	w.all(Succeeded, 0)
	w.settle(t)
	if fmt.Sprint(w.log) != "[completed: every node is done; 2 failed]" {
		t.Error(w.log)
	}
}

func TestDeferredIsTriedAgainOrNot(t *testing.T) {
	t.Parallel()
	w := play(fleet(2, 1, 1), rolling(2))
	w.settle(t)
	w.all(Deferred, 4)
	d := w.settle(t)
	if !d.Again.Equal(w.now.Add(RetryAfter)) || len(w.in(Deferred)) != 2 {
		t.Fatalf("%+v", d)
	}
	w.now = w.now.Add(RetryAfter)
	w.in(Deferred)[0].Heard = w.now
	w.settle(t)
	if len(w.in(Released)) != 1 || len(w.in(Deferred)) != 1 {
		t.Fatal("who was heard of again is released again, the other not")
	}
	w.all(Succeeded, 0)
	w.r.Retry = false
	w.settle(t)
	if w.r.State != Completed || len(w.in(Missed)) != 1 {
		t.Error(w.r.State, w.log)
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	w := play(fleet(30, 5, 1), rolling(10))
	w.r.Deadline = start.Add(time.Hour)
	w.settle(t)
	installing := w.in(Released)[0]
	w.deliver(installing)
	installing.State = Installing
	w.now = start.Add(time.Hour)
	w.settle(t)
	if w.r.State != Expired || installing.State != Installing || len(w.in(Missed)) != 29 {
		t.Error(w.r.State, installing.State, len(w.in(Missed)))
	}
	// A paused one expires too.
	p := play(fleet(3, 1, 1), rolling(1))
	p.r.State, p.r.Deadline = Paused, start
	p.settle(t)
	if p.r.State != Expired || !strings.Contains(p.log[0], "3 nodes were not reached") {
		t.Error(p.r.State, p.log)
	}
}

func TestRollingBackEnds(t *testing.T) {
	t.Parallel()
	w := play(fleet(3, 1, 1), rolling(3))
	w.r.State = RollingBack
	for i := range w.nodes {
		w.nodes[i].State = Reverting
	}
	if d := w.settle(t); w.r.State != RollingBack || d.Waits == "" {
		t.Fatal(w.r.State)
	}
	w.end(&w.nodes[0], Failed, 7)
	w.end(&w.nodes[1], Reverted, 0)
	w.end(&w.nodes[2], Reverted, 0)
	w.settle(t)
	if w.r.State != RolledBack {
		t.Error(w.r.State)
	}
}

// TestNothingToDo: a rollout for nobody ends at once.
func TestNothingToDo(t *testing.T) {
	t.Parallel()
	w := play(nil, rolling(3))
	w.settle(t)
	if w.r.State != Completed {
		t.Error(w.r.State)
	}
}

// TestAnyFleet plays random fleets against random strategies and holds the
// invariants at every step.
func TestAnyFleet(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		s := rolling(1 + r.IntN(40))
		s.BatchDelayMinutes = r.IntN(40)
		s.MaxUnavailablePerSite = r.IntN(4)
		s.PauseOn.FailureRate = policy.Percent(r.IntN(4) * 10_00)
		s.PauseOn.Consecutive = r.IntN(10)
		if r.IntN(2) == 0 {
			s.Canary = &policy.Canary{Count: 1 + r.IntN(10), PerVariant: r.IntN(3), Soak: policy.Duration(r.IntN(5)) * policy.Duration(time.Hour)}
		}
		w := play(fleet(1+r.IntN(200), 1+r.IntN(20), 1+r.IntN(3)), s)
		bad := r.IntN(20)
		ended := false
		for step := 0; step < 4000 && !ended; step++ {
			before := w.r.State
			released := len(w.in(Released))
			w.settle(t)
			w.hold(t, s, before == Paused && len(w.in(Released)) > released)
			if w.r.State == Paused && r.IntN(5) == 0 {
				w.r.State, w.r.Since = Running, w.now
			}
			w.now = w.now.Add(time.Duration(1+r.IntN(10)) * time.Minute)
			w.live(r, bad)
			ended = !w.r.State.Active()
		}
		if !ended || w.r.State != Completed {
			t.Fatalf("seed %d ends as %s", seed, w.r.State)
		}
		for _, n := range w.nodes {
			if !n.State.Final() {
				t.Fatalf("seed %d: node %s ends as %s", seed, n.ID, n.State)
			}
		}
	}
}

// live lets the nodes do something, mostly good.
func (w *world) live(r *rand.Rand, bad int) {
	for i := range w.nodes {
		n := &w.nodes[i]
		there := r.IntN(4) > 0
		if there && n.State != Silent {
			n.Heard = w.now
		}
		switch {
		case n.State == Released && n.Delivered.IsZero() && there:
			w.deliver(n)
		case n.State == Released && !n.Delivered.IsZero() && r.IntN(2) == 0:
			n.State, n.Heard = Installing, w.now
		case n.State == Installing && r.IntN(100) < bad:
			w.end(n, []NodeState{Failed, RolledBackItself, Deferred}[r.IntN(3)], 5)
		case n.State == Installing && r.IntN(3) > 0:
			w.end(n, Succeeded, 0)
		}
	}
}

func (w *world) hold(t *testing.T, s policy.Strategy, releasedWhilePaused bool) {
	t.Helper()
	if releasedWhilePaused {
		t.Fatal("a paused rollout released a node")
	}
	busy := map[string]int{}
	for _, n := range w.nodes {
		if n.State.AtWork() {
			busy[n.Site]++
		}
		if n.Batch > w.r.Batch && n.State != Waiting {
			t.Fatalf("node %s of batch %d is %s, and batch %d is open", n.ID, n.Batch, n.State, w.r.Batch)
		}
	}
	for site, n := range busy {
		if s.MaxUnavailablePerSite > 0 && n > s.MaxUnavailablePerSite {
			t.Fatalf("%d nodes of %s are at work, where %d may be", n, site, s.MaxUnavailablePerSite)
		}
	}
	for i := 1; i < len(w.opened); i++ {
		rest := time.Duration(s.BatchDelayMinutes) * time.Minute
		if i == 1 && s.Canary != nil && s.Canary.Soak > 0 {
			rest = s.Canary.Soak.Go()
		}
		if w.opened[i].Sub(w.closed[i-1]) < rest {
			t.Fatalf("batch %d began %v after the one before, not %v", i, w.opened[i].Sub(w.closed[i-1]), rest)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	w := play(fleet(10_000, 400, 4), rolling(100))
	for i := range w.nodes {
		if i < 6000 {
			w.nodes[i].State, w.nodes[i].Ended = Succeeded, start.Add(time.Duration(i)*time.Second)
		}
	}
	w.r.Batch = 60
	for b.Loop() {
		Decide(start.Add(3*time.Hour), w.r, w.nodes)
	}
}
