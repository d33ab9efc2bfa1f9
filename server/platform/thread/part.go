package thread

import "time"

// Commit is what a release or a build has in it.
type Commit struct {
	SHA        string    `json:"sha"`
	Repository string    `json:"repository"`
	Author     string    `json:"author"`
	Message    string    `json:"message"`
	At         time.Time `json:"at,omitzero"`
	// URL leads to the commit; empty where its repository has no page.
	URL string `json:"url"`
}

// Build is one of a job.
type Build struct {
	ID int64 `json:"id"`
	// Title is pipeline/job #number.
	Title    string `json:"title"`
	Pipeline string `json:"pipeline"`
	Job      string `json:"job"`
	Status   string `json:"status"`
	Commit   string `json:"commit"`
	// At is when it ended, or was made as long as it runs.
	At    time.Time `json:"at"`
	Path  string    `json:"path"`
	Actor string    `json:"actor"`
}

// Failure is what is known of a failed build's failure.
type Failure struct {
	Build
	Repository string `json:"repository"`
	// From and To are when it ran.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Step and Words are where it failed and with which line, without numbers and times.
	Step  string `json:"step"`
	Words string `json:"words"`
	// Before are builds that failed in the same way, of the job and of others of the team, newest first; Times is how many there are.
	Before []Build `json:"before"`
	Times  int     `json:"times"`
	// First is the first of all of them, Ended the build that ended the last row of them.
	First *Build `json:"first,omitempty"`
	Ended *Build `json:"ended,omitempty"`
}

// Line is a log line as other pages quote it.
type Line struct {
	Time    time.Time `json:"time"`
	Level   string    `json:"level"`
	Service string    `json:"service"`
	Message string    `json:"message"`
}

// Lines are those that a search finds between two instants.
type Lines struct {
	// About says in words which they are.
	About string    `json:"about"`
	Query string    `json:"query"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Total int64     `json:"total"`
	// Items are the first or the last few, the oldest first.
	Items []Line `json:"items"`
	Path  string `json:"path"`
	// Partial says why this is not the whole; empty when it is.
	Partial string `json:"partial,omitempty"`
}

// Nodes are a team's machines that have a package.
type Nodes struct {
	Package string `json:"package"`
	// Total counts them over all versions, Running those with the release that is asked about.
	Total    int           `json:"total"`
	Running  int           `json:"running"`
	Versions []NodeVersion `json:"versions"`
	Path     string        `json:"path"`
}

// NodeVersion are the nodes with one version.
type NodeVersion struct {
	Version string `json:"version"`
	Nodes   int    `json:"nodes"`
	// Sites are where they are, those with most first.
	Sites []string  `json:"sites"`
	Some  []NodeRef `json:"some"`
	// Runs tells that this is the release that is asked about.
	Runs bool   `json:"runs"`
	Path string `json:"path"`
}

// NodeRef leads to a node.
type NodeRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Path string `json:"path"`
}

// Node is a machine with what was brought to it.
type Node struct {
	NodeRef
	Hostname string  `json:"hostname"`
	Bundle   string  `json:"bundle"`
	Patches  []Patch `json:"patches"`
}

// Patch is a node's part in one rollout.
type Patch struct {
	Rollout string `json:"rollout"`
	Number  int64  `json:"number"`
	Bundle  string `json:"bundle"`
	State   string `json:"state"`
	Tone    Tone   `json:"tone"`
	Reason  string `json:"reason"`
	// At is when its part ended, or last changed.
	At   time.Time `json:"at"`
	Path string    `json:"path"`
	// BundlePath leads to what it brought.
	BundlePath string `json:"bundle_path"`
}

// Problem is an error as other pages name it: many events, one cause.
type Problem struct {
	ShortID  string    `json:"short_id"`
	Title    string    `json:"title"`
	State    string    `json:"state"`
	Events   int64     `json:"events"`
	Users    int64     `json:"users"`
	LastSeen time.Time `json:"last_seen"`
	Path     string    `json:"path"`
}

// Problems are errors that a search finds.
type Problems struct {
	Query string    `json:"query"`
	Items []Problem `json:"items"`
	More  bool      `json:"more"`
	Path  string    `json:"path"`
}

// Reported is one event of an error, as far as it leads elsewhere.
type Reported struct {
	Event   string    `json:"event"`
	At      time.Time `json:"at"`
	Project string    `json:"project"`
	Release string    `json:"release"`
	// ReleasePath is empty where nobody knows of the release.
	ReleasePath string `json:"release_path"`
	Trace       string `json:"trace"`
	Server      string `json:"server"`
	// Commits are the newest of the release's.
	Commits []Commit `json:"commits"`
	// Repository is the project's, as owner/name in lower case.
	Repository string `json:"repository"`
}

// Shipped is a release: what is in it and how it does.
type Shipped struct {
	ID         int64    `json:"id"`
	Version    string   `json:"version"`
	Short      string   `json:"short"`
	Projects   []string `json:"projects"`
	Repository string   `json:"repository"`
	// At is when it was made.
	At   time.Time `json:"at"`
	Path string    `json:"path"`
	// Commits are the newest ones, of CommitCount.
	Commits     []Commit `json:"commits"`
	CommitCount int64    `json:"commit_count"`
	// MadeBy is the page of what made it, when somebody said so.
	MadeBy       string        `json:"made_by"`
	Health       Health        `json:"health"`
	Environments []Environment `json:"environments"`
	// Previous is the release before it of the same projects.
	Previous *Earlier `json:"previous,omitempty"`
}

// Health is how a release does. Rates are of its first hours, as many for each that is compared.
type Health struct {
	Sessions int64 `json:"sessions"`
	// CrashFree is the share of sessions that did not crash, from 0 to 1; nil without sessions.
	CrashFree *float64 `json:"crash_free"`
	NewErrors int64    `json:"new_errors"`
	Regressed int64    `json:"regressed"`
	Hours     float64  `json:"hours"`
	Errors    int64    `json:"errors"`
	PerHour   float64  `json:"per_hour"`
	Users     int64    `json:"users"`
}

// Environment is where events or deploys say that a release runs.
type Environment struct {
	Name       string    `json:"name"`
	Errors     int64     `json:"errors"`
	LastSeen   time.Time `json:"last_seen,omitzero"`
	DeployedAt time.Time `json:"deployed_at,omitzero"`
}

// Earlier is a release to compare with.
type Earlier struct {
	ID      int64  `json:"id"`
	Version string `json:"version"`
	Short   string `json:"short"`
	Path    string `json:"path"`
	Health  Health `json:"health"`
}
