package ci

import (
	"slices"
	"testing"
)

func TestGroupInstances(t *testing.T) {
	t.Parallel()
	rows := []pipelineRow{{ID: 1, Name: "a"}, {ID: 2, Name: "x"}, {ID: 3, Name: "b"}, {ID: 4, Name: "x"}, {ID: 5, Name: "x"}}
	for _, c := range []struct {
		name string
		rank map[int64]int
		want []int64
	}{
		{"x", map[int64]int{5: 1, 2: 2, 4: 3}, []int64{1, 5, 2, 4, 3}},
		{"x", map[int64]int{4: 1}, []int64{1, 4, 2, 5, 3}},
		{"a", nil, []int64{1, 2, 3, 4, 5}},
		{"gone", nil, []int64{1, 2, 3, 4, 5}},
	} {
		var got []int64
		for _, row := range groupInstances(slices.Clone(rows), c.name, c.rank) {
			got = append(got, row.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s by %v: got %v, want %v", c.name, c.rank, got, c.want)
		}
	}
}
