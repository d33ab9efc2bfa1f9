package pipeline

import (
	"fmt"
	"regexp"
	"strings"
)

// Warning is a remark that does not stop a pipeline from being set.
type Warning struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// Upper-case letters are the only letters left out of a valid name.
const nameLetters = `\p{Ll}\p{Lt}\p{Lm}\p{Lo}\d`

var (
	nameStart   = regexp.MustCompile(`^[` + nameLetters + `]`)
	nameIllegal = regexp.MustCompile(`[^` + nameLetters + `\-_.]`)
	nameDigits  = regexp.MustCompile(`^\d+$`)
)

// CheckName applies the rule for names of pipelines, jobs, resources and the
// like. An empty name is an error message; everything else that is wrong with a
// name is only a warning, since older pipelines are full of such names. where
// leads the message.
func CheckName(name, where string) (warning *Warning, problem string) {
	if name == "" {
		return nil, where + ": identifier cannot be an empty string"
	}
	var reason string
	switch {
	case nameDigits.MatchString(name):
		reason = "cannot be just numbers"
	case !nameStart.MatchString(name):
		reason = "must start with a lowercase letter or a number"
	default:
		illegal := nameIllegal.FindString(name)
		if illegal == "" {
			return nil, ""
		}
		reason = fmt.Sprintf("illegal character '%s'", illegal)
	}
	return &Warning{
		Type:    "invalid_identifier",
		Message: fmt.Sprintf("%s: '%s' is not a valid identifier: %s", where, name, reason),
	}, ""
}

// namesFromVars reports whether a step name may be anything because it is
// made of across vars, as in `task: test-((.:go))`.
func namesFromVars(context []string) bool {
	n := len(context)
	if n < 2 || context[n-2] != ".across" {
		return false
	}
	return strings.Contains(context[n-1], "set_pipeline") || strings.Contains(context[n-1], "task")
}
