package github

import (
	"context"
	"html/template"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) appRoutes(r api.Router, read, write api.Access) {
	r.GET("/ci/connections/app/manifest", write, api.Handle(s.getManifest))
	r.GET("/ci/connections/app/leave", write, s.leave)
	r.GET("/ci/connections/app/callback", write, s.callback)
	r.GET("/ci/connections/:id/installations", read, api.Handle(s.listInstallations))
}

type manifestIn struct {
	Team         string `form:"team" json:"-"`
	Organization string `form:"organization" json:"-"`
	APIURL       string `form:"api_url" json:"-"`
}

func (s *Service) getManifest(ctx context.Context, in manifestIn) (AppManifest, error) {
	team, err := identity.RequireTeam(ctx, in.Team, writing)
	if err != nil {
		return AppManifest{}, err
	}
	return s.BeginApp(ctx, team, in.Organization, in.APIURL)
}

var leavePage = template.Must(template.New("leave").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Create the GitHub App</title>
<body><main><h1>Create the GitHub App</h1>
<p>GitHub asks you for a name, makes the App with the rights listed there, and sends you back.</p>
<form method="post" action="{{.PostURL}}"><input type="hidden" name="manifest" value="{{.Manifest}}"><button>Continue to {{.Host}}</button></form>
</main></body></html>
`))

// leave takes the raw context because it answers with a page, which may post a
// form to GitHub, unlike those of the user interface.
func (s *Service) leave(c *gin.Context) {
	ctx, state := c.Request.Context(), c.Query("state")
	flow, err := s.ownFlow(ctx, state)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	m, err := s.manifest(flow, teamName(ctx, flow.team), state)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	origin, err := url.Parse(m.PostURL)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	// Browsers hold form-action against redirects too: GitHub may lead straight back here, and where people sign in
	// elsewhere (SAML at a GitHub Enterprise Server) through hosts that nobody can name. The page has one form, its
	// address is ours, and no script: any host over TLS gives nothing away that the form does not give to GitHub.
	c.Header("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action "+origin.Scheme+"://"+origin.Host+" 'self' https:")
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Type", "text/html; charset=utf-8")
	c.Status(http.StatusOK)
	// An error here is one of the connection's, which then has no reader.
	_ = leavePage.Execute(c.Writer, map[string]string{"PostURL": m.PostURL, "Manifest": string(m.Manifest), "Host": origin.Host})
}

func teamName(ctx context.Context, id int64) string {
	for name, team := range identity.From(ctx).Teams {
		if team.ID == id {
			return name
		}
	}
	return ""
}

// callback takes the raw context because it sends a browser on to a page.
func (s *Service) callback(c *gin.Context) {
	ctx := c.Request.Context()
	connection, err := s.FinishApp(ctx, c.Query("state"), c.Query("code"))
	page := "/teams/" + url.PathEscape(teamName(ctx, connection.Team)) + "/ci/hooks"
	c.Header("Cache-Control", "no-store")
	switch {
	case err != nil && connection.Team == 0:
		api.WriteProblem(c, err)
	case err != nil:
		c.Redirect(http.StatusSeeOther, page+"?problem="+url.QueryEscape(problem.From(err).Detail))
	default:
		c.Redirect(http.StatusSeeOther, page+"?connected="+url.QueryEscape(connection.ID))
	}
}

func (s *Service) listInstallations(ctx context.Context, in idIn) (items[Installation], error) {
	list, err := s.Installations(ctx, in.ID)
	return items[Installation]{list}, err
}
