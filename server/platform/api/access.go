package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Access says who may call a route. There is no default: a route without one
// does not compile.
type Access struct {
	// Kind is one of the words below; the route walk in app's tests switches on it.
	Kind AccessKind
	// Scope is what a Scoped route needs in the team it is about.
	Scope identity.Scope
	// Why is the reason a Public or Foreign route may do without a caller.
	Why string
}

// AccessKind is the way a route is guarded.
type AccessKind string

// The ways.
const (
	// KindPublic routes answer anybody.
	KindPublic AccessKind = "public"
	// KindForeign routes authenticate by themselves (HMAC, DSN key, webhook token).
	KindForeign AccessKind = "foreign"
	// KindSignedIn routes need any caller; they are about the caller.
	KindSignedIn AccessKind = "signed-in"
	// KindScoped routes need a scope in a team: the one in :team or ?team=, which
	// is checked before the handler, or that of the row, which the use case checks.
	KindScoped AccessKind = "scoped"
	// KindAdmin routes need an administrator of the installation.
	KindAdmin AccessKind = "admin"
)

// Public opens a route to anybody; why is read by whoever reviews the table.
func Public(why string) Access { return Access{Kind: KindPublic, Why: why} }

// Foreign marks a route that authenticates by itself.
func Foreign(why string) Access { return Access{Kind: KindForeign, Why: why} }

// SignedIn asks for any caller.
func SignedIn() Access { return Access{Kind: KindSignedIn} }

// Scoped asks for a scope in a team.
func Scoped(capability string, level identity.Level) Access {
	return Access{Kind: KindScoped, Scope: identity.Scope{Capability: capability, Level: level}}
}

// Admin asks for an administrator.
func Admin() Access { return Access{Kind: KindAdmin} }

func (a Access) check(c *gin.Context) error {
	ctx := c.Request.Context()
	switch a.Kind {
	case KindPublic, KindForeign:
		return nil
	case KindAdmin:
		return identity.RequireAdmin(ctx)
	}
	caller := identity.From(ctx)
	if !caller.SignedIn() {
		return problem.New(problem.Unauthorized, "Sign in, or send a token as Authorization: Bearer.")
	}
	if a.Kind == KindSignedIn {
		return nil
	}
	name := c.Param("team")
	if name == "" {
		name = c.Query("team")
	}
	if name != "" {
		_, err := identity.RequireTeam(ctx, name, a.Scope)
		return err
	}
	if len(caller.TeamIDs(a.Scope)) == 0 {
		return problem.New(problem.Forbidden, "You hold %s in no team, or this token lacks it.", a.Scope)
	}
	return nil
}

// Route is one line of the route table.
type Route struct {
	Method, Path string
	Access       Access
}

// Table collects the routes as they are registered; the tests walk it.
type Table struct{ Routes []Route }

// Router registers routes under a prefix.
type Router struct {
	group *gin.RouterGroup
	table *Table
	deny  func(*gin.Context, error)
}

// NewRouter begins at the engine's root.
func NewRouter(engine *gin.Engine, table *Table) Router {
	return Router{group: &engine.RouterGroup, table: table, deny: WriteProblem}
}

// Group is a router below prefix.
func (r Router) Group(prefix string) Router {
	r.group = r.group.Group(prefix)
	return r
}

// Denying is a router that answers a refused caller with deny, for protocols
// that have errors of their own.
func (r Router) Denying(deny func(*gin.Context, error)) Router {
	r.deny = deny
	return r
}

// GET registers a reading route, and HEAD with it.
func (r Router) GET(path string, a Access, h gin.HandlerFunc) {
	r.handle(http.MethodGet, path, a, h)
	r.handle(http.MethodHead, path, a, h)
}

// POST registers a creating or acting route.
func (r Router) POST(path string, a Access, h gin.HandlerFunc) { r.handle(http.MethodPost, path, a, h) }

// PUT registers a replacing route.
func (r Router) PUT(path string, a Access, h gin.HandlerFunc) { r.handle(http.MethodPut, path, a, h) }

// PATCH registers a changing route.
func (r Router) PATCH(path string, a Access, h gin.HandlerFunc) {
	r.handle(http.MethodPatch, path, a, h)
}

// DELETE registers a removing route.
func (r Router) DELETE(path string, a Access, h gin.HandlerFunc) {
	r.handle(http.MethodDelete, path, a, h)
}

// OPTIONS registers an answer to CORS preflights.
func (r Router) OPTIONS(path string, a Access, h gin.HandlerFunc) {
	r.handle(http.MethodOptions, path, a, h)
}

func (r Router) handle(method, path string, a Access, h gin.HandlerFunc) {
	r.table.Routes = append(r.table.Routes, Route{Method: method, Path: r.group.BasePath() + path, Access: a})
	if r.group.BasePath() == "/" {
		r.table.Routes[len(r.table.Routes)-1].Path = path
	}
	deny := r.deny
	r.group.Handle(method, path, func(c *gin.Context) {
		if err := a.check(c); err != nil {
			deny(c, err)
			c.Abort()
		}
	}, h)
}
