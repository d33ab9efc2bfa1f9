package edge

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Expected is a machine that people know before it comes, by the fingerprint of its
// key: who prepared it read that off. It still needs a token, and no person any more.
type Expected struct {
	Fingerprint string `json:"fingerprint"`
	// Name and Site, where given, and Labels win over what the node and its token say.
	Name      string            `json:"name"`
	Site      string            `json:"site"`
	Labels    map[string]string `json:"labels"`
	CreatedBy string            `json:"created_by"`
	CreatedAt api.Millis        `json:"created_at"`
	ExpiresAt api.Millis        `json:"expires_at"`
	// Node is the one that came with the key, empty while none has.
	Node       string     `json:"node"`
	EnrolledAt api.Millis `json:"enrolled_at,omitzero"`
}

const (
	expectedTopic = "edge.expected"
	maxExpect     = 1000 // at once
	maxExpected   = 20_000
	usualExpected = 30 // days
	mostExpected  = 365
)

var fingerprintForm = regexp.MustCompile(`^([0-9a-f]{4}:){7}[0-9a-f]{4}$`)

func (e *Expected) complete(at int) error {
	e.Fingerprint = strings.ToLower(strings.TrimSpace(e.Fingerprint))
	if e.Labels == nil {
		e.Labels = map[string]string{}
	}
	here := fmt.Sprintf("items[%d].", at)
	if !fingerprintForm.MatchString(e.Fingerprint) {
		return problem.FieldError(here+"fingerprint", "%.60q is none: it has eight groups of four hex digits, as signalbox-agent shows them", e.Fingerprint)
	}
	if e.Name != "" {
		if err := validateName(e.Name); err != nil {
			return err
		}
	}
	if err := validateSite(e.Site); err != nil {
		return err
	}
	return validateLabels(e.Labels)
}

// Expect lets machines be accepted at once when they come, for so many days.
func (s *Service) Expect(ctx context.Context, team int64, list []Expected, days int) ([]Expected, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return nil, err
	}
	days = cmp.Or(days, usualExpected)
	switch {
	case len(list) == 0 || len(list) > maxExpect:
		return nil, problem.FieldError("items", "give 1 to %d", maxExpect)
	case days < 1 || days > mostExpected:
		return nil, problem.FieldError("days", "give 1 to %d", mostExpected)
	}
	seen := map[string]bool{}
	for i := range list {
		e := &list[i]
		if err := e.complete(i); err != nil {
			return nil, err
		}
		if seen[e.Fingerprint] {
			return nil, problem.FieldError(fmt.Sprintf("items[%d].fingerprint", i), "is there twice")
		}
		seen[e.Fingerprint] = true
		e.CreatedBy, e.CreatedAt, e.ExpiresAt = identity.From(ctx).Name, api.Millis(s.millis()), api.Millis(s.Now().Add(time.Duration(days)*24*time.Hour).UnixMilli())
	}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.rows().countExpected(ctx, team)
		if err != nil {
			return err
		}
		if n+int64(len(list)) > maxExpected {
			return problem.New(problem.Conflict, "The team expects %d machines, and %d are the most.", n, maxExpected)
		}
		if err := s.rows().setExpected(ctx, team, list); err != nil {
			return err
		}
		if err := s.publish(ctx, team, expectedTopic, ""); err != nil {
			return err
		}
		return s.audit(ctx, team, "edge.expected.add", fmt.Sprintf("%d machines", len(list)), text(map[string]any{"fingerprints": slices.Sorted(maps.Keys(seen)), "days": days}))
	})
	return list, err
}

// ExpectedNodes are the machines that a team knows before they come, the newest first.
func (s *Service) ExpectedNodes(ctx context.Context, team int64) ([]Expected, error) {
	if err := identity.Require(ctx, team, reading); err != nil {
		return nil, err
	}
	return s.rows().allExpected(ctx, team)
}

// ForgetExpected takes back that a machine is expected; one that has come stays.
func (s *Service) ForgetExpected(ctx context.Context, team int64, fingerprint string) error {
	if err := identity.Require(ctx, team, writing); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		there, err := s.rows().dropExpected(ctx, team, fingerprint)
		if err != nil {
			return err
		}
		if !there {
			return problem.New(problem.NotFound, "No machine with this fingerprint is expected.")
		}
		if err := s.publish(ctx, team, expectedTopic, fingerprint); err != nil {
			return err
		}
		return s.audit(ctx, team, "edge.expected.remove", fingerprint, "")
	})
}

// asExpected makes a node what people said of its key; the result is who may have
// accepted it by that, empty where nobody expects it.
func (s *Service) asExpected(ctx context.Context, n *Node) (by string, err error) {
	e, found, err := s.rows().expected(ctx, n.Team, n.Fingerprint, s.millis())
	if err != nil || !found {
		return "", err
	}
	n.Name, n.Site = cmp.Or(e.Name, n.Name), cmp.Or(e.Site, n.Site)
	maps.Copy(n.Labels, e.Labels)
	return "expected by " + e.CreatedBy, s.rows().expectedCame(ctx, n.Team, n.Fingerprint, n.ID, s.millis())
}
