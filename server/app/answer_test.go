package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// operationOf finds what openapi.yaml says of a path; words that stand there literally win over {parameters}.
func operationOf(spec *openapi3.T, method, path string) *openapi3.Operation {
	given := strings.Split(path, "/")
	var best *openapi3.Operation
	bestLiteral := -1
	for template, item := range spec.Paths.Map() {
		words := strings.Split(template, "/")
		op := item.GetOperation(method)
		if op == nil || len(words) != len(given) {
			continue
		}
		literal := 0
		for i, w := range words {
			switch {
			case w == given[i]:
				literal++
			case !strings.HasPrefix(w, "{"):
				literal = -len(words)
			}
		}
		if literal > bestLiteral {
			best, bestLiteral = op, literal
		}
	}
	return best
}

// checkAnswer holds an answer to openapi.yaml.
func checkAnswer(spec *openapi3.T, method, path string, status int, contentType string, body []byte) error {
	path, _, _ = strings.Cut(path, "?")
	op := operationOf(spec, method, path)
	if op == nil {
		return fmt.Errorf("no operation is described")
	}
	described := op.Responses.Status(status)
	if described == nil {
		if described = op.Responses.Default(); described == nil || status < 400 {
			return fmt.Errorf("the status is not described")
		}
	}
	kind, _, _ := strings.Cut(contentType, ";")
	media := described.Value.Content.Get(kind)
	if len(described.Value.Content) == 0 {
		if len(body) > 0 {
			return fmt.Errorf("a body is not described: %.100s", body)
		}
		return nil
	}
	if media == nil {
		return fmt.Errorf("the content type %q is not described", contentType)
	}
	if !strings.HasSuffix(kind, "json") {
		return nil
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	if err := media.Schema.Value.VisitJSON(value, openapi3.VisitAsResponse(), openapi3.MultiErrors()); err != nil {
		return err
	}
	return undescribed(media.Schema.Value, value, "")
}

// undescribed finds properties that no schema names: the generated types would not know them.
func undescribed(schema *openapi3.Schema, value any, at string) error {
	switch v := value.(type) {
	case []any:
		if schema.Items != nil {
			for i, item := range v {
				if err := undescribed(schema.Items.Value, item, fmt.Sprintf("%s/%d", at, i)); err != nil {
					return err
				}
			}
		}
	case map[string]any:
		known := propertiesOf(schema)
		if len(known) == 0 {
			return nil // a map, or any object
		}
		for name, item := range v {
			property, ok := known[name]
			if !ok {
				return fmt.Errorf("%s/%s is not described", at, name)
			}
			if err := undescribed(property.Value, item, at+"/"+name); err != nil {
				return err
			}
		}
	}
	return nil
}

func propertiesOf(schema *openapi3.Schema) openapi3.Schemas {
	out := openapi3.Schemas{}
	for _, part := range schema.AllOf {
		for name, p := range propertiesOf(part.Value) {
			out[name] = p
		}
	}
	for name, p := range schema.Properties {
		out[name] = p
	}
	return out
}
