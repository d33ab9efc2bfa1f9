package assistant

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// codeLife is how long the address is good by which an account is linked.
	codeLife = 10 * time.Minute
	// personKept is how long what Slack says of a user is believed.
	personKept = 10 * time.Minute
)

// asker is who asks in Slack, as a user of this server.
type asker struct {
	caller identity.Caller
	zone   string
	team   string
}

type seenPerson struct {
	slack.Person
	at time.Time
}

const howToLink = "Type `" + slack.SlashCommand + " link` and open the address that I show you."

// asker finds who a Slack user is here; a refusal says why they get no answer.
func (s *Slack) asker(ctx context.Context, l *slackLink, user, home string) (asker, string, error) {
	p, err := s.person(ctx, l, user)
	if code := slack.Code(err); code == "user_not_found" || code == "user_not_visible" {
		return asker{}, "I answer only people of this workspace, and I do not know you.", nil
	}
	if err != nil {
		return asker{}, "", problem.Wrap(err, problem.Upstream, "Slack did not say who you are.")
	}
	switch {
	case p.Bot:
		return asker{}, "I answer people, not programs.", nil
	case p.Stranger, p.Workspace != l.settings.Workspace, home != "" && home != l.settings.Workspace:
		return asker{}, "I answer only people of this workspace; you are from another one.", nil
	case p.Guest:
		return asker{}, "I do not answer guests. Ask a member of this workspace, or a user of " + s.PublicURL + " there.", nil
	case p.Deleted:
		return asker{}, "Your account is no longer active.", nil
	}
	link, ok, err := s.rows.person(ctx, l.settings.Workspace, user)
	if err != nil {
		return asker{}, "", err
	}
	if !ok {
		return asker{}, "I do not know who you are here, so I may tell you nothing yet. " + howToLink, nil
	}
	caller, err := s.Caller(ctx, link.UserID)
	if problem.Is(err, problem.Unauthorized) {
		return asker{}, "The account that you are linked to may no longer sign in. " + howToLink, nil
	}
	return asker{caller: caller, zone: p.Zone, team: link.Team}, "", err
}

// person asks Slack for a user, and believes the answer for a while.
func (s *Slack) person(ctx context.Context, l *slackLink, user string) (slack.Person, error) {
	key := l.settings.Workspace + " " + user
	s.mu.Lock()
	known, ok := s.people[key]
	s.mu.Unlock()
	if ok && s.Now().Sub(known.at) < personKept {
		return known.Person, nil
	}
	p, err := l.client.Person(ctx, user)
	if err != nil {
		return p, err
	}
	if _, err := time.LoadLocation(p.Zone); err != nil {
		p.Zone = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.people) > 5000 {
		clear(s.people)
	}
	s.people[key] = seenPerson{p, s.Now()}
	return p, nil
}

// slackRoom is what a channel may see; without a team for one that belongs to none.
type slackRoom struct {
	team         int64
	repositories []string
}

// teamFor is the team that a question is about: the channel's, or the asker's own.
func (s *Slack) teamFor(ctx context.Context, who asker, ask askRow) (identity.Team, slackRoom, string, error) {
	var room slackRoom
	mapped, ok, err := s.rows.channel(ctx, ask.Channel)
	if err != nil {
		return identity.Team{}, room, "", err
	}
	if ok && !ask.Direct {
		if room.repositories, err = words(mapped.Repositories); err != nil {
			return identity.Team{}, room, "", err
		}
		room.team = mapped.TeamID
		if !who.caller.Can(mapped.TeamID, asking) {
			return identity.Team{}, room, "This channel belongs to a team that you are not in.", nil
		}
		for _, t := range who.caller.Teams {
			if t.ID == mapped.TeamID {
				return t, room, "", nil
			}
		}
	}
	team, refusal := ownTeam(who)
	return team, room, refusal, nil
}

// ownTeam is the team that somebody means who names none.
func ownTeam(who asker) (identity.Team, string) {
	var names []string
	for name, t := range who.caller.Teams {
		if who.caller.Can(t.ID, asking) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return identity.Team{}, "You are in no team, so there is nothing that I may look up for you."
	case slices.Contains(names, who.team):
		return who.caller.Teams[who.team], ""
	case len(names) == 1:
		return who.caller.Teams[names[0]], ""
	}
	return identity.Team{}, "You are in several teams: " + plain(strings.Join(names, ", ")) + ". Ask in a channel of the one that you mean, or type `" + slack.SlashCommand + " link` and choose one."
}

// invite makes the address by which a Slack user is linked. What is stored opens nothing.
func (s *Slack) invite(ctx context.Context, workspace, user, name string) (string, error) {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails
	code := base64.RawURLEncoding.EncodeToString(raw)
	err := s.rows.addCode(ctx, codeRow{Hash: hashOfCode(code), Workspace: workspace, SlackUser: user, SlackName: clip(name, 200), ExpiresAt: s.Now().Add(codeLife).UnixMilli()})
	// Behind #, so that no log of a proxy ever holds it.
	return strings.TrimRight(s.PublicURL, "/") + "/link-slack#" + code, err
}

func hashOfCode(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// Invited is who would be linked.
type Invited struct {
	Workspace string `json:"workspace"`
	SlackUser string `json:"slack_user"`
	Name      string `json:"name"`
	// Email is what Slack knows the person by, "" when it does not say.
	Email string `json:"email"`
	// Now is the user that the person is linked to already, "" for none.
	Now   string   `json:"now"`
	Teams []string `json:"teams"`
}

var errNoCode = problem.New(problem.NotFound, "This address has been used or is too old. Type /signalbox link in Slack for another.")

// Invitation shows the context's caller whom they would link.
func (s *Slack) Invitation(ctx context.Context, code string) (Invited, error) {
	l, err := s.linked(ctx)
	if err != nil {
		return Invited{}, errNoCode
	}
	row, ok, err := s.rows.code(ctx, hashOfCode(code), s.Now().UnixMilli())
	if err != nil {
		return Invited{}, err
	}
	if !ok || row.Workspace != l.settings.Workspace {
		return Invited{}, errNoCode
	}
	out := Invited{Workspace: l.settings.WorkspaceName, SlackUser: row.SlackUser, Name: row.SlackName, Teams: []string{}}
	if p, err := s.person(ctx, l, row.SlackUser); err == nil {
		out.Name, out.Email = p.Name, p.Email
	}
	caller := identity.From(ctx)
	for name, t := range caller.Teams {
		if caller.Can(t.ID, asking) {
			out.Teams = append(out.Teams, name)
		}
	}
	slices.Sort(out.Teams)
	if link, ok, err := s.rows.person(ctx, row.Workspace, row.SlackUser); err == nil && ok {
		if c, err := s.Caller(ctx, link.UserID); err == nil {
			out.Now = c.Name
		}
	}
	return out, nil
}

// Link makes the Slack user of a code the context's caller. Only a person in a
// browser may: a token would let a program give its rights away.
func (s *Slack) Link(ctx context.Context, code, team string) error {
	caller := identity.From(ctx)
	if caller.SessionID == "" {
		return problem.New(problem.Forbidden, "Sign in with a browser to link an account; a token cannot.")
	}
	if team != "" {
		if _, err := identity.RequireTeam(ctx, team, asking); err != nil {
			return err
		}
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		row, ok, err := s.rows.useCode(ctx, hashOfCode(code), s.Now().UnixMilli())
		if err != nil {
			return err
		}
		if !ok {
			return errNoCode
		}
		person := personRow{Workspace: row.Workspace, SlackUser: row.SlackUser, SlackName: row.SlackName, UserID: caller.UserID, Team: team, LinkedAt: s.Now().UnixMilli()}
		if err := s.rows.savePerson(ctx, person); err != nil {
			return err
		}
		if err := s.Audit(ctx, 0, "assistant.slack.link", row.SlackName, row.SlackUser+" is "+caller.Name); err != nil {
			return err
		}
		return s.putOut(ctx, outRow{Subject: "link " + hashOfCode(code), Part: partDirect, SlackUser: row.SlackUser},
			slack.Message{Text: "You are linked to " + slack.Escape(caller.Name) + " now. Ask me something, for example: which builds are failing?"})
	})
}

// Unlink forgets who a Slack user is: their own link, or anybody's for an administrator.
func (s *Slack) Unlink(ctx context.Context, user string) error {
	l, err := s.linked(ctx)
	if err != nil {
		return problem.New(problem.NotFound, "No Slack workspace is set up.")
	}
	row, ok, err := s.rows.person(ctx, l.settings.Workspace, user)
	if err != nil {
		return err
	}
	caller := identity.From(ctx)
	if !ok || row.UserID != caller.UserID && !caller.CanAdministrate() {
		return problem.New(problem.NotFound, "Nobody of that name is linked, or it is not you.")
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows.dropPerson(ctx, row.Workspace, row.SlackUser); err != nil {
			return err
		}
		return s.Audit(ctx, 0, "assistant.slack.unlink", row.SlackName, row.SlackUser)
	})
}
