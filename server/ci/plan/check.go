package plan

import (
	"time"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// CheckOptions say how a check is wanted.
type CheckOptions struct {
	// From is the version to begin with; nil is the latest known.
	From pipeline.Version
	// Interval is used when the resource has none of its own.
	Interval time.Duration
	// SkipInterval checks even when the last check is young: somebody asked for it.
	SkipInterval bool
	// Parents applies SkipInterval to the resource types below as well (`fly
	// check-resource` without --shallow).
	Parents bool
}

// ForResource plans the check of a pipeline's resource.
func ForResource(resource pipeline.Resource, types []pipeline.ResourceType, options CheckOptions) Plan {
	check := Check{
		Name: resource.Name, Resource: resource.Name, Type: resource.Type, Tags: resource.Tags,
		Source:  withDefaults(resource.Source, resource.Type, types),
		Timeout: resource.CheckTimeout,
	}
	return options.plan(check, resource.CheckEvery, types)
}

// ForResourceType plans the check of a custom resource type's image.
func ForResourceType(resourceType pipeline.ResourceType, types []pipeline.ResourceType, options CheckOptions) Plan {
	_, rest, _ := cut(types, resourceType.Name)
	check := Check{
		Name: resourceType.Name, ResourceType: resourceType.Name, Type: resourceType.Type, Tags: resourceType.Tags,
		Source: withDefaults(resourceType.Source, resourceType.Type, rest),
	}
	return options.plan(check, resourceType.CheckEvery, rest)
}

// ForPrototype plans the check of a prototype's image.
func ForPrototype(prototype pipeline.Prototype, types []pipeline.ResourceType, options CheckOptions) Plan {
	check := Check{
		Name: prototype.Name, Prototype: prototype.Name, Type: prototype.Type, Tags: prototype.Tags,
		Source: withDefaults(prototype.Source, prototype.Type, types),
	}
	return options.plan(check, prototype.CheckEvery, types)
}

func (o CheckOptions) plan(check Check, every *pipeline.CheckEvery, types []pipeline.ResourceType) Plan {
	id := (&factory{}).id()
	check.FromVersion = o.From
	check.SkipInterval = o.SkipInterval
	check.Interval = pipeline.CheckEvery{Interval: o.Interval}
	if every != nil && (every.Never || every.Interval > 0) {
		check.Interval = *every
	}
	check.TypeImage = imageForType(id, check.Type, types, check.Tags, o.SkipInterval && o.Parents)
	return Plan{ID: id, Check: &check}
}
