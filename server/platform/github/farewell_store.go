package github

import "context"

type farewellRow struct {
	ID             int64 `gorm:"primaryKey"`
	ConnectionID   string
	APIURL         string `gorm:"column:api_url"`
	ConnectionKind Kind
	Token          []byte
	AppKey         []byte
	AppID          int64
	Installation   int64
	Kind           HookKind
	Owner          string
	Repo           string
	GithubID       int64
	URL            string `gorm:"column:url"`
	Error          string
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
}

func (farewellRow) TableName() string { return "github_farewells" }

func (s *Service) insertFarewell(ctx context.Context, r *farewellRow) error {
	return s.DB.Writer(ctx).Create(r).Error
}

func (s *Service) findFarewell(ctx context.Context, id int64) (row farewellRow, found bool, err error) {
	var rows []farewellRow
	err = s.DB.Reader(ctx).Where("id = ?", id).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

func (s *Service) noteFarewell(ctx context.Context, id int64, message string) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_farewells SET error = ? WHERE id = ?", message, id).Error
}

func (s *Service) deleteFarewell(ctx context.Context, id int64) error {
	return s.DB.Writer(ctx).Where("id = ?", id).Delete(&farewellRow{}).Error
}

// pruneFarewells forgets, with their secrets, those that GitHub refused for a month.
func (s *Service) pruneFarewells(ctx context.Context, before int64) error {
	return s.DB.Writer(ctx).Where("created_at < ?", before).Delete(&farewellRow{}).Error
}

// connectionsOf are all of a team's, also those that a person has removed.
func (s *Service) connectionsOf(ctx context.Context, team int64) ([]connectionRow, error) {
	var rows []connectionRow
	return rows, s.DB.Reader(ctx).Where("team_id = ?", team).Order("id").Find(&rows).Error
}

func (s *Service) removalsOf(ctx context.Context, connection string) ([]removalRow, error) {
	var rows []removalRow
	return rows, s.DB.Reader(ctx).Where("connection_id = ?", connection).Order("id").Find(&rows).Error
}
