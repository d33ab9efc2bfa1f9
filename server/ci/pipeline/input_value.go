package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxInput bounds the text of one input.
const maxInput = 64 << 10

// InputProblem says what is wrong with the value of one input.
type InputProblem struct {
	Name, Message string
}

// Check gives the value as its type wants it, or says what is wrong with it.
// A bool is a bool, every other value text; nothing else can come out, so a value
// never brings structure into the place where it is interpolated.
func (in Input) Check(value any) (checked any, problem string) {
	if in.Type == InputBool {
		switch value {
		case true, "true":
			return true, ""
		case false, "false":
			return false, ""
		}
		return nil, "must be true or false"
	}
	text, ok := value.(string)
	if !ok {
		return nil, "must be text"
	}
	switch {
	case len(text) > maxInput:
		return nil, fmt.Sprintf("is longer than %d bytes", maxInput)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return nil, "must be UTF-8 text without zero bytes"
	case in.Type == InputChoice && !slices.Contains(in.Options, text):
		return nil, "must be one of " + strings.Join(in.Options, ", ")
	}
	if in.Pattern != "" && text != "" {
		// A saved pipeline has only patterns that compile.
		if pattern, err := regexp.Compile(in.Pattern); err != nil || !pattern.MatchString(text) {
			return nil, "must match " + in.Pattern
		}
	}
	return text, ""
}

// empty is the value of an input that is neither given nor required.
func (in Input) empty() any {
	if in.Type == InputBool {
		return false
	}
	return ""
}

// Fill checks what was given and adds defaults. Every problem is reported, in the
// order of the inputs and then of the names that nobody asked for.
func (j JobExtension) Fill(given map[string]any) (values map[string]any, problems []InputProblem) {
	values = map[string]any{}
	for _, in := range j.Inputs {
		value, ok := given[in.Name]
		if !ok || value == nil {
			value, ok = in.Default, in.Default != nil
		}
		if value == "" && in.Type != InputBool && (in.Required || in.Type == InputChoice) {
			ok = false
		}
		switch {
		case !ok && in.Required:
			problems = append(problems, InputProblem{in.Name, "is required"})
		case !ok:
			values[in.Name] = in.empty()
		default:
			checked, problem := in.Check(value)
			if problem != "" {
				problems = append(problems, InputProblem{in.Name, problem})
			}
			values[in.Name] = checked
		}
	}
	for _, name := range sortedKeys(given) {
		if _, ok := j.Input(name); !ok {
			problems = append(problems, InputProblem{name, "is not an input of this job"})
		}
	}
	return values, problems
}

// Input finds an input by name.
func (j JobExtension) Input(name string) (Input, bool) {
	return find(j.Inputs, func(in Input) bool { return in.Name == name })
}

// Unasked lists the required inputs without a default: a job with any of them
// starts by hand only.
func (j JobExtension) Unasked() []string {
	var names []string
	for _, in := range j.Inputs {
		if in.Required && in.Default == nil {
			names = append(names, in.Name)
		}
	}
	return names
}
