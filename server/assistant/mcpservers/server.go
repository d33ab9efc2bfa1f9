package mcpservers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Kind is how a server is reached; the words are stored.
type Kind string

// The kinds.
const (
	Stdio Kind = "stdio"
	HTTP  Kind = "http"
)

// Permission is what a run may do with a tool; the words are stored.
type Permission string

// The permissions. A tool that nobody has looked at is off.
const (
	Off   Permission = "off"
	Read  Permission = "read"  // it changes nothing, and is called as it is needed
	Ask   Permission = "ask"   // a person approves each call
	Allow Permission = "allow" // it may change something, and is called without asking
)

// Separator stands between a server's name and its tool's.
const Separator = "__"

// maxName is what the model APIs take.
const maxName = 64

// Server is one outside server.
type Server struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Command is the program and its arguments, of stdio; URL of http.
	Command []string `json:"command"`
	URL     string   `json:"url"`
	// Secrets are names only: environment variables of stdio, headers of http.
	Secrets []string `json:"secrets"`
	// Inside allows private addresses; Repositories holds arguments to the team's list of repositories.
	Inside       bool `json:"inside"`
	Repositories bool `json:"repositories"`
	Enabled      bool `json:"enabled"`
	// TimeoutSeconds bounds one call.
	TimeoutSeconds int       `json:"timeout_seconds"`
	UpdatedAt      time.Time `json:"updated_at"`
	UpdatedBy      string    `json:"updated_by"`
}

// Change is what somebody wants a server to be; Secrets that are not named keep their values, empty ones go.
type Change struct {
	Name           string            `json:"name"`
	Kind           Kind              `json:"kind"`
	Command        []string          `json:"command"`
	URL            string            `json:"url"`
	Secrets        map[string]string `json:"secrets"`
	Inside         bool              `json:"inside"`
	Repositories   bool              `json:"repositories"`
	Enabled        bool              `json:"enabled"`
	TimeoutSeconds int               `json:"timeout_seconds"`
}

var (
	nameForm   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,23}$`)
	envForm    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)
	headerForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,100}$`)
)

// reserved are names whose tools would pass for ours.
var reserved = map[string]bool{"github": true, "signalbox": true}

// dangerous variables would make a program run other code than its own.
var dangerous = regexp.MustCompile(`^(LD_|DYLD_|PATH$|HOME$|PYTHON|NODE_OPTIONS$|BASH_ENV$|ENV$|IFS$|SHELL$|PERL5|RUBYOPT$|GIT_)`)

// Validate names the first field at fault.
func (c *Change) Validate() error {
	switch {
	case !nameForm.MatchString(c.Name) || strings.HasSuffix(c.Name, "-"):
		return problem.FieldError("name", "has lower-case letters, digits and dashes, at most 24, and begins with a letter")
	case reserved[c.Name]:
		return problem.FieldError("name", "%q is taken by what is built in", c.Name)
	case c.Kind != Stdio && c.Kind != HTTP:
		return problem.FieldError("kind", "is neither stdio nor http")
	case c.TimeoutSeconds < 0 || c.TimeoutSeconds > 300:
		return problem.FieldError("timeout_seconds", "is not between 1 and 300")
	case len(c.Secrets) > 50:
		return problem.FieldError("secrets", "has more than 50 entries")
	}
	if c.TimeoutSeconds == 0 {
		c.TimeoutSeconds = 20
	}
	for name, value := range c.Secrets {
		switch {
		case len(value) > 64<<10 || strings.ContainsRune(value, 0):
			return problem.FieldError("secrets", "the value of %.60s is too long or no text", name)
		case c.Kind == Stdio && (!envForm.MatchString(name) || dangerous.MatchString(name)):
			return problem.FieldError("secrets", "%.60q cannot be an environment variable here", name)
		case c.Kind == HTTP && (!headerForm.MatchString(name) || strings.ContainsAny(value, "\r\n")):
			return problem.FieldError("secrets", "%.60q cannot be a header", name)
		}
	}
	return c.place()
}

func (c *Change) place() error {
	if c.Kind == HTTP {
		c.Command = []string{}
		u, err := outbound.CheckURL(c.URL)
		if err != nil {
			return problem.FieldError("url", "%s", strings.TrimSuffix(problem.From(err).Detail, "."))
		}
		if u.Scheme != "https" && !c.Inside {
			return problem.FieldError("url", "begins with https://, unless private addresses are allowed")
		}
		return nil
	}
	c.URL = ""
	switch {
	case len(c.Command) == 0 || c.Command[0] == "":
		return problem.FieldError("command", "names no program")
	case !strings.HasPrefix(c.Command[0], "/"):
		return problem.FieldError("command", "names the program by its whole path, so that it is always the same one")
	case len(c.Command) > 100:
		return problem.FieldError("command", "has more than 100 words")
	}
	for _, word := range c.Command {
		if len(word) > 4096 || strings.ContainsRune(word, 0) {
			return problem.FieldError("command", "has a word that is too long or no text")
		}
	}
	return nil
}

// Offered is a tool of an outside server as a run may call it.
type Offered struct {
	Shown, Server, Name, Description string
	Schema                           json.RawMessage
	Permission                       Permission
	Repositories                     bool
}

var oddName = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// shownAs is what a model sees a tool as: letters that every model API takes, and never longer than they do.
func shownAs(server, tool string) string {
	name := server + Separator + strings.Trim(oddName.ReplaceAllString(tool, "_"), "_")
	if len(name) > maxName {
		sum := sha256.Sum256([]byte(tool))
		name = name[:maxName-9] + "_" + hex.EncodeToString(sum[:4])
	}
	return name
}

// pin is what a tool was when somebody allowed it.
func pin(name, description string, schema json.RawMessage) string {
	sum := sha256.Sum256([]byte(name + "\x00" + description + "\x00" + string(schema)))
	return hex.EncodeToString(sum[:])
}
