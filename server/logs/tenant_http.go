package logs

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// tenant says for which team a foreign client may do what the scope allows.
// The token comes as bearer (then the caller is known already), as password of
// basic authorization, or in a header that some shippers use; a tenant header
// must agree with it.
func (s *Service) tenant(c *gin.Context, scope identity.Scope) (identity.Team, error) {
	ctx, team, err := s.tenantOf(c.Request, c.ClientIP(), scope)
	c.Request = c.Request.WithContext(ctx)
	return team, err
}

// tenantOf is tenant for a request from an address; the context knows the caller.
func (s *Service) tenantOf(r *http.Request, address string, scope identity.Scope) (context.Context, identity.Team, error) {
	ctx := r.Context()
	caller := identity.From(ctx)
	if !caller.SignedIn() {
		token := foreignToken(r)
		if token == "" {
			return ctx, identity.Team{}, problem.New(problem.Unauthorized, "A token is missing: send it as Authorization: Bearer, or as the password of basic authorization.")
		}
		var err error
		if caller, err = s.Identify(ctx, token); err != nil {
			return ctx, identity.Team{}, problem.Wrap(err, problem.Unauthorized, "The token is unknown, expired or revoked.")
		}
		caller.Address = address
		ctx = identity.With(ctx, caller)
	}
	team, err := teamFor(ctx, caller, r.Header.Get("X-Scope-OrgID"), scope)
	return ctx, team, err
}

// teamFor is the team that a header names, or the only one in which the caller may do it.
func teamFor(ctx context.Context, caller identity.Caller, name string, scope identity.Scope) (identity.Team, error) {
	if name != "" {
		team, ok := caller.Teams[name]
		if !ok {
			return identity.Team{}, problem.New(problem.Forbidden, "X-Scope-OrgID names %.60q, but this token belongs to another team; leave the header out.", name)
		}
		return team, identity.Require(ctx, team.ID, scope)
	}
	var only identity.Team
	for _, team := range caller.Teams {
		if caller.Can(team.ID, scope) {
			if only.ID != 0 {
				return only, problem.New(problem.Invalid, "This caller is in several teams; name one in the header X-Scope-OrgID, or use a token of that team.")
			}
			only = team
		}
	}
	if only.ID == 0 {
		return only, problem.New(problem.Forbidden, "This token lacks the scope %s.", scope)
	}
	return only, nil
}

// foreignToken finds a token where shippers put it.
func foreignToken(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "apikey":
		// Elasticsearch's clients send base64 of id:key, others the key itself.
		if raw, err := base64.StdEncoding.DecodeString(value); err == nil {
			if _, key, ok := strings.Cut(string(raw), ":"); ok {
				return key
			}
		}
		return value
	case "splunk", "bearer":
		return value
	}
	for _, name := range []string{"X-API-Key", "Api-Key"} {
		if value := r.Header.Get(name); value != "" {
			return value
		}
	}
	return ""
}
