package sentry

import "time"

// Feedback is what a person wrote about a problem.
type Feedback struct {
	Message string `json:"message"`
	Name    string `json:"name,omitempty"`
	Email   string `json:"email,omitempty"`
	URL     string `json:"url,omitempty"`
	Source  string `json:"source,omitempty"`
	// EventID is the event it is about, if it is about one.
	EventID string `json:"event_id,omitempty"`
}

// UserReport is the older form of feedback, an item of its own.
type UserReport struct {
	EventID, Name, Email, Comments string
}

// SessionAttrs are what all sessions of an item have in common.
type SessionAttrs struct {
	Release, Environment, IPAddress, UserAgent string
}

// The values of Session.Status.
const (
	SessionOK       = "ok"
	SessionExited   = "exited"
	SessionErrored  = "errored"
	SessionCrashed  = "crashed"
	SessionAbnormal = "abnormal"
)

// Session is one state of one session of a user.
type Session struct {
	ID, UserID         string
	Init               bool
	Seq                int64
	Started, Timestamp time.Time
	Status             string
	Errors             int
	// Duration is negative when the client does not know it.
	Duration time.Duration
	SessionAttrs
}

// SessionBucket counts the sessions that started in one minute.
type SessionBucket struct {
	Started                            time.Time
	UserID                             string
	Exited, Errored, Crashed, Abnormal int64
}

// Sessions are buckets counted by the client.
type Sessions struct {
	Buckets []SessionBucket
	SessionAttrs
}

// The values of CheckIn.Status.
const (
	CheckInProgress = "in_progress"
	CheckInOK       = "ok"
	CheckInError    = "error"
)

// CheckIn is a sign of life of a scheduled job.
type CheckIn struct {
	// ID has 32 hex digits; empty or all zero means "the last one of this monitor".
	ID                   string
	Slug                 string
	Status               string
	Release, Environment string
	// Duration is negative when the client did not say.
	Duration time.Duration
	Monitor  *MonitorConfig
	TraceID  string
}

// MonitorConfig creates or changes the monitor that a check-in belongs to.
type MonitorConfig struct {
	// Crontab has five fields; empty when the schedule is an interval.
	Crontab string
	// Interval is every so many Units (minute, hour, day, week, month, year).
	Interval         int
	Unit             string
	Margin           time.Duration
	MaxRuntime       time.Duration
	FailureThreshold int
	RecoverThreshold int
	Timezone         string
}

// Discarded counts what a client or a server in between threw away.
type Discarded struct {
	Reason, Category string
	Quantity         int64
}

// ClientReport tells what a client did not send.
type ClientReport struct {
	Timestamp time.Time
	Discarded []Discarded
}

// LogItem is one log line. Attribute values are string, int64, float64, bool
// or []any.
type LogItem struct {
	Timestamp       time.Time
	Level           string
	Severity        int
	Body            string
	TraceID, SpanID string
	Attributes      map[string]any
}

// Metric is one measurement of a trace_metric item.
type Metric struct {
	Timestamp        time.Time
	Name, Type, Unit string
	Value            float64
	TraceID, SpanID  string
	Attributes       map[string]any
}

// Span is a timed piece of work: a child of a transaction, or an item of its
// own from newer clients.
type Span struct {
	TraceID    string         `json:"trace_id,omitempty"`
	SpanID     string         `json:"span_id,omitempty"`
	ParentID   string         `json:"parent_span_id,omitempty"`
	Op         string         `json:"op,omitempty"`
	Name       string         `json:"name,omitempty"`
	Status     string         `json:"status,omitempty"`
	Origin     string         `json:"origin,omitempty"`
	Start      time.Time      `json:"start"`
	End        time.Time      `json:"end"`
	Segment    bool           `json:"is_segment,omitempty"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// SecurityReport is a browser's report of a violated policy.
type SecurityReport struct {
	// Kind is csp, expectct or hpkp.
	Kind        string `json:"kind"`
	DocumentURI string `json:"document_uri,omitempty"`
	Referrer    string `json:"referrer,omitempty"`
	// Directive is the effective directive ("script-src").
	Directive   string `json:"directive,omitempty"`
	BlockedURI  string `json:"blocked_uri,omitempty"`
	BlockedHost string `json:"blocked_host,omitempty"`
	Policy      string `json:"policy,omitempty"`
	Disposition string `json:"disposition,omitempty"`
	SourceFile  string `json:"source_file,omitempty"`
	Line        int    `json:"line,omitempty"`
	Column      int    `json:"column,omitempty"`
	StatusCode  int    `json:"status_code,omitempty"`
	Sample      string `json:"sample,omitempty"`
	Hostname    string `json:"hostname,omitempty"`
}
