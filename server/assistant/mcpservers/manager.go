package mcpservers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/secrets"
	"github.com/signalbox/signalbox/server/platform/work"
)

// Deps is what a manager needs.
type Deps struct {
	DB  *database.DB
	Box *secrets.Box
	// HTTP gives the guarded client; inside is whether private addresses may be called.
	HTTP    func(inside bool) *http.Client
	Audit   func(ctx context.Context, team int64, action, object, detail string) error
	Publish func(ctx context.Context, team int64, topic, id string) error
	Version string
	ID      func() string
	Now     func() time.Time
	Log     *slog.Logger
}

// State is how a server stands.
type State string

// The states.
const (
	Disabled   State = "disabled"
	Connecting State = "connecting"
	Connected  State = "connected"
	Down       State = "down"
)

// Manager holds the connections to all servers. A nil one has none.
type Manager struct {
	Deps
	store store
	wake  chan struct{}

	mu      sync.Mutex
	running map[string]*connection // by id
	ended   bool
	wait    sync.WaitGroup
}

// New makes a manager; nothing is connected before its loop runs.
func New(deps Deps) *Manager {
	return &Manager{Deps: deps, store: store{deps.DB}, wake: make(chan struct{}, 1), running: map[string]*connection{}}
}

// connection is a server while it is wanted.
type connection struct {
	server Server
	team   int64
	// at is the row's time of change: a later one makes a new connection.
	at     int64
	cancel context.CancelFunc
	stderr *tail

	mu      sync.Mutex
	state   State
	since   time.Time
	failed  string
	session *mcp.ClientSession
	offered []Offered
}

// Loops are what happens without a request.
func (m *Manager) Loops() []work.Loop {
	return []work.Loop{{Name: "assistant.servers", Every: 30 * time.Second, Local: true, Wake: m.wake, Run: m.follow}}
}

// look again soon: something was changed.
func (m *Manager) changed() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// follow brings the connections to what the rows say. It waits for no server.
func (m *Manager) follow(ctx context.Context) error {
	rows, err := m.store.servers(ctx, 0)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return nil
	}
	wanted := map[string]bool{}
	for _, row := range rows {
		have := m.running[row.ID]
		if row.Enabled {
			wanted[row.ID] = true
		}
		if !row.Enabled || have != nil && have.at == row.UpdatedAt {
			continue
		}
		if have != nil {
			have.cancel()
			delete(m.running, row.ID)
		}
		if err := m.begin(ctx, row); err != nil {
			m.Log.Error("an outside server cannot be begun", "server", row.Name, "error", err)
		}
	}
	for id, c := range m.running {
		if !wanted[id] {
			c.cancel()
			delete(m.running, id)
		}
	}
	return nil
}

// begin starts to keep a connection. Under mu.
func (m *Manager) begin(ctx context.Context, row serverRow) error {
	server, err := row.server()
	if err != nil {
		return err
	}
	plain, err := m.Box.Open(serverTable, row.ID, row.Secrets)
	if err != nil {
		return err
	}
	values := map[string]string{}
	if err := json.Unmarshal(plain, &values); err != nil {
		return err
	}
	kept, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &connection{server: server, team: row.TeamID, at: row.UpdatedAt, cancel: cancel, stderr: &tail{}, state: Connecting, since: m.Now()}
	m.running[row.ID] = c
	m.wait.Go(func() { m.keep(kept, c, values) })
	return nil
}

// Stop ends all connections and waits for them.
func (m *Manager) Stop() {
	m.mu.Lock()
	m.ended = true
	for _, c := range m.running {
		c.cancel()
	}
	m.mu.Unlock()
	m.wait.Wait()
}

const (
	firstPause, longestPause = time.Second, 5 * time.Minute
	connectFor               = 30 * time.Second
)

// keep connects, and connects again with longer and longer pauses, until the server is not wanted any more.
func (m *Manager) keep(ctx context.Context, c *connection, values map[string]string) {
	pause := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		err := m.hold(ctx, c, values)
		if ctx.Err() != nil {
			return
		}
		m.tell(ctx, c, Down, err)
		if time.Since(began) > time.Minute {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// hold keeps one session for as long as it lasts.
func (m *Manager) hold(ctx context.Context, c *connection, values map[string]string) error {
	limited, cancel := context.WithTimeout(ctx, connectFor)
	defer cancel()
	session, stop, err := m.connect(limited, c.server, values, c.stderr)
	if err != nil {
		return err
	}
	defer stop()
	if err := m.learn(limited, c, session); err != nil {
		return err
	}
	c.mu.Lock()
	c.session = session
	c.mu.Unlock()
	m.tell(ctx, c, Connected, nil)
	over := make(chan error, 1)
	go func() { over <- session.Wait() }()
	look := time.NewTicker(time.Minute)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-over:
			return errors.Join(errors.New("it ended the connection"), err)
		case <-look.C:
			again, cancel := context.WithTimeout(ctx, connectFor)
			err := m.learn(again, c, session)
			cancel()
			if err != nil {
				return err
			}
		}
	}
}

// tell notes how a connection stands, for the page and for those who call.
func (m *Manager) tell(ctx context.Context, c *connection, state State, err error) {
	c.mu.Lock()
	c.state, c.since, c.failed = state, m.Now(), ""
	if err != nil {
		c.failed = clip(strings.ToValidUTF8(err.Error(), ""), 500)
	}
	if state != Connected {
		c.session, c.offered = nil, nil
	}
	c.mu.Unlock()
	if err := m.Publish(ctx, c.team, "assistant.servers", c.server.ID); err != nil {
		m.Log.Warn("a page was not told of an outside server", "error", err)
	}
}

func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}

const (
	maxTools       = 200
	maxDescription = 8 << 10
	maxSchema      = 32 << 10
)

// learn asks a server for its tools, keeps what it says of them, and offers those that were allowed as they are now.
func (m *Manager) learn(ctx context.Context, c *connection, session *mcp.ClientSession) error {
	var rows []toolRow
	shown := map[string]bool{}
	for tool, err := range session.Tools(ctx, nil) {
		if err != nil {
			return fmt.Errorf("list its tools: %w", err)
		}
		schema, err := json.Marshal(tool.InputSchema)
		if err != nil || tool.InputSchema == nil {
			schema = []byte(`{"type":"object"}`)
		}
		row := toolRow{ServerID: c.server.ID, Name: tool.Name, Shown: shownAs(c.server.Name, tool.Name), Description: tool.Description, Schema: string(schema), Permission: Off}
		switch {
		case len(rows) == maxTools:
			return fmt.Errorf("it has more than %d tools", maxTools)
		case tool.Name == "" || len(tool.Name) > 200 || len(row.Description) > maxDescription || len(schema) > maxSchema:
			m.Log.Warn("a tool of an outside server is too long to be offered", "server", c.server.Name, "tool", clip(tool.Name, 100))
			continue
		case shown[row.Shown]:
			m.Log.Warn("a tool of an outside server has the name of another", "server", c.server.Name, "tool", clip(tool.Name, 100))
			continue
		}
		shown[row.Shown] = true
		rows = append(rows, row)
	}
	if err := m.store.describe(ctx, c.server.ID, rows); err != nil {
		return err
	}
	return m.offer(ctx, c, shown)
}

// offer works out which tools may be called: those that were allowed and have not changed since.
func (m *Manager) offer(ctx context.Context, c *connection, there map[string]bool) error {
	rows, err := m.store.tools(ctx, c.server.ID)
	if err != nil {
		return err
	}
	var offered []Offered
	for _, row := range rows {
		if row.Permission == Off || row.changed() || !there[row.Shown] {
			continue
		}
		offered = append(offered, Offered{Shown: row.Shown, Server: c.server.Name, Name: row.Name, Description: row.Description, Schema: json.RawMessage(row.Schema), Permission: row.Permission, Repositories: c.server.Repositories})
	}
	c.mu.Lock()
	c.offered = offered
	c.mu.Unlock()
	return nil
}

// changed tells whether a tool is not any more what somebody allowed.
func (r toolRow) changed() bool {
	return r.Pinned != "" && r.Pinned != pin(r.Name, r.Description, json.RawMessage(r.Schema))
}
