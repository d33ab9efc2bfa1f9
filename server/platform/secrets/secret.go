package secrets

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
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
	// Version counts the values that it has had.
	Version int64 `json:"version"`
	// LastUsedBy is who got the value then; nil before the first use.
	LastUsedBy *Use `json:"last_used_by,omitempty"`
}

// Use is who got a secret's value: a build, or a check when Build is 0.
type Use struct {
	Pipeline string `json:"pipeline"`
	Job      string `json:"job,omitempty"`
	Number   string `json:"number,omitempty"`
	Build    int64  `json:"build,omitempty"`
}

type used struct {
	at time.Time
	by Use
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
	// Columns are all places where anything is sealed with Box; the loop seals them anew
	// when the key file has a new key. Nil are the store's own.
	Columns []Column
	// Audit records a change in the context's transaction; nil records nothing.
	Audit func(ctx context.Context, team int64, action, object, detail string) error
}

// Store keeps the named secrets of teams and pipelines.
type Store struct {
	deps Deps
	// resealed is the ring that has sealed everything.
	resealed atomic.Pointer[ring]

	mu    sync.Mutex
	used  map[int64]used // by row id; noted, not yet written when later than written
	wrote map[int64]time.Time
}

// New makes the store.
func New(deps Deps) *Store {
	return &Store{deps: deps, used: map[int64]used{}, wrote: map[int64]time.Time{}}
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
// the team's. The value is a string or what its JSON decodes to; by is who gets it.
func (s *Store) Lookup(ctx context.Context, team int64, pipeline, name string, by Use) (value any, found bool, err error) {
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
	s.used[row.ID] = used{s.deps.Now(), by}
	s.mu.Unlock()
	return value, true, nil
}

// FlushUsed writes down when secrets were last used. It runs as a loop, so that
// a lookup costs no write; the loss of the last minute in a crash is harmless.
func (s *Store) FlushUsed(ctx context.Context) error {
	s.mu.Lock()
	var due map[int64]used
	for id, u := range s.used {
		if u.at.Sub(s.wrote[id]) >= usedPrecision {
			if due == nil {
				due = map[int64]used{}
			}
			due[id] = u
			s.wrote[id] = u.at
		}
		delete(s.used, id)
	}
	s.mu.Unlock()
	return s.markUsed(ctx, due)
}

// Columns are where the store seals.
func Columns() []Column {
	return []Column{{Table: table, Name: "sealed", Keys: []string{"team_id", "pipeline", "name"},
		Row: func(keys []string) string {
			return keys[0] + "/" + strconv.Quote(keys[1]) + "/" + strconv.Quote(keys[2])
		}}}
}
