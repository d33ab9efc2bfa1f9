package issues

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// What the own API asks for.
var (
	reading = identity.Scope{Capability: "issues", Level: identity.Read}
	writing = identity.Scope{Capability: "issues", Level: identity.Write}
)

// Retention bounds what a project keeps; zero in a project means the installation's default.
type Retention struct {
	Days   int   `json:"days"`
	Events int64 `json:"events"`
	Bytes  int64 `json:"bytes"`
}

func (r Retention) or(other Retention) Retention {
	if r.Days == 0 {
		r.Days = other.Days
	}
	if r.Events == 0 {
		r.Events = other.Events
	}
	if r.Bytes == 0 {
		r.Bytes = other.Bytes
	}
	return r
}

func (r Retention) validate() error {
	if r.Days < 0 || r.Days > 3650 || r.Events < 0 || r.Bytes < 0 {
		return problem.FieldError("retention", "days are 0 (the default) to 3650; events and bytes are not negative")
	}
	return nil
}

// Project is what a team's program reports to.
type Project struct {
	ID       int64  `json:"id"`
	Team     int64  `json:"-"`
	TeamName string `json:"team"`
	Slug     string `json:"slug"`
	Name     string `json:"name"`
	// Platform is Sentry's word for the program's language or framework, such as "python" or "node-express"; "" when unknown.
	Platform string `json:"platform"`
	// Origins are the web origins whose browsers may send, such as https://*.example.com; none means all.
	Origins []string `json:"origins"`
	Filters Filters  `json:"filters"`
	Limits  []Limit  `json:"limits"`
	// Retention has zeros where the installation's default holds.
	Retention Retention `json:"retention"`
	// Repository is host/owner/name; successful builds of it make releases of the project. "" when none does.
	Repository   string     `json:"repository"`
	Scrubbing    Scrubbing  `json:"-"`
	Grouping     string     `json:"-"` // rules, one a line
	salt         string     // of hashes of what is scrubbed
	CreatedAt    api.Millis `json:"created_at"`
	FirstEventAt api.Millis `json:"first_event_at,omitzero"`
	LastEventAt  api.Millis `json:"last_event_at,omitzero"`
}

// projectChannel carries the id of a project whose settings or keys changed, "" for all.
const (
	projectChannel = "issues.projects"
	projectTopic   = "issues.projects"
	maxProjects    = 500 // of one team
)

var validSlug = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,49}$`)

// slugOf makes a slug of a name; "" when nothing of it can be used.
func slugOf(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	slug := strings.Trim(b.String(), "-_")
	return strings.Trim(slug[:min(len(slug), 50)], "-_")
}

func (p Project) validate() error {
	switch {
	case !validSlug.MatchString(p.Slug) || isDigits(p.Slug):
		return problem.FieldError("slug", "use up to 50 lower-case letters, digits, - and _, not only digits")
	case p.Name == "" || len(p.Name) > 100 || strings.ContainsFunc(p.Name, isControl):
		return problem.FieldError("name", "give one of at most 100 bytes, without control characters")
	case len(p.Platform) > 64 || strings.ContainsFunc(p.Platform, isControl):
		return problem.FieldError("platform", "is longer than 64 bytes or has control characters")
	}
	for _, o := range p.Origins {
		if !validOrigin.MatchString(o) {
			return problem.FieldError("origins", "%.80q is not an origin; write https://app.example.com, https://*.example.com, app.example.com or *", o)
		}
	}
	if len(p.Origins) > 50 {
		return problem.FieldError("origins", "give at most 50")
	}
	if len(p.Repository) > 300 {
		return problem.FieldError("repository", "is longer than 300 bytes")
	}
	if err := p.Filters.validate(); err != nil {
		return err
	}
	if _, err := p.Scrubbing.scrubber(p.salt); err != nil {
		return problem.FieldError("rules", "%s", err)
	}
	if _, err := parseGrouping(p.Grouping); err != nil {
		return err
	}
	if err := validateLimits(p.Limits, "limits"); err != nil {
		return err
	}
	return p.Retention.validate()
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// CreateProject makes a project and its first key in a team in which the caller may write.
func (s *Service) CreateProject(ctx context.Context, team int64, p Project) (Project, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return Project{}, err
	}
	p.Name = strings.TrimSpace(p.Name)
	chosen := p.Slug != ""
	if !chosen {
		p.Slug = slugOf(p.Name)
		if p.Slug == "" || isDigits(p.Slug) {
			p.Slug = strings.Trim("project-"+p.Slug, "-")
		}
	}
	p.Team, p.CreatedAt, p.Scrubbing = team, api.Millis(s.millis()), Scrubbing{Defaults: true}.complete()
	if err := p.validate(); err != nil {
		return Project{}, err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		taken, err := s.slugs(ctx, team)
		if err != nil {
			return err
		}
		if len(taken) >= maxProjects {
			return problem.New(problem.Conflict, "The team has %d projects, which is the most. Delete one first.", maxProjects)
		}
		if !chosen {
			p.Slug = freeSlug(p.Slug, taken)
		} else if slices.Contains(taken, p.Slug) {
			return slugTaken(p.Slug)
		}
		if p.ID, err = s.insertProject(ctx, p); err != nil {
			return err
		}
		if _, err := s.insertKey(ctx, s.newKey(p.ID, "Default")); err != nil {
			return err
		}
		if err := s.projectChanged(ctx, p); err != nil {
			return err
		}
		return s.audit(ctx, team, "issues.project.create", p.Slug, fmt.Sprint(p.ID))
	})
	if err != nil {
		return Project{}, err
	}
	return s.named(ctx, p)
}

func slugTaken(slug string) error {
	return problem.New(problem.Conflict, "The team has a project %s already. Choose another slug.", slug)
}

func freeSlug(wish string, taken []string) string {
	slug := wish
	for n := 2; slices.Contains(taken, slug); n++ {
		suffix := fmt.Sprintf("-%d", n)
		slug = strings.TrimRight(wish[:min(len(wish), 50-len(suffix))], "-_") + suffix
	}
	return slug
}

// repositoryName names a repository as the builds do, whatever way it is written.
func (s *Service) repositoryName(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || s.NormalRepository == nil {
		return strings.ToLower(text), nil
	}
	if strings.Count(text, "/") == 1 && !strings.Contains(text, ":") {
		text = "https://github.com/" + text
	}
	if strings.Count(text, "/") == 2 && !strings.Contains(text, ":") && !strings.HasPrefix(text, "/") {
		text = "https://" + text
	}
	name := s.NormalRepository(text)
	if name == "" {
		return "", problem.FieldError("repository", "%.80q is not the address of a repository; write owner/name or https://host/owner/name", text)
	}
	return name, nil
}

// named fills in the team's name, and empty lists for absent ones.
func (s *Service) named(ctx context.Context, p Project) (Project, error) {
	var err error
	for _, list := range []*[]string{&p.Origins, &p.Filters.Releases, &p.Filters.Errors, &p.Filters.Addresses} {
		if *list == nil {
			*list = []string{}
		}
	}
	if p.Limits == nil {
		p.Limits = []Limit{}
	}
	p.TeamName, err = s.TeamName(ctx, p.Team)
	return p, err
}

// ChangeProject stores what change makes of the project.
func (s *Service) ChangeProject(ctx context.Context, id int64, change func(*Project)) (Project, error) {
	var p Project
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if p, err = s.writableProject(ctx, id); err != nil {
			return err
		}
		before := p
		change(&p)
		if p.Repository != before.Repository {
			if p.Repository, err = s.repositoryName(p.Repository); err != nil {
				return err
			}
		}
		p.ID, p.Team, p.Name = before.ID, before.Team, strings.TrimSpace(p.Name)
		if err := p.validate(); err != nil {
			return err
		}
		if p.Slug != before.Slug {
			taken, err := s.slugs(ctx, p.Team)
			if err != nil {
				return err
			}
			if slices.Contains(taken, p.Slug) {
				return slugTaken(p.Slug)
			}
		}
		if err := s.updateProject(ctx, p); err != nil {
			return err
		}
		if err := s.projectChanged(ctx, p); err != nil {
			return err
		}
		return s.audit(ctx, p.Team, "issues.project.change", p.Slug, fmt.Sprint(id))
	})
	if err != nil {
		return Project{}, err
	}
	return s.named(ctx, p)
}

// DeleteProject removes a project and its keys at once; what it kept goes in
// steps, and what lies in the spool is dropped when its turn comes.
func (s *Service) DeleteProject(ctx context.Context, id int64) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		p, err := s.writableProject(ctx, id)
		if err != nil {
			return err
		}
		if err := s.removeProject(ctx, id); err != nil {
			return err
		}
		if err := s.projectChanged(ctx, p); err != nil {
			return err
		}
		return s.audit(ctx, p.Team, "issues.project.delete", p.Slug, fmt.Sprint(id))
	})
}

// DeleteTeam forgets the team's projects, whose rows go with the team's; call it
// in the transaction that deletes the team.
func (s *Service) DeleteTeam(ctx context.Context, _ int64) error {
	return s.DB.Notify(ctx, projectChannel, "")
}

// ReadableProject is a project for a caller who may read it.
func (s *Service) ReadableProject(ctx context.Context, id int64) (Project, error) {
	p, err := s.findProject(ctx, id)
	if err != nil {
		return Project{}, err
	}
	if err := identity.Require(ctx, p.Team, reading); err != nil {
		return Project{}, err
	}
	return s.named(ctx, p)
}

func (s *Service) writableProject(ctx context.Context, id int64) (Project, error) {
	p, err := s.findProject(ctx, id)
	if err != nil {
		return Project{}, err
	}
	return p, identity.Require(ctx, p.Team, writing)
}

func (s *Service) projectChanged(ctx context.Context, p Project) error {
	if err := s.DB.Notify(ctx, projectChannel, fmt.Sprint(p.ID)); err != nil {
		return err
	}
	return s.publish(ctx, p.Team, projectTopic, fmt.Sprint(p.ID))
}
