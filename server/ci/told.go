package ci

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/resource"
)

// Told is what an event of GitHub's did here, for the delivery's page.
type Told struct {
	// Resources watch what the event is about; Versions of them got a new version.
	Resources, Versions int
	// Effects are links to what was caused.
	Effects []Effect
	// marks are how versions that may come of it are known, for NoteDelivery.
	marks []mark
}

// Effect is one thing that an event caused. Kind is a noun, URL where to look.
type Effect struct {
	Kind, ID, Title, URL string
}

// watcher is a resource that may care for an event.
type watcher struct {
	row      resourceRow
	source   pipeline.Source
	pipeline pipelineRow
}

// told is what an event did to one resource.
type told struct {
	watches, checked bool
	added            int
	// asked says that a member must agree first, known that nothing was new.
	asked, known bool
	// marks are how versions that may come of the event are known.
	marks []string
}

// tell gives an event to every resource of the type that watches the repository,
// by any of its names, in one transaction.
func (s *Service) tell(ctx context.Context, team int64, event string, places []string, kind string,
	give func(ctx context.Context, w watcher) (told, error),
) (Told, error) {
	var out Told
	at := toMillis(s.now()) // before anything of it is stored
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		out = Told{}
		names, err := s.namesOf(ctx, team, places)
		if err != nil {
			return err
		}
		if err := s.heard(ctx, team, event, names); err != nil {
			return err
		}
		watchers, err := s.watchers(ctx, team, kind, names)
		if err != nil {
			return err
		}
		for _, w := range watchers {
			got, err := give(ctx, w)
			if err != nil {
				return err
			}
			if !got.watches {
				continue
			}
			out.Resources++
			for _, text := range got.marks {
				out.marks = append(out.marks, mark{w.row.ID, text, at})
			}
			if got.added > 0 {
				out.Versions++
			}
			effect, err := s.effectOn(ctx, w, got)
			if err != nil {
				return err
			}
			out.Effects = append(out.Effects, effect)
		}
		return nil
	})
	return out, err
}

// namesOf are the repository's names, also former ones, in our way of writing.
func (s *Service) namesOf(ctx context.Context, team int64, places []string) ([]string, error) {
	var out []string
	for _, p := range places {
		n := NormalRepository(p)
		if n == "" || slices.Contains(out, n) {
			continue
		}
		out = append(out, n)
		if s.deps.RepositoryNames == nil {
			continue
		}
		more, err := s.deps.RepositoryNames(ctx, team, n)
		if err != nil {
			return nil, err
		}
		for _, m := range more {
			if !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	return out, nil
}

func (s *Service) watchers(ctx context.Context, team int64, kind string, names []string) ([]watcher, error) {
	rows, err := s.watching(ctx, team, names, kind)
	if err != nil {
		return nil, err
	}
	var out []watcher
	for _, r := range rows {
		p, config, err := s.pipelineConfig(ctx, r.PipelineID)
		if err != nil {
			return nil, err
		}
		declared, ok := config.Resource(r.Name)
		if _, custom := config.ResourceType(kind); !ok || custom {
			continue // a type of the pipeline's own: only its check knows its versions
		}
		if err := s.lockPipeline(ctx, r.PipelineID); err != nil {
			return nil, err
		}
		out = append(out, watcher{row: r, source: declared.Source, pipeline: p})
	}
	return out, nil
}

// bring stores what an event told, and asks for the jobs that take it.
func (s *Service) bring(ctx context.Context, r resourceRow, versions []resource.Result) (told, error) {
	out := told{watches: true}
	if len(versions) == 0 {
		return out, nil
	}
	before, err := s.countVersions(ctx, r)
	if err != nil {
		return out, err
	}
	stored, err := s.saveVersions(ctx, r, versions, false)
	if err == nil {
		err = s.askForForks(ctx, r, versions)
	}
	if err != nil || !stored.New {
		out.known = true
		return out, err
	}
	after, err := s.countVersions(ctx, r)
	if err != nil {
		return out, err
	}
	out.added = after - before
	return out, s.versionsChanged(ctx, r)
}

func (s *Service) effectOn(ctx context.Context, w watcher, got told) (Effect, error) {
	team, err := s.teamName(ctx, w.row.TeamID)
	if err != nil {
		return Effect{}, err
	}
	e := Effect{Kind: "check", ID: formatInt(w.row.ID), URL: s.resourcePage(team, w.pipeline, w.row.Name)}
	where := w.pipeline.label() + "/" + w.row.Name
	switch {
	case got.asked:
		e.Kind, e.Title = "approval", where+" waits for a member to agree"
		e.URL = s.publicURL() + "/teams/" + url.PathEscape(team) + "/ci/approvals"
	case got.added == 1:
		e.Kind, e.Title = "version", "New version of "+where
	case got.added > 1:
		e.Kind, e.Title = "version", fmt.Sprintf("%d new versions of %s", got.added, where)
	case got.checked:
		e.Title = "Check of " + where
	case got.known:
		e.Kind, e.Title = "resource", where+" knows this already"
	default:
		e.Kind, e.Title = "resource", where+" watches this and takes nothing from it"
	}
	return e, nil
}

// resourcePage is where people find the resource; the path is Concourse's.
func (s *Service) resourcePage(team string, p pipelineRow, name string) string {
	page := fmt.Sprintf("%s/teams/%s/pipelines/%s/resources/%s", s.publicURL(), url.PathEscape(team), url.PathEscape(p.Name), url.PathEscape(name))
	if instance := p.instanceVars(); len(instance) > 0 {
		return page + "?" + url.Values{"vars": {encode(instance)}}.Encode()
	}
	return page
}
