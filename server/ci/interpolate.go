package ci

import (
	"context"

	"sigs.k8s.io/yaml"

	"github.com/signalbox/signalbox/server/ci/vars"
)

// interpolateSource replaces the references that the given values answer, and
// leaves the others for run time.
func interpolateSource(ctx context.Context, source []byte, values []map[string]any) ([]byte, error) {
	var tree any
	if err := yaml.Unmarshal(source, &tree); err != nil {
		return nil, err
	}
	var lookup vars.First
	for _, v := range values {
		lookup = append(lookup, vars.Static(v))
	}
	done, err := vars.InterpolateKnown(ctx, tree, lookup)
	if err != nil {
		return nil, err
	}
	return yaml.Marshal(done)
}
