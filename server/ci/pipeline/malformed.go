package pipeline

import (
	"encoding/json"
	"fmt"
	"regexp"

	yamlv3 "gopkg.in/yaml.v3"
	"sigs.k8s.io/yaml"
)

// elementTypes are the list sections with what their elements decode into.
var elementTypes = []struct {
	section string
	make    func() any
}{
	{"groups", func() any { return new(Group) }},
	{"var_sources", func() any { return new(VarSource) }},
	{"resources", func() any { return new(Resource) }},
	{"resource_types", func() any { return new(ResourceType) }},
	{"prototypes", func() any { return new(Prototype) }},
	{"jobs", func() any { return new(Job) }},
}

// firstMalformed finds the innermost part of a source that Parse refused. The
// JSON decoder knows no lines, so this decodes part by part until one fails.
func firstMalformed(root *yamlv3.Node) (at *yamlv3.Node, path string, cause error) {
	resolveOldBooleans(root)
	for _, t := range elementTypes {
		key, list := mappingPair(root, t.section)
		if key == nil {
			continue
		}
		list = resolveAlias(list)
		if list.Kind != yamlv3.SequenceNode {
			if list.Tag != "!!null" {
				return key, t.section, fmt.Errorf("%s must be a list", t.section)
			}
			continue
		}
		for i, item := range list.Content {
			err := decodeNode(item, t.make())
			if err == nil {
				continue
			}
			path := element(t.section, i, mappingText(item, "name"))
			if at, inner, cause := malformedStep(item, path); at != nil {
				return at, inner, cause
			}
			return keyOf(item, err), path, err
		}
	}
	if key, value := mappingPair(root, "display"); key != nil {
		if err := decodeNode(value, new(Display)); err != nil {
			return keyOf(value, err), "display", err
		}
	}
	return nil, "", nil
}

// oldBooleans are words that YAML 1.1, which Concourse reads, takes for true or
// false, while the nodes here come from a YAML 1.2 reader: `put: n` is a trap.
var oldBooleans = regexp.MustCompile(`^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$`)

func resolveOldBooleans(node *yamlv3.Node) {
	if node.Kind == yamlv3.ScalarNode && node.Style == 0 && node.Tag == "!!str" && oldBooleans.MatchString(node.Value) {
		node.Tag, node.Value = "!!bool", "true" // which of the two makes no difference to the type
	}
	for _, child := range node.Content {
		resolveOldBooleans(child)
	}
}

// stepKeys are the keys whose value is a step or a list of steps.
var stepKeys = []string{"plan", "do", "in_parallel", "steps", "try", "on_success", "on_failure", "on_abort", "on_error", "ensure"}

// malformedStep finds the innermost step below node that does not decode.
func malformedStep(node *yamlv3.Node, path string) (*yamlv3.Node, string, error) {
	for _, name := range stepKeys {
		_, value := mappingPair(node, name)
		if value == nil {
			continue
		}
		value = resolveAlias(value)
		below := path + "." + name
		if value.Kind == yamlv3.SequenceNode {
			if name == "plan" {
				below += ".do"
			} else if name == "in_parallel" {
				below += ".steps"
			}
			for i, item := range value.Content {
				if at, inner, err := malformedHere(item, position(below, i)); at != nil {
					return at, inner, err
				}
			}
			continue
		}
		if name == "in_parallel" { // the long spelling is no step itself
			if at, inner, err := malformedStep(value, below); at != nil {
				return at, inner, err
			}
			continue
		}
		if at, inner, err := malformedHere(value, below); at != nil {
			return at, inner, err
		}
	}
	return nil, "", nil
}

func malformedHere(node *yamlv3.Node, path string) (*yamlv3.Node, string, error) {
	err := decodeNode(node, new(Step))
	if err == nil {
		return nil, "", nil
	}
	if at, inner, cause := malformedStep(resolveAlias(node), path); at != nil {
		return at, inner, cause
	}
	return keyOf(node, err), path, err
}

// decodeNode decodes one node as Parse would.
func decodeNode(node *yamlv3.Node, target any) error {
	var tree any
	if err := node.Decode(&tree); err != nil {
		return err
	}
	payload, err := json.Marshal(textKeys(tree))
	if err != nil {
		return err
	}
	if step, ok := target.(*Step); ok {
		return json.Unmarshal(payload, step)
	}
	return yaml.UnmarshalStrict(payload, target)
}

// textKeys turns the keys of mappings into text, as JSON wants them.
func textKeys(tree any) any {
	switch node := tree.(type) {
	case map[string]any:
		for key, value := range node {
			node[key] = textKeys(value)
		}
	case map[any]any:
		wide := make(map[string]any, len(node))
		for key, value := range node {
			wide[fmt.Sprint(key)] = textKeys(value)
		}
		return wide
	case []any:
		for i, value := range node {
			node[i] = textKeys(value)
		}
	}
	return tree
}

var decoderField = regexp.MustCompile(`unknown field "([^"]+)"|Go struct field [\w.]*?(\w+) of type`)

// keyOf shows the key that a decoding error names, else the node.
func keyOf(node *yamlv3.Node, err error) *yamlv3.Node {
	if m := decoderField.FindStringSubmatch(err.Error()); m != nil {
		if key, _ := mappingPair(node, m[1]+m[2]); key != nil {
			return key
		}
	}
	return node
}
