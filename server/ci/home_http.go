package ci

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/cluster"
)

// homeRoutes are for the other servers.
func (s *Service) homeRoutes(r api.Router) {
	if s.deps.Cluster == nil {
		return
	}
	// It takes the raw context because it sends a whole volume.
	r.POST(volumeRoute, api.Foreign("servers of one installation prove that they have its key"), func(c *gin.Context) {
		body, err := s.deps.Cluster.Admit(c.Request)
		if err != nil {
			c.String(http.StatusForbidden, err.Error())
			return
		}
		c.Status(http.StatusOK)
		if err := s.giveVolume(c.Request.Context(), body, c.Writer); err != nil {
			s.deps.Log.WarnContext(c.Request.Context(), "sending a volume to another server broke off", "error", err)
			// Half a volume must not look whole.
			if conn, _, err := c.Writer.Hijack(); err == nil {
				conn.Close()
			}
		}
	})
}

// sendHome hands the request to the server where the build's log and volumes are.
// It reports whether it did, or failed to; the error is for the caller.
func (s *Service) sendHome(c *gin.Context, node, what string) (sent bool, err error) {
	if cluster.Forwarded(c.Request) {
		return false, nil
	}
	m, err := s.home(c.Request.Context(), node)
	if m == nil || err != nil {
		return err != nil, err
	}
	err = s.deps.Cluster.Forward(c, *m)
	var absent *cluster.Absent
	if errors.As(err, &absent) {
		return true, notThere(what, *m, err)
	}
	return true, err
}

// fromHome has a request about a build answered where its log is.
func (s *Service) fromHome(answer gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if id, err := strconv.ParseInt(c.Param("id"), 10, 64); err == nil && s.clustered() {
			b, err := s.openBuild(c.Request.Context(), id)
			if err == nil {
				var sent bool
				if sent, err = s.sendHome(c, b.Node, "The log of this build"); sent && err == nil {
					return
				}
			}
			if err != nil {
				api.WriteProblem(c, err)
				return
			}
		}
		answer(c)
	}
}

// preferHome is fromHome for what can be told without the log, too.
func (s *Service) preferHome(answer gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if id, err := strconv.ParseInt(c.Param("id"), 10, 64); err == nil && s.clustered() {
			b, err := s.openBuild(c.Request.Context(), id)
			if err == nil {
				if sent, err := s.sendHome(c, b.Node, ""); sent && err == nil {
					return
				}
			}
		}
		answer(c)
	}
}
