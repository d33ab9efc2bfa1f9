package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	yamlv3 "gopkg.in/yaml.v3"
	"sigs.k8s.io/yaml"
)

// Bounds on what Parse accepts. The largest known public pipeline is under
// 1 MB; the rest is room for generated ones.
const (
	maxBytes = 10 << 20
	maxDepth = 200
	// maxNodes counts nodes after aliases are expanded, so that a few lines of
	// nested aliases cannot become gigabytes.
	maxNodes = 300_000
)

// Parse reads a pipeline in YAML or JSON. Unknown top-level keys are ignored,
// because authors keep anchors there; unknown keys below are errors, except in
// steps and task configs, where they are kept for Validate to report. A key that
// is set twice is an error anywhere: fly refuses it before it sends a pipeline.
func Parse(data []byte) (Config, error) {
	root, err := parseNodes(data)
	if err != nil {
		return Config{}, err
	}
	if root == nil || root.Tag == "!!null" {
		return Config{}, nil
	}
	if root.Kind != yamlv3.MappingNode {
		return Config{}, fmt.Errorf("yaml: line %d: a pipeline is a mapping with keys such as jobs and resources", root.Line)
	}
	if err := duplicateKeys(root); err != nil {
		return Config{}, err
	}
	var sections struct {
		Groups        json.RawMessage `json:"groups,omitempty"`
		VarSources    json.RawMessage `json:"var_sources,omitempty"`
		Resources     json.RawMessage `json:"resources,omitempty"`
		ResourceTypes json.RawMessage `json:"resource_types,omitempty"`
		Prototypes    json.RawMessage `json:"prototypes,omitempty"`
		Jobs          json.RawMessage `json:"jobs,omitempty"`
		Display       json.RawMessage `json:"display,omitempty"`
		UserData      json.RawMessage `json:"user_data,omitempty"`
		Signalbox     json.RawMessage `json:"signalbox,omitempty"`
	}
	if err := yaml.Unmarshal(data, &sections); err != nil {
		return Config{}, err
	}
	known, err := json.Marshal(sections)
	if err != nil {
		return Config{}, fmt.Errorf("select sections: %w", err)
	}
	// JSON is YAML; reading it as YAML lets numbers stand where text is meant,
	// as in `name: 8`.
	var config Config
	if err := yaml.UnmarshalStrict(known, &config); err != nil {
		return Config{}, err
	}
	if err := config.adoptExtension(); err != nil {
		return Config{}, err
	}
	return config, nil
}

// decodeYAML is yaml.Unmarshal for bytes from strangers.
func decodeYAML(data []byte, target any) error {
	if _, err := parseNodes(data); err != nil {
		return err
	}
	return yaml.Unmarshal(data, target)
}

// parseNodes gives the document as nodes with positions, without expanding
// aliases, after checking all bounds. It is nil for an empty document.
func parseNodes(data []byte) (*yamlv3.Node, error) {
	if len(data) > maxBytes {
		return nil, fmt.Errorf("the document has %d bytes; at most %d are accepted", len(data), maxBytes)
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("yaml: line %d: the document is not valid UTF-8", invalidLine(data))
	}
	var document yamlv3.Node
	if err := yamlv3.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("error converting YAML to JSON: %w", err)
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	measure := expansion{seen: map[*yamlv3.Node]extent{}}
	if _, err := measure.of(document.Content[0]); err != nil {
		return nil, err
	}
	return document.Content[0], nil
}

// extent is the size of a subtree after expanding aliases.
type extent struct {
	nodes, depth int
	open         bool // still being measured: an alias to it is a cycle
}

type expansion struct {
	seen map[*yamlv3.Node]extent
}

func (e *expansion) of(node *yamlv3.Node) (extent, error) {
	if node.Kind == yamlv3.AliasNode {
		node = node.Alias
	}
	if known, ok := e.seen[node]; ok {
		if known.open {
			return extent{}, fmt.Errorf("yaml: line %d: anchor '%s' value contains itself", node.Line, node.Anchor)
		}
		return known, nil
	}
	e.seen[node] = extent{open: true}
	total := extent{nodes: 1}
	for _, child := range node.Content {
		size, err := e.of(child)
		if err != nil {
			return extent{}, err
		}
		total.nodes += size.nodes
		total.depth = max(total.depth, size.depth)
		if total.nodes > maxNodes {
			return extent{}, fmt.Errorf("yaml: line %d: the document grows to more than %d values", node.Line, maxNodes)
		}
	}
	total.depth++
	if total.depth > maxDepth {
		return extent{}, fmt.Errorf("yaml: line %d: nested deeper than %d levels", node.Line, maxDepth)
	}
	e.seen[node] = total
	return total, nil
}

func invalidLine(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return line
}

// duplicateKeys reports mapping keys that occur twice.
func duplicateKeys(root *yamlv3.Node) error {
	var messages []string
	eachDuplicate(root, func(key *yamlv3.Node) {
		messages = append(messages, fmt.Sprintf("line %d: key %q already set in map", key.Line, key.Value))
	})
	if len(messages) == 0 {
		return nil
	}
	return errors.New("yaml: unmarshal errors:\n  " + strings.Join(messages, "\n  "))
}

func eachDuplicate(node *yamlv3.Node, report func(key *yamlv3.Node)) {
	if node.Kind == yamlv3.MappingNode {
		seen := map[string]bool{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			id := key.Tag + " " + key.Value
			if seen[id] && key.Kind == yamlv3.ScalarNode && key.Tag != "!!merge" {
				report(key)
			}
			seen[id] = true
		}
	}
	for _, child := range node.Content {
		eachDuplicate(child, report)
	}
}
