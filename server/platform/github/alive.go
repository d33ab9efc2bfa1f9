package github

import (
	"context"
	"strings"
	"time"
)

// provedFor is how long a delivery or ping proves that a hook is alive.
const provedFor = 24 * time.Hour

// Alive reports whether what happens in the repository at place
// ("host/owner/name") reaches us by itself, so that nobody need poll it: a hook of
// the team's covers it, had an accepted delivery or ping within the last day, and
// owes us nothing. After a start of ours a hook has to prove itself again, by a
// delivery or by a comparison with GitHub's list.
func (s *Service) Alive(ctx context.Context, team int64, place string) (bool, error) {
	places, err := s.Names(ctx, team, place)
	if err != nil {
		return false, err
	}
	if trouble, err := s.troubleAt(ctx, team, places); err != nil || trouble != "" {
		return false, err
	}
	hooks, err := s.coveringHooks(ctx, team, places)
	if err != nil {
		return false, err
	}
	for _, h := range hooks {
		if h.proved(s.Now(), s.started) {
			return true, nil
		}
	}
	return false, nil
}

// proved is the rule of Alive for one hook.
func (r hookRow) proved(now, started time.Time) bool {
	last := max(r.LastDeliveryAt, r.LastPingAt)
	switch {
	case now.Sub(time.UnixMilli(last)) >= provedFor, r.Missing > 0, last <= r.MissedAt, r.State == HookBroken:
		return false
	case r.comparable():
		return r.ComparedAt >= started.UnixMilli() || last >= started.UnixMilli() && r.ComparedAt == 0
	}
	return last >= started.UnixMilli()
}

// comparable reports whether GitHub's list of the hook's deliveries can be asked for.
func (r hookRow) comparable() bool {
	return r.ConnectionID != nil && (r.Kind == HookApp || r.GithubID != 0 && r.Owner != "")
}

// Renamed notes that a repository moved. From then on each of its places stands
// for the other, and what we keep at GitHub is looked for under the new name.
func (s *Service) Renamed(ctx context.Context, team int64, from, to string) error {
	from, to = normalPlace(from), normalPlace(to)
	if from == "" || to == "" || from == to {
		return nil
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.saveMove(ctx, team, from, to); err != nil {
			return err
		}
		owner, name := ownerName(to)
		if owner == "" {
			return nil
		}
		return s.moveRepository(ctx, team, from, owner, name)
	})
}

// normalPlace is a place as rows keep it: host/owner/name in lower case.
func normalPlace(place string) string {
	return strings.ToLower(strings.TrimSuffix(strings.Trim(place, "/"), ".git"))
}

// ownerName are the last two words of a place; empty when there are fewer than
// three words in all.
func ownerName(place string) (owner, name string) {
	words := strings.Split(place, "/")
	if len(words) != 3 {
		return "", ""
	}
	return words[1], words[2]
}

// Names are all places of the repository at place: itself, and where it moved from and to.
func (s *Service) Names(ctx context.Context, team int64, place string) ([]string, error) {
	place = normalPlace(place)
	seen, queue := map[string]bool{place: true}, []string{place}
	list := []string{}
	for len(queue) > 0 && len(list) < 20 {
		list = append(list, queue[0])
		next, err := s.movesOf(ctx, team, queue[0])
		if err != nil {
			return nil, err
		}
		queue = queue[1:]
		for _, n := range next {
			if !seen[n] {
				seen[n] = true
				queue = append(queue, n)
			}
		}
	}
	return list, nil
}
