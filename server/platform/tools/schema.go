package tools

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Schema is the part of JSON Schema (2020-12) that our structs need.
type Schema struct {
	Type        string             `json:"type,omitempty"`
	Description string             `json:"description,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Format      string             `json:"format,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	// Additional is false for our structs, a schema for maps.
	Additional any `json:"additionalProperties,omitempty"`
}

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
	textType = reflect.TypeFor[encoding.TextMarshaler]()
)

// SchemaOf derives the schema of a Go type. Field tags: json as usual (a field
// without omitempty or omitzero is required), doc for the description, enum for
// the words allowed, separated by commas. It fails for types JSON has no form for
// and for recursive ones.
func SchemaOf(t reflect.Type) (*Schema, error) { return schemaOf(t, nil) }

func schemaOf(t reflect.Type, path []reflect.Type) (*Schema, error) {
	for _, outer := range path {
		if outer == t {
			return nil, fmt.Errorf("%s contains itself", t)
		}
	}
	switch {
	case t == timeType:
		return &Schema{Type: "string", Format: "date-time"}, nil
	case t == rawType:
		return &Schema{}, nil
	case t.Implements(textType):
		return &Schema{Type: "string"}, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return &Schema{Type: "boolean"}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &Schema{Type: "integer"}, nil
	case reflect.Float32, reflect.Float64:
		return &Schema{Type: "number"}, nil
	case reflect.String:
		return &Schema{Type: "string"}, nil
	case reflect.Interface:
		return &Schema{}, nil
	case reflect.Pointer:
		return schemaOf(t.Elem(), path)
	case reflect.Slice, reflect.Array:
		items, err := schemaOf(t.Elem(), append(path, t))
		return &Schema{Type: "array", Items: items}, err
	case reflect.Map:
		values, err := schemaOf(t.Elem(), append(path, t))
		return &Schema{Type: "object", Additional: values}, err
	case reflect.Struct:
		s := &Schema{Type: "object", Properties: map[string]*Schema{}, Additional: false}
		return s, s.addFields(t, append(path, t))
	}
	return nil, fmt.Errorf("%s has no JSON schema", t)
}

func (s *Schema) addFields(t reflect.Type, path []reflect.Type) error {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			if err := s.addFields(f.Type, append(path, f.Type)); err != nil {
				return err
			}
			continue
		}
		if name == "" {
			name = f.Name
		}
		field, err := schemaOf(f.Type, path)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		field.Description = f.Tag.Get("doc")
		if words := f.Tag.Get("enum"); words != "" {
			field.Enum = strings.Split(words, ",")
		}
		s.Properties[name] = field
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			s.Required = append(s.Required, name)
		}
	}
	return nil
}
