package edge

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Token lets machines enrol, for a time and so many of them. Its secret is shown
// once; the row holds its hash.
type Token struct {
	ID   string `json:"id"`
	Team int64  `json:"-"`
	Name string `json:"name"`
	// Secret is what a machine shows; only in the answer that made the token.
	Secret string `json:"token,omitempty"`
	// Site binds nodes to a place; empty lets them say where they are.
	Site string `json:"site"`
	// Labels win over those that a node says of itself.
	Labels map[string]string `json:"labels"`
	// Accepts says that its nodes need no person to accept them.
	Accepts   bool       `json:"accepts"`
	MaxUses   int64      `json:"max_uses"`
	Uses      int64      `json:"uses"`
	CreatedBy string     `json:"created_by"`
	CreatedAt api.Millis `json:"created_at"`
	ExpiresAt api.Millis `json:"expires_at"`
	RevokedAt api.Millis `json:"revoked_at,omitzero"`
}

const (
	tokenPrefix = "sbe_"
	maxTokens   = 500 // of one team that can still be used
	maxUses     = 100_000
	maxLife     = 90 * 24 * time.Hour
	usualLife   = 24 * time.Hour
)

func tokenHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func (t Token) usable(now time.Time) bool {
	return t.RevokedAt == 0 && t.Uses < t.MaxUses && now.UnixMilli() < int64(t.ExpiresAt)
}

func (t *Token) complete(now time.Time, life time.Duration) error {
	t.Name = strings.TrimSpace(t.Name)
	if t.Labels == nil {
		t.Labels = map[string]string{}
	}
	if t.MaxUses == 0 {
		t.MaxUses = 1
	}
	if life == 0 {
		life = usualLife
	}
	t.CreatedAt, t.ExpiresAt = api.Millis(now.UnixMilli()), api.Millis(now.Add(life).UnixMilli())
	switch {
	case t.Name == "" || !printable(t.Name, 100):
		return problem.FieldError("name", "give one of at most 100 bytes, without control characters")
	case t.MaxUses < 1 || t.MaxUses > maxUses:
		return problem.FieldError("max_uses", "give 1 to %d", maxUses)
	case life < time.Minute || life > maxLife:
		return problem.FieldError("hours", "give a minute to %d days", int(maxLife.Hours()/24))
	}
	if err := validateSite(t.Site); err != nil {
		return err
	}
	return validateLabels(t.Labels)
}

// CreateToken makes a token; life 0 is a day, no MaxUses is one.
func (s *Service) CreateToken(ctx context.Context, team int64, t Token, life time.Duration) (Token, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return t, err
	}
	if err := t.complete(s.Now(), life); err != nil {
		return t, err
	}
	raw := make([]byte, 32)
	rand.Read(raw) // never fails
	t.ID, t.Team, t.Secret, t.CreatedBy = s.NewID(), team, tokenPrefix+hex.EncodeToString(raw), identity.From(ctx).Name
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		n, err := s.rows().countTokens(ctx, team, s.millis())
		if err != nil {
			return err
		}
		if n >= maxTokens {
			return problem.New(problem.Conflict, "The team has %d tokens that can be used, which is the most. Revoke one first.", maxTokens)
		}
		if err := s.rows().insertToken(ctx, t, tokenHash(t.Secret)); err != nil {
			return err
		}
		if err := s.publish(ctx, team, tokensTopic, t.ID); err != nil {
			return err
		}
		return s.audit(ctx, team, "edge.token.create", t.Name, text(map[string]any{"site": t.Site, "accepts": t.Accepts, "max_uses": t.MaxUses}))
	})
	return t, err
}

const tokensTopic = "edge.tokens"

// RevokeToken ends a token; the nodes that it brought stay.
func (s *Service) RevokeToken(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		t, err := s.rows().token(ctx, id)
		if err != nil {
			return err
		}
		if err := identity.Require(ctx, t.Team, writing); err != nil {
			return err
		}
		if err := s.rows().revokeToken(ctx, id, s.millis()); err != nil {
			return err
		}
		if err := s.publish(ctx, t.Team, tokensTopic, id); err != nil {
			return err
		}
		return s.audit(ctx, t.Team, "edge.token.revoke", t.Name, "")
	})
}
