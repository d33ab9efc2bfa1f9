package ci

import (
	"encoding/json"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (f fly) infoRoutes(r api.Router) {
	r.GET("/info", api.Public("fly compares versions before it signs in"), f.handle(f.info))
	r.GET("/cli", api.Public("fly updates itself before it signs in"), f.handle(f.cli))
	r.GET("/wall", api.SignedIn(), f.handle(f.getWall))
	r.PUT("/wall", api.Admin(), f.handle(f.putWall))
	r.DELETE("/wall", api.Admin(), f.handle(f.clearWall))
}

type flyFeatures struct {
	BuildRerun           bool `json:"build_rerun"`
	CacheStreamedVolumes bool `json:"cache_streamed_volumes"`
	GlobalResources      bool `json:"global_resources"`
	ResourceCausality    bool `json:"resource_causality"`
}

type flyInfo struct {
	Version       string      `json:"version"`
	WorkerVersion string      `json:"worker_version"`
	Features      flyFeatures `json:"feature_flags"`
	ExternalURL   string      `json:"external_url"`
	ClusterName   string      `json:"cluster_name,omitempty"`
}

func (f fly) info(c *gin.Context) error {
	return f.json(c, http.StatusOK, flyInfo{Version: ConcourseVersion, WorkerVersion: "3.0", ExternalURL: f.publicURL(), ClusterName: f.deps.ClusterName})
}

// cli serves the fly program if the operator put one there: it is not ours to ship.
func (f fly) cli(c *gin.Context) error {
	file := ""
	if f.deps.FlyBinary != nil {
		file = f.deps.FlyBinary(c.Query("platform"), c.Query("arch"))
	}
	if info, err := os.Stat(file); file == "" || err != nil || info.IsDir() {
		c.String(http.StatusNotFound, "fly for %s/%s is not installed on this server; get it from https://github.com/concourse/concourse/releases (any %s.x), "+
			"or ask the administrator to put it into the server's fly folder\n", c.Query("platform"), c.Query("arch"), ConcourseVersion[:3])
		return nil
	}
	c.Header("Content-Disposition", "attachment; filename=fly")
	c.File(file)
	return nil
}

type flyWall struct {
	Message string        `json:"message,omitempty"`
	TTL     time.Duration `json:"TTL,omitempty"`
}

func (f fly) getWall(c *gin.Context) error {
	row, err := f.wall(c.Request.Context())
	if err != nil {
		return err
	}
	out := flyWall{Message: row.Message}
	if row.ExpiresAt != 0 {
		out.TTL = row.ExpiresAt.Time().Sub(f.now())
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) putWall(c *gin.Context) error {
	var in flyWall
	if err := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, 64<<10)).Decode(&in); err != nil {
		return problem.New(problem.Invalid, "malformed wall: %s", err)
	}
	var expires millis
	if in.TTL > 0 {
		expires = toMillis(f.now().Add(in.TTL))
	}
	if err := f.setWall(c.Request.Context(), in.Message, expires); err != nil {
		return err
	}
	return f.ok(c, f.audit(c.Request.Context(), 0, "wall.set", "wall", in.Message))
}

func (f fly) clearWall(c *gin.Context) error {
	return f.ok(c, f.setWall(c.Request.Context(), "", 0))
}
