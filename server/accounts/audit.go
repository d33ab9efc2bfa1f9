package accounts

import (
	"context"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

const (
	auditPage      = 100
	maxAuditDetail = 2000
)

// AuditEntry is one change: who, what, from where.
type AuditEntry struct {
	ID int64
	At time.Time
	// Team is zero for what concerns the installation.
	Team      identity.Team
	Actor     string
	Action    string
	Object    string
	Detail    string
	Address   string
	RequestID string
}

// Audit writes an entry in the context's transaction, by the context's caller.
// action is noun.verb, object the thing's name, detail a few words. None of them
// may hold a secret: owners and administrators read them.
func (s *Service) Audit(ctx context.Context, team int64, action, object, detail string) error {
	caller := identity.From(ctx)
	actor := caller.Name
	if actor == "" {
		actor = "nobody"
	}
	if len(detail) > maxAuditDetail {
		detail = strings.ToValidUTF8(detail[:maxAuditDetail], "") + "…"
	}
	return s.store.insertAudit(ctx, auditRow{At: s.now().UnixMilli(), TeamID: team, Actor: actor, ActorID: max(caller.UserID, 0), Action: action,
		Object: object, Detail: detail, Address: caller.Address, RequestID: api.RequestID(ctx)})
}

// AuditFilter chooses entries; zero fields do not narrow.
type AuditFilter struct {
	// Teams limits to these; nil means every team and the installation.
	Teams []int64
	// Before is the id of the last entry already seen.
	Before int64
	// Query must be part of actor, action, object or detail.
	Query string
}

// AuditLog lists entries, newest first, a page at a time.
func (s *Service) AuditLog(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	return s.store.audit(ctx, f, auditPage)
}
