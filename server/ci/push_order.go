package ci

import (
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/platform/github/payload"
)

// notePush reports whether the push is the newest of its branch or tag that is
// known, and remembers it then.
func (s *Service) notePush(ctx context.Context, team int64, push payload.Push) (newest bool, err error) {
	names, err := s.namesOf(ctx, team, push.CloneURLs)
	if err != nil || len(names) == 0 {
		return true, err
	}
	next := pushRow{TeamID: team, Repository: slices.Min(names), Ref: push.Ref, FromSHA: push.Before, ToSHA: push.After, PushedAt: pushedAt(push)}
	tip, err := s.lockTip(ctx, next)
	if err != nil || !next.follows(tip) {
		return false, err
	}
	return true, s.moveTip(ctx, next)
}

// pushedAt is GitHub's time of the push; where it tells none, that of its newest
// commit; 0 when there is neither.
func pushedAt(push payload.Push) millis {
	at := push.At
	if at.IsZero() {
		at = headOf(push).Time
	}
	if at.IsZero() {
		return 0
	}
	return toMillis(at)
}

// follows reports whether the push came after the one known as the newest. Where
// one began tells for sure, unless they turn in a circle; then, and where some
// between them are missing, GitHub's clock tells. It counts seconds: two of the same
// second without a link are left to a check.
func (p pushRow) follows(tip pushRow) bool {
	switch {
	case tip.ToSHA == "":
		return true // the first one
	case p.ToSHA == tip.ToSHA && p.FromSHA == tip.FromSHA:
		return true // the same again
	}
	after, before := p.FromSHA != "" && p.FromSHA == tip.ToSHA, tip.FromSHA != "" && tip.FromSHA == p.ToSHA
	if after != before {
		return after
	}
	return p.PushedAt != 0 && tip.PushedAt != 0 && p.PushedAt > tip.PushedAt
}
