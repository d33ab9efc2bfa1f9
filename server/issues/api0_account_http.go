package issues

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) api0AccountRoutes(r api.Router) {
	r.GET("/", api.SignedIn(), handle0(s.info0))
	r.GET("/users/me/regions/", api.SignedIn(), handle0(s.regions0))
	r.GET("/organizations/", api.SignedIn(), handle0(s.listOrganizations0))
	r.GET("/organizations/:team/", api.Scoped("issues", identity.Read), handle0(s.getOrganization0))
}

// info0 tells a token what it may do, in Sentry's words.
func (s *Service) info0(c *gin.Context) (int, any, error) {
	caller := identity.From(c.Request.Context())
	scopes := []string{}
	if len(caller.TeamIDs(reading)) > 0 {
		scopes = append(scopes, "event:read", "org:read", "project:read", "team:read")
	}
	if len(caller.TeamIDs(writing)) > 0 {
		scopes = append(scopes, "event:write", "project:releases", "project:write", "org:ci")
	}
	id := strconv.FormatInt(caller.UserID, 10)
	return http.StatusOK, map[string]any{"version": "0", "auth": map[string]any{"scopes": scopes},
		"user": map[string]any{"id": id, "name": caller.Name, "username": caller.Name, "email": caller.Name}}, nil
}

// regions0 says that there are none: old tools then stay at this address.
func (s *Service) regions0(*gin.Context) (int, any, error) {
	return 0, nil, problem.New(problem.NotFound, "The requested resource does not exist")
}

// base0 is the address by which the client reached us.
func base0(c *gin.Context) string {
	scheme := "http"
	if c.Request.TLS != nil || c.GetHeader("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + c.Request.Host
}

func organization0(c *gin.Context, t identity.Team) map[string]any {
	return map[string]any{"id": formatID(t.ID), "slug": t.Name, "name": t.Name, "dateCreated": time.UnixMilli(0).UTC(), "isEarlyAdopter": false, "require2FA": false,
		"requireEmailVerification": false, "features": []string{}, "status": map[string]string{"id": "active", "name": "active"},
		"avatar": map[string]any{"avatarType": "letter_avatar", "avatarUuid": nil}, "links": map[string]string{"organizationUrl": base0(c), "regionUrl": base0(c)}}
}

func (s *Service) listOrganizations0(c *gin.Context) (int, any, error) {
	caller := identity.From(c.Request.Context())
	p, err := page0(c)
	if err != nil {
		return 0, nil, err
	}
	var teams []identity.Team
	for _, t := range caller.Teams {
		if caller.Can(t.ID, reading) {
			teams = append(teams, t)
		}
	}
	slices.SortFunc(teams, func(a, b identity.Team) int { return cmp.Compare(a.Name, b.Name) })
	part, more := cut(teams, p)
	link0(c, p, more)
	out := make([]map[string]any, len(part))
	for i, t := range part {
		out[i] = organization0(c, t)
	}
	return http.StatusOK, out, nil
}

func (s *Service) getOrganization0(c *gin.Context) (int, any, error) {
	team, err := team0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, organization0(c, team), nil
}
