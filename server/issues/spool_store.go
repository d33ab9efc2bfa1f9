package issues

import (
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/platform/api"
)

type spoolRow struct {
	Node      string `gorm:"primaryKey"`
	Position  int64
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
}

func (spoolRow) TableName() string { return "issues_spools" }

// spoolPosition is up to where this node's spool is digested.
func (s *Service) spoolPosition(ctx context.Context) (int64, error) {
	var rows []spoolRow
	err := s.DB.Reader(ctx).Where("node = ?", s.Node).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return rows[0].Position, nil
}

// spoolDone saves that all items up to offset are digested, in the context's
// transaction; once it has committed, files that are done go.
func (s *Service) spoolDone(ctx context.Context, offset int64) error {
	err := s.rows().exec(ctx, `INSERT INTO issues_spools (node, position, updated_at) VALUES (?, ?, ?)
		ON CONFLICT (node) DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at`, s.Node, offset, s.millis())
	if err == nil {
		s.DB.AfterCommit(ctx, func() { s.spool.advance(offset) })
	}
	return err
}

type rejectedRow struct {
	ID         int64 `gorm:"primaryKey"`
	TeamID     int64
	ProjectID  int64
	ItemType   string
	EventID    string
	Client     string
	Reason     string
	ReceivedAt int64
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	Payload    []byte
}

func (rejectedRow) TableName() string { return "issues_rejected" }

const (
	maxRejectedPayload = 1 << 20
	maxRejectedReason  = 4000
)

func (s *Service) insertRejected(ctx context.Context, a Accepted, reason string) error {
	clean := func(text string) string { return strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?") }
	payload := a.Payload[:min(len(a.Payload), maxRejectedPayload)]
	if payload == nil {
		payload = []byte{}
	}
	row := rejectedRow{TeamID: a.Team, ProjectID: a.Project, ItemType: clean(a.ItemType), EventID: clean(a.EventID), Client: clean(a.Client),
		Reason: clean(reason[:min(len(reason), maxRejectedReason)]), ReceivedAt: a.Received.UnixMilli(), CreatedAt: s.millis(), Payload: payload}
	return s.DB.Writer(ctx).Create(&row).Error
}

// Rejected is an item that was put aside, without its payload.
type Rejected struct {
	ItemType   string     `json:"item_type"`
	EventID    string     `json:"event_id"`
	Client     string     `json:"client"`
	Reason     string     `json:"reason"`
	ReceivedAt api.Millis `json:"received_at"`
}

// rejectedOf lists a project's last few.
func (s *Service) rejectedOf(ctx context.Context, project int64, limit int) ([]Rejected, error) {
	var rows []rejectedRow
	if err := s.DB.Reader(ctx).Select("item_type", "event_id", "client", "reason", "received_at").Where("project_id = ?", project).
		Order("id DESC").Limit(limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Rejected, len(rows))
	for i, r := range rows {
		reason, _, _ := strings.Cut(r.Reason, "\n") // no stacks of ours
		list[i] = Rejected{r.ItemType, r.EventID, r.Client, reason, api.Millis(r.ReceivedAt)}
	}
	return list, nil
}

type holdRow struct {
	ID        string `gorm:"primaryKey"`
	Node      string
	TeamID    int64
	SHA256    string `gorm:"column:sha256"`
	CreatedAt int64  `gorm:"autoCreateTime:false"`
}

func (holdRow) TableName() string { return "issues_holds" }

// hold lets the spool own a blob until its item is digested.
func (s *Service) hold(ctx context.Context, team int64, sha, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.Blobs.Own(ctx, team, sha, holdKind, id); err != nil {
			return err
		}
		return s.DB.Writer(ctx).Create(&holdRow{ID: id, Node: s.Node, TeamID: team, SHA256: sha, CreatedAt: s.millis()}).Error
	})
}

func (s *Service) releaseHold(ctx context.Context, team int64, sha, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.Blobs.Disown(ctx, team, sha, holdKind, id); err != nil {
			return err
		}
		return s.DB.Writer(ctx).Where("id = ?", id).Delete(&holdRow{}).Error
	})
}

func (s *Service) holdsBefore(ctx context.Context, before int64) ([]holdRow, error) {
	var rows []holdRow
	return rows, s.DB.Reader(ctx).Where("node = ? AND created_at < ?", s.Node, before).Order("created_at").Limit(1000).Find(&rows).Error
}
