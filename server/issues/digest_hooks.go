package issues

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// Hooks are what others do with what was sent. Those that are nil do nothing:
// the items are then counted and dropped. Set them before Start.
type Hooks struct {
	// Symbolicate makes readable what a client could not read, such as a bundled
	// script's frames. It is called before grouping and outside any transaction;
	// an error is noted on the event, which is kept as it came.
	Symbolicate func(ctx context.Context, project int64, e *sentry.Event) error
	// The following are called in the transaction that digests: an error undoes
	// it, and an item that fails alone as well is put aside.

	// OnSession hears of one session's news, or of buckets that the client counted.
	OnSession func(ctx context.Context, a Accepted, one *sentry.Session, counted *sentry.Sessions) error
	OnCheckIn func(ctx context.Context, a Accepted, c sentry.CheckIn) error
	OnLogs    func(ctx context.Context, a Accepted, list []sentry.LogItem) error
	OnMetrics func(ctx context.Context, a Accepted, list []sentry.Metric) error
	// OnIssueChange hears of each change of an issue, by events, people or the clock.
	OnIssueChange func(ctx context.Context, c IssueChange) error
	// OnEvents hears of the events of a batch that were new, for counting rules.
	OnEvents func(ctx context.Context, list []Digested) error
	// ReleaseDate tells when a release was made; without it, or when it does not
	// know, the first event of the release is its date.
	ReleaseDate func(ctx context.Context, project int64, release string) (time.Time, bool, error)
	// Member finds who may be an issue's assignee by name; nil believes every name.
	Member func(ctx context.Context, team int64, name string) (id int64, err error)
}

// IssueChange is one thing that happened to an issue.
type IssueChange struct {
	Kind                 ChangeKind
	Team, Project, Issue int64
	// Number is the issue's within the project; see ShortID.
	Number         int64
	Title, Culprit string
	Level          string
	At             time.Time
	// Person is who did it, "" for events and the clock.
	Person string
	// Detail is what the activity says besides: a release, a comment, the other issue.
	Detail string
	// Event is what caused it; nil for people and the clock.
	Event *sentry.Event
}

// Digested is one event in its issue.
type Digested struct {
	Team, Project, Issue int64
	EventID              string
	At, Received         time.Time
	Level                string
	Environment, Release string
	// UserHash tells users apart; 0 when the event names none.
	UserHash int64
	// First says that the event made the issue.
	First bool
}
