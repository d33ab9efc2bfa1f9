package edge

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (s *Service) bundleRoutes(r api.Router) {
	read := api.Scoped("edge", identity.Read)
	r.GET("/bundles", read, api.Handle(s.httpBundles))
	r.POST("/bundles", api.Scoped("edge", identity.Write), s.httpPublish)
	r.GET("/bundles/:bundle", read, api.Handle(s.httpBundle))
	r.DELETE("/bundles/:bundle", api.Scoped("edge", identity.Admin), api.Handle(s.httpDeleteBundle))
	r.GET("/bundles/:bundle/sbom", read, s.httpSBOM)
	r.GET("/bundles/:bundle/file", read, s.httpExport)
}

type bundlesOut struct {
	Items []Bundle `json:"items"`
}

func (s *Service) httpBundles(ctx context.Context, in teamIn) (bundlesOut, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return bundlesOut{}, err
	}
	list, err := s.Bundles(ctx, team.ID)
	return bundlesOut{list}, err
}

// httpPublish takes the raw context: the body is a bundle, which may be gigabytes.
func (s *Service) httpPublish(c *gin.Context) {
	ctx := c.Request.Context()
	team, err := identity.RequireTeam(ctx, c.Query("team"), writing)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	b, err := s.PublishBundle(ctx, team.ID, c.Request.Body)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	c.JSON(http.StatusCreated, b)
}

type bundleIn struct {
	Team string `form:"team" json:"-"`
	ID   string `uri:"bundle" json:"-" form:"-"`
}

func (s *Service) httpBundle(ctx context.Context, in bundleIn) (BundleStatus, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return BundleStatus{}, err
	}
	return s.Bundle(ctx, team.ID, in.ID)
}

func (s *Service) httpDeleteBundle(ctx context.Context, in bundleIn) (api.Nothing, error) {
	team, err := identity.RequireTeam(ctx, in.Team, administering)
	if err != nil {
		return api.Nothing{}, err
	}
	return api.Nothing{}, s.DeleteBundle(ctx, team.ID, in.ID)
}

// ofBundle finds the bundle that a raw handler is about.
func (s *Service) ofBundle(c *gin.Context) (Bundle, error) {
	ctx := c.Request.Context()
	team, err := identity.RequireTeam(ctx, c.Query("team"), reading)
	if err != nil {
		return Bundle{}, err
	}
	return s.rows().bundle(ctx, team.ID, c.Param("bundle"))
}

// httpSBOM sends the component list as it is in the bundle.
func (s *Service) httpSBOM(c *gin.Context) {
	b, err := s.ofBundle(c)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	r, size, err := s.content(c.Request.Context(), b.Team, b.SBOMSHA256)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	defer r.Close()
	c.Header("Content-Type", "application/vnd.cyclonedx+json")
	c.Header("Content-Length", strconv.FormatInt(size, 10))
	c.Header("Content-Disposition", `attachment; filename="`+b.ID+`.cdx.json"`)
	if c.Request.Method != http.MethodHead {
		_, _ = io.Copy(c.Writer, r) // a reader that went away has no use for the error
	}
}

// httpExport sends the whole bundle with today's metadata, to be carried to nodes without a network.
func (s *Service) httpExport(c *gin.Context) {
	b, err := s.ofBundle(c)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	c.Header("Content-Type", "application/octet-stream")
	c.Header("Content-Disposition", `attachment; filename="`+b.ID+`.epb"`)
	if c.Request.Method == http.MethodHead {
		return
	}
	if err := s.ExportBundle(c.Request.Context(), b, c.Writer); err != nil {
		if !c.Writer.Written() {
			c.Header("Content-Disposition", "")
			api.WriteProblem(c, err)
			return
		}
		s.Log.Warn("exporting a bundle failed half way", "bundle", b.ID, "error", err)
		panic(http.ErrAbortHandler) // the reader must not take half a bundle for a whole one
	}
}
