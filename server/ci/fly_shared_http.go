package ci

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type flyIdentifier struct {
	Name     string `json:"name"`
	Pipeline string `json:"pipeline_name"`
	Team     string `json:"team_name"`
}

// sharedResource lists who would lose versions by clear-versions. Versions belong to
// one resource here, where Concourse shares them between equal configurations.
func (f fly) sharedResource(c *gin.Context) error {
	p, r, err := f.resourceOf(c, identity.Read)
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, map[string][]flyIdentifier{"resources": {{r.Name, p.Name, c.Param("team")}}, "resource_types": {}})
}

// landWorker lets the worker finish what runs and begin nothing new. fly has no word for
// the way back: that is on the workers page, or POST /api/v1/ci/workers/NAME/resume.
func (f fly) landWorker(c *gin.Context) error {
	if err := f.Service.landWorker(c.Request.Context(), c.Param("worker"), true); err != nil {
		return err
	}
	c.Status(http.StatusOK)
	return nil
}

// pruneWorker says in Concourse's shape why it does nothing.
func (f fly) pruneWorker(c *gin.Context) error {
	err := f.Service.pruneWorker(c.Request.Context(), c.Param("worker"))
	if problem.Is(err, problem.Conflict) {
		return f.json(c, http.StatusBadRequest, map[string]string{"stderr": problem.From(err).Detail})
	}
	if err != nil {
		return err
	}
	c.Status(http.StatusOK)
	return nil
}
