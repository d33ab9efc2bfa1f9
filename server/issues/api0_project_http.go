package issues

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) api0ProjectRoutes(r api.Router) {
	read, write := api.Scoped("issues", identity.Read), api.Scoped("issues", identity.Write)
	r.POST("/teams/:team/:member/projects/", write, handle0(s.postProject0))
	r.GET("/teams/:team/:member/projects/", read, handle0(s.listProjects0))
	r.GET("/organizations/:team/projects/", read, handle0(s.listProjects0))
	r.GET("/projects/:team/:project/", read, handle0(s.getProject0))
	r.GET("/projects/:team/:project/keys/", read, handle0(s.listKeys0))
	r.POST("/projects/:team/:project/keys/", write, handle0(s.postKey0))
	r.DELETE("/projects/:team/:project/keys/:key/", write, handle0(s.deleteKey0))
}

type named0 struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// project0Body is a project in Sentry's shape, as far as its tools look.
type project0Body struct {
	named0
	Platform     *string    `json:"platform"`
	DateCreated  time.Time  `json:"dateCreated"`
	FirstEvent   *time.Time `json:"firstEvent"`
	Status       string     `json:"status"`
	IsMember     bool       `json:"isMember"`
	HasAccess    bool       `json:"hasAccess"`
	IsBookmarked bool       `json:"isBookmarked"`
	IsPublic     bool       `json:"isPublic"`
	Features     []string   `json:"features"`
	Team         named0     `json:"team"`
	Teams        []named0   `json:"teams"`
	Organization named0     `json:"organization"`
}

func shape0(p Project) project0Body {
	team := named0{strconv.FormatInt(p.Team, 10), p.TeamName, p.TeamName}
	out := project0Body{named0: named0{strconv.FormatInt(p.ID, 10), p.Slug, p.Name}, DateCreated: time.UnixMilli(int64(p.CreatedAt)).UTC(), Status: "active",
		IsMember: true, HasAccess: true, Features: []string{}, Team: team, Teams: []named0{team}, Organization: team}
	if p.Platform != "" {
		out.Platform = &p.Platform
	}
	if p.FirstEventAt != 0 {
		at := time.UnixMilli(int64(p.FirstEventAt)).UTC()
		out.FirstEvent = &at
	}
	return out
}

// member0 refuses another team than the organization's one.
func member0(c *gin.Context) error {
	if c.Param("member") != c.Param("team") {
		return problem.New(problem.NotFound, "The organization %s has one team, which is called %s too.", c.Param("team"), c.Param("team"))
	}
	return nil
}

func (s *Service) postProject0(c *gin.Context) (int, any, error) {
	team, err := team0(c, writing)
	if err != nil {
		return 0, nil, err
	}
	if err := member0(c); err != nil {
		return 0, nil, err
	}
	var in struct{ Name, Slug, Platform string }
	if err := read0(c, &in); err != nil {
		return 0, nil, err
	}
	p, err := s.CreateProject(c.Request.Context(), team.ID, Project{Name: in.Name, Slug: in.Slug, Platform: in.Platform})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, shape0(p), nil
}

func (s *Service) listProjects0(c *gin.Context) (int, any, error) {
	team, err := team0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	if c.Param("member") != "" {
		if err := member0(c); err != nil {
			return 0, nil, err
		}
	}
	p, err := page0(c)
	if err != nil {
		return 0, nil, err
	}
	list, err := s.Projects(c.Request.Context(), team.ID)
	if err != nil {
		return 0, nil, err
	}
	part, more := cut(list, p)
	link0(c, p, more)
	out := make([]project0Body, len(part))
	for i, p := range part {
		out[i] = shape0(p)
	}
	return http.StatusOK, out, nil
}

func (s *Service) getProject0(c *gin.Context) (int, any, error) {
	p, err := s.project0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, shape0(p), nil
}

// key0Body is a key in Sentry's shape.
type key0Body struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Label       string            `json:"label"`
	Public      string            `json:"public"`
	Secret      string            `json:"secret"`
	ProjectID   int64             `json:"projectId"`
	IsActive    bool              `json:"isActive"`
	RateLimit   *rateLimit0       `json:"rateLimit"`
	DSN         map[string]string `json:"dsn"`
	DateCreated time.Time         `json:"dateCreated"`
}

// rateLimit0 is a limit on everything together; the window is in seconds.
type rateLimit0 struct {
	Window int64 `json:"window"`
	Count  int64 `json:"count"`
}

var seconds0 = map[Per]int64{PerMinute: 60, PerHour: 3600}

func (s *Service) keyShape0(k Key) key0Body {
	base := fmt.Sprintf("%s/api/%d", s.PublicURL(), k.Project)
	query := "/?sentry_key=" + k.Public
	out := key0Body{ID: k.Public, Name: k.Label, Label: k.Label, Public: k.Public, Secret: k.Secret, ProjectID: k.Project, IsActive: k.Active,
		DateCreated: time.UnixMilli(int64(k.CreatedAt)).UTC(), DSN: map[string]string{"public": s.dsn(k, false), "secret": s.dsn(k, true),
			"csp": base + "/security" + query, "security": base + "/security" + query, "minidump": base + "/minidump" + query, "crons": base + "/cron/___MONITOR_SLUG___/" + k.Public + "/"}}
	for _, l := range k.Limits {
		if window := seconds0[l.Per]; l.Category == "" && window > 0 {
			out.RateLimit = &rateLimit0{window, l.Count}
		}
	}
	return out
}

func (s *Service) listKeys0(c *gin.Context) (int, any, error) {
	p, err := s.project0(c, reading)
	if err != nil {
		return 0, nil, err
	}
	at, err := page0(c)
	if err != nil {
		return 0, nil, err
	}
	keys, err := s.keysOf(c.Request.Context(), p.ID)
	if err != nil {
		return 0, nil, err
	}
	part, more := cut(keys, at)
	link0(c, at, more)
	out := make([]key0Body, len(part))
	for i, k := range part {
		out[i] = s.keyShape0(k)
	}
	return http.StatusOK, out, nil
}

func (s *Service) postKey0(c *gin.Context) (int, any, error) {
	p, err := s.project0(c, writing)
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		Name, Label string
		RateLimit   *rateLimit0 `json:"rateLimit"`
	}
	if err := read0(c, &in); err != nil {
		return 0, nil, err
	}
	var limits []Limit
	if in.RateLimit != nil && in.RateLimit.Count > 0 {
		l := Limit{Count: in.RateLimit.Count, Per: PerHour}
		switch in.RateLimit.Window {
		case 60:
			l.Per = PerMinute
		case 3600:
		default:
			return 0, nil, problem.FieldError("rateLimit", "the window is 60 or 3600 seconds")
		}
		limits = []Limit{l}
	}
	if in.Label == "" {
		in.Label = in.Name
	}
	k, err := s.CreateKey(c.Request.Context(), p.ID, in.Label, limits)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, s.keyShape0(k), nil
}

func (s *Service) deleteKey0(c *gin.Context) (int, any, error) {
	p, err := s.project0(c, writing)
	if err != nil {
		return 0, nil, err
	}
	k, err := s.findKey(c.Request.Context(), c.Param("key"))
	if err != nil || k.Project != p.ID {
		return 0, nil, problem.New(problem.NotFound, "The project has no such key.")
	}
	return http.StatusNoContent, nil, s.DeleteKey(c.Request.Context(), k.Public)
}
