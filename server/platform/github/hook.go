package github

import (
	"context"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Hook is an address that GitHub posts to, with a secret of its own. It affects
// only its team.
type Hook struct {
	ID   string `json:"id"`
	Team int64  `json:"-"`
	Name string `json:"name"`
	// Connection is the id of the connection it belongs to, or "".
	Connection string `json:"connection"`
	// URL is what to enter at GitHub as payload URL.
	URL string `json:"url"`
	// PreviousUntil is how long the secret before the last rotation stays valid; 0 when there is none.
	PreviousUntil  Millis `json:"previous_until,omitzero"`
	CreatedAt      Millis `json:"created_at"`
	RotatedAt      Millis `json:"rotated_at,omitzero"`
	LastDeliveryAt Millis `json:"last_delivery_at,omitzero"`
	LastPingAt     Millis `json:"last_ping_at,omitzero"`

	Kind HookKind `json:"kind"`
	// Repository is what the hook is at ("owner/name", or an organization's name); "" while unknown.
	Repository string `json:"repository"`
	// Events are those GitHub was asked for; empty for a hook entered by hand.
	Events []string `json:"events"`
	// Managed hooks are created and mended by us. State and Problem say how that went.
	Managed bool      `json:"managed"`
	State   HookState `json:"state"`
	Problem string    `json:"problem"`
	// Alive says that deliveries are proved to arrive, so that polling may rest.
	Alive bool `json:"alive"`
	Gap   Gap  `json:"gap"`
}

// HookKind is what a hook is at; the words are stored.
type HookKind string

// The kinds.
const (
	HookPlain        HookKind = "plain" // entered by hand, and not yet known of
	HookRepository   HookKind = "repository"
	HookOrganization HookKind = "organization"
	HookApp          HookKind = "app"
)

// HookState is how a managed hook stands at GitHub; the words are stored.
type HookState string

// The states; a hook that we do not manage has none.
const (
	HookWaiting HookState = "waiting" // to be created or mended
	HookOK      HookState = "ok"
	HookBroken  HookState = "broken" // and Problem says why
)

// Gap is what comparing with GitHub's list of deliveries found.
type Gap struct {
	// Possible says whether GitHub's list can be asked for.
	Possible bool `json:"possible"`
	// Missing are those not recovered yet, Recovered all that ever were.
	Missing        int64  `json:"missing"`
	Recovered      int64  `json:"recovered"`
	LastComparedAt Millis `json:"last_compared_at,omitzero"`
	// MissedAt is when GitHub sent the last one that did not arrive.
	MissedAt Millis `json:"missed_at,omitzero"`
	Error    string `json:"error"`
}

// HookSecret is a hook with its secret, which is shown once.
type HookSecret struct {
	Hook
	Secret string `json:"secret"`
}

const (
	// previousValid is the time to enter a rotated secret at GitHub.
	previousValid = 7 * 24 * time.Hour
	hookChannel   = "github.hooks"
	hookTopic     = "ci.hook"
)

func (s *Service) hookURL(id string) string { return s.PublicURL() + "/hooks/github/" + id }

// CreateHook makes a hook for a team in which the caller may write.
func (s *Service) CreateHook(ctx context.Context, team int64, name, connection string) (HookSecret, error) {
	if err := identity.Require(ctx, team, writing); err != nil {
		return HookSecret{}, err
	}
	if name == "" {
		name = "GitHub"
	}
	if err := validateName(name); err != nil {
		return HookSecret{}, err
	}
	id, secret := randomHex(16), randomHex(32)
	row := hookRow{ID: id, TeamID: team, Name: name, Kind: HookPlain, Events: "[]", Secret: s.Box.Seal(hookTable, id, []byte(secret)), CreatedAt: s.millis()}
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		if connection != "" {
			c, err := s.findConnection(ctx, connection)
			if err != nil || c.TeamID != team {
				return problem.FieldError("connection", "is no connection of this team")
			}
			row.ConnectionID = &connection
		}
		if err := s.insertHook(ctx, row); err != nil {
			return err
		}
		if err := s.publish(ctx, team, hookTopic, id); err != nil {
			return err
		}
		return s.audit(ctx, team, "github.hook.create", name, id)
	})
	return HookSecret{Hook: s.hook(row), Secret: secret}, err
}

// RotateHook gives the hook a new secret. The old one stays valid for a week, or
// for a managed hook until a day after GitHub has the new one, which nobody need see.
func (s *Service) RotateHook(ctx context.Context, id string) (HookSecret, error) {
	secret := randomHex(32)
	var row hookRow
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if row, err = s.writableHook(ctx, id); err != nil {
			return err
		}
		now := s.Now()
		if !row.SecretPending || row.PreviousSecret == nil { // else GitHub knows the one before only
			row.PreviousSecret = row.Secret
		}
		row.PreviousUntil = now.Add(previousValid).UnixMilli()
		row.Secret, row.RotatedAt = s.Box.Seal(hookTable, id, []byte(secret)), max(now.UnixMilli(), row.RotatedAt+1)
		if row.Managed {
			row.SecretPending, row.PreviousUntil = true, now.Add(pendingValid).UnixMilli()
			if err := s.mendSoon(ctx, row, ""); err != nil {
				return err
			}
		}
		if err := s.updateHookSecrets(ctx, row); err != nil {
			return err
		}
		if err := s.hookChanged(ctx, row); err != nil {
			return err
		}
		return s.audit(ctx, row.TeamID, "github.hook.rotate", row.Name, id)
	})
	if row.Managed {
		secret = ""
	}
	return HookSecret{Hook: s.hook(row), Secret: secret}, err
}

// DeleteHook removes a hook and its deliveries; GitHub then gets 404. A managed
// one is removed at GitHub too.
func (s *Service) DeleteHook(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		row, err := s.writableHook(ctx, id)
		if err != nil {
			return err
		}
		if row.Managed && row.ConnectionID != nil {
			c, err := s.findConnection(ctx, *row.ConnectionID)
			if err != nil {
				return err
			}
			if _, err := s.queueRemoval(ctx, row, c); err != nil {
				return err
			}
		}
		if err := s.dropHook(ctx, row); err != nil {
			return err
		}
		return s.audit(ctx, row.TeamID, "github.hook.delete", row.Name, id)
	})
}

// dropHook removes a hook's rows.
func (s *Service) dropHook(ctx context.Context, row hookRow) error {
	if err := s.disownBodies(ctx, "hook_id = ?", row.ID); err != nil {
		return err
	}
	if err := s.removeHook(ctx, row.ID); err != nil {
		return err
	}
	return s.hookChanged(ctx, row)
}

func (s *Service) writableHook(ctx context.Context, id string) (hookRow, error) {
	row, err := s.findHook(ctx, id)
	if err != nil {
		return row, err
	}
	return row, identity.Require(ctx, row.TeamID, writing)
}

func (s *Service) hookChanged(ctx context.Context, row hookRow) error {
	if err := s.DB.Notify(ctx, hookChannel, row.ID); err != nil {
		return err
	}
	return s.publish(ctx, row.TeamID, hookTopic, row.ID)
}

// openHook is a hook as intake needs it.
type openHook struct {
	id            string
	team          int64
	secret        []byte
	previous      []byte
	previousUntil time.Time
	loaded        time.Time
	// app hooks tell which installation they are about; installation is the chosen one.
	app          bool
	installation int64
}

// hookCacheTime bounds how long a node that missed a notification believes an old secret.
const hookCacheTime = time.Minute

// hookCache saves two queries and two decryptions per delivery.
type hookCache struct {
	mu    sync.Mutex
	gen   int
	known map[string]openHook
}

func newHookCache() *hookCache { return &hookCache{known: map[string]openHook{}} }

func (c *hookCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gen++
	if id == "" {
		clear(c.known)
	}
	delete(c.known, id)
}

func (c *hookCache) get(id string, now time.Time) (h openHook, gen int, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, found = c.known[id]
	return h, c.gen, found && now.Sub(h.loaded) < hookCacheTime
}

// put keeps h unless some hook has changed since gen was read.
func (c *hookCache) put(h openHook, gen int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gen == gen {
		c.known[h.id] = h
	}
}

func (s *Service) openHook(ctx context.Context, id string) (openHook, error) {
	now := s.Now()
	h, gen, found := s.hooks.get(id, now)
	if found {
		return h, nil
	}
	row, err := s.findHook(ctx, id)
	if err != nil {
		return openHook{}, err
	}
	h = openHook{id: id, team: row.TeamID, previousUntil: time.UnixMilli(row.PreviousUntil), loaded: now}
	if h.secret, err = s.Box.Open(hookTable, id, row.Secret); err != nil {
		return openHook{}, err
	}
	if row.PreviousSecret != nil && now.Before(h.previousUntil) {
		if h.previous, err = s.Box.Open(hookTable, id, row.PreviousSecret); err != nil {
			return openHook{}, err
		}
	}
	if h.app = row.Kind == HookApp; h.app && row.ConnectionID != nil {
		c, err := s.findConnection(ctx, *row.ConnectionID)
		if err != nil {
			return openHook{}, err
		}
		h.installation = c.Installation
	}
	s.hooks.put(h, gen)
	return h, nil
}
