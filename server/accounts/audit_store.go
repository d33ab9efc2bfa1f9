package accounts

import (
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/platform/identity"
)

type auditRow struct {
	ID        int64 `gorm:"primaryKey"`
	At        int64
	TeamID    int64
	Actor     string
	ActorID   int64
	Action    string
	Object    string
	Detail    string
	Address   string
	RequestID string
}

func (auditRow) TableName() string { return "accounts_audit" }

func (s store) insertAudit(ctx context.Context, row auditRow) error {
	return s.db.Writer(ctx).Create(&row).Error
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (s store) audit(ctx context.Context, f AuditFilter, limit int) ([]AuditEntry, error) {
	q := s.db.Reader(ctx).Table("accounts_audit AS a").Select("a.*, COALESCE(t.name, '') AS team_name").
		Joins("LEFT JOIN accounts_teams t ON t.id = a.team_id").Order("a.id DESC").Limit(limit)
	if f.Teams != nil {
		q = q.Where("a.team_id IN ?", f.Teams)
	}
	if f.Before > 0 {
		q = q.Where("a.id < ?", f.Before)
	}
	if f.Query != "" {
		like := "%" + likeEscape.Replace(strings.ToLower(f.Query)) + "%"
		q = q.Where(`lower(a.actor || ' ' || a.action || ' ' || a.object || ' ' || a.detail) LIKE ? ESCAPE '\'`, like)
	}
	var rows []struct {
		Row      auditRow `gorm:"embedded"`
		TeamName string
	}
	if err := q.Scan(&rows).Error; err != nil {
		return nil, err
	}
	entries := make([]AuditEntry, len(rows))
	for i, found := range rows {
		r := found.Row
		entries[i] = AuditEntry{ID: r.ID, At: fromMillis(r.At), Team: identity.Team{ID: r.TeamID, Name: found.TeamName}, Actor: r.Actor, Action: r.Action,
			Object: r.Object, Detail: r.Detail, Address: r.Address, RequestID: r.RequestID}
	}
	return entries, nil
}
