package thread

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
)

// Tone says how news feels; the words are those of the API.
type Tone = string

// The tones.
const (
	Good  Tone = "good"
	Bad   Tone = "bad"
	Warn  Tone = "warn"
	Plain Tone = "plain"
)

// Refs tie an event to a service: whichever of them it knows.
type Refs struct {
	// Repository is owner/name in lower case.
	Repository string `json:"repository,omitempty"`
	Commit     string `json:"commit,omitempty"`
	Pipeline   string `json:"pipeline,omitempty"`
	Job        string `json:"job,omitempty"`
	// Project is the slug of an error project.
	Project string `json:"project,omitempty"`
	Release string `json:"release,omitempty"`
	Bundle  string `json:"bundle,omitempty"`
	// Packages are what the bundle carries: by one of them it belongs to a service.
	Packages []string `json:"-"`
}

// Event is one thing that happened.
type Event struct {
	At         time.Time `json:"at"`
	Capability string    `json:"capability"`
	// Kind is push, build, release, deploy, error, alert, rollout or node.
	Kind   string `json:"kind"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	// Path is the page of ours that tells more.
	Path  string `json:"path"`
	Actor string `json:"actor,omitempty"`
	Tone  Tone   `json:"tone"`
	Refs
}

// Span is which time of which team; To is not part of it.
type Span struct {
	Team     identity.Team
	From, To time.Time
	// Limit is how many of the newest events are wanted.
	Limit int
}

// Hit is a thing found by its name.
type Hit struct {
	Capability string `json:"capability"`
	// Kind is what it is, in the words of its page: pipeline, build, error, release, node …
	Kind   string `json:"kind"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	Path   string `json:"path"`
}

// Need is something that waits for a person.
type Need struct {
	Capability string    `json:"capability"`
	Kind       string    `json:"kind"`
	Title      string    `json:"title"`
	Detail     string    `json:"detail,omitempty"`
	Path       string    `json:"path"`
	Since      time.Time `json:"since"`
	Tone       Tone      `json:"tone"`
	// Mine is true when it concerns who asks by name.
	Mine bool `json:"mine"`
	// Refs tie it to a service: what a person owns is theirs, too.
	Refs `json:"-"`
}

// Source is what one capability contributes; nil functions contribute nothing. None of
// them checks rights: who asks holds <capability>:read in the team.
type Source struct {
	Capability string
	Happened   func(ctx context.Context, s Span) ([]Event, error)
	// Find looks for things whose name holds the text, the likeliest first.
	Find  func(ctx context.Context, team identity.Team, text string, limit int) ([]Hit, error)
	Needs func(ctx context.Context, team identity.Team) ([]Need, error)
}

// Newest orders events and keeps the newest ones.
func Newest(events []Event, limit int) []Event {
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Capability, b.Capability), cmp.Compare(a.Title, b.Title))
	})
	return events[:min(limit, len(events))]
}
