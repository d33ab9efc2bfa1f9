package payload

import (
	"fmt"
	"strings"

	"github.com/google/go-github/v60/github"
)

// Facts are what rules look at and messages say, the same words for every event.
type Facts struct {
	Event  string `json:"event"`
	Action string `json:"action"`
	// Repository is owner/name, "" where an event has none.
	Repository string `json:"repository"`
	// Title is one line; URL leads to the thing on GitHub, and not to its API.
	Title  string `json:"title"`
	URL    string `json:"url"`
	Number int    `json:"number,omitempty"`
	// Branch is the one that the event happens on: a pull request's base.
	Branch string   `json:"branch"`
	SHA    string   `json:"sha,omitempty"`
	Author string   `json:"author,omitempty"`
	Sender string   `json:"sender"`
	State  string   `json:"state,omitempty"`
	Labels []string `json:"labels"`
	// Reviewers are those asked, teams as organization/team: the one that the event is
	// about if there is one, else all.
	Reviewers []string `json:"reviewers"`
}

// maxTitle bounds a title.
const maxTitle = 300

func factsOf(event string, d document, e Event) Facts {
	f := Facts{Event: short(event), Repository: short(d.Repo.GetFullName()), URL: d.Repo.GetHTMLURL(), Sender: short(d.Sender.GetLogin()),
		Labels: []string{}, Reviewers: []string{}}
	if d.Action != nil {
		f.Action = short(*d.Action)
	}
	switch {
	case e.Push != nil:
		f.ofPush(*e.Push)
	case e.Ref != nil:
		f.ofRef(*e.Ref)
	case d.Pull.GetNumber() != 0:
		f.ofPull(d)
	case d.Issue.GetNumber() != 0:
		f.Title, f.URL, f.Number, f.Author, f.State = d.Issue.GetTitle(), d.Issue.GetHTMLURL(), d.Issue.GetNumber(), d.Issue.GetUser().GetLogin(), d.Issue.GetState()
		f.Labels = labelNames(d.Issue.Labels)
		f.pointAt(d.Comment.GetHTMLURL())
	case d.Release.GetID() != 0:
		f.ofRelease(d.Release)
	case d.CheckRun != nil:
		f.Title, f.URL, f.SHA, f.State = d.CheckRun.GetName(), d.CheckRun.GetHTMLURL(), d.CheckRun.GetHeadSHA(), first(d.CheckRun.GetConclusion(), d.CheckRun.GetStatus())
		f.Branch = d.CheckRun.GetCheckSuite().GetHeadBranch()
	case d.CheckSuite != nil:
		f.Title, f.SHA, f.Branch, f.State = d.CheckSuite.GetApp().GetName(), d.CheckSuite.GetHeadSHA(), d.CheckSuite.GetHeadBranch(), first(d.CheckSuite.GetConclusion(), d.CheckSuite.GetStatus())
	case d.WorkflowRun != nil:
		r := d.WorkflowRun
		f.Title, f.URL, f.SHA, f.Branch, f.State = r.GetName(), r.GetHTMLURL(), r.GetHeadSHA(), r.GetHeadBranch(), first(r.GetConclusion(), r.GetStatus())
		f.Number, f.Author = r.GetRunNumber(), r.GetActor().GetLogin()
	case d.Deployment != nil:
		f.Title, f.SHA, f.Branch, f.Author = "Deployment to "+d.Deployment.GetEnvironment(), d.Deployment.GetSHA(), d.Deployment.GetRef(), d.Deployment.GetCreator().GetLogin()
	default:
		f.ofRest(d, e)
	}
	if f.Title = line(f.Title); f.Title == "" {
		f.Title = strings.ReplaceAll(strings.TrimSpace(f.Event+" "+f.Action), "_", " ")
	}
	return f
}

func (f *Facts) ofPush(p Push) {
	f.Branch, f.SHA, f.URL, f.Author = p.Branch, p.After, first(p.Compare, f.URL), p.Sender
	what := first(p.Branch, p.Tag, p.Ref)
	switch {
	case p.Deleted:
		f.Action, f.Title = "deleted", what+" was deleted"
	case p.Head != nil && p.Head.Message != "":
		f.Title = p.Head.Message
	default:
		f.Title = "Push to " + what
	}
}

func (f *Facts) ofRef(r Ref) {
	kind, verb := "Branch", "created"
	if r.Tag {
		kind = "Tag"
	} else {
		f.Branch = r.Name
	}
	if r.Deleted {
		verb = "deleted"
	}
	f.Title = fmt.Sprintf("%s %s was %s", kind, r.Name, verb)
}

func (f *Facts) ofPull(d document) {
	p := d.Pull
	f.Title, f.URL, f.Number, f.Branch, f.SHA = p.GetTitle(), p.GetHTMLURL(), p.GetNumber(), p.GetBase().GetRef(), p.GetHead().GetSHA()
	f.Author, f.State, f.Labels = p.GetUser().GetLogin(), p.GetState(), labelNames(p.Labels)
	if p.GetMerged() || p.MergedAt != nil {
		f.State = "merged"
	}
	if d.Review != nil {
		f.State = strings.ToLower(d.Review.GetState())
		f.pointAt(d.Review.GetHTMLURL())
	}
	f.pointAt(d.Comment.GetHTMLURL())
	switch {
	case d.RequestedReviewer.GetLogin() != "":
		f.Reviewers = []string{d.RequestedReviewer.GetLogin()}
	case d.RequestedTeam.GetSlug() != "":
		f.Reviewers = []string{teamName(d, d.RequestedTeam)}
	default:
		for _, u := range p.RequestedReviewers {
			f.Reviewers = append(f.Reviewers, u.GetLogin())
		}
		for _, t := range p.RequestedTeams {
			f.Reviewers = append(f.Reviewers, teamName(d, t))
		}
	}
}

func teamName(d document, t *github.Team) string {
	return d.Repo.GetOwner().GetLogin() + "/" + t.GetSlug()
}

func (f *Facts) ofRelease(r *github.RepositoryRelease) {
	f.Title, f.URL, f.Branch, f.Author = first(r.GetName(), r.GetTagName()), r.GetHTMLURL(), r.GetTargetCommitish(), r.GetAuthor().GetLogin()
}

func (f *Facts) ofRest(d document, e Event) {
	switch {
	case e.Moved != nil:
		f.Title = e.Moved.From + " is now " + e.Moved.To
	case e.Gone:
		f.Title, f.URL = f.Repository+" was deleted", ""
	case e.Installation != nil:
		f.Title, f.URL = first(e.Installation.App, "App")+" on "+e.Installation.Account, d.Installation.GetHTMLURL()
	}
}

// pointAt leads to something more exact than the thing itself, if there is such.
func (f *Facts) pointAt(url string) { f.URL = first(url, f.URL) }

func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// line is the first line of a text, not too long.
func line(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD")), "\n")
	if runes := []rune(text); len(runes) > maxTitle {
		return string(runes[:maxTitle-1]) + "…"
	}
	return strings.TrimSpace(text)
}
