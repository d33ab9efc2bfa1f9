package vars

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Tracker remembers every secret text that passed through it, so that logs can
// hide them. Numbers and booleans are not remembered: hiding each 1 or true
// would make a log unreadable. It is safe for use by several goroutines.
type Tracker struct {
	mu     sync.RWMutex
	values map[string]bool
	search *needles // rebuilt when values grow
}

// Watch gives a Lookup that answers like inner and remembers what it answered.
// Of a value with fields only the part that the reference asks for is kept.
func (t *Tracker) Watch(inner Lookup) Lookup { return watched{inner: inner, tracker: t} }

type watched struct {
	inner   Lookup
	tracker *Tracker
}

func (w watched) Get(ctx context.Context, ref Ref) (any, bool, error) {
	value, found, err := w.inner.Get(ctx, ref)
	if err != nil || !found {
		return value, found, err
	}
	if _, open := value.(Open); open {
		return value, found, nil
	}
	// A field that does not exist is reported by whoever asked for it.
	if part, err := field(value, ref); err == nil {
		w.tracker.Track(part)
	}
	return value, found, nil
}

// Track remembers all texts in a value.
func (t *Tracker) Track(value any) {
	var texts []string
	eachLeaf(value, func(text string) { texts = append(texts, text) })
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, text := range texts {
		if strings.TrimSpace(text) == "" || t.values[text] {
			continue
		}
		if t.values == nil {
			t.values = map[string]bool{}
		}
		t.values[text] = true
		t.search = nil
	}
}

// Values lists the remembered texts, sorted.
func (t *Tracker) Values() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Sorted(maps.Keys(t.values))
}

// needles gives what to look for in text.
func (t *Tracker) needles() *needles {
	t.mu.RLock()
	search := t.search
	t.mu.RUnlock()
	if search != nil {
		return search
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.search == nil {
		t.search = newNeedles(t.values)
	}
	return t.search
}

// eachLeaf visits the texts in a value but not the keys, which are no secrets.
func eachLeaf(value any, visit func(string)) {
	switch node := value.(type) {
	case string:
		visit(node)
	case []any:
		for _, item := range node {
			eachLeaf(item, visit)
		}
	case []string:
		for _, item := range node {
			visit(item)
		}
	case map[string]any:
		for _, item := range node {
			eachLeaf(item, visit)
		}
	case map[string]string:
		for _, item := range node {
			visit(item)
		}
	}
}
