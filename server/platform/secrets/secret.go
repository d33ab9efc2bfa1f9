package secrets

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Secret is what may be told of a secret: never its value.
type Secret struct {
	Name string `json:"name"`
	// Pipeline is "" for a secret of the whole team.
	Pipeline string `json:"pipeline"`
	// LastUsedAt is 0 before the first use.
	UpdatedAt  api.Millis `json:"updated_at"`
	UpdatedBy  string     `json:"updated_by"`
	LastUsedAt api.Millis `json:"last_used_at,omitzero"`
}

const (
	// MaxValue is the largest value, as JSON: a kubeconfig fits, an archive does not.
	MaxValue = 1 << 20
	maxName  = 200
	table    = "secrets_values"
	// usedPrecision bounds how often a busy secret's last use is written.
	usedPrecision = time.Minute
)

// A name may have the path form that ((a/b:c)) asks for; dots separate fields of a structure.
var validName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_/-]*$`)

// ValidateName refuses names that ((vars)) could not ask for.
func ValidateName(name string) error {
	if len(name) > maxName || !validName.MatchString(name) {
		return problem.FieldError("name", "use up to %d letters, digits, _, - and /, beginning with a letter, digit or _", maxName)
	}
	return nil
}

// Deps is what a store needs.
type Deps struct {
	DB  *database.DB
	Box *Box
	Now func() time.Time
	// Audit records a change in the context's transaction; nil records nothing.
	Audit func(ctx context.Context, team int64, action, object, detail string) error
}

// Store keeps the named secrets of teams and pipelines.
type Store struct {
	deps Deps

	mu    sync.Mutex
	used  map[int64]time.Time // by row id; noted, not yet written when later than written
	wrote map[int64]time.Time
}

// New makes the store.
func New(deps Deps) *Store {
	return &Store{deps: deps, used: map[int64]time.Time{}, wrote: map[int64]time.Time{}}
}

// place binds a value to its team, pipeline and name.
func place(team int64, pipeline, name string) string {
	return strconv.FormatInt(team, 10) + "/" + strconv.Quote(pipeline) + "/" + strconv.Quote(name)
}

// Set creates or replaces a secret; value is a string or any JSON structure.
// Who did it is the context's caller.
func (s *Store) Set(ctx context.Context, team int64, pipeline, name string, value any) error {
	if err := ValidateName(name); err != nil {
		return err
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return problem.FieldError("value", "is not JSON")
	}
	if value == nil {
		return problem.FieldError("value", "is missing")
	}
	if len(plain) > MaxValue {
		return problem.FieldError("value", "is larger than %d kB", MaxValue>>10)
	}
	sealed := s.deps.Box.Seal(table, place(team, pipeline, name), plain)
	return s.deps.DB.Tx(ctx, func(ctx context.Context) error {
		created, err := s.upsert(ctx, team, pipeline, name, sealed)
		if err != nil {
			return fmt.Errorf("save secret: %w", err)
		}
		action := "secret.update"
		if created {
			action = "secret.create"
		}
		return s.audit(ctx, team, action, pipeline, name)
	})
}

// Delete removes a secret; NotFound when there is none.
func (s *Store) Delete(ctx context.Context, team int64, pipeline, name string) error {
	return s.deps.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.remove(ctx, team, pipeline, name); err != nil {
			return err
		}
		return s.audit(ctx, team, "secret.delete", pipeline, name)
	})
}

func (s *Store) audit(ctx context.Context, team int64, action, pipeline, name string) error {
	if s.deps.Audit == nil {
		return nil
	}
	detail := ""
	if pipeline != "" {
		detail = "pipeline " + pipeline
	}
	return s.deps.Audit(ctx, team, action, name, detail)
}

// Lookup gives the value for ((name)) in a pipeline: the pipeline's own before
// the team's. The value is a string or what its JSON decodes to.
func (s *Store) Lookup(ctx context.Context, team int64, pipeline, name string) (value any, found bool, err error) {
	row, found, err := s.find(ctx, team, pipeline, name)
	if err != nil || !found {
		return nil, false, err
	}
	plain, err := s.deps.Box.Open(table, place(team, row.Pipeline, name), row.Sealed)
	if err != nil {
		return nil, false, fmt.Errorf("secret %s: %w", name, err)
	}
	if err := json.Unmarshal(plain, &value); err != nil {
		return nil, false, fmt.Errorf("secret %s: %w", name, err)
	}
	s.mu.Lock()
	s.used[row.ID] = s.deps.Now()
	s.mu.Unlock()
	return value, true, nil
}

// FlushUsed writes down when secrets were last used. It runs as a loop, so that
// a lookup costs no write; the loss of the last minute in a crash is harmless.
func (s *Store) FlushUsed(ctx context.Context) error {
	s.mu.Lock()
	var due map[int64]time.Time
	for id, at := range s.used {
		if at.Sub(s.wrote[id]) >= usedPrecision {
			if due == nil {
				due = map[int64]time.Time{}
			}
			due[id] = at
			s.wrote[id] = at
		}
		delete(s.used, id)
	}
	s.mu.Unlock()
	return s.markUsed(ctx, due)
}

// Reseal encrypts with the newest key whatever an older one has sealed, and
// returns how many values that were.
func (s *Store) Reseal(ctx context.Context) (int, error) {
	count := 0
	err := s.deps.DB.Tx(ctx, func(ctx context.Context) error {
		rows, err := s.all(ctx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if s.deps.Box.Current(r.Sealed) {
				continue
			}
			at := place(r.TeamID, r.Pipeline, r.Name)
			plain, err := s.deps.Box.Open(table, at, r.Sealed)
			if err != nil {
				return fmt.Errorf("secret %s: %w", r.Name, err)
			}
			if err := s.replace(ctx, r.ID, s.deps.Box.Seal(table, at, plain)); err != nil {
				return err
			}
			count++
		}
		return nil
	})
	return count, err
}

// Check returns how many stored secrets the key file has no key for; more than
// none means that a wrong or new key file lies beside this database.
func (s *Store) Check(ctx context.Context) (unreadable int, err error) {
	rows, err := s.all(ctx)
	for _, r := range rows {
		if !s.deps.Box.Knows(r.Sealed) {
			unreadable++
		}
	}
	return unreadable, err
}
