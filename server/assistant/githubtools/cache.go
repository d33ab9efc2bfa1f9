package githubtools

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"
	"golang.org/x/sync/singleflight"
)

const (
	// freshFor is how long an answer is given without asking GitHub; scarceFor is it when few calls are left.
	freshFor, scarceFor = time.Minute, 5 * time.Minute
	// staleFor is how old an answer may be that is given because no calls are left at all.
	staleFor = time.Hour
	// maxAnswer bounds one answer, maxKept all that are kept, in bytes.
	maxAnswer, maxKept = 8 << 20, 32 << 20
	// callTime is how long GitHub may take.
	callTime = 20 * time.Second
	// apart is the age from which an answer counts as an earlier one.
	apart = 2 * time.Second
)

// place is what an answer is kept under: whose access it came with, and what was asked.
type place struct{ scope, repository, path string }

// kept is an answer of GitHub's.
type kept struct {
	body []byte
	tag  string
	// at is when GitHub last said that it is so.
	at   time.Time
	used time.Time
	// changed says that a webhook has told of something new.
	changed bool
}

// allowance is what is left of a limit.
type allowance struct{ limit, remaining int }

// Cache keeps GitHub's answers for a while. Once they are older, GitHub is asked
// whether they have changed, which costs none of its allowance when they have not.
type Cache struct {
	now     func() time.Time
	flights singleflight.Group
	mu      sync.Mutex
	kept    map[place]*kept
	size    int
	left    map[string]allowance
	// changes counts what GitHub has told of each repository: an answer that was on its way then is old.
	changes map[string]int
}

// NewCache makes an empty one.
func NewCache(now func() time.Time) *Cache {
	return &Cache{now: now, kept: map[place]*kept{}, left: map[string]allowance{}, changes: map[string]int{}}
}

// Changed has everything about a repository looked at anew: GitHub has told of a
// change there. Without a name it is everything: something may have been missed.
func (c *Cache) Changed(repository string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes[strings.ToLower(repository)]++
	for at, k := range c.kept {
		if repository == "" || strings.EqualFold(at.repository, repository) {
			k.changed = true
		}
	}
}

// edition is another one after each change of a repository.
func (c *Cache) edition(at place) string {
	return strconv.Itoa(c.changes[strings.ToLower(at.repository)]) + "." + strconv.Itoa(c.changes[""])
}

// get gives an answer, and since when it is known if GitHub was not asked for it just now.
func (c *Cache) get(ctx context.Context, client *github.Client, at place) ([]byte, time.Time, error) {
	c.mu.Lock()
	k := c.kept[at]
	if k != nil && !k.changed && c.now().Sub(k.at) < c.freshness(at) {
		defer c.mu.Unlock()
		k.used = c.now()
		return k.body, c.said(k), nil
	}
	edition := c.edition(at)
	c.mu.Unlock()
	// Whoever asks the same at the same time shares the call; it outlives the first of them.
	result := c.flights.DoChan(at.scope+"\x00"+edition+"\x00"+at.path, func() (any, error) {
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
		defer cancel()
		return c.fetch(call, client, at, edition)
	})
	select {
	case <-ctx.Done():
		return nil, time.Time{}, ctx.Err()
	case r := <-result:
		if r.Err == nil {
			return r.Val.([]byte), time.Time{}, nil //nolint:forcetypeassert // of fetch
		}
		if body, known, ok := c.instead(at, r.Err); ok {
			return body, known, nil
		}
		return nil, time.Time{}, r.Err
	}
}

// said is since when an answer is known, zero while that is now.
func (c *Cache) said(k *kept) time.Time {
	if c.now().Sub(k.at) < apart {
		return time.Time{}
	}
	return k.at
}

// freshness is longer while few calls are left.
func (c *Cache) freshness(at place) time.Duration {
	if a, ok := c.left[resource(at)]; ok && a.limit > 0 && a.remaining*10 < a.limit {
		return scarceFor
	}
	return freshFor
}

// resource is the limit that a call counts against: searches have their own.
func resource(at place) string {
	if strings.HasPrefix(at.path, "search/") {
		return at.scope + "\x00search"
	}
	return at.scope + "\x00core"
}

// instead gives what was known within the last hour when GitHub allows no more calls.
func (c *Cache) instead(at place, err error) ([]byte, time.Time, bool) {
	if _, limited := limitedUntil(err); !limited {
		return nil, time.Time{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kept[at]
	if k == nil || c.now().Sub(k.at) > staleFor {
		return nil, time.Time{}, false
	}
	return k.body, k.at, true
}

// fetch asks GitHub, with the tag of what is known.
func (c *Cache) fetch(ctx context.Context, client *github.Client, at place, edition string) ([]byte, error) {
	c.mu.Lock()
	tag := ""
	known := c.kept[at]
	if known != nil {
		tag = known.tag
	}
	c.mu.Unlock()
	body, response, err := fetch(ctx, client, at.path, tag)
	c.mu.Lock()
	defer c.mu.Unlock()
	if response != nil && response.Rate.Limit > 0 {
		c.left[resource(at)] = allowance{response.Rate.Limit, response.Rate.Remaining}
	}
	if err != nil {
		if known != nil && response != nil && response.StatusCode == http.StatusNotModified {
			known.at, known.used, known.changed = c.now(), c.now(), c.edition(at) != edition
			return known.body, nil
		}
		return nil, err
	}
	c.keep(at, &kept{body: body, tag: response.Header.Get("ETag"), at: c.now(), used: c.now(), changed: c.edition(at) != edition})
	return body, nil
}

// keep makes room by dropping what was used longest ago.
func (c *Cache) keep(at place, k *kept) {
	c.drop(at)
	if len(k.body) > maxKept/4 {
		return
	}
	for c.size+len(k.body) > maxKept {
		var oldest place
		var when time.Time
		for p, other := range c.kept {
			if when.IsZero() || other.used.Before(when) {
				oldest, when = p, other.used
			}
		}
		c.drop(oldest)
	}
	c.kept[at] = k
	c.size += len(k.body)
}

func (c *Cache) drop(at place) {
	if k, ok := c.kept[at]; ok {
		c.size -= len(k.body)
		delete(c.kept, at)
	}
}

// fetch makes one call; an answer that has not changed is an error with status 304.
func fetch(ctx context.Context, client *github.Client, path, tag string) ([]byte, *github.Response, error) {
	req, err := client.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return nil, nil, err
	}
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	response, err := client.BareDo(ctx, req)
	if err != nil {
		return nil, response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return body, response, err
}
