package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// extensionReader decodes an Extension key by key, so that every message names
// the path of what it is about and one mistake does not hide the next.
type extensionReader struct {
	problems []string
}

func (r *extensionReader) errorf(at, format string, args ...any) {
	r.problems = append(r.problems, at+": "+fmt.Sprintf(format, args...))
}

type fieldReader func(at string, raw json.RawMessage)

func (r *extensionReader) extension(at string, raw json.RawMessage) Extension {
	var e Extension
	r.mapping(at, raw, map[string]fieldReader{
		"jobs": func(at string, raw json.RawMessage) {
			e.Jobs = map[string]JobExtension{}
			r.entries(at, raw, func(name, at string, raw json.RawMessage) { e.Jobs[name] = r.job(at, raw) })
		},
	})
	return e
}

func (r *extensionReader) job(at string, raw json.RawMessage) JobExtension {
	var j JobExtension
	if kindOf(raw) == "nothing" {
		return j
	}
	r.mapping(at, raw, map[string]fieldReader{
		"inputs": func(at string, raw json.RawMessage) {
			r.list(at, raw, func(at string, raw json.RawMessage) { j.Inputs = append(j.Inputs, r.input(at, raw)) })
			r.repeated(at, j.Inputs)
		},
		"cancel_superseded": func(at string, raw json.RawMessage) { j.CancelSuperseded = r.boolean(at, raw) },
		"test_reports":      func(at string, raw json.RawMessage) { j.TestReports = r.globs(at, raw) },
		"artifacts": func(at string, raw json.RawMessage) {
			r.list(at, raw, func(at string, raw json.RawMessage) { j.Artifacts = append(j.Artifacts, r.artifact(at, raw)) })
		},
		"sbom": func(at string, raw json.RawMessage) { j.SBOM = r.globs(at, raw) },
	})
	return j
}

func (r *extensionReader) input(at string, raw json.RawMessage) Input {
	in := Input{Type: InputString}
	read := r.mapping(at, raw, map[string]fieldReader{
		"name":        func(at string, raw json.RawMessage) { in.Name = r.text(at, raw) },
		"type":        func(at string, raw json.RawMessage) { in.Type = InputType(r.text(at, raw)) },
		"description": func(at string, raw json.RawMessage) { in.Description = r.text(at, raw) },
		"required":    func(at string, raw json.RawMessage) { in.Required = r.boolean(at, raw) },
		"default":     func(at string, raw json.RawMessage) { in.Default = r.scalar(at, raw) },
		"options":     func(at string, raw json.RawMessage) { in.Options = r.texts(at, raw) },
		"pattern":     func(at string, raw json.RawMessage) { in.Pattern = r.text(at, raw) },
	})
	if read {
		r.checkInput(at, in)
	}
	return in
}

// inputName has no dots and quotes, which would need quoting in ((input:name)).
var inputName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

func (r *extensionReader) checkInput(at string, in Input) {
	switch {
	case in.Name == "":
		r.problems = append(r.problems, at+" has no name")
	case !inputName.MatchString(in.Name):
		r.errorf(at+".name", "'%s' is not a name of letters, digits, - and _ that begins with a letter", in.Name)
	}
	switch in.Type {
	case InputString, InputChoice, InputBool, InputSecret:
	default:
		r.errorf(at+".type", "'%s' is none of string, choice, bool and secret", in.Type)
		return
	}
	if in.Type == InputChoice && len(in.Options) == 0 {
		r.errorf(at, "a choice needs options")
	}
	if in.Type != InputChoice && in.Options != nil {
		r.errorf(at+".options", "only a choice has options")
	}
	for i, option := range in.Options {
		if slices.Index(in.Options, option) < i {
			r.errorf(position(at+".options", i), "'%s' is listed twice", option)
		}
	}
	if in.Pattern != "" && in.Type != InputString && in.Type != InputSecret {
		r.errorf(at+".pattern", "only a string or a secret has a pattern")
		return
	}
	if _, err := regexp.Compile(in.Pattern); err != nil {
		r.errorf(at+".pattern", "is not a regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return
	}
	r.checkDefault(at+".default", in)
}

func (r *extensionReader) checkDefault(at string, in Input) {
	if in.Default == nil {
		return
	}
	if in.Type == InputSecret {
		r.errorf(at, "a secret has no default, since everybody who sees the pipeline would see it")
		return
	}
	if _, problem := in.Check(in.Default); problem != "" {
		r.errorf(at, "%s", problem)
	}
}

func (r *extensionReader) repeated(at string, inputs []Input) {
	seen := map[string]bool{}
	for i, in := range inputs {
		if in.Name != "" && seen[in.Name] {
			r.errorf(position(at, i), "repeated name '%s'", in.Name)
		}
		seen[in.Name] = true
	}
}

func (r *extensionReader) artifact(at string, raw json.RawMessage) ArtifactRule {
	rule := ArtifactRule{Keep: defaultKeep}
	found := false
	read := r.mapping(at, raw, map[string]fieldReader{
		"path": func(at string, raw json.RawMessage) { rule.Path, found = r.glob(at, raw), true },
		"keep": func(at string, raw json.RawMessage) {
			text := r.text(at, raw)
			keep, err := time.ParseDuration(text)
			switch {
			case err != nil:
				r.errorf(at, "invalid duration '%s'", text)
			case keep <= 0:
				r.errorf(at, "must be greater than 0")
			default:
				rule.Keep = keep
			}
		},
	})
	if read && !found {
		r.problems = append(r.problems, at+" has no path")
	}
	return rule
}

func (r *extensionReader) globs(at string, raw json.RawMessage) []string {
	var out []string
	r.list(at, raw, func(at string, raw json.RawMessage) { out = append(out, r.glob(at, raw)) })
	return out
}

// glob is a pattern below an artifact, such as results/**/*.xml.
func (r *extensionReader) glob(at string, raw json.RawMessage) string {
	if kindOf(raw) != "text" {
		return r.text(at, raw)
	}
	text := r.text(at, raw)
	artifact, rest, _ := strings.Cut(text, "/")
	switch {
	case artifact == "" || rest == "" || artifact == "." || strings.ContainsAny(artifact, `*?[{\`):
		r.errorf(at, "'%s' does not begin with the name of an artifact, as in results/**/*.xml", text)
	case slices.Contains(strings.Split(text, "/"), ".."):
		r.errorf(at, "'%s' leads out of the artifact", text)
	default:
		if _, err := path.Match(rest, ""); err != nil {
			r.errorf(at, "invalid glob expression '%s'", text)
		}
	}
	return text
}

// mapping reads the known keys and reports the others; false when it is no mapping.
func (r *extensionReader) mapping(at string, raw json.RawMessage, known map[string]fieldReader) bool {
	var unknown []string
	ok := r.entries(at, raw, func(name, below string, raw json.RawMessage) {
		read := known[name]
		switch {
		case read == nil:
			unknown = append(unknown, name)
		case kindOf(raw) != "nothing": // a key without a value is as good as none
			read(below, raw)
		}
	})
	if len(unknown) > 0 {
		r.errorf(at, "unknown fields %+q", unknown)
	}
	return ok
}

// entries visits a mapping in the order of its keys.
func (r *extensionReader) entries(at string, raw json.RawMessage, visit func(name, at string, raw json.RawMessage)) bool {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		r.errorf(at, "must be a mapping, not %s", kindOf(raw))
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		visit(name, at+"."+name, m[name])
	}
	return true
}

func (r *extensionReader) list(at string, raw json.RawMessage, visit func(at string, raw json.RawMessage)) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		r.errorf(at, "must be a list, not %s", kindOf(raw))
		return
	}
	for i, item := range items {
		visit(position(at, i), item)
	}
}

func (r *extensionReader) boolean(at string, raw json.RawMessage) bool {
	var b bool
	if err := json.Unmarshal(raw, &b); err != nil || kindOf(raw) != "true or false" {
		r.errorf(at, "must be true or false, not %s", kindOf(raw))
	}
	return b
}

func (r *extensionReader) texts(at string, raw json.RawMessage) []string {
	out := []string{}
	r.list(at, raw, func(at string, raw json.RawMessage) { out = append(out, r.text(at, raw)) })
	return out
}

// text takes a number as it is written: `options: [1, 2]` means texts.
func (r *extensionReader) text(at string, raw json.RawMessage) string {
	switch kindOf(raw) {
	case "text":
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	case "a number":
		return string(bytes.TrimSpace(raw))
	}
	r.errorf(at, "must be text, not %s", kindOf(raw))
	return ""
}

// scalar is text, or true or false.
func (r *extensionReader) scalar(at string, raw json.RawMessage) any {
	if kindOf(raw) == "true or false" {
		return r.boolean(at, raw)
	}
	return r.text(at, raw)
}

// kindOf names the type of a JSON value in the words of YAML.
func kindOf(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "a mapping"
	case '[':
		return "a list"
	case '"':
		return "text"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "nothing"
	}
	return "a number"
}
