package algorithm

import (
	"context"
	"strconv"
)

// Most searches end with the first build of each job; later pages grow because
// then many are needed.
const (
	firstLimit = 8
	lastLimit  = 256
)

// candidates pages through the builds of a job in the order of preference.
type candidates struct {
	search  *search
	query   Query
	walking bool // in the part after the last used build
	last    Order
	page    []Build
	ended   bool // no further page in this part
	first   bool // the next page is the first of this part
	empty   bool // nothing was found at all
}

func (s *search) candidates(j int) *candidates {
	job := s.jobs[j]
	c := &candidates{
		search: s, last: job.last, first: true, empty: true,
		query: Query{Job: job.id, Has: s.has(j), Limit: firstLimit},
	}
	if job.last != (Order{}) {
		c.walking = true
		c.query.After, c.query.OldestFirst = job.last.end(), true
	}
	return c
}

// next gives one build, and whether it is newer than the last used one.
func (c *candidates) next(ctx context.Context) (build Build, walking, ok bool, err error) {
	for len(c.page) == 0 {
		if c.ended && !c.walking {
			return Build{}, false, false, nil
		}
		if c.ended {
			c.backward()
		}
		if err := c.load(ctx); err != nil {
			return Build{}, false, false, err
		}
	}
	c.empty = false
	build, c.page = c.page[0], c.page[1:]
	return build, c.walking, true, nil
}

// backward goes on with the last used build and then older ones: when nothing
// newer fits, what was used before still counts as satisfied.
func (c *candidates) backward() {
	c.walking, c.ended, c.first = false, false, true
	c.query.After, c.query.OldestFirst, c.query.Limit = Order{}, false, firstLimit
	c.query.Before = Order{Original: c.last.Original, ID: c.last.ID + 1}
}

func (c *candidates) load(ctx context.Context) error {
	fetch := c.search.history.Builds
	if c.first {
		fetch = c.search.firstPage
	}
	page, err := fetch(ctx, c.query)
	if err != nil {
		return err
	}
	if len(page) < c.query.Limit {
		c.ended = true
	}
	if len(page) > 0 {
		end := page[len(page)-1].Order
		if c.query.OldestFirst {
			c.query.After = end
		} else {
			c.query.Before = end
		}
	}
	c.page, c.first = page, false
	c.query.Limit = min(c.query.Limit*4, lastLimit)
	return nil
}

// firstPage is Builds with a memory, since looking ahead and choosing ask for
// the same page.
func (s *search) firstPage(ctx context.Context, q Query) ([]Build, error) {
	key := strconv.AppendInt(nil, q.Job, 36)
	for _, n := range []int64{q.After.Original, q.After.ID, q.Before.Original, q.Before.ID} {
		key = strconv.AppendInt(append(key, ' '), n, 36)
	}
	for _, out := range q.Has {
		key = strconv.AppendInt(append(key, ' '), out.Resource, 36)
		key = strconv.AppendInt(append(key, ':'), out.Version, 36)
	}
	if page, known := s.firsts[string(key)]; known {
		return page, nil
	}
	page, err := s.history.Builds(ctx, q)
	if err == nil {
		s.firsts[string(key)] = page
	}
	return page, err
}
