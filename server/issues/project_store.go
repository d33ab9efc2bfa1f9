package issues

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
)

type projectRow struct {
	ID              int64 `gorm:"primaryKey"`
	TeamID          int64
	Slug            string
	Name            string
	Platform        string
	Origins         string
	Filters         string
	Limits          string
	RetentionDays   int
	RetentionEvents int64
	RetentionBytes  int64
	Scrubbing       string
	Salt            string
	Repository      string
	GroupingRules   string
	CreatedAt       int64 `gorm:"autoCreateTime:false"`
	FirstEventAt    int64
	LastEventAt     int64
}

func (projectRow) TableName() string { return "issues_projects" }

// settings is JSON that only we write.
func settings(v any) string {
	raw, _ := json.Marshal(v) // slices and structs of strings and numbers: cannot fail
	return string(raw)
}

func rowOfProject(p Project) projectRow {
	return projectRow{ID: p.ID, TeamID: p.Team, Slug: p.Slug, Name: p.Name, Platform: p.Platform, Origins: settings(p.Origins), Filters: settings(p.Filters),
		Limits: settings(p.Limits), RetentionDays: p.Retention.Days, RetentionEvents: p.Retention.Events, RetentionBytes: p.Retention.Bytes,
		Scrubbing: p.Scrubbing.text(), Salt: p.salt, Repository: p.Repository, GroupingRules: p.Grouping, CreatedAt: int64(p.CreatedAt), FirstEventAt: int64(p.FirstEventAt), LastEventAt: int64(p.LastEventAt)}
}

func (r projectRow) project() (Project, error) {
	p := Project{ID: r.ID, Team: r.TeamID, Slug: r.Slug, Name: r.Name, Platform: r.Platform, Repository: r.Repository, Grouping: r.GroupingRules, salt: r.Salt,
		Retention: Retention{Days: r.RetentionDays, Events: r.RetentionEvents, Bytes: r.RetentionBytes},
		CreatedAt: api.Millis(r.CreatedAt), FirstEventAt: api.Millis(r.FirstEventAt), LastEventAt: api.Millis(r.LastEventAt)}
	if err := json.Unmarshal([]byte(r.Origins), &p.Origins); err != nil {
		return p, fmt.Errorf("read the origins of project %d: %w", r.ID, err)
	}
	var err error
	if p.Scrubbing, err = parseScrubbing(r.Scrubbing); err != nil {
		return p, fmt.Errorf("project %d: %w", r.ID, err)
	}
	if err := json.Unmarshal([]byte(r.Filters), &p.Filters); err != nil {
		return p, fmt.Errorf("read the filters of project %d: %w", r.ID, err)
	}
	if err := json.Unmarshal([]byte(r.Limits), &p.Limits); err != nil {
		return p, fmt.Errorf("read the limits of project %d: %w", r.ID, err)
	}
	return p, nil
}

func (s *Service) insertProject(ctx context.Context, p Project) (int64, error) {
	row := rowOfProject(p)
	err := s.DB.Writer(ctx).Create(&row).Error
	if database.IsDuplicate(err) {
		return 0, slugTaken(p.Slug)
	}
	return row.ID, err
}

func (s *Service) updateProject(ctx context.Context, p Project) error {
	r := rowOfProject(p)
	err := s.DB.Writer(ctx).Exec(`UPDATE issues_projects SET slug = ?, name = ?, platform = ?, origins = ?, filters = ?, limits = ?,
		retention_days = ?, retention_events = ?, retention_bytes = ?, scrubbing = ?, salt = ?, repository = ?, grouping_rules = ? WHERE id = ?`,
		r.Slug, r.Name, r.Platform, r.Origins, r.Filters, r.Limits, r.RetentionDays, r.RetentionEvents, r.RetentionBytes, r.Scrubbing, r.Salt, r.Repository, r.GroupingRules, r.ID).Error
	if database.IsDuplicate(err) {
		return slugTaken(p.Slug)
	}
	return err
}

func (s *Service) removeProject(ctx context.Context, id int64) error {
	return s.DB.Writer(ctx).Where("id = ?", id).Delete(&projectRow{}).Error
}

func (s *Service) findProject(ctx context.Context, id int64) (Project, error) {
	var row projectRow
	if err := s.DB.Reader(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return Project{}, database.NotFound(err, "There is no such project.")
	}
	return row.project()
}

// projectBySlug finds a team's project by its slug, or by its number as some clients do.
func (s *Service) projectBySlug(ctx context.Context, team int64, slug string) (Project, error) {
	var row projectRow
	q := s.DB.Reader(ctx).Where("team_id = ?", team)
	if isDigits(slug) {
		q = q.Where("CAST(id AS TEXT) = ?", slug)
	} else {
		q = q.Where("slug = ?", slug)
	}
	if err := q.Take(&row).Error; err != nil {
		return Project{}, database.NotFound(err, "There is no project %.60s in this team.", slug)
	}
	return row.project()
}

// Projects lists those of the given teams by slug.
func (s *Service) Projects(ctx context.Context, teams ...int64) ([]Project, error) {
	var rows []projectRow
	if err := s.DB.Reader(ctx).Where("team_id IN ?", teams).Order("slug, id").Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Project, len(rows))
	for i, r := range rows {
		p, err := r.project()
		if err != nil {
			return nil, err
		}
		if list[i], err = s.named(ctx, p); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Service) slugs(ctx context.Context, team int64) ([]string, error) {
	var list []string
	return list, s.DB.Reader(ctx).Model(&projectRow{}).Where("team_id = ?", team).Pluck("slug", &list).Error
}
