package github

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/platform/problem"
)

type postRow struct {
	ID           int64 `gorm:"primaryKey"`
	TeamID       int64
	ConnectionID string
	Kind         PostKind
	Owner        string
	Repo         string
	Subject      string
	SHA          string `gorm:"column:sha"`
	Number       int
	Marker       string
	Content      string
	Wanted       int64
	Posted       int64
	GithubID     int64
	Annotated    int64
	Attempts     int64
	Failed       bool
	Error        string
	UpdatedAt    int64 `gorm:"autoUpdateTime:false"`
}

func (postRow) TableName() string { return "github_posts" }

func (r postRow) read(into any) error {
	if err := json.Unmarshal([]byte(r.Content), into); err != nil {
		return fmt.Errorf("the stored %s is damaged: %w", r.Kind, err)
	}
	return nil
}

// wishPost notes what GitHub should show. It reports false when that was the wish already.
func (s *Service) wishPost(ctx context.Context, w wish, content string) (id int64, changed bool, err error) {
	var rows []struct{ ID int64 }
	w.owner, w.repo = strings.ToLower(w.owner), strings.ToLower(w.repo) // one wish, however the repository is written
	err = s.DB.Writer(ctx).Raw(`INSERT INTO github_posts AS g
		(team_id, connection_id, kind, owner, repo, subject, sha, number, marker, content, wanted, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
		ON CONFLICT (connection_id, kind, owner, repo, subject) DO UPDATE SET content = excluded.content, wanted = g.wanted + 1,
			attempts = 0, failed = FALSE, error = '', updated_at = excluded.updated_at
		WHERE g.content <> excluded.content
		RETURNING id`,
		w.team, w.connection, w.kind, w.owner, w.repo, w.subject, w.sha, w.number, randomHex(12), content, s.millis()).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return 0, false, err
	}
	return rows[0].ID, true, nil
}

func (s *Service) findPost(ctx context.Context, id int64) (row postRow, found bool, err error) {
	var rows []postRow
	err = s.DB.Reader(ctx).Where("id = ?", id).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

func (s *Service) postDone(ctx context.Context, row postRow) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_posts SET posted = ?, attempts = attempts + 1, failed = FALSE, error = '', updated_at = ? WHERE id = ? AND posted < ?",
		row.Wanted, s.millis(), row.ID, row.Wanted).Error
}

func (s *Service) notePostError(ctx context.Context, row postRow, message string, final bool) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_posts SET attempts = attempts + 1, error = ?, failed = ?, updated_at = ? WHERE id = ? AND wanted = ?",
		message, final, s.millis(), row.ID, row.Wanted).Error
}

func (s *Service) notePostID(ctx context.Context, row *postRow, id int64) error {
	row.GithubID = id
	return s.DB.Writer(ctx).Exec("UPDATE github_posts SET github_id = ? WHERE id = ?", id, row.ID).Error
}

func (s *Service) noteCheck(ctx context.Context, row *postRow, id int64, annotated int) error {
	row.GithubID, row.Annotated = id, int64(annotated)
	return s.DB.Writer(ctx).Exec("UPDATE github_posts SET github_id = ?, annotated = ? WHERE id = ?", id, annotated, row.ID).Error
}

// PostFilter narrows a list of posts; zero fields do not.
type PostFilter struct {
	State PostState
	Kind  PostKind
	Limit int
}

// everyPost is posts and statuses as one table.
const everyPost = `(SELECT id, team_id, kind, owner, repo, sha, number, subject, wanted, posted, attempts, failed, error, updated_at FROM github_posts
	UNION ALL SELECT id, team_id, 'status', owner, repo, sha, 0, context, wanted, posted, attempts, failed, error, updated_at FROM github_statuses)`

var postConditions = map[PostState]string{
	PostDone: "posted >= wanted", PostFailed: "posted < wanted AND failed", PostRetrying: "posted < wanted AND NOT failed AND error <> ''",
	PostWaiting: "posted < wanted AND NOT failed AND error = ''",
}

func (s *Service) listPosts(ctx context.Context, f PostFilter, teams []int64) ([]Post, error) {
	if f.Limit < 1 || f.Limit > 200 {
		f.Limit = 100
	}
	q := s.DB.Reader(ctx).Table(everyPost+" p").Where("team_id IN ?", teams)
	if f.State != "" {
		condition, known := postConditions[f.State]
		if !known {
			return nil, problem.FieldError("state", "%q is none of waiting, retrying, posted and failed", string(f.State))
		}
		q = q.Where(condition)
	}
	if f.Kind != "" {
		q = q.Where("kind = ?", f.Kind)
	}
	var rows []postRow
	err := q.Order("updated_at DESC, id DESC").Limit(f.Limit).Find(&rows).Error
	list := make([]Post, len(rows))
	for i, r := range rows {
		list[i] = r.listed()
	}
	return list, err
}

func (r postRow) listed() Post {
	p := Post{ID: r.ID, Team: r.TeamID, Kind: r.Kind, Repository: r.Owner + "/" + r.Repo, SHA: r.SHA, Number: r.Number, Subject: r.Subject,
		State: PostWaiting, Error: r.Error, Attempts: r.Attempts, UpdatedAt: Millis(r.UpdatedAt)}
	switch {
	case r.Posted >= r.Wanted:
		p.State = PostDone
	case r.Failed:
		p.State = PostFailed
	case r.Error != "":
		p.State = PostRetrying
	}
	return p
}

func postTable(kind PostKind) (string, error) {
	switch kind {
	case PostedStatus:
		return "github_statuses", nil
	case PostedCheck, PostedComment:
		return "github_posts", nil
	}
	return "", problem.New(problem.NotFound, "There is no such post.")
}

func (s *Service) postTeam(ctx context.Context, kind PostKind, id int64) (team int64, err error) {
	table, err := postTable(kind)
	if err != nil {
		return 0, err
	}
	var teams []int64
	err = s.DB.Reader(ctx).Table(table).Where("id = ?", id).Pluck("team_id", &teams).Error
	if err == nil && len(teams) == 0 {
		err = problem.New(problem.NotFound, "There is no such post.")
	}
	if err != nil {
		return 0, err
	}
	return teams[0], nil
}

// revivePost reports false when there is nothing to be written.
func (s *Service) revivePost(ctx context.Context, kind PostKind, id int64) (bool, error) {
	table, err := postTable(kind)
	if err != nil {
		return false, err
	}
	r := s.DB.Writer(ctx).Exec("UPDATE "+table+" SET failed = FALSE, error = '' WHERE id = ? AND posted < wanted AND failed", id)
	return r.RowsAffected == 1, r.Error
}

func (s *Service) prunePosts(ctx context.Context, before int64) error {
	return s.DB.Writer(ctx).Exec("DELETE FROM github_posts WHERE updated_at < ? AND posted >= wanted", before).Error
}
