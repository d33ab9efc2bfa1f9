package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/web"
)

// routes lays the middleware and then every part's routes; what no route knows is a page.
func (a *App) routes(context.Context) error {
	e := a.engine
	e.RedirectTrailingSlash = false
	e.RedirectFixedPath = false
	e.UseRawPath = true
	e.UnescapePathValues = true
	e.HandleMethodNotAllowed = false
	if err := e.SetTrustedProxies(a.config.Server.TrustedProxies); err != nil {
		return errUsage{fmt.Errorf("server.trusted_proxies: %w", err)}
	}
	e.Use(api.WithRequestID())
	a.traced(e)
	e.Use(api.NewMetrics(a.registry).Log(a.log), api.Recover(), api.SecurityHeaders(a.https()), a.accounts.Authenticate())

	r := api.NewRouter(e, &a.table)
	own := r.Group("/api/v1")
	a.accounts.Routes(r)
	a.catalog.Routes(r)
	a.system.Routes(r)
	a.ci.Routes(r)
	a.hub.Routes(own)
	a.secrets.Routes(own)
	a.github.Routes(own)
	a.notify.Routes(own)
	a.github.IntakeRoutes(r)
	a.issues.Routes(r)
	a.logs.Routes(r)
	a.edge.Routes(r)
	a.assistant.Routes(r)
	a.slack.Routes(r)
	if err := a.docsRoutes(r); err != nil {
		return err
	}

	files, err := web.Files()
	if err != nil {
		return err
	}
	p := newPages(files)
	e.NoRoute(func(c *gin.Context) { p.serve(c) })
	return nil
}

// capabilities are the words whose own API the server answers, in their usual
// order; accounts and system are no pages of the rail.
func (a *App) capabilities() []string {
	var list []string
	for _, word := range identity.Capabilities {
		if word == "accounts" || word == "system" {
			continue
		}
		if slices.ContainsFunc(a.table.Routes, func(r api.Route) bool { return strings.HasPrefix(r.Path, "/api/v1/"+word+"/") }) {
			list = append(list, word)
		}
	}
	return list
}
