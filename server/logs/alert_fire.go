package logs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// maxNamed is how many groups or patterns a message names.
const maxNamed = 10

// letters are the messages that follow from a look, and the addresses that its
// history leads to.
type letters struct {
	firing, resolved *AlertMessage
	about            occasion
	urls             map[string]string
}

// letters writes them, before anything else is written: a message quotes lines.
func (s *Service) letters(ctx context.Context, a Alert, t *turn, now time.Time) (letters, error) {
	out := letters{about: becauseFiring, urls: map[string]string{}}
	for _, b := range t.began {
		u, err := s.exploreURL(ctx, a, b.Subject, now.Add(-a.Condition.window()), now)
		if err != nil {
			return out, err
		}
		out.urls[b.Subject] = u
	}
	tell := t.tell
	if len(tell) == 0 {
		out.about, tell = becauseReminder, t.remind
	}
	var err error
	if len(tell) > 0 {
		if out.firing, err = s.firingMessage(ctx, a, t, tell, out.about, now); err != nil {
			return out, err
		}
	}
	if len(t.resolved) > 0 {
		out.resolved, err = s.resolvedMessage(ctx, a, t, now)
	}
	return out, err
}

// firingMessage tells that an alert fires about some subjects.
func (s *Service) firingMessage(ctx context.Context, a Alert, t *turn, about []stateRow, why occasion, now time.Time) (*AlertMessage, error) {
	c, first := a.Condition, about[0]
	one := ""
	if len(about) == 1 {
		one = first.Subject
	}
	from := min(first.Since, now.UnixMilli()-c.window().Milliseconds())
	if c.Kind == WhenPattern {
		from = first.Since - lookEvery.Milliseconds() - patternOverlap.Milliseconds()
	}
	address, err := s.exploreURL(ctx, a, one, time.UnixMilli(from), now)
	if err != nil {
		return nil, err
	}
	m := &AlertMessage{Title: a.Name, URL: address}
	sentences := make([]string, 0, len(about))
	for _, st := range about[:min(len(about), maxNamed)] {
		sentences = append(sentences, c.why(t.seenAs(st)))
	}
	if more := len(about) - len(sentences); more > 0 {
		sentences = append(sentences, fmt.Sprintf("And %d more.", more))
	}
	m.Title += ": " + a.subjects(about)
	if why == becauseReminder {
		m.Title += fmt.Sprintf(", for %s now", span(int64(now.Sub(time.UnixMilli(first.Since))/time.Minute)))
	}
	m.Text = strings.Join(append(sentences, "Alert: "+a.Name), "\n")
	switch {
	case c.Kind == WhenPattern:
		for _, b := range t.began[:min(len(t.began), maxNamed)] {
			m.Lines = append(m.Lines, b.sample)
		}
	case !c.fewness():
		m.Lines = s.sampleLines(ctx, a, one, now.Add(-c.window()), now)
	}
	return m, nil
}

// seenAs is what a look has found about a state, or what it knew of it.
func (t *turn) seenAs(st stateRow) observed {
	for _, b := range t.began {
		if b.Subject == st.Subject {
			return b.observed
		}
	}
	return observed{subject: st.Subject, value: *valueOr(st.Value, 0)}
}

// subjects says in a few words what is the matter, for the title.
func (a Alert) subjects(about []stateRow) string {
	c := a.Condition
	switch {
	case c.Kind == WhenPattern && len(about) == 1:
		return "a new kind of message"
	case c.Kind == WhenPattern:
		return fmt.Sprintf("%d new kinds of messages", len(about))
	case c.By == "" && c.Kind == WhenAbsent:
		return "no lines"
	case c.By == "" && c.Kind == WhenRatio:
		return number(rounded(*valueOr(about[0].Value, 0))) + " %"
	case c.By == "" && c.Figure == "count()":
		return plural(int64(*valueOr(about[0].Value, 0)), "line")
	case c.By == "":
		return c.Figure + " is " + number(rounded(*valueOr(about[0].Value, 0)))
	}
	names := make([]string, 0, 3)
	for _, st := range about[:min(len(about), 3)] {
		names = append(names, cmp.Or(st.Subject, "(none)"))
	}
	if more := len(about) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return c.By + " " + listed(names)
}

// resolvedMessage tells that it is over.
func (s *Service) resolvedMessage(ctx context.Context, a Alert, t *turn, now time.Time) (*AlertMessage, error) {
	first := t.resolved[0]
	one := ""
	if len(t.resolved) == 1 {
		one = first.Subject
	}
	address, err := s.exploreURL(ctx, a, one, time.UnixMilli(first.Since).Add(-a.Condition.window()), now)
	if err != nil {
		return nil, err
	}
	m := &AlertMessage{Title: "Over: " + a.Name, URL: address}
	if a.Condition.By != "" {
		m.Title += ": " + a.subjects(t.resolved)
	}
	lasted := max(int64(now.Sub(time.UnixMilli(first.Since))/time.Minute), 1)
	m.Text = "It lasted " + span(lasted) + "."
	if t.firing > 0 {
		m.Text += fmt.Sprintf(" It goes on for %d others.", t.firing)
	}
	m.Text += "\nAlert: " + a.Name
	return m, nil
}

// exploreURL shows the lines of a subject.
func (s *Service) exploreURL(ctx context.Context, a Alert, subject string, from, to time.Time) (string, error) {
	name, err := s.TeamName(ctx, a.Team)
	if err != nil {
		return "", err
	}
	q := a.Condition.narrowed(subject)
	if a.Condition.Kind == WhenAbsent { // what came before it fell silent
		from = from.Add(-a.Condition.window())
	}
	// The address says whole seconds; those that have begun are in it.
	to = to.Add(time.Second - 1).Truncate(time.Second)
	args := url.Values{"from": {from.UTC().Format(time.RFC3339)}, "to": {to.UTC().Format(time.RFC3339)}}
	if q != "" {
		args.Set("q", q)
	}
	return s.PublicURL() + "/teams/" + url.PathEscape(name) + "/logs?" + strings.ReplaceAll(args.Encode(), "+", "%20"), nil
}

// settle writes what a look has changed and queues what is to be told, in the
// context's transaction.
func (s *Service) settle(ctx context.Context, a Alert, t turn, out letters, now time.Time) error {
	newIDs := map[string]int64{}
	for _, b := range t.began {
		f := firingRow{AlertID: a.ID, TeamID: a.Team, Subject: b.Subject, At: now.UnixMilli(), Value: b.Value, Why: a.Condition.why(b.observed), URL: out.urls[b.Subject], Deliveries: "[]"}
		if err := s.rows.insertFiring(ctx, &f); err != nil {
			return err
		}
		newIDs[b.Subject] = f.ID
		b.FiringID = f.ID
		if err := s.rows.saveState(ctx, b.stateRow); err != nil {
			return err
		}
	}
	for _, st := range t.save {
		if err := s.rows.saveState(ctx, st); err != nil {
			return err
		}
	}
	for _, st := range t.ended {
		if err := s.rows.endFiring(ctx, st.FiringID, now.UnixMilli()); err != nil {
			return err
		}
	}
	for _, subject := range t.drop {
		if err := s.rows.dropState(ctx, a.ID, subject); err != nil {
			return err
		}
	}
	for i := range t.tell {
		st := t.tell[i]
		st.Told, st.FiringID = true, cmp.Or(newIDs[st.Subject], st.FiringID)
		if err := s.rows.saveState(ctx, st); err != nil {
			return err
		}
		t.tell[i] = st
	}
	return errors.Join(s.send(ctx, a, out.about, out.firing, slices.Concat(t.tell, t.remind)), s.send(ctx, a, becauseResolved, out.resolved, t.resolved))
}

// send queues a message and notes it with the firings that it is about.
func (s *Service) send(ctx context.Context, a Alert, about occasion, m *AlertMessage, of []stateRow) error {
	if m == nil {
		return nil
	}
	made, err := s.deliver(ctx, a, about, *m)
	if err != nil || len(made) == 0 {
		return err
	}
	ids := make([]int64, len(of))
	for i, st := range of {
		ids[i] = st.FiringID
	}
	return s.rows.addDeliveries(ctx, ids, made)
}

// TestAlert tells an alert's channels, marked as a test.
func (s *Service) TestAlert(ctx context.Context, a Alert) (f firingRow, err error) {
	if len(a.Actions) == 0 {
		return f, problem.New(problem.Conflict, "This alert tells nobody; choose a channel first.")
	}
	now := s.Now()
	address, err := s.exploreURL(ctx, a, "", now.Add(-a.Condition.window()), now)
	if err != nil {
		return f, err
	}
	names, err := s.channelNames(ctx, a.Team)
	if err != nil {
		return f, err
	}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		m := AlertMessage{Title: "Test of the alert " + a.Name, Text: "This is a test that somebody asked for. The alert says:\n" + a.sentence(names.of), URL: address}
		made, err := s.deliver(ctx, a, becauseTest, m)
		if err != nil {
			return err
		}
		f = firingRow{AlertID: a.ID, TeamID: a.Team, At: now.UnixMilli(), EndedAt: now.UnixMilli(), Why: "Somebody asked for a test.", URL: address, Test: true, Deliveries: written(made)}
		if err := s.rows.insertFiring(ctx, &f); err != nil {
			return err
		}
		return errors.Join(s.audit(ctx, a.Team, "logs.alert.test", a.Name, ""), s.publish(ctx, a.Team, topicAlerts, a.ID))
	})
	return f, err
}
