package github

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/server/platform/database"
)

const hookTable = "github_hooks"

type hookRow struct {
	ID             string `gorm:"primaryKey"`
	TeamID         int64
	Name           string
	ConnectionID   *string
	Secret         []byte
	PreviousSecret []byte
	PreviousUntil  int64
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	RotatedAt      int64
	LastDeliveryAt int64
	LastPingAt     int64

	Kind          HookKind
	Owner         string
	Repo          string
	GithubID      int64
	Managed       bool
	Events        string
	State         HookState
	Problem       string
	SecretPending bool
	GithubStamp   string

	ComparedAt      int64
	CompareNext     int64
	CompareError    string
	CompareFailures int64
	Missing         int64
	Recovered       int64
	MissedAt        int64
}

func (hookRow) TableName() string { return hookTable }

func (s *Service) hook(r hookRow) Hook {
	h := Hook{ID: r.ID, Team: r.TeamID, Name: r.Name, URL: s.hookURL(r.ID), PreviousUntil: Millis(r.PreviousUntil), CreatedAt: Millis(r.CreatedAt),
		RotatedAt: Millis(r.RotatedAt), LastDeliveryAt: Millis(r.LastDeliveryAt), LastPingAt: Millis(r.LastPingAt)}
	if r.ConnectionID != nil {
		h.Connection = *r.ConnectionID
	}
	h.Kind, h.Managed, h.State, h.Problem, h.Alive = r.Kind, r.Managed, r.State, r.Problem, r.proved(s.Now(), s.started)
	h.Repository = r.Owner
	if r.Repo != "" {
		h.Repository += "/" + r.Repo
	}
	h.Events = r.eventList()
	h.Gap = Gap{Missing: r.Missing, Recovered: r.Recovered, LastComparedAt: Millis(r.ComparedAt), MissedAt: Millis(r.MissedAt), Error: r.CompareError, Possible: r.comparable()}
	return h
}

func (r hookRow) eventList() []string {
	list := []string{}
	_ = json.Unmarshal([]byte(r.Events), &list) // written by us
	return list
}

// managedHook is the managed hook of a repository or organization, named in any case.
func (s *Service) managedHook(ctx context.Context, connection string, kind HookKind, owner, repo string) (row hookRow, found bool, err error) {
	var rows []hookRow
	err = s.DB.Writer(ctx).Where("connection_id = ? AND kind = ? AND managed AND LOWER(owner) = LOWER(?) AND LOWER(repo) = LOWER(?)", connection, kind,
		owner, repo).Order("created_at").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

func (s *Service) appHook(ctx context.Context, connection string) (row hookRow, found bool, err error) {
	var rows []hookRow
	err = s.DB.Reader(ctx).Where("connection_id = ? AND kind = ?", connection, HookApp).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

func (s *Service) managedHooks(ctx context.Context, connection string) ([]hookRow, error) {
	var rows []hookRow
	return rows, s.DB.Writer(ctx).Where("connection_id = ? AND managed", connection).Order("id").Find(&rows).Error
}

// noteHook notes how a managed hook stands.
func (s *Service) noteHook(ctx context.Context, row hookRow, state HookState, message string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.DB.Writer(ctx).Exec("UPDATE github_hooks SET state = ?, problem = ? WHERE id = ?", state, message, row.ID).Error; err != nil {
			return err
		}
		return s.publish(ctx, row.TeamID, hookTopic, row.ID)
	})
}

// noteHookGone notes that GitHub has a hook no more, which is not created again by itself.
func (s *Service) noteHookGone(ctx context.Context, row hookRow, message string) error {
	if err := s.DB.Writer(ctx).Exec("UPDATE github_hooks SET github_id = 0, github_stamp = '' WHERE id = ?", row.ID).Error; err != nil {
		return err
	}
	return s.noteHook(ctx, row, HookBroken, message)
}

// hookMended notes that GitHub has what the row said; a secret made since is still to come.
func (s *Service) hookMended(ctx context.Context, row hookRow, githubID int64, stamp string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		err := s.DB.Writer(ctx).Exec("UPDATE github_hooks SET state = ?, problem = '', github_id = ?, github_stamp = ? WHERE id = ?", HookOK, githubID, stamp, row.ID).Error
		if err != nil {
			return err
		}
		switch row.Kind {
		case HookOrganization:
			err = s.replaceRepositoryHooks(ctx, row)
		case HookRepository: // which is there again, if it was gone
			err = s.DB.Writer(ctx).Exec("UPDATE github_repositories SET gone = '' WHERE hook_id = ? AND gone = ?", row.ID, GoneDeleted).Error
		}
		if err != nil {
			return err
		}
		if row.SecretPending {
			err := s.DB.Writer(ctx).Exec(`UPDATE github_hooks SET secret_pending = FALSE, previous_until = CASE WHEN previous_until > ? THEN ? ELSE previous_until END
				WHERE id = ? AND rotated_at = ?`, s.millis()+settleTime.Milliseconds(), s.millis()+settleTime.Milliseconds(), row.ID, row.RotatedAt).Error
			if err != nil {
				return err
			}
		}
		return s.hookChanged(ctx, row)
	})
}

// compareSoon has the connection's hooks compared with GitHub's lists at once.
func (s *Service) compareSoon(ctx context.Context, connection string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		s.DB.AfterCommit(ctx, s.wakeGaps)
		return s.DB.Writer(ctx).Exec("UPDATE github_hooks SET compare_next = 0 WHERE connection_id = ?", connection).Error
	})
}

func (s *Service) insertHook(ctx context.Context, row hookRow) error {
	return s.DB.Writer(ctx).Create(&row).Error
}

func (s *Service) updateHookSecrets(ctx context.Context, row hookRow) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_hooks SET secret = ?, previous_secret = ?, previous_until = ?, rotated_at = ?, secret_pending = ? WHERE id = ?",
		row.Secret, row.PreviousSecret, row.PreviousUntil, row.RotatedAt, row.SecretPending, row.ID).Error
}

func (s *Service) removeHook(ctx context.Context, id string) error {
	return s.DB.Writer(ctx).Where("id = ?", id).Delete(&hookRow{}).Error
}

// inheritHook makes what one hook told another's.
func (s *Service) inheritHook(ctx context.Context, from, to string) error {
	for _, table := range []string{"github_deliveries", "github_repositories"} {
		if err := s.DB.Writer(ctx).Exec("UPDATE "+table+" SET hook_id = ? WHERE hook_id = ?", to, from).Error; err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) findHook(ctx context.Context, id string) (hookRow, error) {
	var row hookRow
	err := s.DB.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such hook.")
}

// Hooks lists those of the given teams.
func (s *Service) Hooks(ctx context.Context, teams ...int64) ([]Hook, error) {
	var rows []hookRow
	err := s.DB.Reader(ctx).Where("team_id IN ?", teams).Order("created_at, id").Find(&rows).Error
	list := make([]Hook, len(rows))
	for i, r := range rows {
		list[i] = s.hook(r)
	}
	return list, err
}

// touchHook notes that the hook is alive.
func (s *Service) touchHook(ctx context.Context, id string, at int64, ping bool) error {
	column := "last_delivery_at"
	if ping {
		column = "last_ping_at"
	}
	return s.DB.Writer(ctx).Exec("UPDATE github_hooks SET "+column+" = ? WHERE id = ?", at, id).Error
}
