package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/work"
)

const (
	// beatEvery is how often a member says that it is there.
	beatEvery = 3 * time.Second
	// silence is after how long one that says nothing counts as gone.
	silence = 20 * time.Second
	// fresh is how long a list of the members is believed.
	fresh = 2 * time.Second
)

// Member is a server of this installation.
type Member struct {
	// Node is the name in its data folder, which survives restarts; Name is its machine's.
	Node, Name string
	// Address is where other members reach it; "" when it does not say.
	Address string
	Version string
	// Blobs says at which place its blobs are: equal for all that share one.
	Blobs         string
	Started, Seen time.Time
	// Left is when it stopped by itself; zero while it runs, and after it was killed.
	Left time.Time
	// Waiting is how many bytes of acknowledged events it had not digested when it was seen last.
	Waiting int64
	// There says whether it can be asked now.
	There bool
}

// Title is how the member is named in sentences.
func (m Member) Title() string {
	id := m.Node[:min(6, len(m.Node))]
	if m.Name == "" {
		return id
	}
	return m.Name + " (" + id + ")"
}

// Absence says that the member is not there, and since when, as the end of a sentence.
func (m Member) Absence() string {
	if !m.Left.IsZero() {
		return "which was stopped at " + m.Left.UTC().Format("2006-01-02 15:04:05") + " UTC"
	}
	return "of which nothing was heard since " + m.Seen.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// Sealer proves that two servers have the same key file; *secrets.Box is one.
type Sealer interface {
	Seal(table, row string, plain []byte) []byte
	Open(table, row string, sealed []byte) ([]byte, error)
}

// Deps is what a server tells of itself and needs.
type Deps struct {
	DB *database.DB
	// Self is this server; of its times none is read.
	Self Member
	Now  func() time.Time
	Log  *slog.Logger
	Box  Sealer
	// Waiting is how many bytes of acknowledged events are not digested.
	Waiting func() int64
	// Transport carries calls to other members; nil means one of its own.
	Transport http.RoundTripper
}

// Cluster is this server's view of all of them.
type Cluster struct {
	deps    Deps
	started time.Time

	mu     sync.Mutex
	seen   []Member
	seenAt time.Time
}

// New makes the view; nothing is written before Join.
func New(deps Deps) *Cluster {
	if deps.Transport == nil {
		deps.Transport = transport()
	}
	return &Cluster{deps: deps, started: deps.Now()}
}

// Node is this server's name.
func (c *Cluster) Node() string { return c.deps.Self.Node }

// Several reports whether there can be other members at all.
func (c *Cluster) Several() bool { return c.deps.DB.Dialect == database.Postgres }

// Join tells the others of this server.
func (c *Cluster) Join(ctx context.Context) error {
	if !c.Several() {
		return nil
	}
	if err := c.beat(ctx); err != nil {
		return fmt.Errorf("join the other servers: %w", err)
	}
	return nil
}

// Loops keep telling.
func (c *Cluster) Loops() []work.Loop {
	if !c.Several() {
		return nil
	}
	return []work.Loop{{Name: "cluster.beat", Every: beatEvery, Local: true, Run: c.beat}}
}

// Leave tells the others that this server stops.
func (c *Cluster) Leave(ctx context.Context) error {
	if !c.Several() {
		return nil
	}
	return c.markLeft(ctx)
}

// Members are all that there have been, by name, this one among them.
func (c *Cluster) Members(ctx context.Context) ([]Member, error) {
	now := c.deps.Now()
	if !c.Several() {
		self := c.deps.Self
		self.Started, self.Seen, self.There = c.started, now, true
		return []Member{self}, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now.Sub(c.seenAt); c.seen != nil && age >= 0 && age < fresh {
		return c.seen, nil
	}
	list, err := c.rows(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the servers: %w", err)
	}
	for i := range list {
		m := &list[i]
		m.There = m.Node == c.deps.Self.Node || m.Left.IsZero() && now.Sub(m.Seen) < silence
	}
	c.seen, c.seenAt = list, now
	return list, nil
}

// Others are the members but this one.
func (c *Cluster) Others(ctx context.Context) ([]Member, error) {
	if !c.Several() {
		return nil, nil
	}
	all, err := c.Members(ctx)
	others := make([]Member, 0, len(all))
	for _, m := range all {
		if m.Node != c.deps.Self.Node {
			others = append(others, m)
		}
	}
	return others, err
}

// Member is the one of that name; one that is not known has nothing but the name.
func (c *Cluster) Member(ctx context.Context, node string) (Member, error) {
	all, err := c.Members(ctx)
	for _, m := range all {
		if m.Node == node {
			return m, nil
		}
	}
	return Member{Node: node}, err
}

// Forget removes the row of a member that does not come back: what lay on its disk is
// not waited for any more.
func (c *Cluster) Forget(ctx context.Context, node string) error {
	c.mu.Lock()
	c.seen = nil
	c.mu.Unlock()
	return c.remove(ctx, node)
}
