package accounts

import (
	"context"
	"strconv"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

var readAudit = identity.Scope{Capability: "accounts", Level: identity.Admin}

type auditOut struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Team is empty for what concerns the installation, and for deleted teams.
	Team      string `json:"team"`
	Actor     string `json:"actor"`
	Action    string `json:"action"`
	Object    string `json:"object"`
	Detail    string `json:"detail"`
	Address   string `json:"address"`
	RequestID string `json:"request_id"`
}

func (s *Service) auditRoutes(r api.Router) {
	r.GET("/audit", api.Scoped(readAudit.Capability, readAudit.Level), api.Handle(s.handleAudit))
}

type auditIn struct {
	Team   string `form:"team"`
	Before int64  `form:"before"`
	Query  string `form:"q"`
}

// handleAudit shows an owner their teams' entries, an administrator all.
func (s *Service) handleAudit(ctx context.Context, in auditIn) (list[auditOut], error) {
	caller := identity.From(ctx)
	f := AuditFilter{Before: in.Before, Query: in.Query}
	switch {
	case in.Team != "":
		f.Teams = []int64{caller.Teams[in.Team].ID} // the route has checked it
	case !caller.CanAdministrate():
		f.Teams = caller.TeamIDs(readAudit)
	}
	entries, err := s.AuditLog(ctx, f)
	if err != nil {
		return list[auditOut]{}, err
	}
	out := listOf(entries, func(e AuditEntry) auditOut {
		return auditOut{ID: strconv.FormatInt(e.ID, 10), At: e.At, Team: e.Team.Name, Actor: e.Actor, Action: e.Action, Object: e.Object,
			Detail: e.Detail, Address: e.Address, RequestID: e.RequestID}
	})
	if len(entries) == auditPage {
		out.Next = out.Items[auditPage-1].ID
	}
	return out, nil
}
