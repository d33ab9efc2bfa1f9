package rollout

import (
	"slices"

	"github.com/signalbox/signalbox/server/edge/policy"
)

// Join says into which batches those go that came after the rollout had begun: into
// the last one while it is not open and has room, then into new ones. opened is the
// last batch that is open, -1 for none; sizes are how many each batch has. Nobody
// overtakes who was there first, and a batch that people watch does not grow.
func Join(seed string, members []Member, s policy.Strategy, sizes []int, opened int) [][]Member {
	out := make([][]Member, len(sizes))
	total := len(members)
	for _, n := range sizes {
		total += n
	}
	most := s.BatchSize.Of(total)
	if s.Type == policy.AllAtOnce || s.Type == policy.OnlyCanary {
		most = total
	}
	at := len(sizes) - 1
	sizes = slices.Clone(sizes)
	for _, m := range inOrder(seed, members) {
		if at <= opened || sizes[at] >= most {
			at, sizes, out = len(sizes), append(sizes, 0), append(out, nil)
		}
		out[at] = append(out[at], m)
		sizes[at]++
	}
	return out
}
