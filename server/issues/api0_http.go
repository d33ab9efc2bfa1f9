package issues

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// api0Routes are Sentry's web API as far as its tools use it. An organization
// is a team, and so is the organization's one team.
func (s *Service) api0Routes(r api.Router) {
	zero := r.Group("/api/0").Denying(refuse0)
	s.api0AccountRoutes(zero)
	s.api0ProjectRoutes(zero)
	s.api0ReleaseRoutes(zero)
	s.api0UploadRoutes(zero)
	s.api0IssueRoutes(zero)
}

// Answers of Sentry's web API have its shape: errors are {"detail": "…"}.

// refuse0 answers with err as Sentry does.
func refuse0(c *gin.Context, err error) {
	p := problem.From(err)
	if p.Kind == problem.Internal {
		// WriteProblem logs; only its body is not ours.
		api.WriteProblem(c, err)
		return
	}
	if p.Kind == problem.Unauthorized {
		c.Header("WWW-Authenticate", `Bearer realm="api"`)
	}
	if p.RetryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	body := map[string]any{"detail": p.Detail}
	for _, f := range p.Fields { // as Django shows them
		body[f.Field] = []string{f.Message}
	}
	answer0(c, p.Status(), body)
}

// answer0 writes JSON.
func answer0(c *gin.Context, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	c.Header("Cache-Control", "no-store")
	c.Data(status, "application/json", raw)
}

// handle0 makes a handler of a function that gives status and body.
func handle0(f func(*gin.Context) (int, any, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		status, body, err := f(c)
		if err != nil {
			refuse0(c, err)
			return
		}
		if body == nil {
			c.Status(status)
			c.Writer.WriteHeaderNow()
			return
		}
		answer0(c, status, body)
	}
}

// maxBody0 is the largest JSON body of these routes; a release's commits are the largest.
const maxBody0 = 8 << 20

// read0 decodes a JSON body. Unknown fields are ignored: the tools send more than we use.
func read0(c *gin.Context, into any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody0))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return problem.New(problem.TooLarge, "The body is larger than %d MB.", maxBody0>>20)
	case err != nil:
		return problem.Wrap(err, problem.Invalid, "The body could not be read to its end.")
	}
	if len(raw) == 0 {
		raw = []byte("{}")
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return problem.Wrap(err, problem.Invalid, "JSON parse error: the body does not fit.")
	}
	return nil
}

// team0 is the team that a route's organization names.
func team0(c *gin.Context, scope identity.Scope) (identity.Team, error) {
	return identity.RequireTeam(c.Request.Context(), c.Param("team"), scope)
}

// project0 is the project that a route names.
func (s *Service) project0(c *gin.Context, scope identity.Scope) (Project, error) {
	team, err := team0(c, scope)
	if err != nil {
		return Project{}, err
	}
	p, err := s.projectBySlug(c.Request.Context(), team.ID, c.Param("project"))
	p.TeamName = team.Name
	return p, err
}

// page is a stretch of a list.
type page struct{ offset, limit int }

const maxPage = 100

// page0 reads ?cursor=0:100:0 (ours: zero, offset, zero) and ?per_page=.
func page0(c *gin.Context) (page, error) {
	p := page{limit: maxPage}
	if text := c.Query("per_page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return p, problem.FieldError("per_page", "is not a positive number")
		}
		p.limit = min(n, maxPage)
	}
	if text := c.Query("cursor"); text != "" {
		parts := strings.Split(text, ":")
		if len(parts) != 3 {
			return p, problem.FieldError("cursor", "is not one that we gave")
		}
		n, err := strconv.Atoi(parts[1])
		if err != nil || n < 0 || n > 1_000_000 {
			return p, problem.FieldError("cursor", "is not one that we gave")
		}
		p.offset = n
	}
	return p, nil
}

// cut gives the page of a whole list and whether more follows.
func cut[T any](list []T, p page) (part []T, more bool) {
	from := min(p.offset, len(list))
	to := min(from+p.limit, len(list))
	return list[from:to], to < len(list)
}

// link0 sets the Link header by which the tools find the next page. Addresses
// come from the request: the tools must reach them as they reached this one.
func link0(c *gin.Context, p page, more bool) {
	address := func(offset int) string {
		scheme := "http"
		if c.Request.TLS != nil || c.GetHeader("X-Forwarded-Proto") == "https" {
			scheme = "https"
		}
		q := c.Request.URL.Query()
		q.Set("cursor", fmt.Sprintf("0:%d:0", offset))
		u := url.URL{Scheme: scheme, Host: c.Request.Host, Path: c.Request.URL.Path, RawPath: c.Request.URL.RawPath, RawQuery: q.Encode()}
		return u.String()
	}
	back, next := max(0, p.offset-p.limit), p.offset+p.limit
	c.Header("Link", fmt.Sprintf(`<%s>; rel="previous"; results="%t"; cursor="0:%d:1", <%s>; rel="next"; results="%t"; cursor="0:%d:0"`,
		address(back), p.offset > 0, back, address(next), more, next))
}
