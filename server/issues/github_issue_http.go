package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) linkRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.POST("/issues/:id/github", write, api.Handle(s.httpCreateLink))
	r.GET("/issues/:id/links", read, api.Handle(s.httpLinks))
	r.PUT("/issues/:id/links", write, api.Handle(s.httpLink))
	r.DELETE("/issues/:id/links/:link", write, api.Handle(s.httpUnlink))
}

// linkShape is a link of an issue to one at GitHub.
type linkShape struct {
	ID         int64  `json:"id"`
	Repository string `json:"repository"`
	// Number is 0 until the issue has been created.
	Number int64  `json:"number"`
	URL    string `json:"url"`
	Title  string `json:"title"`
	// State is creating, failed, open, closed or unknown.
	State     string     `json:"state"`
	Error     string     `json:"error"`
	CreatedBy string     `json:"created_by"`
	CreatedAt api.Millis `json:"created_at"`
}

type linkList struct {
	Items []linkShape `json:"items"`
}

// linksOf are the links of an issue for its page.
func (s *Service) linksOf(ctx context.Context, issue int64) ([]linkShape, error) {
	list, err := s.rows().links(ctx, issue)
	out := make([]linkShape, len(list))
	for i, l := range list {
		out[i] = linkShape{l.ID, l.Repository, l.Number, l.URL, l.Title, l.State, l.Error, l.CreatedBy, api.Millis(l.CreatedAt)}
	}
	return out, err
}

func (s *Service) httpLinks(ctx context.Context, in byIssue) (linkList, error) {
	i, err := s.issueFor(ctx, in.ID, reading)
	if err != nil {
		return linkList{}, err
	}
	list, err := s.linksOf(ctx, i.ID)
	return linkList{list}, err
}

type createLinkIn struct {
	ID         int64  `uri:"id" json:"-" form:"-"`
	Repository string `json:"repository" form:"-"`
	Title      string `json:"title,omitempty" form:"-"`
	Body       string `json:"body,omitempty" form:"-"`
}

func (s *Service) httpCreateLink(ctx context.Context, in createLinkIn) (linkList, error) {
	if err := s.CreateGitHubIssue(ctx, in.ID, LinkNew{in.Repository, in.Title, in.Body}); err != nil {
		return linkList{}, err
	}
	return s.httpLinks(ctx, byIssue{in.ID})
}

type linkIn struct {
	ID  int64  `uri:"id" json:"-" form:"-"`
	URL string `json:"url" form:"-"`
}

func (s *Service) httpLink(ctx context.Context, in linkIn) (linkList, error) {
	if err := s.LinkIssue(ctx, in.ID, in.URL); err != nil {
		return linkList{}, err
	}
	return s.httpLinks(ctx, byIssue{in.ID})
}

type unlinkIn struct {
	ID   int64 `uri:"id" json:"-" form:"-"`
	Link int64 `uri:"link" json:"-" form:"-"`
}

func (s *Service) httpUnlink(ctx context.Context, in unlinkIn) (api.Nothing, error) {
	return api.Nothing{}, s.Unlink(ctx, in.ID, in.Link)
}
