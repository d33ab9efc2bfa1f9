package assistant

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// answerLines is how much of an answer stands in Slack; the rest is on the run's page.
const answerLines = 12

// Buttons below an answer. A value is never more than an id.
const (
	actHelped  = "signalbox_helped"
	actNot     = "signalbox_not"
	actTry     = "signalbox_try"
	actHow     = "signalbox_how"
	actMute    = "signalbox_mute"
	actLinking = "signalbox_link"
)

// ours lets links lead to this server alone.
func (s *Slack) ours(host string) bool {
	u, err := url.Parse(s.PublicURL)
	return err == nil && strings.EqualFold(u.Host, host)
}

// mayLink gives where an answer's links may lead: here, the team's GitHub, and what its owners have added.
func (s *Slack) mayLink(ctx context.Context, team int64) func(string) bool {
	var hosts []string
	if settings, err := s.settings(ctx, team); err == nil {
		hosts = settings.LinkHosts
	}
	if s.Hosts != nil {
		more, err := s.Hosts(ctx, team)
		if err != nil {
			s.Log.Warn("the hosts of a team's GitHub are not known; answers do not link there", "error", err)
		}
		hosts = slices.Concat(hosts, more)
	}
	return func(host string) bool {
		return s.ours(host) || slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, host) })
	}
}

// compose makes of a run what is said about it: all of it in the thread, or, when the channel must not see it, directly to the asker.
func (s *Slack) compose(ctx context.Context, ask askRow, team identity.Team, room slackRoom, run Run) []outgoing {
	m := s.answerMessage(ctx, ask, team, run)
	why := ""
	if !ask.Direct {
		why = s.hidden(ctx, team, ask, room, run)
	}
	if why == "" {
		m.Channel, m.Thread = ask.Channel, ask.Thread
		return append([]outgoing{{part: partReply, message: m}}, s.cards(ask, run, false)...)
	}
	m.Text, m.Sections = "You asked: "+slack.Escape(cutLine(ask.Text, 200))+"\n"+m.Text, append([]string{"_You asked: " + slack.Escape(cutLine(ask.Text, 200)) + "_"}, m.Sections...)
	return append([]outgoing{s.short(ask, "I have answered you directly: "+why), {part: partDirect, message: m}}, s.cards(ask, run, true)...)
}

func (s *Slack) answerMessage(ctx context.Context, ask askRow, team identity.Team, run Run) slack.Message {
	page := strings.TrimRight(s.PublicURL, "/") + "/teams/" + url.PathEscape(team.Name) + "/assistant/runs/" + run.ID
	lines := strings.Split(strings.TrimSpace(run.Answer.Text), "\n")
	more := 0
	if len(lines) > answerLines {
		more = len(lines) - answerLines + 1
		lines = lines[:answerLines-1]
	}
	body := slack.Mrkdwn(strings.Join(lines, "\n"), s.mayLink(ctx, team.ID))
	if more > 0 {
		body += "\n" + slack.Link("… and "+number(more, "more line"), page)
	}
	m := slack.Message{Text: body, Sections: paragraphs(body), Footer: s.footer(ask, run, page)}
	for i, question := range run.Answer.Try {
		if i < 3 && run.Status == Refused {
			m.Buttons = append(m.Buttons, slack.Button{Action: actTry + "_" + strconv.Itoa(i), Label: question, Value: run.ID})
		}
	}
	m.Buttons = append(m.Buttons, slack.Button{Action: actHelped, Label: "👍", Value: run.ID}, slack.Button{Action: actNot, Label: "👎", Value: run.ID},
		slack.Button{Action: actHow, Label: "How I got this", URL: page, Value: run.ID})
	return m
}

// paragraphs cuts a long answer at line ends, as Slack bounds each section.
func paragraphs(body string) []string {
	var out []string
	var b strings.Builder
	for _, line := range strings.Split(body, "\n") {
		if b.Len() > 0 && b.Len()+len(line) > 2800 {
			out = append(out, b.String())
			b.Reset()
		}
		b.WriteString(line + "\n")
	}
	return append(out, strings.TrimRight(b.String(), "\n"))
}

func (s *Slack) footer(ask askRow, run Run, page string) string {
	parts := []string{number(len(run.Answer.Sources), "source")}
	if run.Calls > 0 {
		parts = append(parts, number(run.Calls, "look-up"))
	}
	parts = append(parts, strconv.FormatFloat(float64(run.Millis)/1000, 'f', 1, 64)+" s")
	if n := len(run.Answer.Unverified); n > 0 {
		parts = append(parts, "⚠ "+number(n, "fact")+" not verified")
	}
	return strings.Join(append(parts, slack.Link("trace", page)), " · ")
}

// hidden says why a channel must not see a run's answer, "" when it may.
func (s *Slack) hidden(ctx context.Context, team identity.Team, ask askRow, room slackRoom, run Run) string {
	repositories, others := s.readBy(run)
	if len(repositories) == 0 && !others {
		return ""
	}
	switch {
	case ask.Shared || s.isShared(ctx, ask.Channel):
		return "people of other companies can read this channel."
	case others && room.team != team.ID:
		return fmt.Sprintf("this channel does not belong to the team %s. An owner of the team can change that under Assistant, Slack.", plain(team.Name))
	}
	for _, r := range repositories {
		mapped := room.team == team.ID && slices.ContainsFunc(room.repositories, func(o string) bool { return strings.EqualFold(o, r) })
		if !mapped && s.isPrivate(ctx, team.ID, r) {
			return "it holds something of a private repository that this channel is not for. An owner of the team can change that under Assistant, Slack."
		}
	}
	return ""
}

// readBy gives the repositories that a run has read, and whether it read anything else.
func (s *Slack) readBy(run Run) (repositories []string, others bool) {
	add := func(r string) {
		if repositoryForm.MatchString(r) && !slices.Contains(repositories, r) {
			repositories = append(repositories, r)
		}
	}
	for _, step := range run.Steps {
		before := len(repositories)
		var args map[string]any
		if json.Unmarshal(step.Args, &args) == nil {
			owner, _ := args["owner"].(string)
			name, _ := args["repo"].(string)
			add(owner + "/" + name)
			for _, key := range []string{"repository", "repo"} {
				full, _ := args[key].(string)
				add(full)
			}
			query, _ := args["query"].(string)
			for _, word := range strings.Fields(query) {
				if r, ok := strings.CutPrefix(word, "repo:"); ok {
					add(strings.Trim(r, `"`))
				}
			}
		}
		if !strings.HasPrefix(step.Tool, githubPrefix) || len(repositories) == before && before == 0 {
			others = true
		}
	}
	home := strings.TrimRight(s.PublicURL, "/") + "/"
	for _, source := range run.Answer.Sources {
		// Our own /teams/T/issues/7 reads like a repository's.
		if u, err := url.Parse(source.URL); err == nil && !strings.HasPrefix(source.URL, home) {
			if parts := strings.Split(strings.Trim(u.Path, "/"), "/"); len(parts) >= 4 && (parts[2] == "pull" || parts[2] == "issues" || parts[2] == "commit" || parts[2] == "releases") {
				add(parts[0] + "/" + parts[1])
			}
		}
	}
	return repositories, others
}

// isShared asks Slack whether another company reads a channel, and remembers it for a while: commands and buttons do not say.
func (s *Slack) isShared(ctx context.Context, channel string) bool {
	key := "channel " + channel
	s.mu.Lock()
	known, ok := s.private[key]
	s.mu.Unlock()
	if ok && s.Now().Sub(known.at) < 10*time.Minute {
		return known.private
	}
	l, err := s.linked(ctx)
	if err != nil {
		return true
	}
	room, err := l.client.Room(ctx, channel)
	if code := slack.Code(err); code == "missing_scope" || code == "channel_not_found" {
		return false // events say it by themselves; where the app is not, nothing can be said
	}
	if err != nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.private[key] = seenPrivate{room.Shared, s.Now()}
	return room.Shared
}

// seenPrivate is what GitHub or Slack has said of who sees something.
type seenPrivate struct {
	private bool
	at      time.Time
}

// isPrivate asks GitHub whether a repository is, and remembers it for a while; what it does not say is.
func (s *Slack) isPrivate(ctx context.Context, team int64, repository string) bool {
	key := strconv.FormatInt(team, 10) + " " + strings.ToLower(repository)
	s.mu.Lock()
	known, ok := s.private[key]
	s.mu.Unlock()
	if ok && s.Now().Sub(known.at) < 10*time.Minute {
		return known.private
	}
	client, reached, err := s.GitHub.ClientAt(ctx, team, repository)
	if err != nil || !reached {
		return true
	}
	owner, name, _ := strings.Cut(repository, "/")
	found, _, err := client.Repositories.Get(ctx, owner, name)
	if err != nil || found.Private == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.private) > 2000 {
		clear(s.private)
	}
	s.private[key] = seenPrivate{found.GetPrivate(), s.Now()}
	return found.GetPrivate()
}
