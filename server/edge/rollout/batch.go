package rollout

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/signalbox/signalbox/server/edge/policy"
)

// Member is a node that a rollout is for.
type Member struct {
	ID, Site, Variant string
}

// Batches puts members into batches, the canaries first. Which node comes when is
// decided by a hash, so that it is fair and the same on every server; nodes of a
// site and of a variant are spread over the whole length, so that a bundle which
// is bad for one of them shows early and no site is taken at once.
func Batches(seed string, members []Member, s policy.Strategy) [][]Member {
	rest := inOrder(seed, members)
	var batches [][]Member
	if s.Canary != nil && s.Type != policy.AllAtOnce {
		var canaries []Member
		canaries, rest = pickCanaries(rest, *s.Canary)
		if len(canaries) > 0 {
			batches = append(batches, canaries)
		}
	}
	size := s.BatchSize.Of(len(members))
	if s.Type == policy.AllAtOnce || s.Type == policy.OnlyCanary {
		size = max(1, len(rest))
	}
	for chunk := range slices.Chunk(rest, size) {
		batches = append(batches, chunk)
	}
	return batches
}

// place is where in the order a member comes, from 0 to 1.
type place struct {
	member Member
	at     float64
	hash   uint64
}

// inOrder spreads the members of each variant and site evenly, each group from a
// point of its own, so that small groups do not all begin with the first batch.
func inOrder(seed string, members []Member) []Member {
	type group struct{ variant, site string }
	groups := map[group][]place{}
	for _, m := range members {
		g := group{m.Variant, m.Site}
		groups[g] = append(groups[g], place{member: m, hash: hashOf(seed, m.Variant, m.Site, m.ID)})
	}
	places := make([]place, 0, len(members))
	for g, list := range groups {
		slices.SortFunc(list, func(a, b place) int {
			return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.member.ID, b.member.ID))
		})
		offset := float64(hashOf(seed, g.variant, g.site)>>11) / (1 << 53)
		for i, p := range list {
			p.at = (float64(i) + offset) / float64(len(list))
			places = append(places, p)
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.hash, b.hash), cmp.Compare(a.member.ID, b.member.ID))
	})
	out := make([]Member, len(places))
	for i, p := range places {
		out[i] = p.member
	}
	return out
}

// pickCanaries takes the first of the order, so many of each variant at least,
// and of sites that have none yet before sites that have.
func pickCanaries(order []Member, c policy.Canary) (canaries, rest []Member) {
	taken := make([]bool, len(order))
	variants, sites := map[string]int{}, map[string]bool{}
	take := func(i int) {
		taken[i] = true
		variants[order[i].Variant]++
		sites[order[i].Site] = true
		canaries = append(canaries, order[i])
	}
	for _, freshSite := range []bool{true, false} {
		for i, m := range order {
			if !taken[i] && variants[m.Variant] < c.PerVariant && !(freshSite && sites[m.Site]) {
				take(i)
			}
		}
	}
	for _, freshSite := range []bool{true, false} {
		for i, m := range order {
			if !taken[i] && len(canaries) < c.Count && !(freshSite && sites[m.Site]) {
				take(i)
			}
		}
	}
	for i, m := range order {
		if !taken[i] {
			rest = append(rest, m)
		}
	}
	return canaries, rest
}

func hashOf(parts ...string) uint64 {
	h := sha256.New()
	for _, p := range parts {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(p)))
		h.Write(length[:])
		h.Write([]byte(p))
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}
