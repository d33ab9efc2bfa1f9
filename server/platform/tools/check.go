package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// check holds a decoded document against the schema and names every field at
// fault, so that a model can mend its call in one go.
func (s *Schema) check(value any, path string) []problem.Field {
	switch s.Type {
	case "":
		return nil
	case "object":
		return s.checkObject(value, path)
	case "array":
		list, ok := value.([]any)
		if !ok {
			return wrong(path, "an array", value)
		}
		var faults []problem.Field
		for i, v := range list {
			faults = append(faults, s.Items.check(v, path+"["+strconv.Itoa(i)+"]")...)
		}
		return faults
	case "string":
		text, ok := value.(string)
		if !ok {
			return wrong(path, "a string", value)
		}
		if s.Enum != nil && !slices.Contains(s.Enum, text) {
			return []problem.Field{{Field: path, Message: fmt.Sprintf("%.60q is not one of %s", text, strings.Join(s.Enum, ", "))}}
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			return wrong(path, "true or false", value)
		}
	case "integer":
		if n, ok := value.(json.Number); !ok || strings.ContainsAny(n.String(), ".eE") {
			return wrong(path, "a whole number", value)
		}
	case "number":
		if _, ok := value.(json.Number); !ok {
			return wrong(path, "a number", value)
		}
	}
	return nil
}

func (s *Schema) checkObject(value any, path string) []problem.Field {
	object, ok := value.(map[string]any)
	if !ok {
		return wrong(path, "an object", value)
	}
	var faults []problem.Field
	for _, name := range s.Required {
		if _, there := object[name]; !there {
			faults = append(faults, problem.Field{Field: join(path, name), Message: "is missing"})
		}
	}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		field := s.Properties[name]
		if field == nil {
			if field, _ = s.Additional.(*Schema); field == nil {
				faults = append(faults, problem.Field{Field: join(path, name), Message: "is not a field of this tool"})
				continue
			}
		}
		if object[name] == nil && !slices.Contains(s.Required, name) {
			continue // null is how some clients leave an optional field out
		}
		faults = append(faults, field.check(object[name], join(path, name))...)
	}
	return faults
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func wrong(path, expected string, value any) []problem.Field {
	if path == "" {
		path = "input"
	}
	got := "something else"
	switch value.(type) {
	case nil:
		got = "null"
	case string:
		got = "a string"
	case bool:
		got = "a boolean"
	case json.Number:
		got = "a number"
	case []any:
		got = "an array"
	case map[string]any:
		got = "an object"
	}
	return []problem.Field{{Field: path, Message: "is " + got + " where " + expected + " is expected"}}
}

func decode(raw json.RawMessage) (any, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return map[string]any{}, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "The tool's input is not JSON: %s.", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, problem.New(problem.Invalid, "There is more after the tool's input.")
	}
	return value, nil
}
