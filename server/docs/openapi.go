package docs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// surface is one capability's part of our own API.
type surface struct{ name, title string }

var surfaces = []surface{{"ci", "Pipelines"}, {"issues", "Errors"}, {"logs", "Logs"}, {"assistant", "Assistant"}, {"edge", "Edge"}, {"accounts", "Accounts"}, {"system", "System"}}

// The part of OpenAPI that the reference shows.
type (
	description struct {
		Paths      map[string]address `json:"paths"`
		Components struct {
			Schemas    map[string]*schema    `json:"schemas"`
			Parameters map[string]*parameter `json:"parameters"`
		} `json:"components"`
	}
	address struct {
		Parameters []*parameter `json:"parameters"`
		Get        *operation   `json:"get"`
		Post       *operation   `json:"post"`
		Put        *operation   `json:"put"`
		Patch      *operation   `json:"patch"`
		Delete     *operation   `json:"delete"`
	}
	operation struct {
		Summary     string       `json:"summary"`
		Description string       `json:"description"`
		Parameters  []*parameter `json:"parameters"`
		RequestBody struct {
			Content map[string]struct {
				Schema *schema `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
	}
	parameter struct {
		Ref         string  `json:"$ref"`
		Name        string  `json:"name"`
		In          string  `json:"in"`
		Required    bool    `json:"required"`
		Description string  `json:"description"`
		Schema      *schema `json:"schema"`
	}
	schema struct {
		Ref         string             `json:"$ref"`
		Type        string             `json:"type"`
		Description string             `json:"description"`
		Enum        []any              `json:"enum"`
		Items       *schema            `json:"items"`
		Properties  map[string]*schema `json:"properties"`
		Required    []string           `json:"required"`
		AllOf       []*schema          `json:"allOf"`
	}
)

// api is a chapter for each capability, made of the description and the route table.
func (f Facts) api() ([]chapter, error) {
	var d description
	if err := yaml.Unmarshal(f.OpenAPI, &d); err != nil {
		return nil, fmt.Errorf("read the description of the API: %w", err)
	}
	access := map[string]string{}
	for _, r := range f.Routes {
		access[r.Method+" "+braced(r.Path)] = r.Access
	}
	var list []chapter
	for _, a := range surfaces {
		var b strings.Builder
		fmt.Fprintf(&b, "# API: %s\n\nOur own API, JSON over HTTP. Sign in with a cookie, or send a token as `Authorization: Bearer`. Errors are `application/problem+json`. "+
			"Lists take `team`. Unknown fields are refused by name. [The whole description](/docs/assets/openapi.yaml) is OpenAPI 3.\n", a.title)
		prefix, noun := "/api/v1/"+a.name+"/", ""
		for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
			if !strings.HasPrefix(path, prefix) && (a.name != "system" || path != "/api/v1/stream") {
				continue
			}
			if word, _, _ := strings.Cut(strings.TrimPrefix(path, prefix), "/"); word != noun && strings.HasPrefix(path, prefix) {
				noun = word
				fmt.Fprintf(&b, "\n## %s\n", noun)
			}
			at := d.Paths[path]
			for _, m := range []struct {
				method string
				op     *operation
			}{{"GET", at.Get}, {"POST", at.Post}, {"PUT", at.Put}, {"PATCH", at.Patch}, {"DELETE", at.Delete}} {
				if m.op != nil {
					m.op.Parameters = slices.Concat(at.Parameters, m.op.Parameters)
					d.operation(&b, m.method, path, access[m.method+" "+path], *m.op)
				}
			}
		}
		list = append(list, chapter{"api-" + a.name, b.String()})
	}
	return list, nil
}

// braced writes a route's parameters as the description does: {id} for :id.
func braced(path string) string {
	words := strings.Split(path, "/")
	for i, w := range words {
		if w != "" && (w[0] == ':' || w[0] == '*') {
			words[i] = "{" + w[1:] + "}"
		}
	}
	return strings.Join(words, "/")
}

func (d description) operation(b *strings.Builder, method, path, access string, op operation) {
	fmt.Fprintf(b, "\n### %s\n\n`%s %s`", cell(op.Summary), method, path)
	if access != "" {
		fmt.Fprintf(b, " · %s", cell(access))
	}
	b.WriteString("\n")
	if op.Description != "" {
		fmt.Fprintf(b, "\n%s\n", cell(op.Description))
	}
	rows := []string{}
	for _, p := range op.Parameters {
		if p.Ref != "" {
			p = d.Components.Parameters[last(p.Ref)]
		}
		if p != nil {
			rows = append(rows, row(p.Name, p.In, p.Required, d.kind(p.Schema), cmp.Or(p.Description, describe(p.Schema))))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(op.RequestBody.Content)) {
		if kind != "application/json" {
			rows = append(rows, row("", "body", true, kind, ""))
			continue
		}
		properties, required := d.fields(op.RequestBody.Content[kind].Schema, 0)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			rows = append(rows, row(name, "body", slices.Contains(required, name), d.kind(properties[name]), describe(properties[name])))
		}
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "\n| | In | Kind | |\n|---|---|---|---|\n%s", strings.Join(rows, ""))
	}
}

func row(name, in string, required bool, kind, meaning string) string {
	if required && in != "path" {
		kind += ", needed"
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", tick(name), in, cell(kind), cell(meaning))
}

func describe(s *schema) string {
	if s == nil {
		return ""
	}
	return s.Description
}

func last(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// fields are the properties of a body, through references.
func (d description) fields(s *schema, depth int) (map[string]*schema, []string) {
	if s == nil || depth > 4 {
		return nil, nil
	}
	if s.Ref != "" {
		return d.fields(d.Components.Schemas[last(s.Ref)], depth+1)
	}
	all, required := map[string]*schema{}, slices.Clone(s.Required)
	maps.Copy(all, s.Properties)
	for _, part := range s.AllOf {
		more, needed := d.fields(part, depth+1)
		maps.Copy(all, more)
		required = append(required, needed...)
	}
	return all, required
}

// kind is a schema in a word or two.
func (d description) kind(s *schema) string {
	switch {
	case s == nil:
		return ""
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, w := range s.Enum {
			words[i] = fmt.Sprint(w)
		}
		return "one of " + strings.Join(words, ", ")
	case s.Ref != "":
		if of := d.Components.Schemas[last(s.Ref)]; of != nil && (len(of.Enum) > 0 || of.Type != "object" && len(of.AllOf) == 0) {
			return d.kind(of)
		}
		return last(s.Ref)
	case s.Type == "array":
		return "list of " + cmp.Or(d.kind(s.Items), "anything")
	}
	return s.Type
}
