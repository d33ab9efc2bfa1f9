package ci

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

func (f fly) typeRoutes(r api.Router) {
	const one = "/teams/:team/pipelines/:pipeline/resource-types/:type"
	r.POST(one+"/check", operating(), f.handle(f.checkType))
	r.GET(one+"/shared", reading(), f.handle(f.sharedType))
	r.DELETE(one+"/versions", operating(), f.handle(f.deleteTypeVersions))
}

func (f fly) checkType(c *gin.Context) error {
	p, err := f.pipelineOf(c, identity.Operate)
	if err != nil {
		return err
	}
	var in struct {
		From    resource.Version `json:"from"`
		Shallow bool             `json:"shallow"`
	}
	if err := f.body(c, &in); err != nil {
		return err
	}
	b, err := f.startTypeCheck(c.Request.Context(), p, c.Param("type"), in.From, !in.Shallow)
	if err != nil {
		return err
	}
	return f.showBuild(c, http.StatusCreated, b)
}

// sharedType lists which types would lose versions by clear-versions: those whose image
// has the same source, and so is checked once for all.
func (f fly) sharedType(c *gin.Context) error {
	p, err := f.pipelineOf(c, identity.Read)
	if err != nil {
		return err
	}
	name := c.Param("type")
	if _, _, err := f.resourceType(p, name); err != nil {
		return err
	}
	list, err := f.typesAlike(c.Request.Context(), p.TeamID, p.ID, name)
	if err != nil {
		return err
	}
	if own := (flyIdentifier{Name: name, Pipeline: p.Name}); !slices.Contains(list, own) {
		list = append([]flyIdentifier{own}, list...)
	}
	for i := range list {
		list[i].Team = c.Param("team")
	}
	return f.json(c, http.StatusOK, map[string][]flyIdentifier{"resources": {}, "resource_types": list})
}

func (f fly) deleteTypeVersions(c *gin.Context) error {
	p, err := f.pipelineOf(c, identity.Operate)
	if err != nil {
		return err
	}
	n, err := f.forgetTypeVersions(c.Request.Context(), p, c.Param("type"))
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, map[string]int64{"versions_removed": n})
}
