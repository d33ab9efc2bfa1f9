package pipeline

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	yamlv3 "gopkg.in/yaml.v3"
)

// Severity tells a message that stops a pipeline from being set from a remark.
type Severity string

// The severities of a Diagnostic.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Diagnostic is one message with its place in the source, for an editor. Line
// and Column start at 1. Message does not repeat Path.
type Diagnostic struct {
	Line     int      `json:"line"`
	Column   int      `json:"column"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	Path     string   `json:"path"`
}

// Diagnose lists everything that is wrong with the source of a pipeline. A
// source that cannot be read as a pipeline gives only the reason for that.
func Diagnose(data []byte) []Diagnostic {
	root, err := parseNodes(data)
	if err != nil {
		d := fromError(err.Error())
		if line := syntaxLine(data); line > 0 {
			d.Line = line
		}
		return []Diagnostic{d}
	}
	if list := duplicateDiagnostics(root); len(list) > 0 {
		return list
	}
	config, err := Parse(data)
	if err != nil {
		d := fromError(err.Error())
		if at, path, cause := firstMalformed(root); at != nil {
			d.Line, d.Column, d.Path = at.Line, at.Column, path
			d.Message = plainError(cause.Error())
		}
		return []Diagnostic{d}
	}
	var list []Diagnostic
	sections, warnings := Validate(config)
	for _, section := range sections {
		lines := strings.Split(strings.TrimSuffix(section, "\n"), "\n\t")
		for _, message := range lines[1:] {
			list = append(list, place(root, SeverityError, message))
		}
	}
	for _, warning := range warnings {
		list = append(list, place(root, SeverityWarning, warning.Message))
	}
	return list
}

func duplicateDiagnostics(root *yamlv3.Node) []Diagnostic {
	var list []Diagnostic
	if root == nil {
		return nil
	}
	eachDuplicate(root, func(key *yamlv3.Node) {
		list = append(list, Diagnostic{
			Line: key.Line, Column: key.Column, Severity: SeverityError, Path: key.Value,
			Message: fmt.Sprintf("key %q already set in map", key.Value),
		})
	})
	return list
}

var lineNumber = regexp.MustCompile(`line (\d+)`)

func fromError(text string) Diagnostic {
	d := Diagnostic{Line: 1, Column: 1, Severity: SeverityError, Message: plainError(text)}
	if m := lineNumber.FindStringSubmatch(text); m != nil {
		// The pattern allows digits only; a number too large to read stays at 1.
		if n, err := strconv.Atoi(m[1]); err == nil {
			d.Line = n
		}
	}
	return d
}

var (
	decoderWords = regexp.MustCompile(`error converting YAML to JSON: |error unmarshaling JSON: |while decoding JSON: |json: |yaml: (?:line \d+: )?`)
	wrongType    = regexp.MustCompile(`cannot unmarshal (\w+) into Go struct field [\w.]*?(\w+) of type (\S+)`)
	jsonWords    = map[string]string{
		"string": "text", "number": "a number", "bool": "true or false", "object": "a mapping", "array": "a list",
	}
)

// plainError says what the decoders mean in the words of YAML.
func plainError(text string) string {
	text = decoderWords.ReplaceAllString(text, "")
	m := wrongType.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	wants := "a mapping"
	switch goType := strings.TrimLeft(m[3], "*"); {
	case strings.HasPrefix(goType, "[]") || strings.HasSuffix(goType, "Tags"):
		wants = "a list"
	case goType == "string":
		wants = "text"
	case goType == "bool":
		wants = "true or false"
	case strings.HasPrefix(goType, "int"):
		wants = "a whole number"
	}
	plain := fmt.Sprintf("'%s' must be %s, not %s", m[2], wants, jsonWords[m[1]])
	return strings.Replace(text, m[0], plain, 1)
}

// place turns a validation message into a diagnostic.
func place(root *yamlv3.Node, severity Severity, message string) Diagnostic {
	d := Diagnostic{Line: 1, Column: 1, Severity: severity, Message: message}
	if root == nil {
		return d
	}
	d.Path = subject(message)
	l := newLocator(root).follow(d.Path)
	if line, column := l.position(); line > 0 {
		d.Line, d.Column = line, column
	}
	if at := l.mentioned(message); at != nil {
		d.Line, d.Column = at.Line, at.Column
	}
	for strings.HasPrefix(d.Message, d.Path+": ") {
		d.Message = d.Message[len(d.Path)+2:]
	}
	return d
}

// subjects are the messages that do not start with their context.
var subjects = []struct {
	pattern *regexp.Regexp
	path    string
}{
	{regexp.MustCompile(`^\S+ and (\S+) have the same name`), "$1"},
	{regexp.MustCompile(`^resource '(.*)' is not used$`), "resources.$1"},
	{regexp.MustCompile(`^job '(.*)' belongs to no group$`), "jobs.$1"},
	{regexp.MustCompile(`^pipeline contains a cycle that starts at Job '(.*)'$`), "jobs.$1"},
	{regexp.MustCompile(`^group '(.*)' has unknown resource '.*'$`), "groups.$1.resources"},
	{regexp.MustCompile(`^group '(.*)' appears \d+ times`), "groups.$1"},
	{regexp.MustCompile(` for group '(.*)'$`), "groups.$1.jobs"},
	{regexp.MustCompile(`^background_image `), "display.background_image"},
	{regexp.MustCompile(`credential manager|^failed to order by dependency`), "var_sources"},
	{regexp.MustCompile(`^(\S+?)\.build_logs_to_retain is deprecated`), "$1.build_logs_to_retain"},
	{regexp.MustCompile(`^(\S+) has negative (build_log\w+)`), "$1.$2"},
	{regexp.MustCompile(`^(\S+) (?:has no|has build_log|can't use both)`), "$1"},
}

// subject is the context that a message is about.
func subject(message string) string {
	for _, s := range subjects {
		if m := s.pattern.FindStringSubmatchIndex(message); m != nil {
			return string(s.pattern.ExpandString(nil, s.path, message, m))
		}
	}
	if i := strings.Index(message, ": "); i >= 0 {
		return message[:i]
	}
	return ""
}

var (
	unknownField = regexp.MustCompile(`: unknown fields \["([^"]*)"`)
	quotedName   = regexp.MustCompile(`(?:for|resource|match) '([^']*)'`)
)

// mentioned finds the key or list element below the located node that a message
// quotes, which is closer to the mistake than the node itself.
func (l *locator) mentioned(message string) *yamlv3.Node {
	if m := unknownField.FindStringSubmatch(message); m != nil {
		key, _ := mappingPair(l.top(), m[1])
		return key
	}
	m := quotedName.FindStringSubmatch(message)
	if m == nil || l.top().Kind != yamlv3.SequenceNode {
		return nil
	}
	for _, item := range l.top().Content {
		if item.Value == m[1] {
			return item
		}
	}
	return nil
}
