package assistant

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
)

// SetLogin keeps what GitHub calls the context's caller; "" forgets it.
func (s *Service) SetLogin(ctx context.Context, name string) error {
	return s.store.setLink(ctx, identity.From(ctx).UserID, "github", name)
}
