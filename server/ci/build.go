package ci

import (
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Status is where a build stands; the words are stored and are those of fly.
type Status string

// The statuses of a build.
const (
	Pending   Status = "pending"   // waits for inputs, a free place or the pipeline
	Started   Status = "started"   // the engine has it
	Succeeded Status = "succeeded" // every step was ok
	Failed    Status = "failed"    // a step said no
	Errored   Status = "errored"   // a step could not be run
	Aborted   Status = "aborted"   // somebody stopped it
)

// becomes is the table of changes that a status allows.
var becomes = map[Status][]Status{
	Pending: {Started, Errored, Aborted},
	Started: {Succeeded, Failed, Errored, Aborted},
}

// Validate refuses words that are not statuses.
func (s Status) Validate() error {
	switch s {
	case Pending, Started, Succeeded, Failed, Errored, Aborted:
		return nil
	}
	return problem.FieldError("status", "%q is not a build status", string(s))
}

// CanBecome reports whether a build may change from s to next.
func (s Status) CanBecome(next Status) bool { return slices.Contains(becomes[s], next) }

// Ended reports whether nothing happens to the build any more.
func (s Status) Ended() bool { return len(becomes[s]) == 0 }

// severity orders statuses for "the worst of": what needs a look first.
var severity = map[Status]int{Failed: 5, Errored: 4, Aborted: 3, Started: 2, Pending: 1, Succeeded: 0}

// worse is the status that deserves more attention.
func worse(a, b Status) Status {
	if a == "" || severity[b] > severity[a] {
		return b
	}
	return a
}

// millis is a time as it is stored: Unix milliseconds, 0 for never.
type millis int64

func toMillis(t time.Time) millis {
	if t.IsZero() {
		return 0
	}
	return millis(t.UnixMilli())
}

// Time is the zero time for never.
func (m millis) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// Seconds is what fly wants; 0 for never, which its JSON leaves out.
func (m millis) Seconds() int64 { return int64(m) / 1000 }

// pointer is nil for never, which our JSON leaves out.
func (m millis) pointer() *time.Time {
	if m == 0 {
		return nil
	}
	t := m.Time()
	return &t
}

// BuildFinished is told to OnBuildFinished hooks.
type BuildFinished struct {
	Team     int64
	Build    int64
	Name     string
	Pipeline string
	Job      string
	Status   Status
	// Previous is how the job's build before ended, aborted ones left out; "" when there was none.
	Previous Status
	// URL leads to the build's page.
	URL string
	// Step is the name of the step that failed, Message what was wrong besides its exit status.
	Step, Message string
	// LastLines are the end of the log of the step that failed.
	LastLines []string
	// Commits are what a successful build took from git repositories.
	Commits []BuiltCommit
}

// BuiltCommit is a commit that a build took.
type BuiltCommit struct {
	// Repository is host/owner/name in lower case.
	Repository, SHA string
	// Author and Message are empty while nothing has told them.
	Author, Message string
	At              time.Time
}
