package issues

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// GitHubIssue is an issue as it lies at GitHub.
type GitHubIssue struct {
	Number     int64
	URL, Title string
	// State is open or closed.
	State string
}

// GitHubIssues reads and writes a team's issues at GitHub, by whichever of its
// connections reaches the repository. What GitHub refuses for good is a problem
// of the kinds Invalid, NotFound, Forbidden or Conflict.
type GitHubIssues interface {
	Create(ctx context.Context, team int64, repository, title, body string) (GitHubIssue, error)
	// Find looks for an issue whose body holds the marker, among those created since.
	Find(ctx context.Context, team int64, repository, marker string, since time.Time) (GitHubIssue, bool, error)
	Get(ctx context.Context, team int64, repository string, number int64) (GitHubIssue, error)
	// Connected reports whether the team has any connection.
	Connected(ctx context.Context, team int64) (bool, error)
}

// The states of links besides GitHub's open and closed.
const (
	linkCreating = "creating"
	linkFailed   = "failed"
	linkUnknown  = "unknown"
)

const (
	kindGitHubIssue = "issues.github_issue"
	// githubAttempts take about nine hours with the usual delays.
	githubAttempts = 28
	maxLinks       = 20 // of an issue
	maxLinkTitle   = 250
	maxLinkBody    = 60_000
)

func (l linkRow) deliveryState() string {
	switch l.State {
	case linkCreating:
		return deliveryWaiting
	case linkFailed:
		return deliveryFailed
	}
	return deliverySent
}

// LinkNew is what a person says of an issue to be created at GitHub; an empty
// title or body is filled with what we know.
type LinkNew struct {
	Repository, Title, Body string
}

// CreateGitHubIssue has an issue created at GitHub and linked, by a durable job.
// While one is being created in the repository, and after it, this is that one.
func (s *Service) CreateGitHubIssue(ctx context.Context, id int64, n LinkNew) error {
	n.Repository = strings.TrimSpace(n.Repository)
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		i, err := s.issueFor(ctx, id, writing)
		if err != nil {
			return err
		}
		if !repositoryName.MatchString(n.Repository) {
			return problem.FieldError("repository", "%q is no repository such as octo/shop", n.Repository)
		}
		if err := s.connectedToGitHub(ctx, i.TeamID); err != nil {
			return err
		}
		_, err = s.wishLink(ctx, i, n, identity.From(ctx).Name)
		return err
	})
}

func (s *Service) connectedToGitHub(ctx context.Context, team int64) error {
	connected := false
	if s.alerts.github != nil {
		var err error
		if connected, err = s.alerts.github.Connected(ctx, team); err != nil {
			return err
		}
	}
	if !connected {
		return problem.New(problem.Conflict, "This team is not connected to GitHub yet. Connect it in the settings of CI.")
	}
	return nil
}

// wishGitHubIssue is the action of a rule.
func (s *Service) wishGitHubIssue(ctx context.Context, issue int64, repository string, a Alert, m AlertMessage) (int64, error) {
	if err := s.connectedToGitHub(ctx, a.Team); err != nil {
		return 0, err
	}
	i, err := s.rows().issue(ctx, issue)
	if err != nil {
		return 0, err
	}
	return s.wishLink(ctx, i, LinkNew{Repository: repository, Body: m.Text}, "")
}

// wishLink notes the wish and its job. An issue has one of ours in a repository:
// asked again, it is the same.
func (s *Service) wishLink(ctx context.Context, i issueRow, n LinkNew, who string) (int64, error) {
	if err := s.rows().lockProjects(ctx, []int64{i.ProjectID}); err != nil {
		return 0, err
	}
	known, err := s.rows().links(ctx, i.ID)
	if err != nil {
		return 0, err
	}
	for _, l := range known {
		if strings.EqualFold(l.Repository, n.Repository) && l.Marker != "" {
			if l.State == linkFailed {
				l.State, l.Error = linkCreating, ""
				if err := s.rows().saveLink(ctx, l); err != nil {
					return 0, err
				}
				return l.ID, s.enqueueLink(ctx, l)
			}
			return l.ID, nil
		}
	}
	if len(known) >= maxLinks {
		return 0, problem.New(problem.Conflict, "An issue has at most %d links.", maxLinks)
	}
	address, err := s.issueURL(ctx, i, "")
	if err != nil {
		return 0, err
	}
	if n.Title = strings.TrimSpace(n.Title); n.Title == "" {
		n.Title = i.Title
	}
	if strings.TrimSpace(n.Body) == "" {
		n.Body = i.Culprit
	}
	row := linkRow{TeamID: i.TeamID, IssueID: i.ID, Repository: n.Repository, Title: shorten(oneLineOf(n.Title), maxLinkTitle), State: linkCreating,
		Marker: s.NewID(), CreatedBy: who, CreatedAt: s.millis()}
	row.Body = shorten(n.Body, maxLinkBody) + "\n\n" + address + "\n\n<!-- signalbox:" + row.Marker + " -->"
	made, err := s.rows().insertLink(ctx, &row)
	if err != nil || !made {
		return 0, err
	}
	return row.ID, errors.Join(s.enqueueLink(ctx, row), s.linkChanged(ctx, row))
}

func oneLineOf(text string) string { return strings.Join(strings.Fields(text), " ") }

func shorten(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

func (s *Service) linkChanged(ctx context.Context, l linkRow) error {
	return s.publish(ctx, l.TeamID, topicIssue, formatID(l.IssueID))
}

type linkPayload struct {
	Link int64 `json:"link"`
}

func (s *Service) enqueueLink(ctx context.Context, l linkRow) error {
	key := formatID(l.ID)
	_, err := s.Jobs.EnqueueValue(ctx, work.Job{Kind: kindGitHubIssue, Team: l.TeamID, UniqueKey: key, SerialKey: kindGitHubIssue + "/" + key}, linkPayload{l.ID})
	return err
}

// createLink is the job. That it will try is written before it does: whoever
// comes after an attempt looks first for what that one may have created.
func (s *Service) createLink(ctx context.Context, job work.Job) error {
	var in linkPayload
	if err := json.Unmarshal(job.Payload, &in); err != nil {
		return work.GiveUp(fmt.Errorf("read the payload: %w", err))
	}
	l, err := s.rows().link(ctx, in.Link)
	if problem.Is(err, problem.NotFound) || err == nil && l.State != linkCreating {
		return nil
	}
	if err != nil {
		return err
	}
	made, err := s.findOrCreate(ctx, &l)
	if err == nil {
		l.Number, l.URL, l.Title, l.State, l.Error, l.Body = made.Number, made.URL, made.Title, made.State, "", ""
		return s.keepLink(ctx, l)
	}
	if ctx.Err() != nil {
		return work.ErrDetached
	}
	p := problem.From(err)
	final := p.Kind == problem.Invalid || p.Kind == problem.NotFound || p.Kind == problem.Forbidden || p.Kind == problem.Conflict
	if l.Error = p.Detail; p.Kind == problem.Internal {
		l.Error = "GitHub could not be asked."
	}
	if final || job.Attempt >= githubAttempts {
		l.State = linkFailed
	}
	if err := s.keepLink(ctx, l); err != nil {
		return err
	}
	if final {
		return work.GiveUp(err)
	}
	return err
}

func (s *Service) findOrCreate(ctx context.Context, l *linkRow) (GitHubIssue, error) {
	if s.alerts.github == nil {
		return GitHubIssue{}, problem.New(problem.Conflict, "This server is not connected to GitHub.")
	}
	if l.TriedAt != 0 {
		// GitHub's clock need not be ours.
		made, found, err := s.alerts.github.Find(ctx, l.TeamID, l.Repository, l.Marker, millisTime(l.TriedAt).Add(-time.Hour))
		if err != nil || found {
			return made, err
		}
	} else {
		l.TriedAt = s.millis()
		if err := s.rows().saveLink(ctx, *l); err != nil {
			return GitHubIssue{}, err
		}
	}
	return s.alerts.github.Create(ctx, l.TeamID, l.Repository, l.Title, l.Body)
}

// keepLink saves a link and tells the pages. The number may be that of a link by
// hand, which then gives way.
func (s *Service) keepLink(ctx context.Context, l linkRow) error {
	ctx = context.WithoutCancel(ctx)
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if l.Number != 0 {
			known, err := s.rows().links(ctx, l.IssueID)
			if err != nil {
				return err
			}
			for _, k := range known {
				if k.ID != l.ID && k.Number == l.Number && k.Repository == l.Repository {
					if err := s.rows().removeLink(ctx, k.ID); err != nil {
						return err
					}
				}
			}
		}
		return errors.Join(s.rows().saveLink(ctx, l), s.linkChanged(ctx, l))
	})
}

var issueAddress = regexp.MustCompile(`^/([A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100})/(?:issues|pull)/([0-9]{1,12})/?$`)

// LinkIssue links an issue or pull request that exists at GitHub. Its title and
// state are asked for; when GitHub does not tell, the link stands without.
func (s *Service) LinkIssue(ctx context.Context, id int64, address string) error {
	i, err := s.issueFor(ctx, id, writing)
	if err != nil {
		return err
	}
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Host == "" {
		return problem.FieldError("url", "is not the address of an issue such as https://github.com/octo/shop/issues/12")
	}
	match := issueAddress.FindStringSubmatch(u.Path)
	if match == nil {
		return problem.FieldError("url", "is not the address of an issue such as https://github.com/octo/shop/issues/12")
	}
	n, err := strconv.ParseInt(match[2], 10, 64)
	if err != nil || n == 0 {
		return problem.FieldError("url", "has no number")
	}
	u.RawQuery, u.Fragment = "", ""
	row := linkRow{TeamID: i.TeamID, IssueID: i.ID, Repository: match[1], Number: n, URL: u.String(), State: linkUnknown, CreatedBy: identity.From(ctx).Name, CreatedAt: s.millis()}
	if s.alerts.github != nil {
		if known, err := s.alerts.github.Get(ctx, i.TeamID, match[1], n); err == nil && strings.EqualFold(hostOf(known.URL), u.Host) {
			row.Title, row.State, row.URL = shorten(known.Title, maxLinkTitle), known.State, known.URL
		}
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.rows().links(ctx, i.ID)
		if err != nil {
			return err
		}
		if len(list) >= maxLinks {
			return problem.New(problem.Conflict, "An issue has at most %d links.", maxLinks)
		}
		if _, err := s.rows().insertLink(ctx, &row); err != nil { // linked already is linked
			return err
		}
		return s.linkChanged(ctx, row)
	})
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Unlink takes a link away; what lies at GitHub stays.
func (s *Service) Unlink(ctx context.Context, id, link int64) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.issueFor(ctx, id, writing); err != nil {
			return err
		}
		l, err := s.rows().link(ctx, link)
		if err != nil {
			return err
		}
		if l.IssueID != id {
			return problem.New(problem.NotFound, "There is no such link.")
		}
		return errors.Join(s.rows().removeLink(ctx, link), s.linkChanged(ctx, l))
	})
}

// GitHubIssueChanged notes what GitHub said of one of its issues.
func (s *Service) GitHubIssueChanged(ctx context.Context, team int64, repository string, i GitHubIssue) error {
	list, err := s.rows().linksOfNumber(ctx, team, repository, i.Number)
	if err != nil {
		return err
	}
	for _, l := range list {
		if !strings.EqualFold(hostOf(l.URL), hostOf(i.URL)) {
			continue // of another GitHub
		}
		if l.State == linkCreating || i.State == l.State && (i.Title == "" || i.Title == l.Title) {
			continue
		}
		l.State = i.State
		if i.Title != "" {
			l.Title = shorten(i.Title, maxLinkTitle)
		}
		if err := errors.Join(s.rows().saveLink(ctx, l), s.linkChanged(ctx, l)); err != nil {
			return err
		}
	}
	return nil
}

// linksFollow moves or drops the links of issues that are merged or deleted.
func (s *Service) linksFollow(ctx context.Context, c IssueChange) error {
	switch c.Kind {
	case ChangeDeleted:
		return s.rows().removeLinks(ctx, c.Issue)
	case ChangeMerged:
		return s.rows().followMoves(ctx, c.Issue)
	}
	return nil
}
