package issues

import (
	"cmp"
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// maxMerge is how many issues one request may merge.
const maxMerge = 100

// MergeIssues makes issues of one project into one: that with the most events,
// or into when it is one of them. What can be counted is added at once; events
// follow in steps.
func (s *Service) MergeIssues(ctx context.Context, ids []int64, into int64) (winner int64, err error) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) < 2 || len(ids) > maxMerge {
		return 0, problem.FieldError("ids", "name 2 to %d issues", maxMerge)
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.lockFor(ctx, ids)
		if err != nil {
			return err
		}
		w := slices.MaxFunc(list, func(a, b issueRow) int {
			return cmp.Or(cmp.Compare(btoi(a.ID == into), btoi(b.ID == into)), cmp.Compare(a.Events, b.Events), cmp.Compare(b.ID, a.ID))
		})
		if into != 0 && w.ID != into {
			return problem.FieldError("into", "is not one of the issues to merge")
		}
		winner = w.ID
		for _, loser := range list {
			if loser.ID == w.ID {
				continue
			}
			if loser.ProjectID != w.ProjectID {
				return problem.New(problem.Conflict, "Issues of different projects cannot be merged.")
			}
			if err := s.absorb(ctx, &w, loser); err != nil {
				return err
			}
		}
		return s.rows().saveTotals(ctx, w)
	})
	if err != nil {
		return 0, err
	}
	return winner, s.sweepEvents(ctx)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// absorb adds a loser's numbers to the winner and sends its events on their way.
func (s *Service) absorb(ctx context.Context, w *issueRow, loser issueRow) error {
	r := s.rows()
	counts, err := r.tagCounts(ctx, []int64{w.ID, loser.ID})
	if err != nil {
		return err
	}
	tags := parseTagCounts(counts[w.ID])
	tags.merge(parseTagCounts(counts[loser.ID]))
	if err := r.saveTagCounts(ctx, []tagCountRow{{w.ID, tags.text()}}); err != nil {
		return err
	}
	if err := r.absorbRows(ctx, w.ID, loser); err != nil {
		return err
	}
	hashes, err := r.userHashes(ctx, w.ID)
	if err != nil {
		return err
	}
	below := w.UserBelow
	if loser.UserBelow != 0 && (below == 0 || loser.UserBelow < below) {
		below = loser.UserBelow // both are complete only below the lower bound
	}
	if below != 0 {
		hashes = slices.DeleteFunc(hashes, func(h int64) bool { return h >= below })
	}
	keep, cut := keepSmallest(hashes)
	if cut != 0 {
		below = cut
	}
	if below != 0 {
		if err := r.dropUsersFrom(ctx, w.ID, below); err != nil {
			return err
		}
	}
	w.UserRows, w.UserBelow = int64(len(keep)), below
	w.Users = max(estimateUsers(w.UserRows, below), w.UserRows)
	w.Events += loser.Events
	w.FirstSeen, w.LastSeen = min(w.FirstSeen, loser.FirstSeen), max(w.LastSeen, loser.LastSeen)
	if loser.FirstSeen == w.FirstSeen {
		w.FirstRelease = cmp.Or(loser.FirstRelease, w.FirstRelease)
	}
	return s.issueChanged(ctx, *w, ChangeMerged, identity.From(ctx).Name, loser.Title)
}

// UnmergeIssue gives the events of one grouping hash an issue of their own.
func (s *Service) UnmergeIssue(ctx context.Context, id int64, hash string) (made int64, err error) {
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.lockFor(ctx, []int64{id})
		if err != nil {
			return err
		}
		from := list[0]
		hashes, err := s.rows().hashesOf(ctx, id)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(hashes, func(h hashRow) bool { return h.Hash == hash }) {
			return problem.FieldError("hash", "does not belong to this issue")
		}
		if len(hashes) < 2 {
			return problem.New(problem.Conflict, "The issue has only this hash.")
		}
		made, err = s.split(ctx, from, hash)
		return err
	})
	if err != nil {
		return 0, err
	}
	return made, s.sweepEvents(ctx)
}

func (s *Service) split(ctx context.Context, from issueRow, hash string) (int64, error) {
	r := s.rows()
	number, err := r.nextNumbers(ctx, from.ProjectID, 1)
	if err != nil {
		return 0, err
	}
	to := from
	to.ID, to.Number, to.Events, to.Users, to.UserRows, to.UserBelow = 0, number, 0, 0, 0, 0
	if e, err := r.lastOfHash(ctx, from.ID, hash); err == nil {
		to.Title, to.Culprit, to.Level, to.LastSeen, to.FirstSeen = e.Title, e.Culprit, e.Level, e.Timestamp, e.Timestamp
	} else if !problem.Is(err, problem.NotFound) {
		return 0, err
	}
	if e, err := r.lastOfOthers(ctx, from.ID, hash); err == nil {
		if err := r.retitle(ctx, from.ID, e); err != nil {
			return 0, err
		}
	} else if !problem.Is(err, problem.NotFound) {
		return 0, err
	}
	to.setState(state{Status: Unresolved, Substate: Ongoing}, s.Now(), identity.From(ctx).Name)
	if err := r.insertIssues(ctx, []*issueRow{&to}); err != nil {
		return 0, err
	}
	if err := r.saveWords(ctx, to.ID, joinWords(to.Title, to.Culprit)); err != nil {
		return 0, err
	}
	if err := r.repointHash(ctx, from.ProjectID, hash, to.ID); err != nil {
		return 0, err
	}
	if err := r.insertMove(ctx, moveRow{ProjectID: from.ProjectID, FromIssue: from.ID, Hash: hash, ToIssue: to.ID}); err != nil {
		return 0, err
	}
	who := identity.From(ctx).Name
	if err := s.issueChanged(ctx, to, ChangeUnmerged, who, from.Title); err != nil {
		return 0, err
	}
	return to.ID, s.issueChanged(ctx, from, ChangeUnmerged, who, to.Title)
}
