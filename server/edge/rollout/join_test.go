package rollout

import (
	"fmt"
	"slices"
	"testing"

	"github.com/signalbox/signalbox/server/edge/policy"
)

func TestJoin(t *testing.T) {
	t.Parallel()
	ten := policy.Strategy{Type: policy.RollingUpdate, BatchSize: policy.Count{Number: 10}}
	for _, c := range []struct {
		name     string
		strategy policy.Strategy
		sizes    []int
		opened   int
		come     int
		want     []int // how many more each batch gets
	}{
		{"room in the last", ten, []int{3, 10, 4}, 0, 5, []int{0, 0, 5}},
		{"the last is full", ten, []int{3, 10, 10}, 0, 5, []int{0, 0, 0, 5}},
		{"more than fit", ten, []int{3, 8}, 0, 25, []int{0, 2, 10, 10, 3}},
		{"the last is open", ten, []int{3, 8}, 1, 5, []int{0, 0, 5}},
		{"nothing is open", ten, []int{3}, -1, 2, []int{2}},
		{"all at once", policy.Strategy{Type: policy.AllAtOnce, BatchSize: policy.Count{Number: 10}}, []int{40}, 0, 25, []int{0, 25}},
		{"a part", policy.Strategy{Type: policy.RollingUpdate, BatchSize: policy.Count{Part: 10_00}}, []int{10, 10}, 1, 20, []int{0, 0, 4, 4, 4, 4, 4}},
		{"nobody", ten, []int{3, 8}, 1, 0, []int{0, 0}},
	} {
		var members []Member
		for i := range c.come {
			members = append(members, Member{ID: fmt.Sprint("n", i), Site: fmt.Sprint(i % 3), Variant: "v"})
		}
		before := slices.Clone(c.sizes)
		var got []int
		seen := map[string]bool{}
		for _, batch := range Join("s", members, c.strategy, c.sizes, c.opened) {
			got = append(got, len(batch))
			for _, m := range batch {
				seen[m.ID] = true
			}
		}
		if !slices.Equal(got, c.want) || len(seen) != c.come || !slices.Equal(before, c.sizes) {
			t.Errorf("%s: %v, want %v; %d of %d", c.name, got, c.want, len(seen), c.come)
		}
	}
}
