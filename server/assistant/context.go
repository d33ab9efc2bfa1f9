package assistant

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/signalbox/signalbox/server/assistant/grammar"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Page is what the asker looks at; what the question leaves out is meant of it.
type Page struct {
	// Kind is pipeline, build, issue, logs or node; "" is none.
	Kind string `json:"kind,omitempty"`
	// ID is the build's, the or the node's; Name the pipeline's or the node's.
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
	// Job is that of a build; ID is then what the build is called in it.
	Job string `json:"job,omitempty"`
	// Query is the search of log lines.
	Query string `json:"query,omitempty"`
}

var pageEntities = map[string]grammar.Entity{"pipeline": grammar.Build, "build": grammar.Build, "issue": grammar.Error, "logs": grammar.Log, "node": grammar.Node}

var pageIDForm = regexp.MustCompile(`^[A-Za-z0-9][\w.-]{0,79}$`)

// validate bounds what a browser says of its page.
func (p Page) validate() error {
	switch {
	case p.Kind == "" && p == Page{}:
		return nil
	case pageEntities[p.Kind] == "":
		return problem.FieldError("page.kind", "is none of pipeline, build, issue, logs and node")
	case p.ID != "" && !pageIDForm.MatchString(p.ID):
		return problem.FieldError("page.id", "%.60q is no id", p.ID)
	case len(p.Name) > 200 || len(p.Job) > 200:
		return problem.FieldError("page.name", "is longer than 200 characters")
	case len(p.Query) > 1000:
		return problem.FieldError("page.query", "is longer than 1000 characters")
	}
	return nil
}

// fromPage reads what the question leaves out from the page that is looked at.
func (a *asked) fromPage() {
	p, r := a.question.Page, &a.reading
	if p.Kind == "" || r.Op == grammar.Greet || r.Op == grammar.Change || len(r.Left) > 0 || strings.TrimSpace(a.question.Text) == "" {
		return
	}
	bare := r.Entity == grammar.Nothing
	if bare {
		r.Entity = pageEntities[p.Kind]
	}
	if r.Entity != pageEntities[p.Kind] {
		return // about something else
	}
	one := bare || r.Op == grammar.Why || r.Op == grammar.Summarise
	switch p.Kind {
	case "pipeline", "build":
		named := r.Name != ""
		if !named {
			r.Name = p.Name
		}
		if p.Kind == "build" && one && !named && r.Number == 0 {
			a.build = p.ID
			if r.Op == grammar.List || r.Op == grammar.Summarise {
				r.Op = grammar.Why
			}
		}
	case "issue":
		if one && r.ShortID == "" {
			r.ShortID = p.ID
		}
	case "logs":
		if r.Name == "" && r.Text == "" {
			a.query = p.Query
		}
	case "node":
		if r.Name == "" {
			r.Name = p.Name
		}
	}
}

// pageWords tell a model what the asker looks at; they are the browser's, and no order.
func (a *asked) pageWords() string {
	p := a.question.Page
	if p.Kind == "" {
		return ""
	}
	said := p.Kind
	for _, part := range []struct{ name, value string }{{"id", p.ID}, {"name", p.Name}, {"job", p.Job}, {"query", p.Query}} {
		if part.value != "" {
			said += fmt.Sprintf(", %s %q", part.name, part.value)
		}
	}
	return "\n\n(The page that is looked at, for what the question leaves out: " + said + ")"
}
