package issues

import (
	"container/list"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/signalbox/signalbox/server/issues/sourcemap"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// artifactChannel tells every node that a project has a new upload.
const artifactChannel = "issues.artifacts"

type mapKey struct {
	artifact int64
	path     string
}

// maxMaps bounds what parsed maps may occupy; the one in use is kept in any case.
const maxMaps = 48 << 20

// mapCache keeps parsed maps by their size, least recently used out first, and
// for a while what looking for maps gave, also when it gave nothing.
type mapCache struct {
	now   func() time.Time
	limit int
	group singleflight.Group

	mu      sync.Mutex
	order   *list.List // of *cachedMap, the latest first
	maps    map[mapKey]*list.Element
	size    int
	lookups map[string]cachedLookup
}

type cachedMap struct {
	key mapKey
	m   *sourcemap.Map
	err error
}

type cachedLookup struct {
	file uploadedFile
	err  error
	at   time.Time
}

func newMapCache(limit int, now func() time.Time) *mapCache {
	return &mapCache{now: now, limit: limit, order: list.New(), maps: map[mapKey]*list.Element{}, lookups: map[string]cachedLookup{}}
}

// get gives a map, read by load when it is not here; others who want it wait.
// That it cannot be read is remembered as well, other failures are not.
func (c *mapCache) get(key mapKey, load func() (*sourcemap.Map, error)) (*sourcemap.Map, error) {
	if m, err, there := c.cached(key); there {
		return m, err
	}
	out, err, _ := c.group.Do(keyText(key), func() (any, error) {
		m, err := load()
		c.put(key, m, err)
		return m, err
	})
	m, _ := out.(*sourcemap.Map)
	return m, err
}

func keyText(k mapKey) string { return formatID(k.artifact) + "\x00" + k.path }

func (c *mapCache) cached(key mapKey) (*sourcemap.Map, error, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.maps[key]
	if e == nil {
		return nil, nil, false
	}
	c.order.MoveToFront(e)
	entry := e.Value.(*cachedMap)
	return entry.m, entry.err, true
}

func (c *mapCache) put(key mapKey, m *sourcemap.Map, err error) {
	if err != nil && !unreadable(err) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.maps[key] != nil {
		return
	}
	entry := &cachedMap{key, m, err}
	c.maps[key] = c.order.PushFront(entry)
	c.size += entry.bytes()
	for c.size > c.limit && c.order.Len() > 1 {
		last := c.order.Remove(c.order.Back()).(*cachedMap)
		delete(c.maps, last.key)
		c.size -= last.bytes()
	}
}

func (e *cachedMap) bytes() int {
	if e.m == nil {
		return 200
	}
	return e.m.Size() + 200
}

// unreadable tells errors of the map itself from those of reading it.
func unreadable(err error) bool {
	var wrong *sourcemap.MalformedError
	return errors.As(err, &wrong) || errors.Is(err, sourcemap.ErrTooLarge)
}

// How long a lookup holds when nobody tells of a new upload, and how many are kept.
const (
	lookupFor  = 30 * time.Second
	maxLookups = 5000
)

// lookup gives what find gave lately.
func (c *mapCache) lookup(key string, find func() (uploadedFile, error)) (uploadedFile, error) {
	c.mu.Lock()
	l, there := c.lookups[key]
	c.mu.Unlock()
	if there && c.now().Sub(l.at) < lookupFor {
		return l.file, l.err
	}
	f, err := find()
	if err == nil || problem.Is(err, problem.NotFound) {
		c.mu.Lock()
		if len(c.lookups) >= maxLookups {
			clear(c.lookups)
		}
		c.lookups[key] = cachedLookup{f, err, c.now()}
		c.mu.Unlock()
	}
	return f, err
}

// forget drops what looking gave: there is a new upload.
func (c *mapCache) forget(string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.lookups)
}
