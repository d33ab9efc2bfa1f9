package ci

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func escapeXML(text string) string {
	var b strings.Builder
	// A strings.Builder does not fail.
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}

// badgePipeline is the pipeline of the path for anybody if it is exposed, else for its readers.
func (f fly) badgePipeline(c *gin.Context) (pipelineRow, error) {
	ctx := c.Request.Context()
	vars, err := instanceVars(c.Request.URL.Query())
	if err != nil {
		return pipelineRow{}, problem.New(problem.Invalid, "instance vars are malformed: %v", err)
	}
	team, err := f.deps.TeamID(ctx, c.Param("team"))
	if err != nil {
		return pipelineRow{}, err
	}
	p, err := f.pipelineByName(ctx, team, c.Param("pipeline"), canonicalVars(vars))
	if err == nil && !p.Public {
		err = identity.Require(ctx, p.TeamID, scope(identity.Read))
	}
	return p, err
}

func (f fly) pipelineBadge(c *gin.Context) error {
	p, err := f.badgePipeline(c)
	if err != nil {
		return err
	}
	jobs, err := f.jobs(c.Request.Context(), p.ID)
	if err != nil {
		return err
	}
	status, err := f.worstFinished(c.Request.Context(), jobs)
	if err != nil {
		return err
	}
	return f.drawBadge(c, status)
}

func (f fly) jobBadge(c *gin.Context) error {
	p, err := f.badgePipeline(c)
	if err != nil {
		return err
	}
	j, err := f.jobByName(c.Request.Context(), p.ID, c.Param("job"))
	if err != nil {
		return err
	}
	status, err := f.worstFinished(c.Request.Context(), []jobRow{j})
	if err != nil {
		return err
	}
	return f.drawBadge(c, status)
}

func (f fly) drawBadge(c *gin.Context, status Status) error {
	c.Header("Cache-Control", "no-cache, no-store, must-revalidate")
	// Badges are pictures in other sites' pages.
	c.Header("Cross-Origin-Resource-Policy", "cross-origin")
	c.Data(http.StatusOK, "image/svg+xml", badge(status, c.Query("title")))
	return nil
}

// worstFinished is "" when no job has an ended build.
func (s *Service) worstFinished(ctx context.Context, jobs []jobRow) (Status, error) {
	worst := Status("")
	for _, j := range jobs {
		if j.FinishedBuildID == 0 {
			continue
		}
		b, err := s.build(ctx, j.FinishedBuildID)
		if err != nil {
			return worst, err
		}
		worst = worse(worst, b.Status)
	}
	return worst, nil
}

type ccProject struct {
	XMLName         xml.Name `xml:"Project"`
	Activity        string   `xml:"activity,attr"`
	LastBuildLabel  string   `xml:"lastBuildLabel,attr"`
	LastBuildStatus string   `xml:"lastBuildStatus,attr"`
	LastBuildTime   string   `xml:"lastBuildTime,attr"`
	Name            string   `xml:"name,attr"`
	WebURL          string   `xml:"webUrl,attr"`
}

type ccProjects struct {
	XMLName  xml.Name    `xml:"Projects"`
	Projects []ccProject `xml:"Project"`
}

var ccStatus = map[Status]string{Succeeded: "Success", Failed: "Failure", Errored: "Exception", Aborted: "Exception"}

// ccXML is the feed that desk lamps and CCTray read.
func (f fly) ccXML(c *gin.Context) error {
	ctx := c.Request.Context()
	team, err := f.team(c, identity.Read)
	if err != nil {
		return err
	}
	rows, err := f.pipelines(ctx, []int64{team.ID})
	if err != nil {
		return err
	}
	out := ccProjects{}
	for _, p := range rows {
		jobs, err := f.jobs(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			if j.FinishedBuildID == 0 {
				continue
			}
			b, err := f.build(ctx, j.FinishedBuildID)
			if err != nil {
				return err
			}
			activity := "Sleeping"
			if j.NextBuildID != 0 {
				activity = "Building"
			}
			out.Projects = append(out.Projects, ccProject{Activity: activity, LastBuildLabel: b.Name, LastBuildStatus: ccStatus[b.Status],
				LastBuildTime: b.EndedAt.Time().Format(time.RFC3339), Name: p.Name + "/" + j.Name,
				WebURL: f.publicURL() + "/teams/" + url.PathEscape(team.Name) + "/pipelines/" + url.PathEscape(p.Name) + "/jobs/" + url.PathEscape(j.Name)})
		}
	}
	body, err := xml.Marshal(out)
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, "application/xml", body)
	return nil
}
