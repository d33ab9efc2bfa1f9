package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// maxForeign bounds bodies of logins and team documents.
const maxForeign = 1 << 20

// concourseRoutes answer fly in Concourse's shapes. They take the gin context
// because those are not problems and not JSON throughout.
func (s *Service) concourseRoutes(r api.Router) {
	r = r.Denying(s.denyConcourse)
	own := identity.Scope{Capability: "accounts", Level: identity.Admin}
	r.POST("/sky/issuer/token", api.Public("fly login brings a name and a password"), s.handlePasswordGrant)
	r.GET("/sky/fly", api.Public("redirects to the login page when nobody is signed in"), s.handleFlyLogin)
	r.GET("/sky/logout", api.Foreign("fly sends its token as a cookie of Concourse's"), s.handleFlyLogout)
	r.GET("/fly_success", api.Public("the page that fly's browser login ends on"), handleFlySuccess)
	r.GET("/api/v1/user", api.SignedIn(), s.concourse(s.userInfo))
	r.GET("/api/v1/users", api.Admin(), s.concourse(s.concourseUsers))
	r.GET("/api/v1/teams", api.SignedIn(), s.concourse(s.concourseTeams))
	r.GET("/api/v1/teams/:team", api.Scoped("accounts", identity.Read), s.concourse(s.concourseTeam))
	r.PUT("/api/v1/teams/:team", api.SignedIn(), s.concourse(s.setConcourseTeam))
	r.DELETE("/api/v1/teams/:team", api.Scoped(own.Capability, own.Level), s.concourse(s.destroyConcourseTeam))
	r.PUT("/api/v1/teams/:team/rename", api.Scoped(own.Capability, own.Level), s.concourse(s.renameConcourseTeam))
}

// concourse writes what f returns as Concourse does; a nil value is 204.
func (s *Service) concourse(f func(c *gin.Context) (status int, value any, err error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		status, value, err := f(c)
		switch {
		case err != nil:
			s.denyConcourse(c, err)
		case value == nil:
			c.Status(http.StatusNoContent)
			c.Writer.WriteHeaderNow()
		default:
			writeJSON(c, status, value)
		}
	}
}

// writeJSON sends exactly application/json, which fly compares to the letter.
func writeJSON(c *gin.Context, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	c.Data(status, "application/json", body)
}

// denyConcourse answers with the texts that fly shows.
func (s *Service) denyConcourse(c *gin.Context, err error) {
	p := problem.From(err)
	status := p.Status()
	switch p.Kind {
	case problem.Internal:
		s.log.ErrorContext(c.Request.Context(), "request failed", "error", err, "route", c.FullPath(), "request_id", api.RequestID(c.Request.Context()))
	case problem.Unauthorized:
		c.String(status, "not authorized")
		return
	case problem.NotFound:
		c.Status(status)
		c.Writer.WriteHeaderNow()
		return
	case problem.Conflict:
		status = http.StatusForbidden // Concourse refuses so to destroy its last team
	}
	if p.RetryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	c.String(status, "%s", p.Detail)
}

type userInfoOut struct {
	Sub           string              `json:"sub"`
	Name          string              `json:"name"`
	UserID        string              `json:"user_id"`
	UserName      string              `json:"user_name"`
	Email         string              `json:"email"`
	IsAdmin       bool                `json:"is_admin"`
	IsSystem      bool                `json:"is_system"`
	Teams         map[string][]string `json:"teams"`
	Connector     string              `json:"connector"`
	DisplayUserID string              `json:"display_user_id"`
}

func (s *Service) userInfo(c *gin.Context) (int, any, error) {
	caller := identity.From(c.Request.Context())
	teams := map[string][]string{}
	for _, t := range caller.Teams {
		teams[t.Name] = []string{string(caller.Roles[t.ID])}
	}
	return http.StatusOK, userInfoOut{Sub: subject(caller.Name), Name: caller.Name, UserID: caller.Name, Email: caller.Name,
		IsAdmin: caller.CanAdministrate(), Teams: teams, Connector: "local", DisplayUserID: caller.Name}, nil
}

type concourseUserOut struct {
	ID        int64  `json:"id"`
	Username  string `json:"username"`
	Connector string `json:"connector"`
	LastLogin int64  `json:"last_login"`
	Sub       string `json:"sub"`
}

func (s *Service) concourseUsers(c *gin.Context) (int, any, error) {
	var since time.Time
	if word := c.Query("since"); word != "" {
		var err error
		if since, err = time.Parse(time.DateOnly, word); err != nil {
			return http.StatusBadRequest, map[string]string{"error": "wrong date format (yyyy-mm-dd)"}, nil
		}
	}
	users, err := s.Users(c.Request.Context())
	out := []concourseUserOut{}
	for _, u := range users {
		if !u.LastLogin.IsZero() && !u.LastLogin.Before(since) {
			out = append(out, concourseUserOut{ID: u.ID, Username: u.Name, Connector: "local", LastLogin: u.LastLogin.Unix(), Sub: subject(u.Name)})
		}
	}
	return http.StatusOK, out, err
}

type concourseTeamOut struct {
	ID   int64    `json:"id"`
	Name string   `json:"name"`
	Auth TeamAuth `json:"auth"`
}

func (s *Service) teamForFly(ctx context.Context, t Team) (concourseTeamOut, error) {
	members, err := s.store.members(ctx, t.ID)
	return concourseTeamOut{ID: t.ID, Name: t.Name, Auth: t.shown(members)}, err
}

func (s *Service) concourseTeams(c *gin.Context) (int, any, error) {
	ctx := c.Request.Context()
	teams, err := s.Teams(ctx)
	if err != nil {
		return 0, nil, err
	}
	out := make([]concourseTeamOut, len(teams))
	for i, t := range teams {
		if out[i], err = s.teamForFly(ctx, t); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, out, nil
}

func (s *Service) concourseTeam(c *gin.Context) (int, any, error) {
	ctx := c.Request.Context()
	t, err := s.store.teamByName(ctx, c.Param("team"))
	if err != nil {
		return 0, nil, err
	}
	out, err := s.teamForFly(ctx, t)
	return http.StatusOK, out, err
}

// readForeign reads a bounded JSON body; unknown fields are fly's business.
func readForeign(c *gin.Context, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxForeign))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return problem.New(problem.TooLarge, "the body is larger than %d kB", maxForeign>>10)
	} else if err != nil {
		return problem.Wrap(err, problem.Invalid, "the body could not be read to its end")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return problem.Wrap(err, problem.Invalid, "malformed request: %s", err)
	}
	return nil
}

type concourseWarning struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

type setTeamOut struct {
	Errors   []string           `json:"errors,omitempty"`
	Warnings []concourseWarning `json:"warnings,omitempty"`
	Team     concourseTeamOut   `json:"team"`
}

func (s *Service) setConcourseTeam(c *gin.Context) (int, any, error) {
	var in struct {
		Auth TeamAuth `json:"auth"`
	}
	if err := readForeign(c, &in); err != nil {
		return 0, nil, err
	}
	ctx := c.Request.Context()
	t, created, warnings, err := s.SetTeamAuth(ctx, c.Param("team"), in.Auth)
	if err != nil {
		return 0, nil, err
	}
	out := setTeamOut{}
	if out.Team, err = s.teamForFly(ctx, t); err != nil {
		return 0, nil, err
	}
	for _, w := range warnings {
		out.Warnings = append(out.Warnings, concourseWarning{"team_auth", w})
	}
	if created {
		return http.StatusCreated, out, nil
	}
	return http.StatusOK, out, nil
}

func (s *Service) destroyConcourseTeam(c *gin.Context) (int, any, error) {
	return 0, nil, s.DeleteTeam(c.Request.Context(), c.Param("team"))
}

func (s *Service) renameConcourseTeam(c *gin.Context) (int, any, error) {
	var in struct {
		Name string `json:"name"`
	}
	if err := readForeign(c, &in); err != nil {
		return 0, nil, err
	}
	_, err := s.ChangeTeam(c.Request.Context(), c.Param("team"), TeamChange{Name: &in.Name})
	return http.StatusOK, struct{}{}, err
}
