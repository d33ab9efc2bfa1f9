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

// landWorker and pruneWorker say why they do nothing: the worker lives in this server.

func (f fly) landWorker(c *gin.Context) error {
	if err := f.namedWorker(c); err != nil {
		return err
	}
	return problem.New(problem.Conflict, "The worker is part of the server and cannot land by itself: stop the server, which leaves running builds in their containers and goes on with them when it starts again.")
}

func (f fly) pruneWorker(c *gin.Context) error {
	if err := f.namedWorker(c); err != nil {
		return err
	}
	return f.json(c, http.StatusBadRequest, map[string]string{"stderr": "The worker is part of the server and cannot be pruned."})
}

func (f fly) namedWorker(c *gin.Context) error {
	if f.deps.Executor == nil || f.deps.Executor.Name() != c.Param("worker") {
		return problem.New(problem.NotFound, "There is no worker %s.", c.Param("worker"))
	}
	return nil
}
