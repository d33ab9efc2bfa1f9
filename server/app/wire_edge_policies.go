package app

import (
	"context"
	"path"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/edge"
	"github.com/signalbox/signalbox/server/edge/policy"
	hooks "github.com/signalbox/signalbox/server/platform/github"
	"github.com/signalbox/signalbox/server/platform/github/payload"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// policyPlace is how edge names a repository: as the rows of GitHub's connections do.
func policyPlace(address string) string { return strings.ToLower(ci.NormalRepository(address)) }

// policiesPushed tells edge that a branch moved whose files may be patch policies.
func (a *App) policiesPushed(ctx context.Context, d hooks.Delivery, e payload.Event) error {
	if e.Push == nil || e.Push.Branch == "" {
		return nil
	}
	told := map[string]bool{}
	for _, address := range e.Push.CloneURLs {
		place := policyPlace(address)
		if place == "" || told[place] {
			continue
		}
		told[place] = true
		if _, err := a.edge.ReceivePush(ctx, d.Team, place, e.Push.Branch); err != nil {
			return err
		}
	}
	return nil
}

// policyFiles reads the YAML files of a folder at the head of a branch.
func (a *App) policyFiles(ctx context.Context, team int64, repository, branch, folder string) (string, []edge.RepositoryFile, error) {
	client, reached, err := a.github.ClientAt(ctx, team, repository)
	if err != nil {
		return "", nil, err
	}
	at, found, err := a.repositoryAt(ctx, team, repository)
	if err != nil {
		return "", nil, err
	}
	if !reached || !found {
		return "", nil, problem.New(problem.NotFound, "No GitHub connection of the team reaches %s.", repository)
	}
	head, _, err := client.Repositories.GetBranch(ctx, at.Owner, at.Name, branch, 1)
	if err != nil {
		return "", nil, notRead(err, "the branch %s of %s", branch, repository)
	}
	commit := head.GetCommit().GetSHA()
	options := &github.RepositoryContentGetOptions{Ref: commit}
	_, list, _, err := client.Repositories.GetContents(ctx, at.Owner, at.Name, folder, options)
	if err != nil {
		return "", nil, notRead(err, "the folder /%s of %s", folder, repository)
	}
	var files []edge.RepositoryFile
	for _, entry := range list {
		if ext := path.Ext(entry.GetName()); entry.GetType() != "file" || ext != ".yaml" && ext != ".yml" || entry.GetSize() > policy.MaxSize {
			continue
		}
		file, _, _, err := client.Repositories.GetContents(ctx, at.Owner, at.Name, entry.GetPath(), options)
		if err != nil {
			return "", nil, notRead(err, "%s of %s", entry.GetPath(), repository)
		}
		text, err := file.GetContent()
		if err != nil {
			return "", nil, notRead(err, "%s of %s", entry.GetPath(), repository)
		}
		files = append(files, edge.RepositoryFile{Path: entry.GetPath(), Text: text})
	}
	return commit, files, nil
}

func notRead(err error, what string, args ...any) error {
	return problem.Wrap(err, problem.Upstream, "GitHub did not give "+what+".", args...)
}
