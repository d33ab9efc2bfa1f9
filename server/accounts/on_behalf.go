package accounts

import (
	"context"
	"errors"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// CallerOf is a user as they are now, for parts that know them by something else
// than a session or a token, such as a linked account of a chat. Whoever may not
// sign in is nobody.
func (s *Service) CallerOf(ctx context.Context, user int64) (identity.Caller, error) {
	c, err := s.callerOf(ctx, user, 0)
	if errors.Is(err, errNoCaller) {
		return identity.Caller{}, problem.New(problem.Unauthorized, "This user is unknown or may not sign in.")
	}
	return c, err
}
