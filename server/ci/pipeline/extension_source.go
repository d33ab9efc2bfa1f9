package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// The extension as a var source, a place which fly compares, shows and sends
// back. Type dummy, because fly's own check knows the types of var sources.
const (
	extensionSource     = "signalbox"
	extensionSourceType = "dummy"
)

// adoptExtension moves the extension from the var source to its own section.
func (c *Config) adoptExtension() error {
	at := slices.IndexFunc(c.VarSources, isExtension)
	if at < 0 {
		return nil
	}
	if c.Signalbox != nil {
		return errors.New("signalbox: given both as a key and as a var source; keep one")
	}
	raw, err := json.Marshal(c.VarSources[at].Config)
	if err != nil {
		return fmt.Errorf("read the var source %s: %w", extensionSource, err)
	}
	var config struct {
		Vars Extension `json:"vars"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return fmt.Errorf("var_sources.%s.config: %w", extensionSource, err)
	}
	c.VarSources = slices.Delete(slices.Clone(c.VarSources), at, at+1)
	c.Signalbox = &config.Vars
	return nil
}

func isExtension(s VarSource) bool { return s.Name == extensionSource && s.Type == extensionSourceType }

// ForFly is the pipeline with its extension where fly does not lose it. Parse
// reads the result as it reads c.
func (c Config) ForFly() Config {
	if c.Signalbox == nil {
		return c
	}
	c.VarSources = append(slices.Clone(c.VarSources), VarSource{Name: extensionSource, Type: extensionSourceType, Config: map[string]any{"vars": c.Signalbox}})
	c.Signalbox = nil
	return c
}
