package pipeline

import (
	"maps"
	"slices"
)

// checkExtension reports what reading the section found, and what only the rest
// of the pipeline shows to be wrong.
func (c Config) checkExtension(r *report) {
	if c.Signalbox == nil {
		return
	}
	asks := false
	for _, name := range slices.Sorted(maps.Keys(c.Signalbox.Jobs)) {
		if _, ok := c.Job(name); !ok {
			r.errorf("signalbox.jobs.%s: unknown job '%s'", name, name)
		}
		asks = asks || len(c.Signalbox.Jobs[name].Inputs) > 0
	}
	r.errors = append(r.errors, c.Signalbox.problems...)
	for i, source := range c.VarSources {
		if asks && source.Name == InputSource {
			r.errorf("%s.name: '%s' is where the inputs of jobs are found, so no var source can have this name", position("var_sources", i), InputSource)
		}
	}
}
