package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// The noun may have several words: ci_build_list, ci_pipeline_config_get.
var validName = regexp.MustCompile(`^[a-z]+(_[a-z0-9]+){2,}$`)

// maxName is what the model APIs take.
const maxName = 64

func capability(name string) string {
	word, _, _ := strings.Cut(name, "_")
	return word
}

// Registry holds the tools of all capabilities.
type Registry struct {
	mu    sync.RWMutex
	tools map[string]Tool
}

// NewRegistry makes an empty registry.
func NewRegistry() *Registry { return &Registry{tools: map[string]Tool{}} }

// Register adds tools; it refuses names that break the rule or are taken.
func (r *Registry) Register(tools ...Tool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range tools {
		if err := t.validate(); err != nil {
			return fmt.Errorf("tool %q: %w", t.Name, err)
		}
		if _, taken := r.tools[t.Name]; taken {
			return fmt.Errorf("tool %q: the name is taken", t.Name)
		}
		r.tools[t.Name] = t
	}
	return nil
}

func (t Tool) validate() error {
	switch {
	case !validName.MatchString(t.Name) || len(t.Name) > maxName:
		return fmt.Errorf("the name is not <capability>_<noun>_<verb>")
	case !slices.Contains(identity.Capabilities, capability(t.Name)) || t.Scope.Capability != capability(t.Name):
		return fmt.Errorf("the name and scope %s do not begin with the same capability", t.Scope)
	case t.Scope.Level < identity.Read || t.Scope.Level > identity.Admin:
		return fmt.Errorf("the scope has no level")
	case !slices.Contains([]Class{ReadOnly, Write, Destructive}, t.Class):
		return fmt.Errorf("the class is %q", t.Class)
	case t.Class != ReadOnly && t.Scope.Level == identity.Read:
		return fmt.Errorf("it changes something with a scope that only reads")
	case t.Title == "" || t.Description == "" || t.Run == nil || t.In == nil || t.Out == nil || t.In.Type != "object":
		return fmt.Errorf("title, description, schemas (an object in) and Run must be set")
	}
	return nil
}

// List gives the tools that the caller may use in at least one team, by name.
func (r *Registry) List(caller identity.Caller) []Tool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := []Tool{}
	for _, t := range r.tools {
		if len(caller.TeamIDs(t.Scope)) > 0 {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b Tool) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Check tells whether the context's caller may call a tool with that input, and
// calls nothing. A tool that the caller may not use is as absent as one that does
// not exist.
func (r *Registry) Check(ctx context.Context, name string, input json.RawMessage) error {
	_, err := r.checked(ctx, name, input)
	return err
}

func (r *Registry) checked(ctx context.Context, name string, input json.RawMessage) (Tool, error) {
	r.mu.RLock()
	t, known := r.tools[name]
	r.mu.RUnlock()
	caller := identity.From(ctx)
	if !caller.SignedIn() {
		return t, problem.New(problem.Unauthorized, "Sign in, or send a token as Authorization: Bearer.")
	}
	if !known || len(caller.TeamIDs(t.Scope)) == 0 {
		return t, problem.New(problem.NotFound, "There is no tool %q for you.", name)
	}
	value, err := decode(input)
	if err != nil {
		return t, err
	}
	if faults := t.In.check(value, ""); len(faults) > 0 {
		return t, problem.FieldErrors(faults)
	}
	if team, named := value.(map[string]any)["team"].(string); named {
		if _, err := identity.RequireTeam(ctx, team, t.Scope); err != nil {
			return t, err
		}
	}
	return t, nil
}

// Call checks the context's caller and the input, runs the tool and gives its
// answer as JSON.
func (r *Registry) Call(ctx context.Context, name string, input json.RawMessage) (json.RawMessage, error) {
	t, err := r.checked(ctx, name, input)
	if err != nil {
		return nil, err
	}
	out, err := t.Run(ctx, input)
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode the answer of tool %s: %w", name, err)
	}
	return answer, nil
}
