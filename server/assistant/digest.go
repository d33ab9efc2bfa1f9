package assistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// digestPart is one paragraph of a digest: a question that a plan answers.
type digestPart struct {
	name, title string
	// ask takes the stretch of time, such as "the last 24 hours"; quiet is what is said when there is nothing.
	ask, quiet string
	// github is asked of each repository of the channel.
	github bool
}

// digestParts are all there are, in their order.
var digestParts = []digestPart{
	{"merged", "Merged", "What PRs were merged in %s?", "nothing merged", true},
	{"reviews", "Waiting for a first review", "Which open PRs have no review yet?", "nothing waits for a review", true},
	{"mergeable", "Ready to be merged", "Which PRs can be merged now?", "nothing waits to be merged", true},
	{"builds", "Failing builds", "Which builds are failing?", "no build is failing", false},
	{"errors", "New errors", "What new errors came in in %s?", "no new errors", false},
	{"patches", "Not patched", "Which edge agents are not patched?", "everything is patched", false},
	{"deliveries", "Failed deliveries", "Which deliveries failed in %s?", "all deliveries went through", false},
}

const (
	// maxDigests of one team, and how many lines a part has at most.
	maxDigests, partLines = 20, 6
	// lateDigest is how late a digest may be before it is left out.
	lateDigest = 2 * time.Hour
)

// Digest says regularly in a channel what has happened.
type Digest struct {
	ID          string `json:"id"`
	Channel     string `json:"channel"`
	ChannelName string `json:"channel_name"`
	// Schedule is a crontab line in Zone.
	Schedule string   `json:"schedule"`
	Zone     string   `json:"zone"`
	Parts    []string `json:"parts"`
	Muted    bool     `json:"muted"`
	// By is whose rights it has.
	By      string    `json:"by"`
	NextAt  time.Time `json:"next_at,omitzero"`
	LastAt  time.Time `json:"last_at,omitzero"`
	Trouble string    `json:"trouble,omitempty"`
}

// DigestChange is what an owner sets.
type DigestChange struct {
	Channel  string   `json:"channel"`
	Schedule string   `json:"schedule"`
	Zone     string   `json:"zone"`
	Parts    []string `json:"parts"`
	Muted    bool     `json:"muted"`
}

func (in DigestChange) check() (crontab, error) {
	zone, err := time.LoadLocation(in.Zone)
	if err != nil || in.Zone == "" {
		return crontab{}, problem.FieldError("zone", "%.60q is no time zone; send a name such as Europe/London", in.Zone)
	}
	schedule, err := parseCrontab(in.Schedule, zone)
	if err != nil {
		return schedule, problem.FieldError("schedule", "%s; 45 9 * * 1-5 is each working day at 09:45", err)
	}
	if len(in.Parts) == 0 {
		return schedule, problem.FieldError("parts", "names nothing")
	}
	for _, p := range in.Parts {
		if !slices.ContainsFunc(digestParts, func(d digestPart) bool { return d.name == p }) {
			return schedule, problem.FieldError("parts", "%.40q is no part of a digest", p)
		}
	}
	return schedule, nil
}

// SaveDigest makes a digest, or changes one when id is not "". It acts with the rights of who saved it last.
func (s *Slack) SaveDigest(ctx context.Context, team identity.Team, id string, in DigestChange) (Digest, error) {
	schedule, err := in.check()
	if err != nil {
		return Digest{}, err
	}
	now := s.Now()
	next := schedule.next(now)
	if next.IsZero() {
		return Digest{}, problem.FieldError("schedule", "never comes")
	}
	if after := schedule.next(next); after.Sub(next) < 30*time.Minute {
		return Digest{}, problem.FieldError("schedule", "comes more often than each half hour")
	}
	parts, err := json.Marshal(in.Parts)
	if err != nil {
		return Digest{}, err
	}
	room, ok, err := s.rows.channel(ctx, in.Channel)
	if err != nil {
		return Digest{}, err
	}
	if !ok || room.TeamID != team.ID {
		return Digest{}, problem.FieldError("channel", "does not belong to this team; map it first")
	}
	row := digestRow{ID: id, TeamID: team.ID, Channel: in.Channel, Schedule: in.Schedule, Zone: in.Zone, Parts: string(parts), UserID: identity.From(ctx).UserID, Muted: in.Muted, NextAt: next.UnixMilli(), CreatedAt: now.UnixMilli()}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if id == "" {
			row.ID = s.ID()
			list, err := s.rows.digests(ctx, team.ID)
			if err != nil {
				return err
			}
			if len(list) >= maxDigests {
				return problem.New(problem.Conflict, "The team has %d digests already; remove one first.", len(list))
			}
		} else {
			before, err := s.rows.digest(ctx, team.ID, id)
			if err != nil {
				return err
			}
			row.LastAt, row.CreatedAt = before.LastAt, before.CreatedAt
		}
		if err := s.rows.saveDigest(ctx, row); err != nil {
			return err
		}
		return s.Audit(ctx, team.ID, "assistant.digest.change", "#"+room.Name, in.Schedule+" "+in.Zone+" "+strings.Join(in.Parts, " "))
	})
	if err != nil {
		return Digest{}, err
	}
	return s.shapeDigest(ctx, row)
}

func (s *Slack) shapeDigest(ctx context.Context, row digestRow) (Digest, error) {
	out := Digest{ID: row.ID, Channel: row.Channel, Schedule: row.Schedule, Zone: row.Zone, Muted: row.Muted, NextAt: time.UnixMilli(row.NextAt).UTC(), Trouble: row.Trouble}
	if row.LastAt != 0 {
		out.LastAt = time.UnixMilli(row.LastAt).UTC()
	}
	var err error
	if out.Parts, err = words(row.Parts); err != nil {
		return out, err
	}
	if room, ok, err := s.rows.channel(ctx, row.Channel); err == nil && ok {
		out.ChannelName = room.Name
	}
	caller, err := s.Caller(ctx, row.UserID)
	if err != nil && !problem.Is(err, problem.Unauthorized) {
		return out, err
	}
	out.By = caller.Name
	return out, nil
}

// Digests are a team's.
func (s *Slack) Digests(ctx context.Context, team identity.Team) ([]Digest, error) {
	rows, err := s.rows.digests(ctx, team.ID)
	out := []Digest{}
	for _, row := range rows {
		d, err := s.shapeDigest(ctx, row)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, err
}

// RemoveDigest ends one.
func (s *Slack) RemoveDigest(ctx context.Context, team identity.Team, id string) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.rows.digest(ctx, team.ID, id); err != nil {
			return err
		}
		if err := s.rows.dropDigest(ctx, id); err != nil {
			return err
		}
		return s.Audit(ctx, team.ID, "assistant.digest.remove", id, "")
	})
}

// dueDigests writes what is due into the outbox, each period once.
func (s *Slack) dueDigests(ctx context.Context) error {
	rows, err := s.rows.digestsDue(ctx, s.Now().UnixMilli())
	if err != nil || len(rows) == 0 {
		return err
	}
	var failed []error
	for _, row := range rows {
		failed = append(failed, s.sayDigest(ctx, row))
	}
	return errors.Join(failed...)
}

// sayDigest makes the digest of one period and moves on to the next. The outbox
// takes each period once, so that two servers that make it say it once.
func (s *Slack) sayDigest(ctx context.Context, row digestRow) error {
	zone, err := time.LoadLocation(row.Zone)
	if err != nil {
		return err
	}
	schedule, err := parseCrontab(row.Schedule, zone)
	if err != nil {
		return err
	}
	due := time.UnixMilli(row.NextAt)
	next := schedule.next(s.Now())
	var m slack.Message
	trouble := ""
	if !row.Muted && s.Now().Sub(due) < lateDigest {
		if m, err = s.digestMessage(ctx, row, schedule, due); err != nil {
			if p := problem.From(err); p.Kind != problem.Internal {
				trouble = p.Detail
			} else {
				return err // tried again in a while
			}
		}
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		moved, err := s.rows.moveDigest(ctx, row.ID, row.NextAt, next.UnixMilli(), due.UnixMilli(), trouble)
		if err != nil || !moved || m.Text == "" {
			return err
		}
		return s.putOut(ctx, outRow{Subject: "digest " + row.ID, Part: due.UTC().Format(time.RFC3339)}, m)
	})
}

// stretch is what a digest looks back on: since it last came, in whole hours.
func stretch(schedule crontab, due time.Time) string {
	// The time before this one: the last that is still earlier, looking back a month at most.
	from := due.Add(-31 * 24 * time.Hour)
	before := time.Time{}
	for at := schedule.next(from); !at.IsZero() && at.Before(due); at = schedule.next(at) {
		before = at
	}
	hours := 24
	if !before.IsZero() {
		hours = max(1, int(due.Sub(before).Round(time.Hour)/time.Hour))
	}
	if hours == 1 {
		return "the last hour"
	}
	return fmt.Sprintf("the last %d hours", hours)
}

func (s *Slack) digestMessage(ctx context.Context, row digestRow, schedule crontab, due time.Time) (slack.Message, error) {
	caller, err := s.Caller(ctx, row.UserID)
	if err != nil {
		return slack.Message{}, problem.New(problem.Forbidden, "Who set this digest up may no longer sign in; somebody else saves it anew.")
	}
	var team identity.Team
	for _, t := range caller.Teams {
		if t.ID == row.TeamID {
			team = t
		}
	}
	if !caller.Can(row.TeamID, asking) || team.ID == 0 {
		return slack.Message{}, problem.New(problem.Forbidden, "Who set this digest up is no longer in the team; somebody else saves it anew.")
	}
	mapped, ok, err := s.rows.channel(ctx, row.Channel)
	if err != nil || !ok {
		return slack.Message{}, errors.Join(err, errors.New("the digest's channel is no longer mapped"))
	}
	room := slackRoom{team: mapped.TeamID}
	if room.repositories, err = words(mapped.Repositories); err != nil {
		return slack.Message{}, err
	}
	parts, err := words(row.Parts)
	if err != nil {
		return slack.Message{}, err
	}
	ctx = watching(identity.With(ctx, caller), watch{plans: true})
	said, quiet, err := s.digestText(ctx, team, room, row, parts, stretch(schedule, due))
	if err != nil {
		return slack.Message{}, err
	}
	head := "*" + due.In(schedule.place).Format("Monday 2 January") + "*"
	if len(said) == 0 {
		head += ": " + slack.Escape(strings.Join(quiet, ", ")) + "."
	} else if len(quiet) > 0 {
		head += " · " + slack.Escape(strings.Join(quiet, ", "))
	}
	return slack.Message{Channel: row.Channel, Text: head, Sections: append([]string{head}, said...), Footer: slack.Escape("digest of team " + team.Name + " · " + stretch(schedule, due)),
		Buttons: []slack.Button{{Action: actMute, Label: "Mute", Value: row.ID}}}, nil
}

// digestText asks each part; what has nothing to say is one phrase.
func (s *Slack) digestText(ctx context.Context, team identity.Team, room slackRoom, row digestRow, parts []string, since string) (said, quiet []string, err error) {
	for _, part := range digestParts {
		if !slices.Contains(parts, part.name) {
			continue
		}
		repositories := []string{""}
		if part.github && len(room.repositories) > 0 {
			repositories = room.repositories[:min(len(room.repositories), 5)]
		}
		question := part.ask
		if strings.Contains(question, "%s") {
			question = fmt.Sprintf(question, since)
		}
		nothing := true
		for _, r := range repositories {
			run, err := s.Ask(ctx, Question{Team: team.Name, Text: question, Zone: row.Zone, Repository: r, Surface: "digest"})
			if err != nil {
				return nil, nil, err
			}
			text, empty := s.digestParagraph(ctx, team, room, row, part, r, run)
			if !empty {
				nothing = false
				said = append(said, text)
			}
		}
		if nothing {
			quiet = append(quiet, part.quiet)
		}
	}
	return said, quiet, nil
}

// digestParagraph is a part as it is said, and whether there is nothing to say. A channel is told no more than in an answer.
func (s *Slack) digestParagraph(ctx context.Context, team identity.Team, room slackRoom, row digestRow, part digestPart, repository string, run Run) (string, bool) {
	title := "*" + part.title + "*"
	if repository != "" {
		title += " in " + slack.Escape(repository)
	}
	if run.Status != Answered {
		return title + "\n" + slack.Mrkdwn(run.Answer.Text, s.mayLink(ctx, team.ID)), false
	}
	var items []string
	for _, line := range strings.Split(run.Answer.Text, "\n") {
		if strings.HasPrefix(line, "- ") {
			items = append(items, line)
		}
	}
	if len(items) == 0 {
		return "", true
	}
	if s.hidden(ctx, team, askRow{Channel: row.Channel}, room, run) != "" {
		return title + "\nThis holds something that this channel is not for.", false
	}
	text := title + "\n" + slack.Mrkdwn(strings.Join(items[:min(len(items), partLines)], "\n"), s.mayLink(ctx, team.ID))
	page := strings.TrimRight(s.PublicURL, "/") + "/teams/" + team.Name + "/assistant/runs/" + run.ID
	if more := len(items) - partLines; more > 0 {
		return text + "\n" + slack.Link(fmt.Sprintf("… and %d more", more), page), false
	}
	return text, false
}

// muteDigest is the button below a digest: whoever may set digests up may press it.
func (s *Slack) muteDigest(ctx context.Context, l *slackLink, in slack.Incoming, who asker) error {
	row, err := s.rows.anyDigest(ctx, in.Value)
	if err != nil {
		return s.whisper(ctx, l, in, "This digest is no more.")
	}
	if !who.caller.Can(row.TeamID, asking) {
		return s.whisper(ctx, l, in, "Only people of the team can mute its digest.")
	}
	if err := s.rows.mute(ctx, row.ID, true); err != nil {
		return err
	}
	if err := s.Audit(identity.With(ctx, who.caller), row.TeamID, "assistant.digest.mute", row.ID, ""); err != nil {
		return err
	}
	return l.client.Whisper(ctx, in.User, slack.Message{Channel: in.Channel, Text: "Muted. It is turned on again under Assistant, Slack."})
}
