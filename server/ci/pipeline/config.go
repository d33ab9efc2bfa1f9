package pipeline

import (
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Config is a whole pipeline as its author wrote it; `((vars))` are still in place.
type Config struct {
	Groups        []Group        `json:"groups,omitempty"`
	VarSources    []VarSource    `json:"var_sources,omitempty"`
	Resources     []Resource     `json:"resources,omitempty"`
	ResourceTypes []ResourceType `json:"resource_types,omitempty"`
	Prototypes    []Prototype    `json:"prototypes,omitempty"`
	Jobs          []Job          `json:"jobs,omitempty"`
	Display       *Display       `json:"display,omitempty"`
	UserData      any            `json:"user_data,omitempty"`
	// Signalbox is ours alone; Concourse and fly ignore the key.
	Signalbox *Extension `json:"signalbox,omitempty"`
}

// Group is one tab of the pipeline page. Jobs holds glob expressions.
type Group struct {
	Name      string   `json:"name"`
	Jobs      []string `json:"jobs,omitempty"`
	Resources []string `json:"resources,omitempty"`
}

// VarSource declares where `((name:path))` references are looked up.
type VarSource struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Config any    `json:"config"`
}

// Source configures a resource or a resource type; its keys belong to the type.
type Source map[string]any

// Params are free parameters of a step, interpreted by the resource type.
type Params map[string]any

// Version identifies one version of a resource.
type Version map[string]string

// InstanceVars tell pipelines of the same name apart.
type InstanceVars map[string]any

// Resource is one external thing that jobs get and put.
type Resource struct {
	Name                 string      `json:"name"`
	OldName              string      `json:"old_name,omitempty"`
	Public               bool        `json:"public,omitempty"`
	WebhookToken         string      `json:"webhook_token,omitempty"`
	Type                 string      `json:"type"`
	Source               Source      `json:"source"`
	CheckEvery           *CheckEvery `json:"check_every,omitempty"`
	CheckTimeout         string      `json:"check_timeout,omitempty"`
	Tags                 Tags        `json:"tags,omitempty"`
	Version              Version     `json:"version,omitempty"`
	Icon                 string      `json:"icon,omitempty"`
	ExposeBuildCreatedBy bool        `json:"expose_build_created_by,omitempty"`
}

// ResourceType is a resource type that the pipeline brings along as an image.
type ResourceType struct {
	Name       string      `json:"name"`
	Type       string      `json:"type"`
	Source     Source      `json:"source"`
	Defaults   Source      `json:"defaults,omitempty"`
	Privileged bool        `json:"privileged,omitempty"`
	CheckEvery *CheckEvery `json:"check_every,omitempty"`
	Tags       Tags        `json:"tags,omitempty"`
	Params     Params      `json:"params,omitempty"`
}

// Prototype is the image behind `run:` steps; it has the keys of a resource type.
type Prototype ResourceType

// Display changes how the pipeline page looks.
type Display struct {
	BackgroundImage  string `json:"background_image,omitempty"`
	BackgroundFilter string `json:"background_filter,omitempty"`
}

// Job finds a job by name.
func (c Config) Job(name string) (Job, bool) {
	return find(c.Jobs, func(j Job) bool { return j.Name == name })
}

// Resource finds a resource by name.
func (c Config) Resource(name string) (Resource, bool) {
	return find(c.Resources, func(r Resource) bool { return r.Name == name })
}

// ResourceType finds a custom resource type by name; base types are not listed.
func (c Config) ResourceType(name string) (ResourceType, bool) {
	return find(c.ResourceTypes, func(t ResourceType) bool { return t.Name == name })
}

// Prototype finds a prototype by name.
func (c Config) Prototype(name string) (Prototype, bool) {
	return find(c.Prototypes, func(p Prototype) bool { return p.Name == name })
}

// TypeChain lists the custom resource types that must be fetched to use
// typeName, nearest first. A type is left out of the search below itself, so a
// type named like its base type ends at the base type and a cycle cannot hang.
// base is the type at the bottom, which a worker must know.
func (c Config) TypeChain(typeName string) (chain []ResourceType, base string) {
	left := slices.Clone(c.ResourceTypes)
	for {
		i := slices.IndexFunc(left, func(t ResourceType) bool { return t.Name == typeName })
		if i < 0 {
			return chain, typeName
		}
		chain = append(chain, left[i])
		typeName = left[i].Type
		left = slices.Delete(left, i, i+1)
	}
}

// Merge lays other over the defaults in s; only top-level keys are compared.
func (s Source) Merge(other Source) Source {
	if len(s) == 0 {
		return other
	}
	merged := make(Source, len(s)+len(other))
	for k, v := range s {
		merged[k] = v
	}
	for k, v := range other {
		merged[k] = v
	}
	return merged
}

func find[T any](list []T, match func(T) bool) (T, bool) {
	if i := slices.IndexFunc(list, match); i >= 0 {
		return list[i], true
	}
	var none T
	return none, false
}

// CheckEvery is the polling interval of a resource: a Go duration or "never".
// The zero value means "the server's default".
type CheckEvery struct {
	Never    bool
	Interval time.Duration
}

// UnmarshalJSON accepts "never", a Go duration or the empty string.
func (c *CheckEvery) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	text, ok := value.(string)
	if !ok {
		return errors.New("non-string value provided")
	}
	*c = CheckEvery{}
	switch text {
	case "":
		return nil
	case "never":
		c.Never = true
		return nil
	}
	interval, err := time.ParseDuration(text)
	c.Interval = interval
	return err
}

// MarshalJSON writes what UnmarshalJSON reads.
func (c CheckEvery) MarshalJSON() ([]byte, error) {
	switch {
	case c.Never:
		return []byte(`"never"`), nil
	case c.Interval == 0:
		return []byte(`""`), nil
	}
	return json.Marshal(c.Interval.String())
}

// Tags select workers. Empty elements are dropped, so `tags: [""]` means none.
type Tags []string

// UnmarshalJSON drops empty tags.
func (t *Tags) UnmarshalJSON(data []byte) error {
	var all []string
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(tag string) bool { return tag == "" })
	if len(all) == 0 {
		all = nil
	}
	*t = all
	return nil
}
