package system

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

const pingPatience = 2 * time.Second

// Routes registers everything that system answers; r is at the root.
func (s *Service) Routes(r api.Router) {
	r.GET("/healthz", api.Public("balancers ask whether the process lives"), handleAlive)
	r.GET("/readyz", api.Public("balancers ask whether to send traffic"), s.handleReady)
	if s.deps.Metrics != nil {
		// Whoever reads in one team may read them, so no metric names a team.
		r.GET("/metrics", api.Scoped("system", identity.Read), gin.WrapH(s.deps.Metrics))
	}
	own := r.Group("/api/v1/system")
	own.GET("/health", api.Admin(), api.Handle(s.handleHealth))
	own.GET("/loops", api.Admin(), api.Handle(s.handleLoops))
	own.GET("/jobs/dead", api.Admin(), api.Handle(s.handleDead))
	own.POST("/jobs/dead/:id/retry", api.Admin(), api.Handle(s.handleRetry))
	if s.deps.Cluster != nil {
		own.GET("/servers", api.Admin(), api.Handle(s.handleServers))
		own.DELETE("/servers/:node", api.Admin(), api.Handle(s.handleForget))
	}
	if s.deps.Backups != nil {
		s.backupRoutes(own)
	}
	own.DELETE("/jobs/dead/:id", api.Admin(), api.Handle(s.handleDiscard))
}

// handleAlive takes the gin context: probes want a word, not JSON.
func handleAlive(c *gin.Context) { c.String(http.StatusOK, "alive\n") }

// handleReady takes the gin context: probes want a word, not JSON. A database
// that does not answer makes the node unready, for another may reach it.
func (s *Service) handleReady(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	if !s.deps.Ready() {
		c.String(http.StatusServiceUnavailable, "starting or stopping\n")
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), pingPatience)
	defer cancel()
	if err := s.deps.DB.Ping(ctx); err != nil {
		s.deps.Log.WarnContext(ctx, "not ready: the database does not answer", "error", err)
		c.String(http.StatusServiceUnavailable, "the database does not answer\n")
		return
	}
	c.String(http.StatusOK, "ready\n")
}
