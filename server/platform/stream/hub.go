package stream

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
)

const (
	channel = "stream"
	// ringSize is how far behind a reader may fall: minutes of a busy server, half a megabyte.
	ringSize = 4096
	// quiet is the shortest time between two events about the same thing.
	quiet = 100 * time.Millisecond
	// maxField keeps a notification below PostgreSQL's 8 kB.
	maxField = 2000
)

// Event says that a thing of a team has changed.
type Event struct {
	// Team is the team's id; 0 concerns the installation and is for administrators.
	Team int64 `json:"team"`
	// Topic is a capability, or begins with one and a dot.
	Topic string `json:"topic"`
	// ID is the thing's public id; "" means the whole topic.
	ID string `json:"id"`
}

// Deps is what a hub needs.
type Deps struct {
	DB *database.DB
	// Recheck looks the caller of a long stream up again; a caller who is nobody
	// ends it. Nil trusts the first look.
	Recheck func(ctx context.Context) (identity.Caller, error)
	// Heartbeat is the time between signs of life; 15 s when zero.
	Heartbeat time.Duration
}

// Hub hears the events of all nodes and hands them to this node's readers.
type Hub struct {
	deps Deps
	stop func()
	done chan struct{}

	mu      sync.Mutex
	closed  bool
	ring    *ring
	readers map[*reader]struct{}
	recent  map[Event]bool // heard within quiet; true when heard again since
}

// New starts listening.
func New(deps Deps) *Hub {
	if deps.Heartbeat == 0 {
		deps.Heartbeat = 15 * time.Second
	}
	raw := make([]byte, 6)
	rand.Read(raw) // never fails
	h := &Hub{
		deps: deps, done: make(chan struct{}), ring: newRing(hex.EncodeToString(raw), ringSize),
		readers: map[*reader]struct{}{}, recent: map[Event]bool{},
	}
	h.stop = deps.DB.Listen(channel, h.hear)
	return h
}

// Close ends every stream; call it when the server begins to stop.
func (h *Hub) Close() {
	h.stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.done)
	}
}

// Publish announces e to the readers of every node once the context's
// transaction, if there is one, has committed.
func (h *Hub) Publish(ctx context.Context, e Event) error {
	if !slices.Contains(identity.Capabilities, capability(e.Topic)) || len(e.Topic) > maxField || len(e.ID) > maxField {
		return fmt.Errorf("stream: %.80q is no topic, or the id is too long", e.Topic)
	}
	payload, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return h.deps.DB.Notify(ctx, channel, string(payload))
}

func capability(topic string) string {
	word, _, _ := strings.Cut(topic, ".")
	return word
}

// hear is called by the database's notifier and must not block.
func (h *Hub) hear(payload string) {
	if payload == "" { // the connection was lost for a while
		h.mu.Lock()
		defer h.mu.Unlock()
		h.add(entry{reset: true})
		return
	}
	var e Event
	if json.Unmarshal([]byte(payload), &e) != nil {
		return // from a node of another version; its readers ask again in time
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, again := h.recent[e]; again {
		h.recent[e] = true
		return
	}
	h.add(entry{Event: e})
	h.recent[e] = false
	time.AfterFunc(quiet, func() { h.settle(e) })
}

// settle ends the quiet time of e: if it was heard again meanwhile, readers hear the last of them now.
func (h *Hub) settle(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.recent[e] || h.closed {
		delete(h.recent, e)
		return
	}
	h.add(entry{Event: e})
	h.recent[e] = false
	time.AfterFunc(quiet, func() { h.settle(e) })
}

func (h *Hub) add(e entry) {
	h.ring.add(e)
	for r := range h.readers {
		select {
		case r.wake <- struct{}{}:
		default: // it is awake already and will see the new head
		}
	}
}

// reader is one open stream: a place in the ring and no queue, so that its
// memory does not depend on its speed.
type reader struct {
	at   uint64
	wake chan struct{}
	user int64
}

// maxPerUser is far above what one browser opens (one tab leads for all).
const maxPerUser = 40

// join starts a reader behind lastID. It reports whether the reader has missed
// events, and whether it may join at all.
func (h *Hub) join(user int64, lastID string) (r *reader, missed, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	open := 0
	for other := range h.readers {
		if other.user == user {
			open++
		}
	}
	if h.closed || open >= maxPerUser {
		return nil, false, false
	}
	r = &reader{at: h.ring.head, wake: make(chan struct{}, 1), user: user}
	if lastID != "" {
		n, known := h.ring.parse(lastID)
		if _, there := h.ring.after(n); known && there {
			r.at = n
			r.wake <- struct{}{}
		} else {
			missed = true
		}
	}
	h.readers[r] = struct{}{}
	return r, missed, true
}

func (h *Hub) leave(r *reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.readers, r)
}

// next moves r to the head and returns what lies between, or reset when some of it is gone.
func (h *Hub) next(r *reader) (list []entry, reset bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, there := h.ring.after(r.at)
	r.at = h.ring.head
	return list, !there
}

func (h *Hub) id(n uint64) string { return h.ring.id(n) }
