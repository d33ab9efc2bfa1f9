package accounts

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const cookieName = "signalbox_session"

// Authenticate puts the caller into every request's context, from a bearer
// token or else the session cookie. It refuses only forged requests: whether
// anybody must be signed in is each route's own Access. A bad token is nobody,
// and WWW-Authenticate tells why.
func (s *Service) Authenticate() gin.HandlerFunc {
	return func(c *gin.Context) {
		p, err := s.principalOf(c)
		if err != nil {
			api.WriteProblem(c, err)
			c.Abort()
			return
		}
		p.caller.Address = c.ClientIP()
		c.Request = c.Request.WithContext(identity.With(c.Request.Context(), p.caller))
	}
}

func (s *Service) principalOf(c *gin.Context) (principal, error) {
	ctx := c.Request.Context()
	scheme, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") {
		p, err := s.lookup(ctx, hashOf(strings.TrimSpace(token)), s.loadToken)
		if errors.Is(err, errNoCaller) {
			c.Header("WWW-Authenticate", `Bearer error="invalid_token", error_description="unknown, expired or revoked"`)
			return principal{}, nil
		} else if err != nil {
			return principal{}, err
		}
		s.seen.token(p.caller.TokenID, s.now())
		return p, nil
	}
	cookie, err := c.Request.Cookie(cookieName)
	if err != nil || cookie.Value == "" {
		return principal{}, nil
	}
	p, err := s.lookup(ctx, hashOf(cookie.Value), s.loadSession)
	if errors.Is(err, errNoCaller) {
		return principal{}, nil
	} else if err != nil {
		return principal{}, err
	}
	if refused := s.forged(c.Request, p.csrf); refused != nil {
		if strings.HasPrefix(c.Request.URL.Path, "/api/v1/") {
			return principal{}, refused
		}
		return principal{}, nil // a foreign protocol, whose callers need no session
	}
	s.slide(c, cookie.Value, p)
	return p, nil
}

// slide moves the end of a session that is in use, at most once a day.
func (s *Service) slide(c *gin.Context, value string, p principal) {
	expires := s.now().Add(sessionLife)
	if expires.Sub(p.expires) < slideAfter {
		return
	}
	s.seen.session(p.caller.SessionID, expires)
	s.setCookie(c, value, sessionLife)
}

// forged says why a request with a session may not be what its user meant: a
// page elsewhere can make a browser send the cookie, but not the CSRF token.
func (s *Service) forged(r *http.Request, csrf string) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return nil
	}
	if err := s.crossSite(r); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-CSRF-Token")), []byte(csrf)) != 1 {
		return problem.New(problem.Forbidden, "The request lacks this session's X-CSRF-Token. Reload the page and try again.")
	}
	return nil
}

// crossSite refuses what a browser says comes from another site.
func (s *Service) crossSite(r *http.Request) error {
	refused := problem.New(problem.Forbidden, "This request was made by a page of another site.")
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return refused
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Host != r.Host && u.Host != s.public.Host {
		return refused
	}
	return nil
}

func (s *Service) setCookie(c *gin.Context, value string, life time.Duration) {
	cookie := http.Cookie{Name: cookieName, Value: value, Path: "/", MaxAge: int(life.Seconds()), HttpOnly: true,
		Secure: s.https(), SameSite: http.SameSiteLaxMode}
	if life <= 0 {
		cookie.MaxAge = -1
	}
	http.SetCookie(c.Writer, &cookie)
}

type loginIn struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

type userOut struct {
	ID                 int64  `json:"id"`
	Name               string `json:"name"`
	IsAdmin            bool   `json:"is_admin"`
	MustChangePassword bool   `json:"must_change_password"`
}

type loginOut struct {
	User userOut `json:"user"`
}

type myTeamOut struct {
	Name string        `json:"name"`
	Role identity.Role `json:"role"`
}

type meOut struct {
	User          userOut     `json:"user"`
	Teams         []myTeamOut `json:"teams"`
	CSRFToken     string      `json:"csrf_token"`
	Capabilities  []string    `json:"capabilities"`
	Version       string      `json:"version"`
	PublicURL     string      `json:"public_url"`
	SetupComplete bool        `json:"setup_complete"`
	// Demo says that the server plays a sample team, and tells its story.
	Demo bool `json:"demo,omitempty"`
}

func (s *Service) sessionRoutes(r api.Router) {
	r.POST("/session", api.Public("signing in"), s.handleLogin)
	r.DELETE("/session", api.Public("signing out clears the caller's own cookie"), s.handleLogout)
	r.GET("/me", api.SignedIn(), api.Handle(s.handleMe))
}

// handleLogin takes the gin context for the cookie.
func (s *Service) handleLogin(c *gin.Context) {
	api.Handle(func(ctx context.Context, in loginIn) (loginOut, error) {
		if err := s.crossSite(c.Request); err != nil {
			return loginOut{}, err
		}
		old, err := c.Cookie(cookieName)
		if err != nil {
			old = "" // http.ErrNoCookie is the only error there is
		}
		u, value, err := s.Login(ctx, in.Name, in.Password, old, c.Request.UserAgent())
		if err != nil {
			return loginOut{}, err
		}
		s.setCookie(c, value, sessionLife)
		return loginOut{User: outOf(u)}, nil
	})(c)
}

// handleLogout takes the gin context for the cookie.
func (s *Service) handleLogout(c *gin.Context) {
	api.Handle(func(ctx context.Context, _ api.Nothing) (api.Nothing, error) {
		if err := s.Logout(ctx); err != nil {
			return api.Nothing{}, err
		}
		s.setCookie(c, "", 0)
		return api.Nothing{}, nil
	})(c)
}

func outOf(u User) userOut {
	return userOut{ID: u.ID, Name: u.Name, IsAdmin: u.IsAdmin, MustChangePassword: u.MustChangePassword}
}

func (s *Service) handleMe(ctx context.Context, _ api.Nothing) (meOut, error) {
	caller := identity.From(ctx)
	u, err := s.store.user(ctx, caller.UserID)
	if err != nil {
		return meOut{}, err
	}
	out := meOut{User: outOf(u), Teams: []myTeamOut{}, Capabilities: []string{}, Version: s.deps.Version,
		PublicURL: s.deps.PublicURL, SetupComplete: true}
	if s.deps.Capabilities != nil {
		out.Capabilities = s.deps.Capabilities()
	}
	if s.deps.Demo != nil {
		out.Demo = s.deps.Demo()
	}
	for _, team := range teamsByName(caller) {
		out.Teams = append(out.Teams, myTeamOut{Name: team.Name, Role: caller.Roles[team.ID]})
	}
	if caller.SessionID != "" {
		p, err := s.lookup(ctx, caller.SessionID, s.loadSession)
		if err != nil {
			return meOut{}, err
		}
		out.CSRFToken = p.csrf
	}
	if s.deps.SetupComplete != nil {
		if out.SetupComplete, err = s.deps.SetupComplete(ctx); err != nil {
			return meOut{}, err
		}
	}
	return out, nil
}
