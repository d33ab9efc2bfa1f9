package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/ci"
	"github.com/signalbox/signalbox/server/platform/github"
	"github.com/signalbox/signalbox/server/platform/github/payload"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (a *App) wireGitHub(context.Context) error {
	a.github = github.New(github.Deps{DB: a.db, Box: a.box, Blobs: a.blobs, Guard: a.guard, Jobs: a.jobs, Now: now, Log: a.log,
		PublicURL: a.PublicURL, Audit: a.audit, Publish: a.hub.Publish})
	a.github.OnDelivery = a.delivered
	return nil
}

// delivered hands what GitHub says to the parts it concerns, in the transaction that
// marks the delivery done.
func (a *App) delivered(ctx context.Context, d github.Delivery) ([]github.Effect, error) {
	e, err := payload.Read(d.Event, d.Body)
	if err != nil {
		return nil, err
	}
	owner, name, _ := strings.Cut(e.Facts.Repository, "/")
	if e.Push != nil {
		owner, name = e.Push.Owner, e.Push.Repo
	}
	for _, address := range e.Places {
		if err := a.github.Remember(ctx, d, ci.NormalRepository(address), owner, name); err != nil {
			return nil, err
		}
	}
	if e.Moved != nil {
		if err := a.moved(ctx, d.Team, e); err != nil {
			return nil, err
		}
	}
	if err := a.linkedIssueChanged(ctx, d.Team, e.Facts); err != nil {
		return nil, err
	}
	if err := a.policiesPushed(ctx, d, e); err != nil {
		return nil, err
	}
	if err := a.assistant.GitHubChanged(ctx, e.Facts.Repository); err != nil {
		return nil, err
	}
	if err := a.pullForReview(ctx, d.Team, e.Facts); err != nil {
		return nil, err
	}
	told, err := a.tell(ctx, d, e)
	if err != nil {
		return nil, err
	}
	if err := a.github.Fan(ctx, d, github.Facts{Title: e.Facts.Title, Text: textOf(e.Facts), URL: e.Facts.URL, Branch: e.Facts.Branch, Labels: e.Facts.Labels, Actor: e.Facts.Sender}); err != nil {
		return nil, err
	}
	if err := a.ci.NoteDelivery(ctx, d.ID, told); err != nil {
		return nil, err
	}
	effects, err := a.changed(ctx, d, e)
	for _, t := range told.Effects {
		effects = append(effects, a.effect(t))
	}
	return effects, err
}

// effect leads to a place on this server, by whatever name it is reached.
func (a *App) effect(e ci.Effect) github.Effect {
	return github.Effect{Kind: e.Kind, ID: e.ID, Title: e.Title, URL: strings.TrimPrefix(e.URL, a.PublicURL())}
}

// buildCaused shows a build on the page of the delivery that brought its version.
func (a *App) buildCaused(ctx context.Context, c ci.BuildCaused) error {
	a.traceCaused(c)
	return a.github.Caused(ctx, c.Delivery, a.effect(c.Effect))
}

// tell gives an event to ci. Other events are kept and shown, and do nothing here.
func (a *App) tell(ctx context.Context, d github.Delivery, e payload.Event) (ci.Told, error) {
	switch {
	case e.Push != nil:
		return a.ci.ReceivePush(ctx, d.Team, *e.Push)
	case e.Ref != nil:
		return a.ci.ReceiveRef(ctx, d.Team, e.Places, *e.Ref)
	case e.Pull != nil:
		return a.ci.ReceivePull(ctx, d.Team, e.Places, e.Facts.Action, *e.Pull)
	case e.Release != nil:
		return a.ci.ReceiveRelease(ctx, d.Team, e.Places, e.Facts.Action, *e.Release)
	case e.Rerequest != nil:
		return a.ci.ReceiveRerequest(ctx, d.Team, d.Hook+" "+d.GUID, e.Places, *e.Rerequest, e.Facts.Sender)
	}
	return ci.Told{}, nil
}

// moved notes the new name of a repository, on the host that the payload names.
func (a *App) moved(ctx context.Context, team int64, e payload.Event) error {
	for _, address := range e.Places {
		to := ci.NormalRepository(address)
		if host, path, _ := strings.Cut(to, "/"); strings.EqualFold(path, e.Moved.To) {
			return a.github.Renamed(ctx, team, host+"/"+e.Moved.From, to)
		}
	}
	return nil
}

// textOf says for a message what its title leaves out.
func textOf(f payload.Facts) string {
	words := []string{strings.ReplaceAll(strings.TrimSpace(f.Event+" "+f.Action), "_", " ")}
	if f.Number > 0 {
		words = append(words, fmt.Sprintf("#%d", f.Number))
	}
	if f.Repository != "" {
		words = append(words, "in "+f.Repository)
	}
	if len(f.Reviewers) > 0 {
		words = append(words, "of "+strings.Join(f.Reviewers, ", "))
	}
	return strings.Join(words, " ")
}

// commitStatus turns what ci says of a commit into GitHub's terms. Repositories
// that no delivery named and whose host none of the team's connections reaches get none.
func (a *App) commitStatus(ctx context.Context, s ci.CommitStatus) error {
	at, found, err := a.repositoryAt(ctx, s.Team, s.Repository)
	if err != nil || !found {
		return err
	}
	check := github.CheckRun{Team: s.Team, Connection: at.Connection, Owner: at.Owner, Repo: at.Name, SHA: s.SHA, Name: s.Context, ExternalID: s.ExternalID,
		Status: github.CheckInProgress, Title: s.Description, Summary: s.Summary, DetailsURL: s.URL, Started: s.Started}
	if s.State != "pending" {
		check.Status, check.Conclusion, check.Completed = github.CheckCompleted, conclusionOf(s), s.Ended
	}
	for _, n := range s.Annotations {
		check.Annotations = append(check.Annotations, github.Annotation{Path: n.Path, StartLine: n.Line, EndLine: n.Line, Level: github.LevelFailure, Title: n.Title, Message: n.Message})
	}
	return a.github.PostCheck(ctx, check)
}

// repositoryAt finds what GitHub calls a repository. Its rows are in lower case, which
// ci's names of repositories on disk are not.
func (a *App) repositoryAt(ctx context.Context, team int64, place string) (github.Repository, bool, error) {
	return a.github.RepositoryAt(ctx, team, strings.ToLower(place))
}

func conclusionOf(s ci.CommitStatus) github.Conclusion {
	switch {
	case s.Aborted:
		return github.ConcludedCancelled
	case s.State == "success":
		return github.ConcludedSuccess
	}
	return github.ConcludedFailure
}

// pullComment has the results of builds shown on a pull request.
func (a *App) pullComment(ctx context.Context, c ci.PullComment) error {
	at, found, err := a.repositoryAt(ctx, c.Team, c.Repository)
	if err != nil || !found {
		return err
	}
	return a.github.PostComment(ctx, github.Comment{Team: c.Team, Connection: at.Connection, Owner: at.Owner, Repo: at.Name, Number: c.Number, Key: c.Key, Body: c.Body})
}

// deleteTeam runs in the transaction that deletes a team; what only has rows goes by foreign keys.
func (a *App) deleteTeam(ctx context.Context, team identity.Team) error {
	if err := a.issues.DeleteTeam(ctx, team.ID); err != nil {
		return err
	}
	if err := a.edge.DeleteTeam(ctx, team.ID); err != nil {
		return err
	}
	if err := a.github.DeleteTeam(ctx, team.ID); err != nil {
		return err
	}
	return a.ci.DeleteTeam(ctx, team.ID)
}
