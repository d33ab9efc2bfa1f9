package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// TaskConfig says what a task runs, in which image, with which inputs.
type TaskConfig struct {
	Platform      string           `json:"platform,omitempty"`
	RootfsURI     string           `json:"rootfs_uri,omitempty"`
	ImageResource *ImageResource   `json:"image_resource,omitempty"`
	Limits        *ContainerLimits `json:"container_limits,omitempty"`
	Params        TaskEnv          `json:"params,omitempty"`
	Run           TaskRun          `json:"run,omitzero"`
	Inputs        []TaskInput      `json:"inputs,omitempty"`
	Outputs       []TaskOutput     `json:"outputs,omitempty"`
	Caches        []TaskCache      `json:"caches,omitempty"`

	// UnknownFields are keys that a task does not have, usually typing errors.
	UnknownFields map[string]json.RawMessage `json:"-"`
}

// ImageResource is an image that is fetched like a resource, without being one
// of the pipeline's.
type ImageResource struct {
	Name    string  `json:"name"`
	Type    string  `json:"type"`
	Source  Source  `json:"source"`
	Version Version `json:"version,omitempty"`
	Params  Params  `json:"params,omitempty"`
	Tags    Tags    `json:"tags,omitempty"`
}

// TaskRun is the program. Path may be empty where the image has an entrypoint.
type TaskRun struct {
	Path string   `json:"path"`
	Args []string `json:"args,omitempty"`
	Dir  string   `json:"dir,omitempty"`
	User string   `json:"user,omitempty"`
}

// TaskInput is an artifact mounted at Path, by default at its name.
type TaskInput struct {
	Name     string `json:"name"`
	Path     string `json:"path,omitempty"`
	Optional bool   `json:"optional,omitempty"`
}

// TaskOutput is a directory that later steps see as an artifact.
type TaskOutput struct {
	Name string `json:"name"`
	Path string `json:"path,omitempty"`
}

// TaskCache is a directory that the next run of the same task finds again.
type TaskCache struct {
	Path string `json:"path,omitempty"`
	TTL  string `json:"ttl,omitempty"`
}

// ParseTask reads a task file and validates it.
func ParseTask(data []byte) (TaskConfig, error) {
	var config TaskConfig
	if err := decodeYAML(data, &config); err != nil {
		return TaskConfig{}, err
	}
	if len(config.UnknownFields) > 0 {
		return TaskConfig{}, fmt.Errorf("unknown fields: %v", sortedKeys(config.UnknownFields))
	}
	if messages := config.Validate(); len(messages) > 0 {
		return TaskConfig{}, errors.New("invalid task configuration:\n" + strings.Join(messages, "\n"))
	}
	return config, nil
}

// UnmarshalJSON keeps unknown keys apart instead of failing, so that
// validation can report them all with their place.
func (c *TaskConfig) UnmarshalJSON(data []byte) error {
	var left map[string]json.RawMessage
	if err := json.Unmarshal(data, &left); err != nil {
		return err
	}
	type plain TaskConfig
	*c = TaskConfig{}
	if err := claim(left, (*plain)(c)); err != nil {
		return err
	}
	if len(left) > 0 {
		c.UnknownFields = left
	}
	return nil
}

// Validate gives one message for each mistake; none means that the task can run.
func (c TaskConfig) Validate() []string {
	var messages []string
	if c.Platform == "" {
		messages = append(messages, "missing 'platform'")
	}
	for i, input := range c.Inputs {
		if input.Name == "" {
			messages = append(messages, fmt.Sprintf("  input in position %d is missing a name", i))
		}
	}
	for i, output := range c.Outputs {
		if output.Name == "" {
			messages = append(messages, fmt.Sprintf("  output in position %d is missing a name", i))
		}
	}
	return messages
}

// UnmarshalJSON refuses a lifetime that is not a duration of a second or more.
func (c *TaskCache) UnmarshalJSON(data []byte) error {
	type plain TaskCache
	if err := json.Unmarshal(data, (*plain)(c)); err != nil {
		return err
	}
	if c.TTL == "" {
		return nil
	}
	ttl, err := time.ParseDuration(c.TTL)
	if err != nil {
		return fmt.Errorf("invalid cache ttl '%s': %w", c.TTL, err)
	}
	if ttl < time.Second {
		return fmt.Errorf("cache ttl must be at least 1s, got '%s'", c.TTL)
	}
	return nil
}

// TaskEnv are the environment variables of a task. Values of any YAML type are
// accepted: numbers and booleans as written, null as "", the rest as JSON.
type TaskEnv map[string]string

// UnmarshalJSON turns every value into text.
func (e *TaskEnv) UnmarshalJSON(data []byte) error {
	var raw map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // a long number must not become 1e+20
	if err := decoder.Decode(&raw); err != nil {
		return err
	}
	env := make(TaskEnv, len(raw))
	for name, value := range raw {
		text, err := envText(value)
		if err != nil {
			return err
		}
		env[name] = text
	}
	*e = env
	return nil
}

func envText(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	}
	payload, err := json.Marshal(value)
	return string(payload), err
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
