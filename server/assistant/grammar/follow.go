package grammar

import "slices"

// Follow reads a follow-up into the question before it: what it says anew
// replaces, what it narrows is added, what it asks about changes the question.
func Follow(before, after Reading) Reading {
	r := before
	r.FollowUp = true
	if after.Op == Who {
		r.Op, r.Entity, r.States = Who, after.Entity, after.States
		r.Number = max(after.Number, before.Number)
	}
	if after.Entity != Nothing && after.Op != Who {
		r.Entity, r.States, r.Labels = after.Entity, after.States, after.Labels
	}
	for _, s := range after.States {
		if !slices.Contains(r.States, s) {
			r.States = append(slices.Clone(r.States), s)
		}
	}
	for _, l := range after.Labels {
		if !slices.Contains(r.Labels, l) {
			r.Labels = append(slices.Clone(r.Labels), l)
		}
	}
	if after.Time != nil {
		r.Time = after.Time
	}
	for _, set := range []struct{ to, from *string }{{&r.Person, &after.Person}, {&r.Repo, &after.Repo}, {&r.Name, &after.Name}, {&r.Text, &after.Text}, {&r.ShortID, &after.ShortID}} {
		if *set.from != "" {
			*set.to = *set.from
		}
	}
	if len(after.Versions) > 0 {
		r.Versions = after.Versions
	}
	r.Mine = r.Mine || after.Mine
	r.Left = after.Left
	return r
}
