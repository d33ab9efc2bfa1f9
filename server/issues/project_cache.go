package issues

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/issues/grouping"
	"github.com/signalbox/signalbox/server/issues/scrub"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// openProject is a project as intake needs it.
type openProject struct {
	Project
	keys    []Key // the active ones
	filter  *filter
	clean   *scrub.Scrubber
	rules   []grouping.Rule
	missing bool
	loaded  time.Time
}

// key finds the active key. It takes as long for a wrong one as for a right one.
func (p *openProject) key(public string) (Key, bool) {
	var found Key
	ok := 0
	for _, k := range p.keys {
		if subtle.ConstantTimeCompare([]byte(k.Public), []byte(public)) == 1 {
			found, ok = k, 1
		}
	}
	return found, ok == 1
}

const (
	// projectCacheTime bounds how long a node that missed a notification believes old settings.
	projectCacheTime = time.Minute
	// projectCacheSize bounds what strangers who try numbers can make us keep.
	projectCacheSize = 20_000
)

// projectCache saves two queries per request. It also remembers what does not exist.
type projectCache struct {
	mu    sync.Mutex
	gen   int
	known map[int64]*openProject
}

func newProjectCache() *projectCache { return &projectCache{known: map[int64]*openProject{}} }

// forget drops one project, or all when id is "".
func (c *projectCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gen++
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		clear(c.known)
		return
	}
	delete(c.known, n)
}

func (c *projectCache) get(id int64, now time.Time) (p *openProject, gen int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p = c.known[id]
	if p != nil && now.Sub(p.loaded) >= projectCacheTime {
		p = nil
	}
	return p, c.gen
}

// put keeps p unless some project has changed since gen was read.
func (c *projectCache) put(id int64, p *openProject, gen int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gen != gen {
		return
	}
	if len(c.known) >= projectCacheSize {
		clear(c.known)
	}
	c.known[id] = p
}

// openProject gives a project with its keys, from the cache when it can; nil when there is none.
func (s *Service) openProject(ctx context.Context, id int64) (*openProject, error) {
	now := s.Now()
	p, gen := s.projects.get(id, now)
	if p == nil {
		p = &openProject{loaded: now}
		found, err := s.findProject(ctx, id)
		switch {
		case problem.Is(err, problem.NotFound):
			p.missing = true
		case err != nil:
			return nil, err
		default:
			if err := s.complete(ctx, p, found); err != nil {
				return nil, err
			}
		}
		s.projects.put(id, p, gen)
	}
	if p.missing {
		return nil, nil
	}
	return p, nil
}

func (s *Service) complete(ctx context.Context, p *openProject, found Project) error {
	keys, err := s.keysOf(ctx, found.ID)
	if err != nil {
		return err
	}
	p.Project, p.filter = found, found.Filters.compile()
	if p.clean, err = found.Scrubbing.scrubber(found.salt); err != nil {
		return fmt.Errorf("prepare the rules of privacy of project %d: %w", found.ID, err)
	}
	if p.rules, err = grouping.ParseRules(found.Grouping); err != nil {
		return fmt.Errorf("prepare the rules of grouping of project %d: %w", found.ID, err)
	}
	for _, k := range keys {
		if k.Active {
			p.keys = append(p.keys, k)
		}
	}
	return nil
}

// project gives a project's settings, from the cache when it can.
func (s *Service) project(ctx context.Context, id int64) (Project, error) {
	p, err := s.openProject(ctx, id)
	if err != nil {
		return Project{}, err
	}
	if p == nil {
		return Project{}, problem.New(problem.NotFound, "There is no such project.")
	}
	return p.Project, nil
}
