package query

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"text/template"
)

// Template writes a line or a label from a record's values, in the language
// of Go's templates as LogQL's line_format has it: {{.service}} {{.msg | ToUpper}}.
type Template struct{ t *template.Template }

const maxTemplateOutput = 64 << 10

// NewTemplate compiles a template, or says in a sentence why it cannot. What
// could use much memory for little text (printf, repeat) is not there.
func NewTemplate(text string) (*Template, string) {
	if len(text) > 2000 {
		return nil, "The template is longer than 2000 characters."
	}
	t, err := template.New("").Option("missingkey=zero").Funcs(templateFuncs).Parse(text)
	if err != nil {
		return nil, "The template cannot be read: " + strings.TrimPrefix(err.Error(), "template: :1: ") + "."
	}
	return &Template{t}, ""
}

var templateFuncs = func() template.FuncMap {
	unsupported := func(...any) (string, error) { return "", fmt.Errorf("not supported here") }
	m := template.FuncMap{
		"ToLower": strings.ToLower, "ToUpper": strings.ToUpper, "lower": strings.ToLower, "upper": strings.ToUpper,
		"Replace": strings.Replace, "Trim": strings.Trim, "TrimLeft": strings.TrimLeft, "TrimRight": strings.TrimRight,
		"TrimPrefix": strings.TrimPrefix, "TrimSuffix": strings.TrimSuffix, "TrimSpace": strings.TrimSpace,
		"trim": strings.TrimSpace, "trimPrefix": func(p, s string) string { return strings.TrimPrefix(s, p) },
		"trimSuffix": func(p, s string) string { return strings.TrimSuffix(s, p) },
		"replace":    func(old, with, s string) string { return bounded(strings.ReplaceAll(s, old, with)) },
		"contains":   func(part, s string) bool { return strings.Contains(s, part) },
		"hasPrefix":  func(p, s string) bool { return strings.HasPrefix(s, p) },
		"hasSuffix":  func(p, s string) bool { return strings.HasSuffix(s, p) },
		"substr":     substring, "trunc": truncate, "default": orDefault,
		"urlencode": url.QueryEscape, "urldecode": url.QueryUnescape,
		"int":     func(s any) int { f, _ := strconv.ParseFloat(fmt.Sprint(s), 64); return int(f) },
		"float64": func(s any) float64 { f, _ := strconv.ParseFloat(fmt.Sprint(s), 64); return f },
	}
	for _, name := range []string{"printf", "print", "println", "html", "js", "urlquery", "call", "slice", "index"} {
		m[name] = unsupported
	}
	return m
}()

func bounded(s string) string { return s[:min(len(s), maxTemplateOutput)] }

func substring(from, to int, s string) string {
	from = min(max(from, 0), len(s))
	if to < 0 || to > len(s) {
		to = len(s)
	}
	return s[from:max(from, to)]
}

func truncate(n int, s string) string {
	if n < 0 {
		return s[max(0, len(s)+n):]
	}
	return s[:min(n, len(s))]
}

func orDefault(fallback, s string) string {
	if s == "" {
		return fallback
	}
	return s
}

// limited ends an output that grows beyond what a line may be.
type limited struct{ strings.Builder }

func (l *limited) Write(b []byte) (int, error) {
	if l.Len()+len(b) > maxTemplateOutput {
		return 0, fmt.Errorf("longer than %d bytes", maxTemplateOutput)
	}
	return l.Builder.Write(b)
}

func (t *Template) write(v *View) (string, error) {
	values := map[string]string{}
	maps.Insert(values, v.Values())
	values["__line__"] = v.Line()
	var out limited
	if err := t.t.Execute(&out, values); err != nil {
		return "", err
	}
	return out.String(), nil
}
