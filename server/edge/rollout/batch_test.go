package rollout

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/edge/policy"
)

func fleet(n, sites, variants int) []Member {
	list := make([]Member, n)
	for i := range list {
		list[i] = Member{ID: fmt.Sprintf("n%05d", i), Site: fmt.Sprintf("s%d", i%max(1, sites)), Variant: fmt.Sprintf("v%d", i%7%variants)}
	}
	return list
}

func sizes(batches [][]Member) []int {
	var out []int
	for _, b := range batches {
		out = append(out, len(b))
	}
	return out
}

func TestBatchSizes(t *testing.T) {
	t.Parallel()
	ten := policy.Count{Number: 10}
	for _, c := range []struct {
		name string
		n    int
		s    policy.Strategy
		want []int
	}{
		{"even", 30, policy.Strategy{Type: policy.RollingUpdate, BatchSize: ten}, []int{10, 10, 10}},
		{"a rest", 32, policy.Strategy{Type: policy.RollingUpdate, BatchSize: ten}, []int{10, 10, 10, 2}},
		{"a part", 30, policy.Strategy{Type: policy.RollingUpdate, BatchSize: policy.Count{Part: 50_00}}, []int{15, 15}},
		{"none", 0, policy.Strategy{Type: policy.RollingUpdate, BatchSize: ten}, nil},
		{"all", 30, policy.Strategy{Type: policy.AllAtOnce, BatchSize: ten, Canary: &policy.Canary{Count: 3}}, []int{30}},
		{"canaries then batches", 30, policy.Strategy{Type: policy.RollingUpdate, BatchSize: ten, Canary: &policy.Canary{Count: 3}}, []int{3, 10, 10, 7}},
		{"canaries then all", 30, policy.Strategy{Type: policy.OnlyCanary, BatchSize: ten, Canary: &policy.Canary{Count: 3}}, []int{3, 27}},
		{"more of each kind than in all", 30, policy.Strategy{Type: policy.Manual, BatchSize: ten, Canary: &policy.Canary{Count: 1, PerVariant: 2}}, []int{6, 10, 10, 4}},
		{"only canaries", 3, policy.Strategy{Type: policy.RollingUpdate, BatchSize: ten, Canary: &policy.Canary{Count: 9}}, []int{3}},
	} {
		if got := sizes(Batches("x", fleet(c.n, 5, 3), c.s)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestBatchesHoldEverybodyOnce: whatever the fleet and the strategy, each node is
// in one batch, the order of the input does not matter, and groups are spread.
func TestBatchesHoldEverybodyOnce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		members := fleet(1+r.IntN(600), 1+r.IntN(40), 1+r.IntN(4))
		s := policy.Strategy{Type: []policy.Type{policy.RollingUpdate, policy.Manual, policy.OnlyCanary}[r.IntN(3)], BatchSize: policy.Count{Number: 1 + r.IntN(60)}}
		if r.IntN(2) == 0 {
			s.Canary = &policy.Canary{Count: r.IntN(20), PerVariant: r.IntN(4)}
		}
		batches := Batches("seed", members, s)
		seen := map[string]bool{}
		for _, b := range batches {
			if len(b) == 0 {
				t.Fatal("an empty batch")
			}
			for _, m := range b {
				if seen[m.ID] {
					t.Fatalf("%s is there twice", m.ID)
				}
				seen[m.ID] = true
			}
		}
		if len(seen) != len(members) {
			t.Fatalf("%d of %d nodes are in a batch", len(seen), len(members))
		}
		shuffled := slices.Clone(members)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if fmt.Sprint(Batches("seed", shuffled, s)) != fmt.Sprint(batches) {
			t.Fatal("the batches depend on the order of the input")
		}
		if s.Canary == nil && s.Type != policy.OnlyCanary {
			spread(t, members, batches)
		}
	}
}

// spread checks that no batch has much more of a site than its share.
func spread(t *testing.T, members []Member, batches [][]Member) {
	t.Helper()
	type group struct{ site, variant string }
	all := map[group]int{}
	for _, m := range members {
		all[group{m.Site, m.Variant}]++
	}
	// A batch spans a stretch of places that may be a little longer than its part
	// of all, where places lie less densely; by chance, hence the margin of half.
	for _, b := range batches {
		in := map[group]int{}
		for _, m := range b {
			in[group{m.Site, m.Variant}]++
		}
		for g, n := range in {
			share := float64(all[g]) * float64(len(b)) / float64(len(members))
			if float64(n) > 1.5*share+2 {
				t.Fatalf("%d of %v in a batch of %d of %d, where its share is %.1f", n, g, len(b), len(members), share)
			}
		}
	}
}

func TestCanariesAreOfEachKind(t *testing.T) {
	t.Parallel()
	members := fleet(1000, 50, 4)
	canaries := Batches("a", members, policy.Strategy{Type: policy.RollingUpdate, BatchSize: policy.Count{Number: 100}, Canary: &policy.Canary{Count: 20, PerVariant: 2}})[0]
	variants, sites := map[string]int{}, map[string]int{}
	for _, m := range canaries {
		variants[m.Variant]++
		sites[m.Site]++
	}
	if len(canaries) != 20 || len(variants) != 4 || len(sites) != 20 {
		t.Errorf("%d canaries of %v at %d sites", len(canaries), variants, len(sites))
	}
	if other := Batches("b", members, policy.Strategy{Type: policy.RollingUpdate, BatchSize: policy.Count{Number: 100}, Canary: &policy.Canary{Count: 20}})[0]; fmt.Sprint(other) == fmt.Sprint(canaries) {
		t.Error("another rollout has the same canaries")
	}
}

func TestStatesTable(t *testing.T) {
	t.Parallel()
	for _, s := range States {
		if _, known := becomes[s]; !known {
			t.Errorf("%s becomes nothing that is written down", s)
		}
		for _, next := range becomes[s] {
			if !slices.Contains(States, next) {
				t.Errorf("%s becomes %s", s, next)
			}
		}
		if s.Active() != (s.CanBecome(Aborted) && s != Completed) {
			t.Errorf("%s can be aborted and is not active, or the other way round", s)
		}
	}
	for _, s := range NodeStates {
		if s.Failure() && !s.Final() || s.Final() && !s.Closed() || s.Closed() && s.AtWork() {
			t.Errorf("%s contradicts itself", s)
		}
	}
}

func BenchmarkBatches(b *testing.B) {
	members := fleet(10_000, 400, 4)
	for b.Loop() {
		Batches("seed", members, policy.Strategy{Type: policy.RollingUpdate, BatchSize: policy.Count{Number: 100}})
	}
}

var start = time.Date(2026, 11, 3, 7, 0, 0, 0, time.UTC)
