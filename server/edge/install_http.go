package edge

import (
	"context"
	"net/http"
	"os"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// Where machines that are to become nodes fetch what they need for that.
const (
	pathInstaller = protocol.Prefix + "/install.sh"
	pathAgent     = protocol.Prefix + "/agent/"
	headerSum     = "X-Edge-SHA256"
)

func (s *Service) installRoutes(r, own api.Router) {
	r.GET(pathInstaller, api.Public("a script without secrets, for machines that have nothing yet"), s.timed(s.httpInstaller))
	r.GET(pathAgent+":file", api.Public("the agent's program, for machines that have nothing yet"), s.timed(s.httpAgentBuild))
	own.GET("/agents", api.Scoped("edge", identity.Read), api.Handle(s.httpAgentBuilds))
}

func (s *Service) httpInstaller(c *gin.Context) error {
	script, err := s.installer()
	if err != nil {
		return err
	}
	c.Header("Content-Type", "text/x-shellscript; charset=utf-8")
	c.Header("Cache-Control", "no-cache")
	_, err = c.Writer.WriteString(script)
	return err
}

// httpAgentBuild gives a program, or its sum as sha256sum writes it.
func (s *Service) httpAgentBuild(c *gin.Context) error {
	kind, sum := strings.CutSuffix(c.Param("file"), ".sha256")
	b, err := s.agentBuild(kind)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-cache")
	c.Header(headerSum, b.SHA256)
	if sum {
		c.Header("Content-Type", "text/plain; charset=utf-8")
		_, err := c.Writer.WriteString(b.SHA256 + "  signalbox-agent\n")
		return err
	}
	f, err := os.Open(b.file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	c.Header("ETag", `"`+b.SHA256+`"`)
	c.Header("Content-Type", "application/octet-stream")
	http.ServeContent(c.Writer, c.Request, "signalbox-agent", info.ModTime(), f)
	return nil
}

type agentBuildsOut struct {
	// Install is the line to run on a machine; TOKEN stands for a token.
	Install string       `json:"install"`
	Items   []AgentBuild `json:"items"`
}

func (s *Service) httpAgentBuilds(ctx context.Context, in teamIn) (agentBuildsOut, error) {
	out := agentBuildsOut{Install: "curl -fsSL " + s.PublicURL() + pathInstaller + " | sudo sh -s -- --token TOKEN"}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	out.Items, err = s.AgentBuilds(ctx, team.ID)
	return out, err
}
