package github

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
)

func (s *Service) manageRoutes(r api.Router, read, write api.Access) {
	r.GET("/ci/connections/:id/repositories", read, api.Handle(s.getRepositories))
	r.PUT("/ci/connections/:id/repositories/:owner/:repo/hook", write, api.Handle(s.putRepositoryHook))
	r.DELETE("/ci/connections/:id/repositories/:owner/:repo/hook", write, api.Handle(s.deleteRepositoryHook))
	r.GET("/ci/connections/:id/organizations", read, api.Handle(s.getOrganizations))
	r.PUT("/ci/connections/:id/organizations/:owner/hook", write, api.Handle(s.putOrganizationHook))
	r.DELETE("/ci/connections/:id/organizations/:owner/hook", write, api.Handle(s.deleteOrganizationHook))
	r.GET("/ci/posts", read, api.Handle(s.getPosts))
	r.POST("/ci/posts/retry", write, api.Handle(s.retryPost))
	r.GET("/ci/reachability", read, api.Handle(s.getReachability))
}

type repositoriesIn struct {
	ID   string `uri:"id" json:"-" form:"-"`
	Q    string `form:"q"`
	Page int    `form:"page"`
}

func (s *Service) getRepositories(ctx context.Context, in repositoriesIn) (ListedPage, error) {
	return s.Repositories(ctx, in.ID, in.Q, in.Page)
}

type repositoryIn struct {
	ID    string `uri:"id" json:"-" form:"-"`
	Owner string `uri:"owner" json:"-" form:"-"`
	Repo  string `uri:"repo" json:"-" form:"-"`
}

func (s *Service) putRepositoryHook(ctx context.Context, in repositoryIn) (Hook, error) {
	return s.EnsureHook(ctx, in.ID, in.Owner, in.Repo)
}

func (s *Service) deleteRepositoryHook(ctx context.Context, in repositoryIn) (api.Nothing, error) {
	return api.Nothing{}, s.RemoveRepositoryHook(ctx, in.ID, in.Owner, in.Repo)
}

func (s *Service) getOrganizations(ctx context.Context, in idIn) (items[Organization], error) {
	list, err := s.Organizations(ctx, in.ID)
	return items[Organization]{list}, err
}

type organizationIn struct {
	ID    string `uri:"id" json:"-" form:"-"`
	Owner string `uri:"owner" json:"-" form:"-"`
}

func (s *Service) putOrganizationHook(ctx context.Context, in organizationIn) (Hook, error) {
	return s.EnsureOrganizationHook(ctx, in.ID, in.Owner)
}

func (s *Service) deleteOrganizationHook(ctx context.Context, in organizationIn) (api.Nothing, error) {
	return api.Nothing{}, s.RemoveOrganizationHook(ctx, in.ID, in.Owner)
}

type postsIn struct {
	Team  string `form:"team"`
	State string `form:"state"`
	Kind  string `form:"kind"`
	Limit int    `form:"limit"`
}

func (s *Service) getPosts(ctx context.Context, in postsIn) (items[Post], error) {
	teams, err := readableTeams(ctx, in.Team)
	if err != nil {
		return items[Post]{}, err
	}
	list, err := s.Posts(ctx, PostFilter{State: PostState(in.State), Kind: PostKind(in.Kind), Limit: in.Limit}, teams...)
	return items[Post]{list}, err
}

type retryPostIn struct {
	Kind string `json:"kind" form:"-"`
	ID   int64  `json:"id" form:"-"`
}

func (s *Service) retryPost(ctx context.Context, in retryPostIn) (api.Nothing, error) {
	return api.Nothing{}, s.RetryPost(ctx, PostKind(in.Kind), in.ID)
}

type reachabilityIn struct {
	Team string `form:"team"`
}

func (s *Service) getReachability(ctx context.Context, in reachabilityIn) (Reachability, error) {
	if _, err := readableTeams(ctx, in.Team); err != nil {
		return Reachability{}, err
	}
	return s.Reach(ctx), nil
}
