package catalog

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// Deps is what the catalog needs.
type Deps struct {
	DB *database.DB
	// Sources are what each capability contributes.
	Sources []thread.Source
	// Known is what a service could be made of, as far as the context's caller may see it.
	Known func(ctx context.Context, team identity.Team) (Known, error)
	// People are the names and roles of a team's members.
	People func(ctx context.Context, team identity.Team) ([][2]string, error)
	// Manual finds pages of the manual; nil when there is none.
	Manual func(ctx context.Context, text string) ([]thread.Hit, error)
	// What pages of one thing ask of others.
	Builds Builds
	Errors Errors
	Lines  Logged
	Fleet  Fleet
	Audit  func(ctx context.Context, team int64, action, object, detail string) error
	// Publish tells pages that something changed.
	Publish func(ctx context.Context, team int64, topic, id string) error
	Now     func() time.Time
	Log     *slog.Logger
}

// Catalog is the services of all teams and what is asked across capabilities.
type Catalog struct {
	Deps
	store store
}

// New makes a catalog.
func New(deps Deps) *Catalog { return &Catalog{Deps: deps, store: store{deps.DB}} }

// Service is a thing that a team runs, and where each capability sees it. Every tie may be empty.
type Service struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Owners      []string `json:"owners"`
	// Repository is owner/name in lower case.
	Repository string `json:"repository"`
	Pipeline   string `json:"pipeline"`
	// Job is one of the pipeline's; empty for all of them.
	Job string `json:"job"`
	// Project is the slug of an error project.
	Project string `json:"project"`
	// LogFilter is a search in the language of logs.
	LogFilter string `json:"log_filter"`
	// Package is what nodes have installed of it.
	Package   string    `json:"package"`
	UpdatedBy string    `json:"updated_by,omitempty"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
}

var serviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

func (s Service) validate() error {
	var faults []problem.Field
	if !serviceName.MatchString(s.Name) {
		faults = append(faults, problem.Field{Field: "name", Message: "must be small letters, digits, dots, dashes or underscores, at most 63"})
	}
	if s.Repository != "" && strings.Count(s.Repository, "/") != 1 {
		faults = append(faults, problem.Field{Field: "repository", Message: "must be owner/name"})
	}
	if s.Job != "" && s.Pipeline == "" {
		faults = append(faults, problem.Field{Field: "job", Message: "needs its pipeline"})
	}
	if len(s.Owners) > 20 {
		faults = append(faults, problem.Field{Field: "owners", Message: "has more than 20 names"})
	}
	for field, text := range map[string]string{"description": s.Description, "repository": s.Repository, "pipeline": s.Pipeline, "job": s.Job, "project": s.Project, "log_filter": s.LogFilter, "package": s.Package} {
		if len(text) > 500 {
			faults = append(faults, problem.Field{Field: field, Message: "is longer than 500 characters"})
		}
	}
	if s.Repository+s.Pipeline+s.Project+s.LogFilter+s.Package == "" {
		faults = append(faults, problem.Field{Field: "repository", Message: "or another tie is missing; without one a service shows nothing"})
	}
	if len(faults) > 0 {
		return problem.FieldErrors(faults)
	}
	return nil
}

// Services gives a team's services by name.
func (c *Catalog) Services(ctx context.Context, team identity.Team) ([]Service, error) {
	return c.store.services(ctx, team.ID)
}

// Save makes or replaces a service.
func (c *Catalog) Save(ctx context.Context, team identity.Team, s Service) (Service, error) {
	s.Repository = strings.ToLower(strings.TrimSpace(s.Repository))
	if s.Owners == nil {
		s.Owners = []string{}
	}
	if err := s.validate(); err != nil {
		return Service{}, err
	}
	s.UpdatedAt, s.UpdatedBy = c.Now().UTC().Truncate(time.Millisecond), identity.From(ctx).Name
	err := c.DB.Tx(ctx, func(ctx context.Context) error {
		others, err := c.store.others(ctx, team.ID, s.Name)
		if err != nil {
			return err
		}
		if others >= maxServices {
			return problem.New(problem.Conflict, "A team has at most %d services; delete one first.", maxServices)
		}
		if err := c.store.save(ctx, team.ID, s); err != nil {
			return err
		}
		return c.changed(ctx, team, "save", s.Name)
	})
	return s, err
}

// maxServices is how many a team may have.
const maxServices = 1000

// Delete forgets a service; what it tied stays.
func (c *Catalog) Delete(ctx context.Context, team identity.Team, name string) error {
	return c.DB.Tx(ctx, func(ctx context.Context) error {
		if err := c.store.delete(ctx, team.ID, name); err != nil {
			return err
		}
		return c.changed(ctx, team, "delete", name)
	})
}

func (c *Catalog) changed(ctx context.Context, team identity.Team, what, name string) error {
	if err := c.Audit(ctx, team.ID, "accounts.service."+what, name, ""); err != nil {
		return err
	}
	return c.Publish(ctx, team.ID, "accounts.service", name)
}
