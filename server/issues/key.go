package issues

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Key is what a client shows to send to a project. It is public: every copy of
// a program that people run holds it.
type Key struct {
	// ID is a row's number, known inside only; outside a key is named by Public.
	ID      int64  `json:"-"`
	Project int64  `json:"project"`
	Public  string `json:"id"`
	// Secret is for clients of the first years, which insist on one; it means nothing.
	Secret string  `json:"-"`
	Label  string  `json:"label"`
	Active bool    `json:"active"`
	Limits []Limit `json:"limits"`
	// DSN is what a client is configured with.
	DSN        string     `json:"dsn"`
	CreatedAt  api.Millis `json:"created_at"`
	LastUsedAt api.Millis `json:"last_used_at,omitzero"`
}

const maxKeys = 50 // of one project

func randomKey() string {
	raw := make([]byte, 16)
	rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

func (s *Service) newKey(project int64, label string) Key {
	return Key{Project: project, Public: randomKey(), Secret: randomKey(), Label: label, Active: true, CreatedAt: api.Millis(s.millis())}
}

// dsn is what a client is configured with; with a secret for very old clients.
func (s *Service) dsn(k Key, withSecret bool) string {
	scheme, rest, _ := strings.Cut(s.PublicURL(), "://")
	user := k.Public
	if withSecret {
		user += ":" + k.Secret
	}
	return fmt.Sprintf("%s://%s@%s/%d", scheme, user, strings.TrimRight(rest, "/"), k.Project)
}

// shown fills in what is shown besides the row.
func (s *Service) shown(k Key) Key {
	k.DSN = s.dsn(k, false)
	if k.Limits == nil {
		k.Limits = []Limit{}
	}
	return k
}

func (k Key) validate() error {
	if len(k.Label) > 100 || strings.ContainsFunc(k.Label, isControl) {
		return problem.FieldError("label", "is longer than 100 bytes or has control characters")
	}
	return validateLimits(k.Limits, "limits")
}

// Keys lists a project's keys for a caller who may read it.
func (s *Service) Keys(ctx context.Context, project int64) ([]Key, error) {
	if _, err := s.ReadableProject(ctx, project); err != nil {
		return nil, err
	}
	list, err := s.keysOf(ctx, project)
	for i := range list {
		list[i] = s.shown(list[i])
	}
	return list, err
}

// CreateKey makes one more key.
func (s *Service) CreateKey(ctx context.Context, project int64, label string, limits []Limit) (Key, error) {
	k := s.newKey(project, strings.TrimSpace(label))
	k.Limits = limits
	if err := k.validate(); err != nil {
		return Key{}, err
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		p, err := s.writableProject(ctx, project)
		if err != nil {
			return err
		}
		list, err := s.keysOf(ctx, project)
		if err != nil {
			return err
		}
		if len(list) >= maxKeys {
			return problem.New(problem.Conflict, "The project has %d keys, which is the most. Delete one first.", maxKeys)
		}
		if k.ID, err = s.insertKey(ctx, k); err != nil {
			return err
		}
		return s.keyChanged(ctx, p, "issues.key.create", k)
	})
	return s.shown(k), err
}

// ChangeKey stores what change makes of label, limits and active.
func (s *Service) ChangeKey(ctx context.Context, public string, change func(*Key)) (Key, error) {
	var k Key
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		p, found, err := s.writableKey(ctx, public)
		if err != nil {
			return err
		}
		k = found
		change(&k)
		k.ID, k.Project, k.Public, k.Label = found.ID, found.Project, found.Public, strings.TrimSpace(k.Label)
		if err := k.validate(); err != nil {
			return err
		}
		if err := s.updateKey(ctx, k); err != nil {
			return err
		}
		return s.keyChanged(ctx, p, "issues.key.change", k)
	})
	return s.shown(k), err
}

// DeleteKey makes a key unknown; clients that have it are refused from then on.
func (s *Service) DeleteKey(ctx context.Context, public string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		p, k, err := s.writableKey(ctx, public)
		if err != nil {
			return err
		}
		if err := s.removeKey(ctx, k.ID); err != nil {
			return err
		}
		return s.keyChanged(ctx, p, "issues.key.delete", k)
	})
}

func (s *Service) writableKey(ctx context.Context, public string) (Project, Key, error) {
	k, err := s.findKey(ctx, public)
	if err != nil {
		return Project{}, Key{}, err
	}
	p, err := s.findProject(ctx, k.Project)
	if err != nil {
		return Project{}, Key{}, err
	}
	return p, k, identity.Require(ctx, p.Team, writing)
}

func (s *Service) keyChanged(ctx context.Context, p Project, action string, k Key) error {
	if err := s.projectChanged(ctx, p); err != nil {
		return err
	}
	return s.audit(ctx, p.Team, action, p.Slug, k.Public)
}
