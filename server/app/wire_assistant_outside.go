package app

import (
	"net/http"

	"github.com/signalbox/signalbox/server/assistant/mcpservers"
	"github.com/signalbox/signalbox/server/platform/outbound"
)

// privateRanges may be called where an administrator has said so of a server. Link-local addresses are not among them:
// clouds hand out credentials there.
var privateRanges = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "fc00::/7", "::1"}

// wireOutside makes the keeper of outside MCP servers.
func (a *App) wireOutside() (*mcpservers.Manager, error) {
	inside, err := outbound.New(append(privateRanges, a.config.Outbound.Allow...))
	if err != nil {
		return nil, errUsage{err}
	}
	options := outbound.Options{Timeout: -1, MaxBytes: 64 << 20, Redirects: -1} // each call has its own time
	clients := map[bool]*http.Client{false: a.guard.Client(options), true: inside.Client(options)}
	m := mcpservers.New(mcpservers.Deps{DB: a.db, Box: a.box, HTTP: func(inside bool) *http.Client { return clients[inside] },
		Audit: a.audit, Publish: a.publish, Version: Version, ID: randomID, Now: now, Log: a.log})
	a.stops = append(a.stops, m.Stop)
	return m, nil
}
