package github

import (
	"context"
	"slices"

	"gorm.io/gorm/clause"
)

type moveRow struct {
	TeamID    int64  `gorm:"primaryKey"`
	FromPlace string `gorm:"primaryKey"`
	ToPlace   string `gorm:"primaryKey"`
	MovedAt   int64
}

func (moveRow) TableName() string { return "github_moves" }

func (s *Service) saveMove(ctx context.Context, team int64, from, to string) error {
	return s.DB.Writer(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&moveRow{TeamID: team, FromPlace: from, ToPlace: to, MovedAt: s.millis()}).Error
}

func (s *Service) movesOf(ctx context.Context, team int64, place string) ([]string, error) {
	var rows []moveRow
	err := s.DB.Reader(ctx).Where("team_id = ? AND (from_place = ? OR to_place = ?)", team, place, place).Order("moved_at, from_place, to_place").Limit(40).Find(&rows).Error
	list := []string{}
	for _, r := range rows {
		for _, p := range []string{r.FromPlace, r.ToPlace} {
			if p != place {
				list = append(list, p)
			}
		}
	}
	return list, err
}

// moveRepository has rows that name the repository at from name owner/name.
func (s *Service) moveRepository(ctx context.Context, team int64, from, owner, name string) error {
	err := s.DB.Writer(ctx).Exec("UPDATE github_repositories SET owner = ?, name = ? WHERE team_id = ? AND place = ?", owner, name, team, from).Error
	if err != nil {
		return err
	}
	if err := s.movePosts(ctx, team, from, owner, name); err != nil {
		return err
	}
	hooks, err := s.hooksAt(ctx, team, []string{from})
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if err := s.DB.Writer(ctx).Exec("UPDATE github_hooks SET owner = ?, repo = ? WHERE id = ?", owner, name, h.ID).Error; err != nil {
			return err
		}
	}
	return nil
}

// movePosts has what we keep at GitHub looked for under the new name, such as the one
// comment of a pull request, which would be written twice otherwise.
func (s *Service) movePosts(ctx context.Context, team int64, from, owner, name string) error {
	oldOwner, oldName := ownerName(from)
	if oldOwner == "" {
		return nil
	}
	return s.DB.Writer(ctx).Exec(`UPDATE github_posts SET owner = ?, repo = ? WHERE team_id = ? AND owner = ? AND repo = ? AND NOT EXISTS
		(SELECT 1 FROM github_posts o WHERE o.connection_id = github_posts.connection_id AND o.kind = github_posts.kind AND o.owner = ? AND o.repo = ?
			AND o.subject = github_posts.subject)`, owner, name, team, oldOwner, oldName, owner, name).Error
}

// hooksAt are the team's hooks of repositories at the places.
func (s *Service) hooksAt(ctx context.Context, team int64, places []string) ([]hookRow, error) {
	var rows []hookRow
	if err := s.DB.Reader(ctx).Where("team_id = ? AND kind = ? AND connection_id IS NOT NULL", team, HookRepository).Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	connections, err := s.Connections(ctx, team)
	if err != nil {
		return nil, err
	}
	hosts := map[string]string{}
	for _, c := range connections {
		hosts[c.ID] = cloneHost(c.APIURL)
	}
	return slices.DeleteFunc(rows, func(r hookRow) bool {
		return !slices.Contains(places, normalPlace(hosts[*r.ConnectionID]+"/"+r.Owner+"/"+r.Repo))
	}), nil
}

// coveringHooks are the hooks that tell of the repository at the places: its own,
// and those that have told of it. One that tells of many must have told of this
// one lately, for the repository may have been taken from it.
func (s *Service) coveringHooks(ctx context.Context, team int64, places []string) ([]hookRow, error) {
	own, err := s.hooksAt(ctx, team, places)
	if err != nil {
		return nil, err
	}
	var told []hookRow
	err = s.DB.Reader(ctx).Raw(`SELECT h.* FROM github_hooks h JOIN github_repositories r ON r.hook_id = h.id
		WHERE h.team_id = ? AND r.team_id = ? AND r.place IN ? AND (h.kind NOT IN ('app', 'organization') OR r.seen_at > ?)`,
		team, team, places, s.Now().Add(-provedFor).UnixMilli()).Scan(&told).Error
	return append(own, told...), err
}
