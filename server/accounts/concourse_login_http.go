package accounts

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// The client that every fly is; its secret is public, as in Concourse.
const (
	flyClient = "fly"
	flySecret = "Zmx5"
	flyCookie = "skymarshal_auth"
)

type grantOut struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	IDToken     string `json:"id_token"`
}

type grantError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// handlePasswordGrant is OAuth's password grant as fly login uses it.
func (s *Service) handlePasswordGrant(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("Pragma", "no-cache")
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxForeign)
	if err := c.Request.ParseForm(); err != nil {
		writeJSON(c, http.StatusBadRequest, grantError{"invalid_request", "The body is not a form."})
		return
	}
	form := c.Request.PostForm
	id, secret, basic := c.Request.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	if id != flyClient || secret != flySecret {
		writeJSON(c, http.StatusUnauthorized, grantError{"invalid_client", "Invalid client credentials."})
		return
	}
	if grant := form.Get("grant_type"); grant != "password" {
		writeJSON(c, http.StatusBadRequest, grantError{"unsupported_grant_type", ""})
		return
	}
	ctx := c.Request.Context()
	u, err := s.checkLogin(ctx, form.Get("username"), form.Get("password"))
	if err == nil {
		var t Token
		var token string
		if t, token, err = s.loginFly(asUser(ctx, u), u, "fly login"); err == nil {
			writeJSON(c, http.StatusOK, grantOut{token, "bearer", int(flyLife.Seconds()) - 1, s.idToken(u, t)})
			return
		}
	}
	s.refuseGrant(c, err)
}

func asUser(ctx context.Context, u User) context.Context {
	return identity.With(ctx, identity.Caller{UserID: u.ID, Name: u.Name, Address: identity.From(ctx).Address})
}

func (s *Service) refuseGrant(c *gin.Context, err error) {
	p := problem.From(err)
	switch p.Kind {
	case problem.Unauthorized:
		writeJSON(c, p.Status(), grantError{"access_denied", "Invalid username or password"})
	case problem.TooMany, problem.Unavailable:
		c.Header("Retry-After", strconv.Itoa(p.RetryAfter))
		writeJSON(c, p.Status(), grantError{"temporarily_unavailable", p.Detail})
	default:
		s.log.ErrorContext(c.Request.Context(), "password grant failed", "error", err, "request_id", api.RequestID(c.Request.Context()))
		writeJSON(c, http.StatusInternalServerError, grantError{"server_error", ""})
	}
}

// idToken is the OpenID half of the answer. It is unsigned (alg none): nothing
// of ours accepts it, and fly does not look at it.
func (s *Service) idToken(u User, t Token) string {
	claims, err := json.Marshal(map[string]any{
		"iss": s.deps.PublicURL + "/sky/issuer", "sub": subject(u.Name), "aud": flyClient, "name": u.Name, "email": u.Name,
		"iat": t.Created.Unix(), "exp": t.Expires.Unix(), "federated_claims": map[string]string{"connector_id": "local", "user_id": u.Name},
	})
	if err != nil {
		return "" // strings and numbers only: cannot fail
	}
	b64 := base64.RawURLEncoding
	return b64.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + b64.EncodeToString(claims) + "."
}

// handleFlyLogin ends fly's browser login: the login page leads here once
// somebody is signed in, and fly listens on this machine's port.
func (s *Service) handleFlyLogin(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	port, err := strconv.ParseUint(c.Query("fly_port"), 10, 16)
	if err != nil || port == 0 {
		s.denyConcourse(c, problem.New(problem.Invalid, "fly_port is not a port."))
		return
	}
	caller := identity.From(c.Request.Context())
	if caller.SessionID == "" {
		c.Redirect(http.StatusFound, "/login?fly_port="+strconv.FormatUint(port, 10))
		return
	}
	// A page elsewhere must not make somebody's browser hand out a token.
	if err := s.crossSite(c.Request); err != nil {
		s.denyConcourse(c, err)
		return
	}
	_, token, err := s.loginFly(c.Request.Context(), User{ID: caller.UserID, Name: caller.Name}, "fly login by browser")
	if err != nil {
		s.denyConcourse(c, err)
		return
	}
	c.Redirect(http.StatusFound, "http://127.0.0.1:"+strconv.FormatUint(port, 10)+"/?token="+strings.ReplaceAll(url.PathEscape("bearer "+token), "+", "%2B"))
}

// handleFlyLogout ends the login that fly calls with. A token that somebody
// made for a script is not ended: other scripts may hold it too.
func (s *Service) handleFlyLogout(c *gin.Context) {
	ctx := c.Request.Context()
	if cookie, err := c.Request.Cookie(flyCookie); err == nil {
		// Only this route takes the cookie, and only fly sets it: no browser has one.
		kind, token, _ := strings.Cut(cookie.Value, " ")
		caller, err := s.VerifyToken(ctx, token)
		if err != nil || !strings.EqualFold(kind, "bearer") {
			s.denyConcourse(c, problem.New(problem.Unauthorized, "not authorized"))
			return
		}
		ctx = identity.With(ctx, caller)
	}
	if err := s.endFlyLogin(ctx); err != nil {
		s.denyConcourse(c, err)
		return
	}
	c.Status(http.StatusOK)
	c.Writer.WriteHeaderNow()
}

func (s *Service) endFlyLogin(ctx context.Context) error {
	id := identity.From(ctx).TokenID
	if id == "" {
		return problem.New(problem.Unauthorized, "Send the token to end as Authorization: Bearer.")
	}
	t, err := s.store.token(ctx, id)
	if err != nil || t.Kind != flyToken {
		return err
	}
	return s.revoke(ctx, t)
}

func handleFlySuccess(c *gin.Context) {
	c.Data(http.StatusOK, "text/html; charset=utf-8", []byte("<!doctype html>\n<html lang=\"en\"><title>fly is signed in</title>\n"+
		"<h1>fly is signed in</h1>\n<p>You can close this page and go back to the terminal.</p></html>\n"))
}
