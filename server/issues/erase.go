package issues

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// EraseMode says what becomes of a user's events.
type EraseMode string

// The modes. Both take the user out of whatever else mentions them.
const (
	EraseRewrite EraseMode = "rewrite" // the events stay, without the user
	EraseDelete  EraseMode = "delete"  // the user's events go
)

// Validate refuses other words.
func (m EraseMode) Validate() error {
	if m == EraseRewrite || m == EraseDelete {
		return nil
	}
	return problem.FieldError("mode", "%q is neither rewrite nor delete", string(m))
}

// EraseState says how far an erasure has come.
type EraseState string

// The states of erasures.
const (
	EraseWaiting EraseState = "waiting" // for a worker
	EraseRunning EraseState = "running" // event by event
	EraseDone    EraseState = "done"    // nothing of the user is left
	EraseFailed  EraseState = "failed"  // after the last attempt; ask again
)

// Subject is a user whose data is erased, by whatever is known of them.
type Subject struct {
	ID       string `json:"id,omitempty"`
	Email    string `json:"email,omitempty"`
	Username string `json:"username,omitempty"`
	IP       string `json:"ip_address,omitempty"`
}

// Erasure takes a user's data out of a project.
type Erasure struct {
	ID      string     `json:"id"`
	Team    int64      `json:"-"`
	Project projectRef `json:"project"`
	State   EraseState `json:"state"`
	Mode    EraseMode  `json:"mode"`
	// Label tells people which user it was, with most of it left out.
	Label     string      `json:"label"`
	Counts    EraseCounts `json:"counts"`
	Error     string      `json:"error"`
	CreatedBy string      `json:"created_by"`
	CreatedAt api.Millis  `json:"created_at"`
	EndedAt   api.Millis  `json:"ended_at,omitzero"`

	subject  Subject
	position int64
	// seen are issues that are counted already.
	seen []int64
}

// EraseCounts is what an erasure found.
type EraseCounts struct {
	// Total is how many events the project held at the beginning, Scanned how many were looked at.
	Total     int64 `json:"total"`
	Scanned   int64 `json:"scanned"`
	Rewritten int64 `json:"events_rewritten"`
	Deleted   int64 `json:"events_deleted"`
	// Issues are those of which something was taken out.
	Issues      int64 `json:"issues"`
	Attachments int64 `json:"attachments"`
	Feedback    int64 `json:"feedback"`
	Tags        int64 `json:"tags"`
	Comments    int64 `json:"comments"`
	Rejected    int64 `json:"rejected"`
}

const (
	eraseJob      = "issues.erase"
	eraseAttempts = 10
	eraseTopic    = "issues.erasures"
	eraseStep     = 200
	// mostSeen bounds what is remembered; issues beyond it may count twice.
	mostSeen = 10_000
)

func (s Subject) check() error {
	for name, v := range map[string]string{"id": s.ID, "email": s.Email, "username": s.Username, "ip_address": s.IP} {
		if len(v) > 200 || strings.ContainsFunc(v, isControl) {
			return problem.FieldError("user."+name, "is longer than 200 bytes or has control characters")
		}
	}
	if s == (Subject{}) {
		return problem.FieldError("user", "say who: id, email, username or ip_address")
	}
	return nil
}

// label is how people recognise the user whom they asked to forget.
func (s Subject) label() string {
	var parts []string
	for _, p := range []struct{ name, value string }{{"id", s.ID}, {"email", s.Email}, {"username", s.Username}, {"address", s.IP}} {
		if p.value != "" {
			parts = append(parts, p.name+" "+maskMiddle(p.value))
		}
	}
	return strings.Join(parts, ", ")
}

func maskMiddle(v string) string {
	name, host, isMail := strings.Cut(v, "@")
	first := []rune(name)
	out := "…"
	if len(first) > 1 {
		out = string(first[:1]) + "…"
	}
	if isMail {
		out += "@" + host
	}
	return out
}

// Erase begins to take a user's data out of a project.
func (s *Service) Erase(ctx context.Context, project int64, who Subject, mode EraseMode) (Erasure, error) {
	var out Erasure
	err := s.DB.Tx(ctx, func(ctx context.Context) error {
		p, err := s.writableProject(ctx, project)
		if err != nil {
			return err
		}
		who = Subject{strings.TrimSpace(who.ID), strings.TrimSpace(who.Email), strings.TrimSpace(who.Username), strings.TrimSpace(who.IP)}
		mode = cmp.Or(mode, EraseRewrite)
		if err := who.check(); err != nil {
			return err
		}
		if err := mode.Validate(); err != nil {
			return err
		}
		u, err := s.rows().usage(ctx, p.ID)
		if err != nil {
			return err
		}
		out = Erasure{ID: s.NewID(), Team: p.Team, Project: projectRef{p.ID, p.Slug}, State: EraseWaiting, Mode: mode, Label: who.label(),
			CreatedBy: identity.From(ctx).Name, CreatedAt: api.Millis(s.millis()), subject: who, Counts: EraseCounts{Total: u.Events}}
		if err := s.rows().insertErasure(ctx, out); err != nil {
			return err
		}
		_, err = s.Jobs.EnqueueValue(ctx, work.Job{Kind: eraseJob, Team: p.Team, SerialKey: fmt.Sprint("erase:", p.ID)}, erasePayload{out.ID})
		if err != nil {
			return err
		}
		if err := s.publish(ctx, p.Team, eraseTopic, out.ID); err != nil {
			return err
		}
		return s.audit(ctx, p.Team, "issues.project.erase", p.Slug, out.Label)
	})
	return out, err
}

type erasePayload struct {
	ID string `json:"id"`
}

// runErasure is the durable job: steps of their own transactions, each of which
// saves how far it has come.
func (s *Service) runErasure(ctx context.Context, job work.Job) error {
	var p erasePayload
	if err := json.Unmarshal(job.Payload, &p); err != nil {
		return work.GiveUp(err)
	}
	err := s.eraseAll(ctx, p.ID)
	if err != nil && ctx.Err() == nil && job.Attempt >= eraseAttempts {
		return errors.Join(err, s.failErasure(ctx, p.ID, err))
	}
	return err
}

func (s *Service) eraseAll(ctx context.Context, id string) error {
	for more := true; more; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
			more, err = s.eraseSome(ctx, id)
			return err
		})
		if err != nil {
			return fmt.Errorf("erase a user's data: %w", err)
		}
	}
	return nil
}

// failErasure tells people that it ended early; the subject stays, so that the
// dead job can be driven again.
func (s *Service) failErasure(ctx context.Context, id string, cause error) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		e, err := s.rows().erasure(ctx, id)
		if problem.Is(err, problem.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		e.State, e.Error = EraseFailed, clipText(cause.Error(), 500)
		if err := s.rows().saveErasure(ctx, e); err != nil {
			return err
		}
		return s.publish(ctx, e.Team, eraseTopic, e.ID)
	})
}
