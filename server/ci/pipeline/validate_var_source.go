package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/ci/vars"
)

// varSourceTypes are the managers that a pipeline may bring along.
var varSourceTypes = []string{"vault", "dummy", "ssm", "secretsmanager", "idtoken"}

// clusterOnlyTypes exist in Concourse but only for the whole installation.
var clusterOnlyTypes = []string{"conjur", "credhub", "kubernetes"}

func (c Config) checkVarSources(r *report) {
	seen := map[string]string{}
	for i, source := range c.VarSources {
		r.name(source.Name, element("var_sources", i, source.Name))
		switch {
		case slices.Contains(varSourceTypes, source.Type):
		case slices.Contains(clusterOnlyTypes, source.Type):
			r.errorf("credential manager type %s is not supported in pipeline yet", source.Type)
		default:
			r.errorf("unknown credential manager type: %s", source.Type)
			continue
		}
		r.unique(seen, source.Name, position("var_sources", i))
	}
	if _, err := OrderVarSources(c.VarSources); err != nil {
		r.errorf("failed to order by dependency: %s", err)
	}
}

// OrderVarSources sorts var sources so that each comes after those that its
// config refers to, keeping the written order where it can.
func OrderVarSources(sources []VarSource) ([]VarSource, error) {
	ready := map[string]bool{}
	var ordered []VarSource
	left := slices.Clone(sources)
	for len(left) > 0 {
		var waiting []VarSource
		for _, source := range left {
			needs, err := source.needs()
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(needs, func(name string) bool { return !ready[name] }) {
				waiting = append(waiting, source)
				continue
			}
			ready[source.Name] = true
			ordered = append(ordered, source)
		}
		if len(waiting) == len(left) {
			names := make([]string, len(waiting))
			for i, source := range waiting {
				names[i] = source.Name
			}
			return nil, fmt.Errorf("could not resolve inter-dependent var sources: %s", strings.Join(names, ", "))
		}
		left = waiting
	}
	return ordered, nil
}

// needs lists the var sources that the config of s refers to.
func (s VarSource) needs() ([]string, error) {
	payload, err := json.Marshal(s.Config)
	if err != nil {
		return nil, fmt.Errorf("read config of var source %s: %w", s.Name, err)
	}
	var names []string
	for _, ref := range vars.Refs(string(payload)) {
		if ref.Source != "" {
			names = append(names, ref.Source)
		}
	}
	return names, nil
}
