package ci

import (
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (f fly) resourceRoutes(r api.Router) {
	r.GET("/resources", listing(), f.handle(f.allResourcesOfCaller))
	const list = "/teams/:team/pipelines/:pipeline/resources"
	const one = list + "/:resource"
	r.GET(list, exposable(), f.handle(f.listResources))
	r.GET(one, exposable(), f.handle(f.getResource))
	r.POST(one+"/check", operating(), f.handle(f.check))
	r.POST(one+"/check/webhook", api.Foreign("the webhook_token of the resource"), f.handle(f.checkWebhook))
	r.PUT(one+"/unpin", operating(), f.handle(f.unpin))
	r.PUT(one+"/pin_comment", operating(), f.handle(f.putPinComment))
	r.DELETE(one+"/cache", operating(), f.handle(f.clearResourceCaches))
	r.GET(one+"/shared", reading(), f.handle(f.sharedResource))
	r.GET(one+"/versions", exposable(), f.handle(f.listVersions))
	r.DELETE(one+"/versions", operating(), f.handle(f.deleteVersions))
	r.GET(one+"/versions/:version", exposable(), f.handle(f.getVersion))
	r.PUT(one+"/versions/:version/pin", operating(), f.handle(f.pinTo))
	r.PUT(one+"/versions/:version/enable", operating(), f.handle(f.enable(true)))
	r.PUT(one+"/versions/:version/disable", operating(), f.handle(f.enable(false)))
	r.GET(one+"/versions/:version/input_to", exposable(), f.handle(f.usedBy(input)))
	r.GET(one+"/versions/:version/output_of", exposable(), f.handle(f.usedBy(output)))
}

func (f fly) presentResources(c *gin.Context, rows []resourceRow) error {
	ctx := c.Request.Context()
	n := f.names()
	out := make([]flyResource, 0, len(rows))
	for _, r := range rows {
		p, err := n.pipelineRow(ctx, r.PipelineID)
		if err != nil {
			return err
		}
		shown, err := n.flyResource(ctx, p, r)
		if err != nil {
			return err
		}
		out = append(out, shown)
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) allResourcesOfCaller(c *gin.Context) error {
	ctx := c.Request.Context()
	rows, err := f.visibleResources(ctx, identity.From(ctx).TeamIDs(scope(identity.Read)))
	if err != nil {
		return err
	}
	return f.presentResources(c, rows)
}

func (f fly) listResources(c *gin.Context) error {
	p, err := f.seenPipelineOf(c)
	if err != nil {
		return err
	}
	rows, err := f.resources(c.Request.Context(), p.ID)
	if err != nil {
		return err
	}
	return f.presentResources(c, rows)
}

func (f fly) getResource(c *gin.Context) error {
	p, r, err := f.seenResourceOf(c)
	if err != nil {
		return err
	}
	out, err := f.names().flyResource(c.Request.Context(), p, r)
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) check(c *gin.Context) error {
	_, r, err := f.resourceOf(c, identity.Operate)
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
	ctx := c.Request.Context()
	b, err := f.startCheck(ctx, r, in.From, !in.Shallow, "Check asked for by "+orSomebody(callerName(ctx)))
	if err != nil {
		return err
	}
	return f.showBuild(c, http.StatusCreated, b)
}

// checkWebhook is anonymous: who knows the resource's token may have it checked.
func (f fly) checkWebhook(c *gin.Context) error {
	ctx := c.Request.Context()
	token := c.Query("webhook_token")
	if token == "" {
		return problem.New(problem.Invalid, "no webhook_token specified")
	}
	vars, err := instanceVars(c.Request.URL.Query())
	if err != nil {
		return problem.New(problem.Invalid, "instance vars are malformed: %v", err)
	}
	team, err := f.deps.TeamID(ctx, c.Param("team"))
	if err != nil {
		return err
	}
	p, err := f.pipelineByName(ctx, team, c.Param("pipeline"), canonicalVars(vars))
	if err != nil {
		return err
	}
	r, err := f.resourceByName(ctx, p.ID, c.Param("resource"))
	if err != nil {
		return err
	}
	wanted, err := f.webhookToken(ctx, p, r)
	if err != nil {
		return err
	}
	if wanted == "" || subtle.ConstantTimeCompare([]byte(wanted), []byte(token)) != 1 {
		return problem.New(problem.Unauthorized, "The webhook_token is not that of the resource.")
	}
	b, err := f.startCheck(ctx, r, nil, false, "Webhook")
	if err != nil {
		return err
	}
	return f.showBuild(c, http.StatusCreated, b)
}

func (f fly) versionOf(c *gin.Context, level identity.Level) (resourceRow, int64, error) {
	_, r, err := f.resourceOf(c, level)
	return f.numberedVersion(c, r, err)
}

func (f fly) seenVersionOf(c *gin.Context) (resourceRow, int64, error) {
	_, r, err := f.seenResourceOf(c)
	return f.numberedVersion(c, r, err)
}

func (f fly) numberedVersion(c *gin.Context, r resourceRow, err error) (resourceRow, int64, error) {
	if err != nil {
		return r, 0, err
	}
	id, err := strconv.ParseInt(c.Param("version"), 10, 64)
	if err != nil {
		return r, 0, problem.New(problem.NotFound, "There is no version %s.", c.Param("version"))
	}
	return r, id, nil
}

func (f fly) pinTo(c *gin.Context) error {
	r, id, err := f.versionOf(c, identity.Operate)
	if err != nil {
		return err
	}
	return f.ok(c, f.pinVersion(c.Request.Context(), r, id, ""))
}

func (f fly) unpin(c *gin.Context) error {
	_, r, err := f.resourceOf(c, identity.Operate)
	if err != nil {
		return err
	}
	return f.ok(c, f.pinVersion(c.Request.Context(), r, 0, ""))
}

func (f fly) putPinComment(c *gin.Context) error {
	_, r, err := f.resourceOf(c, identity.Operate)
	if err != nil {
		return err
	}
	var in struct {
		Comment string `json:"pin_comment"`
	}
	if err := f.body(c, &in); err != nil {
		return err
	}
	f.resourceChanged(c.Request.Context(), r)
	return f.ok(c, f.setPinComment(c.Request.Context(), r.ID, in.Comment))
}

func (f fly) enable(enabled bool) func(*gin.Context) error {
	return func(c *gin.Context) error {
		r, id, err := f.versionOf(c, identity.Operate)
		if err != nil {
			return err
		}
		return f.ok(c, f.enableVersion(c.Request.Context(), r, id, enabled))
	}
}

func (f fly) getVersion(c *gin.Context) error {
	r, id, err := f.seenVersionOf(c)
	if err != nil {
		return err
	}
	v, err := f.version(c.Request.Context(), id)
	if err != nil || v.ResourceID != r.ID {
		return problem.New(problem.NotFound, "There is no version %d.", id)
	}
	shown, err := f.presentVersions(c.Request.Context(), r, []versionRow{v})
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, shown[0])
}

// listVersions pages by version id, as fly does, and filters by `filter=key:value`.
func (f fly) listVersions(c *gin.Context) error {
	ctx := c.Request.Context()
	_, r, err := f.seenResourceOf(c)
	if err != nil {
		return err
	}
	wanted := map[string]string{}
	for _, text := range c.QueryArray("filter") {
		if key, value, ok := strings.Cut(text, ":"); ok {
			wanted[key] = value
		}
	}
	p := pageOf(c)
	rows, more, err := f.versionPage(ctx, r, wanted, p)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		path := f.pipelinePath(c) + "/resources/" + r.Name + "/versions"
		if more {
			f.link(c, path, nil, "to", rows[len(rows)-1].ID-1, p.limit, "next")
		}
		if p.to != 0 {
			f.link(c, path, nil, "from", rows[0].ID+1, p.limit, "previous")
		}
	}
	out, err := f.presentVersions(ctx, r, rows)
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) deleteVersions(c *gin.Context) error {
	ctx := c.Request.Context()
	_, r, err := f.resourceOf(c, identity.Operate)
	if err != nil {
		return err
	}
	n, err := f.forgetVersions(ctx, r)
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, map[string]int64{"versions_removed": n})
}

func (f fly) clearResourceCaches(c *gin.Context) error {
	_, r, err := f.resourceOf(c, identity.Operate)
	if err != nil {
		return err
	}
	var in struct {
		Version resource.Version `json:"version"`
	}
	if err := f.body(c, &in); err != nil {
		return err
	}
	n, err := f.clearResourceCache(c.Request.Context(), r, in.Version)
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, map[string]int64{"caches_removed": n})
}

func (f fly) usedBy(direction string) func(*gin.Context) error {
	return func(c *gin.Context) error {
		_, id, err := f.seenVersionOf(c)
		if err != nil {
			return err
		}
		rows, err := f.buildsUsing(c.Request.Context(), id, direction, flyDefaultLimit)
		if err != nil {
			return err
		}
		out, err := f.names().flyBuilds(c.Request.Context(), rows)
		if err != nil {
			return err
		}
		return f.json(c, http.StatusOK, out)
	}
}
