package sentry

import (
	"math"
	"strings"
	"time"
)

// object starts reading a payload that must be one JSON object.
func startObject(raw []byte) (*reader, error) {
	r := &reader{s: string(raw)}
	if r.peek() != '{' {
		return nil, errNoObject
	}
	r.open('{')
	return r, nil
}

// ParseSession reads a session item.
func ParseSession(raw []byte, received time.Time) (Session, error) {
	r, err := startObject(raw)
	if err != nil {
		return Session{}, err
	}
	s := Session{Status: SessionOK, Duration: -1}
	for r.key() {
		switch r.k {
		case "sid":
			s.ID = r.text(64)
		case "did":
			s.UserID = r.short()
		case "init":
			s.Init = r.truth()
		case "seq":
			s.Seq = r.integer()
		case "started":
			s.Started = r.when()
		case "timestamp":
			s.Timestamp = r.when()
		case "status":
			s.Status = sessionStatus(r.text(32))
		case "errors":
			s.Errors = r.count()
		case "duration":
			s.Duration = seconds(r.number())
		case "attrs":
			s.SessionAttrs = r.sessionAttrs()
		default:
			r.skip()
		}
	}
	if s.Timestamp.IsZero() {
		s.Timestamp = received.UTC()
	}
	if s.Started.IsZero() {
		s.Started = s.Timestamp
	}
	if err := r.end(); err != nil {
		return Session{}, err
	}
	if s.ID == "" && s.UserID == "" {
		return s, &MalformedError{Reason: "a session has neither sid nor did"}
	}
	return s, nil
}

func sessionStatus(s string) string {
	switch s = strings.ToLower(s); s {
	case SessionOK, SessionExited, SessionErrored, SessionCrashed, SessionAbnormal:
		return s
	case "unhandled":
		return SessionCrashed
	case "degraded":
		return SessionErrored
	}
	return SessionOK
}

// seconds gives -1 for what is no duration.
func seconds(v float64) time.Duration {
	if math.IsNaN(v) || v < 0 || v > 1e9 {
		return -1
	}
	return time.Duration(v * float64(time.Second))
}

func (r *reader) sessionAttrs() SessionAttrs {
	var a SessionAttrs
	if !r.open('{') {
		return a
	}
	for r.key() {
		switch r.k {
		case "release":
			a.Release = r.short()
		case "environment":
			a.Environment = r.short()
		case "ip_address":
			a.IPAddress = r.text(64)
		case "user_agent":
			a.UserAgent = r.text(maxPath)
		default:
			r.skip()
		}
	}
	return a
}

// ParseSessions reads a sessions item; most bounds the buckets, further ones
// are dropped.
func ParseSessions(raw []byte, received time.Time, most int) (Sessions, error) {
	r, err := startObject(raw)
	if err != nil {
		return Sessions{}, err
	}
	var s Sessions
	for r.key() {
		switch r.k {
		case "attrs":
			s.SessionAttrs = r.sessionAttrs()
		case "aggregates":
			r.values(func() {
				b := r.bucket()
				if b.Started.IsZero() {
					b.Started = received.UTC().Truncate(time.Minute)
				}
				if len(s.Buckets) < most {
					s.Buckets = append(s.Buckets, b)
				}
			})
		default:
			r.skip()
		}
	}
	return s, r.end()
}

func (r *reader) bucket() SessionBucket {
	var b SessionBucket
	r.open('{')
	for r.key() {
		switch r.k {
		case "started":
			b.Started = r.when()
		case "did":
			b.UserID = r.short()
		case "exited":
			b.Exited = int64(r.count())
		case "errored":
			b.Errored = int64(r.count())
		case "crashed":
			b.Crashed = int64(r.count())
		case "abnormal":
			b.Abnormal = int64(r.count())
		default:
			r.skip()
		}
	}
	return b
}

// ParseCheckIn reads a check_in item. Python wraps it like an event; what is
// not a check-in's is passed over.
func ParseCheckIn(raw []byte) (CheckIn, error) {
	r, err := startObject(raw)
	if err != nil {
		return CheckIn{}, err
	}
	c := CheckIn{Status: CheckInOK, Duration: -1}
	for r.key() {
		switch r.k {
		case "check_in_id":
			c.ID = normalID(r.text(64))
		case "monitor_slug":
			c.Slug = r.short()
		case "status":
			c.Status = checkInStatus(r.text(32))
		case "duration":
			c.Duration = seconds(r.number())
		case "release":
			c.Release = r.short()
		case "environment":
			c.Environment = r.short()
		case "monitor_config":
			c.Monitor = r.monitorConfig()
		case "contexts":
			c.TraceID = r.traceOf()
		default:
			r.skip()
		}
	}
	if err := r.end(); err != nil {
		return CheckIn{}, err
	}
	if strings.Trim(c.ID, "0") == "" {
		c.ID = ""
	}
	if c.Environment == "" {
		c.Environment = "production"
	}
	if c.Slug == "" {
		return c, &MalformedError{Reason: "a check-in names no monitor"}
	}
	return c, nil
}

func checkInStatus(s string) string {
	switch s = strings.ToLower(s); s {
	case CheckInProgress, CheckInError:
		return s
	case "missed", "timeout", "failed", "failure":
		return CheckInError
	}
	return CheckInOK
}

func (r *reader) traceOf() (id string) {
	if !r.open('{') {
		return ""
	}
	for r.key() {
		if r.k != "trace" || !r.open('{') {
			if r.k != "trace" {
				r.skip()
			}
			continue
		}
		for r.key() {
			if r.k == "trace_id" {
				id = r.text(64)
			} else {
				r.skip()
			}
		}
	}
	return id
}

func (r *reader) monitorConfig() *MonitorConfig {
	if !r.open('{') {
		return nil
	}
	m := &MonitorConfig{}
	for r.key() {
		switch r.k {
		case "schedule":
			r.schedule(m)
		case "checkin_margin":
			m.Margin = minutes(r.count())
		case "max_runtime":
			m.MaxRuntime = minutes(r.count())
		case "failure_issue_threshold":
			m.FailureThreshold = r.count()
		case "recovery_threshold":
			m.RecoverThreshold = r.count()
		case "timezone":
			m.Timezone = r.text(64)
		default:
			r.skip()
		}
	}
	return m
}

// minutes bounds what a client may ask for to a year.
func minutes(n int) time.Duration { return time.Duration(min(n, 366*24*60)) * time.Minute }

func (r *reader) schedule(m *MonitorConfig) {
	if !r.open('{') {
		return
	}
	var kind, value string
	for r.key() {
		switch r.k {
		case "type":
			kind = strings.ToLower(r.text(32))
		case "value", "crontab":
			value = strings.TrimSpace(r.text(maxShort))
		case "unit":
			m.Unit = strings.TrimSuffix(strings.ToLower(r.text(32)), "s")
		default:
			r.skip()
		}
	}
	if kind == "interval" {
		v := &reader{s: value}
		if value != "" {
			m.Interval = v.count()
		}
		return
	}
	m.Crontab, m.Unit = value, ""
}

// ParseClientReport reads a client_report item; also the lists that a Relay in
// between adds.
func ParseClientReport(raw []byte, received time.Time) (ClientReport, error) {
	r, err := startObject(raw)
	if err != nil {
		return ClientReport{}, err
	}
	c := ClientReport{Timestamp: received.UTC()}
	for r.key() {
		switch r.k {
		case "timestamp":
			if t := r.when(); !t.IsZero() {
				c.Timestamp = t
			}
		case "discarded_events", "rate_limited_events", "filtered_events", "filtered_sampling_events":
			r.values(func() {
				d := r.discarded()
				if len(c.Discarded) < maxPairs*2 && d.Quantity > 0 {
					c.Discarded = append(c.Discarded, d)
				}
			})
		default:
			r.skip()
		}
	}
	return c, r.end()
}

func (r *reader) discarded() Discarded {
	var d Discarded
	r.open('{')
	for r.key() {
		switch r.k {
		case "reason":
			d.Reason = r.text(64)
		case "category":
			d.Category = r.text(64)
		case "quantity":
			d.Quantity = int64(r.count())
		default:
			r.skip()
		}
	}
	return d
}

// ParseUserReport reads a user_report item.
func ParseUserReport(raw []byte) (UserReport, error) {
	r, err := startObject(raw)
	if err != nil {
		return UserReport{}, err
	}
	var u UserReport
	for r.key() {
		switch r.k {
		case "event_id":
			u.EventID = normalID(r.text(64))
		case "name":
			u.Name = r.short()
		case "email":
			u.Email = r.short()
		case "comments":
			u.Comments = r.text(maxMessage)
		default:
			r.skip()
		}
	}
	if err := r.end(); err != nil {
		return UserReport{}, err
	}
	if u.EventID == "" {
		return u, &MalformedError{Reason: "a user report names no event"}
	}
	return u, nil
}
