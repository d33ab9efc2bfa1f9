package github

import (
	"context"
	"strings"

	"github.com/signalbox/signalbox/server/platform/github/payload"
)

// Gone is why nothing is heard of a repository any more; the words are stored.
type Gone string

// The reasons.
const (
	NotGone     Gone = ""
	GoneDeleted Gone = "deleted" // at GitHub
	GoneRemoved Gone = "removed" // from the App's installation
)

var goneWords = map[Gone]string{
	GoneDeleted: "the repository was deleted at GitHub",
	GoneRemoved: "the repository was taken from the GitHub App's installation",
}

// Trouble says why nothing can be heard of the repository at place, as a part of a
// sentence; "" when nothing is known to be wrong.
func (s *Service) Trouble(ctx context.Context, team int64, place string) (string, error) {
	places, err := s.Names(ctx, team, place)
	if err != nil {
		return "", err
	}
	return s.troubleAt(ctx, team, places)
}

// troubleAt goes by what was told last: a repository that moved is known by several places.
func (s *Service) troubleAt(ctx context.Context, team int64, places []string) (string, error) {
	rows, err := s.repositoriesAt(ctx, team, places)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	for _, r := range rows {
		if words := goneWords[r.Gone]; words != "" {
			return words, nil
		}
	}
	for _, r := range rows {
		if r.ConnectionID == "" {
			continue
		}
		state, err := s.connectionState(ctx, r.ConnectionID)
		if err != nil {
			return "", err
		}
		if words := stateWords[state]; words != "" {
			return words, nil
		}
	}
	return "", nil
}

// RepositoryGone acts on the end of a repository: hooks at it are gone with it, and who
// asks hears why. It is called for the delivery that told, in its transaction.
func (s *Service) RepositoryGone(ctx context.Context, d Delivery, places []string) ([]Effect, error) {
	all := []string{}
	for _, p := range places {
		names, err := s.Names(ctx, d.Team, p)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	owner, name, _ := strings.Cut(d.Repository, "/")
	news := false
	for _, p := range all {
		row := repositoryRow{TeamID: d.Team, Place: p, Owner: owner, Name: name, HookID: d.Hook, Gone: GoneDeleted, GoneAt: int64(d.ReceivedAt)}
		changed, err := s.noteGone(ctx, row)
		if err != nil {
			return nil, err
		}
		news = news || changed
	}
	effects := []Effect{{Kind: "repository", ID: d.Repository, Title: d.Repository + " is known to be deleted"}}
	if !news { // told before; it may have been made anew since
		return effects, nil
	}
	hooks, err := s.hooksAt(ctx, d.Team, all)
	if err != nil {
		return nil, err
	}
	for _, h := range hooks {
		if err := s.noteHookGone(ctx, h, "The repository was deleted at GitHub, and the hook with it."); err != nil {
			return nil, err
		}
		effects = append(effects, Effect{Kind: "hook", ID: h.ID, Title: "The hook " + h.Name + " is gone with it"})
	}
	return effects, nil
}

// InstallationChanged acts on a change of where an App is installed. What the payload
// says holds at once; since GitHub does not keep the order of deliveries, a job asks how
// it stands.
func (s *Service) InstallationChanged(ctx context.Context, d Delivery, i payload.Installation) ([]Effect, error) {
	hook, err := s.findHook(ctx, d.Hook)
	if err != nil || hook.Kind != HookApp || hook.ConnectionID == nil {
		return nil, err
	}
	c, err := s.findConnection(ctx, *hook.ConnectionID)
	if err != nil || c.Installation != i.ID {
		return nil, err
	}
	effects := []Effect{}
	if d.Event == "installation" {
		state := ConnectionWorks
		switch {
		case i.Deleted:
			state = ConnectionRemoved
		case i.Suspended:
			state = ConnectionSuspended
		}
		if err := s.setConnectionState(ctx, c, state); err != nil {
			return nil, err
		}
		if err := s.lookSoon(ctx, c); err != nil {
			return nil, err
		}
		effects = append(effects, Effect{Kind: "connection", ID: c.ID, Title: "The connection " + c.Name + " " + stateTitles[state]})
	}
	for gone, list := range map[Gone][]string{GoneRemoved: i.Removed, NotGone: i.Added} {
		for _, name := range list {
			if err := s.noteInstalled(ctx, d, c, name, gone); err != nil {
				return nil, err
			}
		}
	}
	return effects, nil
}

// noteInstalled notes that a repository was taken from an installation, or added to it.
func (s *Service) noteInstalled(ctx context.Context, d Delivery, c connectionRow, repository string, gone Gone) error {
	owner, name, both := strings.Cut(repository, "/")
	if !both || validateRepository(owner, name) != nil {
		return nil
	}
	_, err := s.noteGone(ctx, repositoryRow{TeamID: c.TeamID, Place: normalPlace(cloneHost(c.APIURL) + "/" + repository), Owner: owner, Name: name, ConnectionID: c.ID,
		HookID: d.Hook, Gone: gone, GoneAt: int64(d.ReceivedAt)})
	return err
}
