package github

import (
	"context"

	"github.com/google/go-github/v60/github"
)

// hookPlace is where hooks are kept at GitHub: a repository or, with an empty repo, an
// organization. Both answer alike.
type hookPlace struct {
	client      *github.Client
	owner, repo string
}

func placeOf(client *github.Client, kind HookKind, owner, repo string) hookPlace {
	if kind == HookOrganization {
		repo = ""
	}
	return hookPlace{client, owner, repo}
}

func (p hookPlace) list(ctx context.Context, options *github.ListOptions) ([]*github.Hook, *github.Response, error) {
	if p.repo == "" {
		return p.client.Organizations.ListHooks(ctx, p.owner, options)
	}
	return p.client.Repositories.ListHooks(ctx, p.owner, p.repo, options)
}

func (p hookPlace) create(ctx context.Context, h *github.Hook) (*github.Hook, error) {
	if p.repo == "" {
		made, _, err := p.client.Organizations.CreateHook(ctx, p.owner, h)
		return made, err
	}
	made, _, err := p.client.Repositories.CreateHook(ctx, p.owner, p.repo, h)
	return made, err
}

func (p hookPlace) edit(ctx context.Context, id int64, h *github.Hook) (*github.Hook, error) {
	if p.repo == "" {
		edited, _, err := p.client.Organizations.EditHook(ctx, p.owner, id, h)
		return edited, err
	}
	edited, _, err := p.client.Repositories.EditHook(ctx, p.owner, p.repo, id, h)
	return edited, err
}

func (p hookPlace) get(ctx context.Context, id int64) (*github.Hook, error) {
	if p.repo == "" {
		h, _, err := p.client.Organizations.GetHook(ctx, p.owner, id)
		return h, err
	}
	h, _, err := p.client.Repositories.GetHook(ctx, p.owner, p.repo, id)
	return h, err
}

func (p hookPlace) remove(ctx context.Context, id int64) error {
	if p.repo == "" {
		_, err := p.client.Organizations.DeleteHook(ctx, p.owner, id)
		return err
	}
	_, err := p.client.Repositories.DeleteHook(ctx, p.owner, p.repo, id)
	return err
}

func (p hookPlace) ping(ctx context.Context, id int64) error {
	if p.repo == "" {
		_, err := p.client.Organizations.PingHook(ctx, p.owner, id)
		return err
	}
	_, err := p.client.Repositories.PingHook(ctx, p.owner, p.repo, id)
	return err
}

// each gives every hook of the place to f, over all pages.
func (p hookPlace) each(ctx context.Context, f func(*github.Hook) error) error {
	options := &github.ListOptions{PerPage: 100}
	for {
		list, response, err := p.list(ctx, options)
		if err != nil {
			return err
		}
		for _, h := range list {
			if err := f(h); err != nil {
				return err
			}
		}
		if response.NextPage == 0 {
			return nil
		}
		options.Page = response.NextPage
	}
}
