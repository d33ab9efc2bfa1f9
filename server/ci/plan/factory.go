package plan

import (
	"strconv"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// factory numbers plans in the order in which they are finished: children first.
type factory struct {
	last   int
	types  []pipeline.ResourceType
	manual bool
}

func (f *factory) id() ID {
	f.last++
	return ID(strconv.FormatInt(int64(f.last), 16))
}

// imageForType plans how the image of a resource type is found and fetched. types are
// those that may be used: a type is left out of its own chain, so a type named like
// its base type ends there.
func imageForType(parent ID, typeName string, types []pipeline.ResourceType, tags pipeline.Tags, skipInterval bool) TypeImage {
	found, rest, ok := cut(types, typeName)
	if !ok {
		return TypeImage{BaseType: typeName}
	}
	image := pipeline.ImageResource{
		Name:   found.Name,
		Type:   found.Type,
		Source: withDefaults(found.Source, found.Type, rest),
		Params: found.Params,
		Tags:   found.Tags,
	}
	get, check := FetchImage(parent, image, rest, tags, skipInterval, found.CheckEvery)
	check.Check.ResourceType = typeName
	return TypeImage{
		Check:      check,
		Get:        &get,
		BaseType:   get.Get.TypeImage.BaseType,
		Privileged: found.Privileged,
	}
}

// FetchImage plans the get of an image below the plan parent, and the check that finds
// its version when the image has none (nil otherwise). every nil is the default interval.
func FetchImage(parent ID, image pipeline.ImageResource, types []pipeline.ResourceType, tags pipeline.Tags, skipInterval bool, every *pipeline.CheckEvery) (get Plan, check *Plan) {
	if len(image.Tags) > 0 {
		tags = image.Tags
	}
	get = Plan{ID: parent + "/image-get"}
	get.Get = &Get{
		Name:      image.Name,
		Type:      image.Type,
		Source:    image.Source,
		Params:    image.Params,
		TypeImage: imageForType(get.ID, image.Type, types, tags, skipInterval),
		Tags:      tags,
	}
	if image.Version != nil {
		get.Get.Version = &image.Version
		return get, nil
	}
	check = &Plan{ID: parent + "/image-check"}
	check.Check = &Check{
		Name:         image.Name,
		Type:         image.Type,
		Source:       image.Source,
		TypeImage:    imageForType(check.ID, image.Type, types, tags, skipInterval),
		Tags:         tags,
		SkipInterval: skipInterval,
	}
	if every != nil {
		check.Check.Interval = *every
	}
	get.Get.VersionFrom = &check.ID
	return get, check
}

// withDefaults lays a source over the defaults of its type, if the type is custom.
func withDefaults(source pipeline.Source, typeName string, types []pipeline.ResourceType) pipeline.Source {
	found, _, ok := cut(types, typeName)
	if !ok {
		return source
	}
	return found.Defaults.Merge(source)
}

// WithDefaults lays the image's source over the defaults of its type.
func WithDefaults(image pipeline.ImageResource, types []pipeline.ResourceType) pipeline.ImageResource {
	image.Source = withDefaults(image.Source, image.Type, types)
	return image
}

// cut finds a type and returns the others beside it.
func cut(types []pipeline.ResourceType, name string) (found pipeline.ResourceType, rest []pipeline.ResourceType, ok bool) {
	for i, candidate := range types {
		if candidate.Name == name {
			rest = append(append(rest, types[:i]...), types[i+1:]...)
			return candidate, rest, true
		}
	}
	return found, types, false
}
