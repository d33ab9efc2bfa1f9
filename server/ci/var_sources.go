package ci

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/vars"
)

// Vars finds ((vars)) for a build or a check: `((source:path))` in the var_sources
// of the build's pipeline, and what has no source where Deps.Vars looks.
func (s *Service) Vars(ctx context.Context, b engine.Build) (vars.Lookup, error) {
	if b.Untrusted {
		return vars.Static{}, nil // the engine asks for none; see its fork.go
	}
	if b.PipelineID == 0 {
		return s.sourcedVars(ctx, b, nil)
	}
	_, config, err := s.pipelineConfig(ctx, b.PipelineID)
	if err != nil {
		return nil, err
	}
	lookup, err := s.sourcedVars(ctx, b, config.VarSources)
	if err != nil || b.JobID == 0 || b.ID == 0 {
		return lookup, err
	}
	return withInputs(lookup, inputVars{s, b.ID}), nil
}

// withInputs adds the source of typed inputs to those of the pipeline.
func withInputs(lookup vars.Lookup, inputs inputVars) vars.Lookup {
	known, ok := lookup.(vars.Sources)
	if !ok {
		known = vars.Sources{"": lookup}
	}
	if _, taken := known[pipeline.InputSource]; !taken { // a pipeline of old may have a source of this name
		known[pipeline.InputSource] = inputs
	}
	return known
}

// sourcedVars is Vars for sources that are not saved yet.
func (s *Service) sourcedVars(ctx context.Context, b engine.Build, declared []pipeline.VarSource) (vars.Lookup, error) {
	var plain vars.Lookup = vars.Static{}
	var err error
	if s.deps.Vars != nil {
		if plain, err = s.deps.Vars(ctx, b); err != nil {
			return nil, err
		}
	}
	ordered, err := pipeline.OrderVarSources(declared)
	if err != nil || len(ordered) == 0 {
		return plain, err
	}
	// Each source sees those before it only, so that none waits for itself.
	known := vars.Sources{"": plain}
	for _, source := range ordered {
		before := vars.Sources{}
		for name, lookup := range known {
			before[name] = lookup
		}
		known[source.Name] = &lazySource{open: func(ctx context.Context) (vars.Lookup, error) { return s.openSource(ctx, b, source, before) }}
	}
	return known, nil
}

// lazySource opens a var source when the first reference needs it: a pipeline that
// declares a Vault does not depend on it in jobs that use nothing from there.
type lazySource struct {
	open func(context.Context) (vars.Lookup, error)

	mu     sync.Mutex
	opened vars.Lookup
}

// Get opens the source if needed; a failure is tried again by the next reference.
func (l *lazySource) Get(ctx context.Context, ref vars.Ref) (any, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opened == nil {
		opened, err := l.open(ctx)
		if err != nil {
			return nil, false, err
		}
		l.opened = opened
	}
	return l.opened.Get(ctx, ref)
}

// openSource makes the lookup of a source from its config, whose own references are resolved first.
func (s *Service) openSource(ctx context.Context, b engine.Build, source pipeline.VarSource, before vars.Lookup) (lookup vars.Lookup, err error) {
	resolved, err := vars.Interpolate(ctx, source.Config, before)
	if err != nil {
		return nil, fmt.Errorf("var source '%s': %w", source.Name, err)
	}
	switch source.Type {
	case "dummy":
		lookup, err = openDummy(resolved)
	case "vault":
		lookup, err = s.openVault(ctx, b, resolved)
	case "ssm", "secretsmanager":
		lookup, err = s.openAWS(source.Type, b, resolved)
	case "idtoken":
		lookup, err = s.openIDToken(b, resolved)
	default:
		err = fmt.Errorf("%s is no type of var source here; use vault, ssm, secretsmanager, idtoken or dummy, or keep the values as secrets of the team", source.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("var source '%s': %w", source.Name, err)
	}
	return lookup, nil
}

// openDummy is a source whose values stand in the configuration itself.
func openDummy(config any) (vars.Lookup, error) {
	var c struct {
		Vars map[string]any `json:"vars"`
	}
	err := readConfig(config, &c)
	return vars.Static(c.Vars), err
}

// readConfig fills in a typed configuration; keys that we do not know are left alone.
func readConfig(config, into any) error {
	data, err := json.Marshal(config)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("its config cannot be read: %w", err)
	}
	return nil
}
