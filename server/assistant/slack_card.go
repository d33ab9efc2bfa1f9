package assistant

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// A card shows in Slack an approval that lies in the database; it is never more
// than a view of that row, and its buttons carry the row's id alone.
const (
	actApprove = "signalbox_approve"
	actDeny    = "signalbox_deny"
	// cardSubject begins the subject of what is said about an approval, partCard is the card itself.
	cardSubject = "approval "
	partCard    = "card"
)

// cards are those of what a run has proposed; direct when its answer goes to the asker alone.
func (s *Slack) cards(ask askRow, run Run, direct bool) []outgoing {
	var out []outgoing
	for _, a := range run.Approvals {
		m := s.card(a)
		if !direct {
			m.Channel, m.Thread = ask.Channel, ask.Thread
		}
		out = append(out, outgoing{part: partCard, message: m, card: a.ID})
	}
	return out
}

// card shows an approval exactly: the call, its target, every argument, and until when.
func (s *Slack) card(a Approval) slack.Message {
	title := a.Title
	if title == "" {
		title = a.Tool
	}
	m := slack.Message{Text: "*" + slack.Escape(title) + "*"}
	head := m.Text
	if a.Target != "" {
		head += ": " + slack.Escape(cutLine(a.Target, 300))
	}
	if a.Effect != "" {
		head += "\n" + slack.Escape(a.Effect)
	}
	m.Text = "Approve? " + slack.Escape(title)
	facts := "*Called with*"
	for _, f := range a.Words {
		facts += "\n• " + slack.Escape(f.Name) + ": `" + strings.ReplaceAll(slack.Escape(cutLine(f.Value, 300)), "`", "'") + "`"
	}
	if len(a.Was) > 0 {
		facts += "\n*As it stands now*"
		for _, f := range a.Was {
			facts += "\n• " + slack.Escape(f.Name) + ": " + slack.Escape(cutLine(f.Value, 300))
		}
	}
	m.Sections = []string{head, facts}
	m.Footer = slack.Escape(string(a.Class) + " · " + a.Tool + " · asked for by " + a.Proposer)
	if a.Page != "" {
		m.Footer += " · " + slack.Link("details", a.Page)
	}
	if a.State == ApprovalPending {
		m.Footer += fmt.Sprintf(" · until <!date^%d^{time}|%s>", a.Expires.Unix(), a.Expires.UTC().Format("15:04 MST"))
		m.Buttons = []slack.Button{{Action: actApprove, Label: "Approve", Value: a.ID, Style: "primary"}, {Action: actDeny, Label: "Deny", Value: a.ID, Style: "danger"}}
		return m
	}
	m.Sections = append(m.Sections, outcomeOf(a))
	return m
}

// outcomeOf says what became of an approval.
func outcomeOf(a Approval) string {
	by := ""
	if a.DecidedBy != "" {
		by = " by " + slack.Escape(a.DecidedBy)
	}
	switch a.State {
	case ApprovalApproved, ApprovalRunning:
		return "… Approved" + by + "; it is being done."
	case ApprovalDone:
		return "✓ Approved" + by + ", and done."
	case ApprovalFailed:
		return "✗ Approved" + by + ", but it failed: " + slack.Escape(cutLine(a.Outcome, 300))
	case ApprovalDenied:
		return "✗ Denied" + by + ". Nothing was done."
	case ApprovalExpired:
		return "✗ Nobody decided in time. Nothing was done."
	}
	return slack.Escape(string(a.State))
}

// cardChanged follows an approval on its card, if it has one here.
func (s *Slack) cardChanged(ctx context.Context, _ int64, a Approval) {
	ctx = context.WithoutCancel(ctx)
	if a.State == ApprovalPending {
		return // the card is written down with the answer
	}
	shown, err := s.rows.outOf(ctx, cardSubject+a.ID, partCard)
	if err != nil {
		return // proposed elsewhere
	}
	if err := s.putOut(ctx, outRow{Subject: cardSubject + a.ID, Part: string(a.State), SlackUser: shown.SlackUser}, s.card(a)); err != nil {
		s.Log.Error("the card of an approval could not be brought up to date", "approval", a.ID, "error", err)
	}
}

var errNoCard = errors.New("the card has not been shown yet")

// deliverCard puts the latest state of an approval on its card.
func (s *Slack) deliverCard(ctx context.Context, l *slackLink, id string, m slack.Message) (string, error) {
	shown, err := s.rows.outOf(ctx, cardSubject+id, partCard)
	if err != nil {
		return "", err
	}
	if shown.State == outWaiting {
		return "", errNoCard // tried again
	}
	if shown.State != outSent {
		return "", nil
	}
	channel, ts, _ := strings.Cut(shown.SentTS, " ")
	m.Channel = channel
	return shown.SentTS, l.client.Update(ctx, m, ts)
}

// decideCard decides an approval as the person who pressed. Only the id is taken from Slack.
func (s *Slack) decideCard(ctx context.Context, l *slackLink, in slack.Incoming, who asker) error {
	ctx = identity.With(ctx, who.caller)
	var err error
	if in.Action == actApprove {
		_, err = s.Approve(ctx, in.Value)
	} else {
		_, err = s.Deny(ctx, in.Value, "")
	}
	if err == nil {
		return nil // the card shows it
	}
	p := problem.From(err)
	if p.Kind == problem.Internal {
		s.Log.Error("an approval could not be decided from Slack", "approval", in.Value, "error", err)
		return s.whisper(ctx, l, in, "Something went wrong here. It is in the server's log.")
	}
	return s.whisper(ctx, l, in, p.Detail)
}
