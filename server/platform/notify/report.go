package notify

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}$`)

// Issue is an issue at GitHub.
type Issue struct {
	Number int64
	URL    string
	Closed bool
}

// IssueDesk opens and comments on issues of a repository, by whichever connection of the
// team reaches it. What will not work the next time either is a problem of the kinds
// Invalid, NotFound, Forbidden or Conflict.
type IssueDesk interface {
	Connected(ctx context.Context, team int64) (bool, error)
	Open(ctx context.Context, team int64, repository, title, body string) (Issue, error)
	// Find looks for an issue whose body holds the text, among those changed since.
	Find(ctx context.Context, team int64, repository, text string, since time.Time) (Issue, bool, error)
	Get(ctx context.Context, team int64, repository string, number int64) (Issue, error)
	// Comment adds the body, unless a comment since then holds the text already.
	Comment(ctx context.Context, team int64, repository string, number int64, text, body string, since time.Time) error
}

func (s *Service) connected(ctx context.Context, team int64) error {
	if s.Issues != nil {
		if known, err := s.Issues.Connected(ctx, team); err != nil || known {
			return err
		}
	}
	return problem.New(problem.Conflict, "This team is not connected to GitHub yet. Connect it in the settings of CI.")
}

// report opens an issue, or comments on the one that is open about the same. It looks
// before it writes: a server that died in between does neither twice.
func (s *Service) report(ctx context.Context, row channelRow, t target, d deliveryRow, m Message) *failure {
	if s.Issues == nil {
		return &failure{words: "This server is not connected to GitHub.", final: true}
	}
	err := s.reportOn(ctx, row, t.Repository, d, m)
	if err == nil {
		return nil
	}
	p := problem.From(err)
	switch p.Kind {
	case problem.Invalid, problem.NotFound, problem.Forbidden, problem.Conflict:
		return &failure{words: p.Detail, final: true}
	case problem.Internal:
		return &failure{words: "GitHub could not be told: " + explain(err)}
	}
	return &failure{words: p.Detail}
}

func (s *Service) reportOn(ctx context.Context, row channelRow, repository string, d deliveryRow, m Message) error {
	subject := cmp.Or(m.Subject, m.Rule, string(m.Event))
	known, found, err := s.findIssue(ctx, row.ID, subject)
	if err != nil {
		return err
	}
	before := ""
	if found && known.Number != 0 {
		is, err := s.Issues.Get(ctx, row.TeamID, repository, known.Number)
		gone := problem.Is(err, problem.NotFound)
		if err != nil && !gone {
			return err
		}
		if !gone && (!is.Closed || m.Good) {
			mark := fmt.Sprintf("<!-- signalbox:%s-%d -->", known.Marker, d.ID)
			return s.Issues.Comment(ctx, row.TeamID, repository, known.Number, mark, markdown(m, true)+"\n\n"+mark, time.UnixMilli(d.CreatedAt).Add(-time.Minute))
		}
		if !gone {
			before = fmt.Sprintf("\n\nBefore: #%d", known.Number)
		}
		found = false
	}
	if !found {
		known = issueRow{ChannelID: row.ID, Subject: subject, Marker: s.NewID(), CreatedAt: s.millis()}
		if err := s.saveIssue(ctx, known); err != nil {
			return err
		}
	}
	mark := "<!-- signalbox:" + known.Marker + " -->"
	is, found, err := s.Issues.Find(ctx, row.TeamID, repository, mark, time.UnixMilli(known.CreatedAt).Add(-time.Minute))
	if err != nil {
		return err
	}
	if !found {
		if is, err = s.Issues.Open(ctx, row.TeamID, repository, cut(m.Title, 250), markdown(m, false)+before+"\n\n"+mark); err != nil {
			return err
		}
	}
	known.Number, known.URL = is.Number, is.URL
	return s.saveIssue(context.WithoutCancel(ctx), known)
}

// harmless keeps texts of others from calling people, hiding things, or making up our marker.
var harmless = strings.NewReplacer("&", "&amp;", "<", "&lt;", "@", "@\u200b", "`", "'", "[", "\\[", "](", "]\\(", "*", "\\*", "_", "\\_", "#", "#\u200b")

// markdown is the message as GitHub shows it; a comment says its title as well.
func markdown(m Message, comment bool) string {
	var parts []string
	if comment {
		parts = append(parts, "**"+harmless.Replace(m.Title)+"**")
	}
	if m.Text != "" {
		parts = append(parts, harmless.Replace(m.Text))
	}
	if len(m.Lines) > 0 {
		fence := "````"
		lines := strings.Join(m.Lines, "\n")
		for strings.Contains(lines, fence) {
			fence += "`"
		}
		parts = append(parts, fence+"text\n"+strings.ReplaceAll(lines, "<!--", "<! --")+"\n"+fence)
	}
	if m.URL != "" {
		parts = append(parts, "[Open in Signalbox]("+strings.NewReplacer("(", "%28", ")", "%29", " ", "%20").Replace(m.URL)+")")
	}
	return strings.Join(parts, "\n\n")
}
