package github

import (
	"context"
	"fmt"
)

type flowRow struct {
	State        string `gorm:"primaryKey"`
	TeamID       int64
	UserID       int64
	Holder       string
	Organization string
	APIURL       string `gorm:"column:api_url"`
	HookID       string
	ExpiresAt    int64
}

func (flowRow) TableName() string { return "github_app_flows" }

func (s *Service) saveFlow(ctx context.Context, f appFlow) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.DB.Writer(ctx).Where("expires_at < ?", s.millis()).Delete(&flowRow{}).Error; err != nil {
			return err
		}
		return s.DB.Writer(ctx).Create(&flowRow{State: f.state, TeamID: f.team, UserID: f.user, Holder: f.holder, Organization: f.organization, APIURL: f.apiURL,
			HookID: f.hook, ExpiresAt: f.expires}).Error
	})
}

func (s *Service) findFlow(ctx context.Context, state string) (appFlow, bool, error) {
	var rows []flowRow
	err := s.DB.Reader(ctx).Where("state = ?", state).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return appFlow{}, false, err
	}
	r := rows[0]
	return appFlow{state: r.State, team: r.TeamID, user: r.UserID, holder: r.Holder, organization: r.Organization, apiURL: r.APIURL, hook: r.HookID, expires: r.ExpiresAt}, true, nil
}

// takeFlow reports false when somebody was faster.
func (s *Service) takeFlow(ctx context.Context, state string) (bool, error) {
	r := s.DB.Writer(ctx).Where("state = ?", state).Delete(&flowRow{})
	return r.RowsAffected == 1, r.Error
}

// freeName is the name, with a number when the team has one of that name.
func (s *Service) freeName(ctx context.Context, team int64, name string) (string, error) {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s %d", name, n)
		}
		var taken int64
		if err := s.DB.Writer(ctx).Model(&connectionRow{}).Where("team_id = ? AND name = ?", team, try).Count(&taken).Error; err != nil || taken == 0 {
			return try, err
		}
	}
}
