package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The words that Concourse gives a meaning in get and put steps.
const (
	versionLatest  = "latest"
	versionEvery   = "every"
	inputsAll      = "all"
	inputsDetect   = "detect"
	maxInFlightAll = "all"
)

// VersionConfig is the `version:` of a get step: latest, every or a pinned version.
type VersionConfig struct {
	Every  bool
	Latest bool
	Pinned Version
}

// UnmarshalJSON accepts a word or a mapping of strings.
func (c *VersionConfig) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	*c = VersionConfig{}
	switch v := value.(type) {
	case string:
		c.Every, c.Latest = v == versionEvery, v == versionLatest
	case map[string]any:
		c.Pinned = make(Version, len(v))
		for key, field := range v {
			text, ok := field.(string)
			if !ok {
				return fmt.Errorf("the value %v of %s is not a string", field, key)
			}
			c.Pinned[key] = text
		}
	default:
		return errors.New("unknown type for version")
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (c VersionConfig) MarshalJSON() ([]byte, error) {
	switch {
	case c.Latest:
		return json.Marshal(versionLatest)
	case c.Every:
		return json.Marshal(versionEvery)
	case c.Pinned != nil:
		return json.Marshal(c.Pinned)
	}
	return []byte(`""`), nil
}

// InputsConfig is the `inputs:` of a put step: all artifacts, those its params
// mention, or the listed ones. A put step without it has a nil InputsConfig,
// which means detect.
type InputsConfig struct {
	All       bool
	Detect    bool
	Specified []string
}

// UnmarshalJSON accepts a word or a list of names.
func (c *InputsConfig) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	*c = InputsConfig{}
	switch v := value.(type) {
	case string:
		c.All, c.Detect = v == inputsAll, v == inputsDetect
	case []any:
		c.Specified = make([]string, 0, len(v))
		for _, item := range v {
			name, ok := item.(string)
			if !ok {
				return fmt.Errorf("non-string put input: %v", item)
			}
			c.Specified = append(c.Specified, strings.TrimSpace(name))
		}
	default:
		return errors.New("unknown type for put inputs")
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (c InputsConfig) MarshalJSON() ([]byte, error) {
	switch {
	case c.All:
		return json.Marshal(inputsAll)
	case c.Detect:
		return json.Marshal(inputsDetect)
	case c.Specified != nil:
		return json.Marshal(c.Specified)
	}
	return []byte(`""`), nil
}

// MaxInFlight limits how many values of an across var run at once.
type MaxInFlight struct {
	All   bool
	Limit int
}

// UnmarshalJSON accepts a number or the word all.
func (m *MaxInFlight) UnmarshalJSON(data []byte) error {
	*m = MaxInFlight{}
	if !bytes.HasPrefix(data, []byte{'"'}) {
		return json.Unmarshal(data, &m.Limit)
	}
	var word string
	if err := json.Unmarshal(data, &word); err != nil {
		return err
	}
	if word != maxInFlightAll {
		return fmt.Errorf("invalid max_in_flight %q", word)
	}
	m.All = true
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (m MaxInFlight) MarshalJSON() ([]byte, error) {
	if m.All {
		return json.Marshal(maxInFlightAll)
	}
	return json.Marshal(m.Limit)
}

// Of gives the effective limit for n values; a nil MaxInFlight is one at a time.
func (m *MaxInFlight) Of(n int) int {
	switch {
	case m == nil:
		return 1
	case m.All:
		return n
	}
	return m.Limit
}
