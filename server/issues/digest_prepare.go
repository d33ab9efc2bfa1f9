package issues

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/signalbox/signalbox/server/issues/grouping"
	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// ready is an item read, scrubbed, grouped and packed: all that needs no
// transaction, done for several items at once.
type ready struct {
	from *Accepted
	// rejected says why the item is put aside; "" for good ones.
	rejected string
	// dropped is an item that nobody listens to, or of a project that is gone.
	dropped bool

	events     []*readyEvent
	timings    []timing
	attachment *attachmentRow
	feedback   *feedbackRow
	session    *sentry.Session
	sessions   *sentry.Sessions
	checkIn    *sentry.CheckIn
	logs       []sentry.LogItem
	metrics    []sentry.Metric
}

type readyEvent struct {
	event *sentry.Event
	group grouping.Result
	tags  []sentry.Pair
	row   eventRow
	// first says that it made its issue.
	first bool
}

// prepare reads a batch on all processors. Its error is the infrastructure's
// (a full disk); what is wrong with an item is noted in the item.
func (s *Service) prepare(ctx context.Context, batch []Accepted) ([]ready, error) {
	list := make([]ready, len(batch))
	errs := make([]error, len(batch))
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(batch)) {
		done.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(batch)); i = next.Add(1) - 1 {
				list[i], errs[i] = s.prepareOne(ctx, &batch[i])
			}
		})
	}
	done.Wait()
	return list, errors.Join(errs...)
}

func (s *Service) prepareOne(ctx context.Context, a *Accepted) (r ready, err error) {
	r.from = a
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(ctx, "digesting an item panicked", "panic", p, "project", a.Project, "type", a.ItemType, "stack", string(debug.Stack()))
			r, err = ready{from: a, rejected: fmt.Sprintf("the server could not read it (%v)", p)}, nil
		}
	}()
	project, err := s.project(ctx, a.Project)
	if problem.Is(err, problem.NotFound) {
		r.dropped = true
		return r, nil
	}
	if err != nil {
		return r, err
	}
	err = s.read(ctx, project, &r)
	if p := problem.From(err); err != nil && p.Kind == problem.Internal {
		r.rejected, err = err.Error(), nil
	}
	return r, err
}

// read is prepare for one item by its type. Errors say what is wrong with the
// item, except problems (a full disk), which concern all.
func (s *Service) read(ctx context.Context, p Project, r *ready) (err error) {
	a := r.from
	switch a.ItemType {
	case "event", "error", "default", "transaction", "feedback":
		return s.readEvent(ctx, p, r)
	case "security", "raw_security", "csp":
		list, err := sentry.ParseSecurity(a.Payload, a.Received)
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].ID == "" {
				list[i].ID = s.derivedID(a, i)
			}
			if err := s.clean(ctx, p, &list[i]); err != nil {
				return err
			}
			if err := s.finish(ctx, p, r, &list[i]); err != nil {
				return err
			}
		}
	case "span":
		spans, err := sentry.ParseSpans(a.Payload, a.Received)
		r.timings = timingsOfSpans(spans)
		return err
	case "attachment":
		return s.readAttachment(ctx, r)
	case "user_report":
		report, err := sentry.ParseUserReport(a.Payload)
		if err != nil {
			return err
		}
		c, err := s.scrubber(ctx, p.ID)
		if err != nil {
			return err
		}
		said := sentry.Event{Feedback: &sentry.Feedback{Message: report.Comments, Name: report.Name, Email: report.Email}}
		c.Parsed(&said) // the rules are the same as for feedback of newer clients
		r.feedback = newFeedback(a, report.EventID, *said.Feedback)
	case "session", "sessions", "check_in", "log", "trace_metric":
		return s.readForOthers(r)
	default:
		r.dropped = true
	}
	return nil
}

// readForOthers reads what hooks take; without a listener it is not even read.
func (s *Service) readForOthers(r *ready) (err error) {
	a := r.from
	switch {
	case a.ItemType == "session" && s.OnSession != nil:
		var one sentry.Session
		one, err = sentry.ParseSession(a.Payload, a.Received)
		r.session = &one
	case a.ItemType == "sessions" && s.OnSession != nil:
		var counted sentry.Sessions
		counted, err = sentry.ParseSessions(a.Payload, a.Received, s.Limits.Sessions)
		r.sessions = &counted
	case a.ItemType == "check_in" && s.OnCheckIn != nil:
		var one sentry.CheckIn
		one, err = sentry.ParseCheckIn(a.Payload)
		r.checkIn = &one
	case a.ItemType == "log" && s.OnLogs != nil:
		r.logs, err = sentry.ParseLogs(a.Payload, a.Received)
	case a.ItemType == "trace_metric" && s.OnMetrics != nil:
		r.metrics, err = sentry.ParseMetrics(a.Payload, a.Received)
	default:
		r.dropped = true
	}
	return err
}

// derivedID makes an event id for what came without one, the same each time it is digested.
func (s *Service) derivedID(a *Accepted, n int) string {
	if n == 0 && len(a.EventID) == 32 {
		return a.EventID
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%d\x00%d", s.Node, a.Project, a.Offset, n))
	return hex.EncodeToString(sum[:16])
}

func (s *Service) readEvent(ctx context.Context, p Project, r *ready) error {
	a := r.from
	e, err := sentry.ParseEvent(a.Payload, a.Received, a.Sent)
	if err != nil {
		return err
	}
	if a.EventID != "" {
		e.ID = a.EventID
	}
	if len(e.ID) != 32 {
		e.ID = s.derivedID(a, 0)
	}
	if a.ItemType == "transaction" {
		e.Type = sentry.TypeTransaction
	}
	if e.User.IPAddress == sentry.AutoIP {
		e.User.IPAddress = a.Address
	}
	if err := s.clean(ctx, p, &e); err != nil {
		return err
	}
	switch e.Type {
	case sentry.TypeTransaction:
		r.timings = []timing{timingOfTransaction(&e)}
		return nil
	case sentry.TypeFeedback:
		if e.Feedback == nil {
			return errors.New("the feedback says nothing")
		}
		about := e.Feedback.EventID
		if about == "" {
			about = e.ID
		}
		r.feedback = newFeedback(a, about, *e.Feedback)
		return nil
	}
	return s.finish(ctx, p, r, &e)
}

// clean takes out of an event what should not be stored, before anything else sees it.
func (s *Service) clean(ctx context.Context, p Project, e *sentry.Event) error {
	c, err := s.scrubber(ctx, p.ID)
	if err == nil {
		c.Parsed(e)
	}
	return err
}

// finish groups and packs an event.
func (s *Service) finish(ctx context.Context, p Project, r *ready, e *sentry.Event) error {
	a := r.from
	e.Received = a.Received.UTC()
	if e.Timestamp.IsZero() {
		e.Timestamp = e.Received
	}
	if e.Level == "" {
		e.Level = sentry.LevelError
	}
	if e.Environment == "" {
		e.Environment = "production"
	}
	if s.Symbolicate != nil {
		if err := s.Symbolicate(ctx, p.ID, e); err != nil {
			if problem.Is(err, problem.Unavailable) {
				return err
			}
			s.Log.WarnContext(ctx, "making an event's stack readable failed", "error", err, "project", p.ID, "event", e.ID)
			e.Errors = append(e.Errors, "The stack could not be made readable: an error on the server.")
		}
	}
	rules, err := s.groupingRules(ctx, p.ID)
	if err != nil {
		return err
	}
	g := grouping.Group(*e, grouping.Options{Rules: rules, Terse: true})
	if len(g.Hashes) == 0 {
		return errors.New("the event belongs to no group")
	}
	re := &readyEvent{event: e, group: g, tags: eventTags(e)}
	re.row = eventRow{TeamID: p.Team, ProjectID: p.ID, EventID: e.ID, Hash: g.Hashes[0].Value, Timestamp: e.Timestamp.UnixMilli(),
		Received: e.Received.UnixMilli(), Level: e.Level, Environment: clipText(e.Environment, 64), Release: clipText(e.Release, 200),
		UserLabel: clipText(userLabel(e.User), 200), Title: clipText(g.Title, 300), Culprit: clipText(g.Culprit, 200), Quality: quality(e)}
	if key := e.User.Key(); key != "" {
		re.row.UserHash = hash64(key)
	}
	if e.TraceID != "" {
		re.row.TraceHash = hash64(e.TraceID)
	}
	re.row.Body, err = packEvent(e)
	r.events = append(r.events, re)
	return err
}

func userLabel(u sentry.User) string {
	for _, v := range []string{u.Email, u.Username, u.ID, u.Name, u.IPAddress} {
		if v != "" {
			return v
		}
	}
	return ""
}

// quality is how much an event tells somebody who looks for the cause.
func quality(e *sentry.Event) (n int64) {
	for _, x := range e.Exceptions {
		if x.Stack == nil {
			continue
		}
		n++
		for _, f := range x.Stack.Frames {
			if f.InApp && f.Context != "" {
				n += 4
				break
			}
		}
		for _, f := range x.Stack.Frames {
			if len(f.Vars) > 0 {
				n++
				break
			}
		}
	}
	for _, has := range []bool{e.Request != nil, e.User.Key() != "", len(e.Breadcrumbs) > 0, e.TraceID != "", e.Release != "", len(e.Tags) > 0} {
		if has {
			n++
		}
	}
	return n
}
