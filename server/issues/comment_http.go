package issues

import (
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) commentRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.GET("/issues/:id/activity", read, api.Handle(s.httpActivity))
	r.GET("/issues/:id/comments", read, api.Handle(s.httpComments))
	r.POST("/issues/:id/comments", write, api.Handle(s.httpComment))
	r.PATCH("/issues/:id/comments/:comment", write, api.Handle(s.httpEditComment))
	r.DELETE("/issues/:id/comments/:comment", write, api.Handle(s.httpDeleteComment))
}

type byIssue struct {
	ID int64 `uri:"id" json:"-" form:"-"`
}

type activityShape struct {
	ID   int64      `json:"id"`
	Kind ChangeKind `json:"kind"`
	At   api.Millis `json:"at"`
	// Person is who did it, "" for events and the clock.
	Person string `json:"person"`
	Detail string `json:"detail"`
}

type activityList struct {
	Activity []activityShape `json:"activity"`
}

func (s *Service) httpActivity(ctx context.Context, in byIssue) (activityList, error) {
	out := activityList{Activity: []activityShape{}}
	if _, err := s.issueFor(ctx, in.ID, reading); err != nil {
		return out, err
	}
	list, err := s.rows().activity(ctx, in.ID, 200)
	for _, a := range list {
		out.Activity = append(out.Activity, activityShape{a.ID, a.Kind, api.Millis(a.At), a.Person, a.Detail})
	}
	return out, err
}

type commentShape struct {
	ID       int64      `json:"id"`
	At       api.Millis `json:"at"`
	EditedAt api.Millis `json:"edited_at,omitzero"`
	Person   string     `json:"person"`
	Text     string     `json:"text"`
	// Mine says that the caller may change it.
	Mine bool `json:"mine"`
}

type commentList struct {
	Comments []commentShape `json:"comments"`
}

func shapeComment(ctx context.Context, c commentRow) commentShape {
	return commentShape{c.ID, api.Millis(c.At), api.Millis(c.EditedAt), c.Person, c.Text, c.UserID == identity.From(ctx).UserID}
}

func (s *Service) httpComments(ctx context.Context, in byIssue) (commentList, error) {
	out := commentList{Comments: []commentShape{}}
	if _, err := s.issueFor(ctx, in.ID, reading); err != nil {
		return out, err
	}
	list, err := s.rows().comments(ctx, in.ID)
	for _, c := range list {
		out.Comments = append(out.Comments, shapeComment(ctx, c))
	}
	return out, err
}

type commentIn struct {
	ID      int64  `uri:"id" json:"-" form:"-"`
	Comment int64  `uri:"comment" json:"-" form:"-"`
	Text    string `json:"text" form:"-"`
}

const maxComment = 20000

func (in commentIn) text() (string, error) {
	text := strings.TrimSpace(in.Text)
	if text == "" || len(text) > maxComment {
		return "", problem.FieldError("text", "write 1 to %d bytes", maxComment)
	}
	return text, nil
}

func (s *Service) httpComment(ctx context.Context, in commentIn) (api.Created[commentShape], error) {
	caller := identity.From(ctx)
	row := commentRow{IssueID: in.ID, At: s.millis(), UserID: caller.UserID, Person: caller.Name}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		i, err := s.issueFor(ctx, in.ID, writing)
		if err != nil {
			return err
		}
		if row.Text, err = in.text(); err != nil {
			return err
		}
		if err := s.rows().insertComment(ctx, &row); err != nil {
			return err
		}
		return s.issueChanged(ctx, i, ChangeComment, caller.Name, clipText(row.Text, 200))
	})
	return api.Created[commentShape]{Value: shapeComment(ctx, row)}, err
}

// ownComment finds a comment that the caller wrote, or may remove as the team's administrator.
func (s *Service) ownComment(ctx context.Context, in commentIn, others bool) (issueRow, commentRow, error) {
	i, err := s.issueFor(ctx, in.ID, writing)
	if err != nil {
		return i, commentRow{}, err
	}
	c, err := s.rows().comment(ctx, in.ID, in.Comment)
	if err != nil {
		return i, c, err
	}
	admin := identity.From(ctx).Can(i.TeamID, identity.Scope{Capability: "issues", Level: identity.Admin})
	if c.UserID != identity.From(ctx).UserID && !(others && admin) {
		return i, c, problem.New(problem.Forbidden, "Only %s may change this comment.", c.Person)
	}
	return i, c, nil
}

func (s *Service) httpEditComment(ctx context.Context, in commentIn) (commentShape, error) {
	i, c, err := s.ownComment(ctx, in, false)
	if err != nil {
		return commentShape{}, err
	}
	if c.Text, err = in.text(); err != nil {
		return commentShape{}, err
	}
	c.EditedAt = s.millis()
	if err := s.rows().editComment(ctx, c.ID, c.Text, c.EditedAt); err != nil {
		return commentShape{}, err
	}
	return shapeComment(ctx, c), s.publish(ctx, i.TeamID, topicIssue, formatID(i.ID))
}

func (s *Service) httpDeleteComment(ctx context.Context, in commentIn) (api.Nothing, error) {
	i, c, err := s.ownComment(ctx, in, true)
	if err != nil {
		return api.Nothing{}, err
	}
	if err := s.rows().removeComment(ctx, c.ID); err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.publish(ctx, i.TeamID, topicIssue, formatID(i.ID))
}
