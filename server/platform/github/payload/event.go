package payload

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Event is what one delivery says. Facts are of every event, also of those that
// nobody here knows; at most one of the others is set.
type Event struct {
	Facts Facts `json:"facts"`
	// Places are all the addresses that the payload gives for the repository.
	Places []string `json:"-"`

	Push         *Push         `json:"push,omitempty"`
	Ref          *Ref          `json:"ref,omitempty"`
	Pull         *PullRequest  `json:"pull,omitempty"`
	Release      *Release      `json:"release,omitempty"`
	Rerequest    *Rerequest    `json:"rerequest,omitempty"`
	Moved        *Moved        `json:"moved,omitempty"`
	Installation *Installation `json:"installation,omitempty"`
	// Gone says that the repository was deleted.
	Gone bool `json:"gone,omitempty"`
}

// Ref is a branch or tag that was created or deleted.
type Ref struct {
	Name    string `json:"name"`
	Tag     bool   `json:"tag"`
	Deleted bool   `json:"deleted"`
}

// PullRequest is one as it was when the event happened.
type PullRequest struct {
	Number int    `json:"number"`
	Title  string `json:"title"`
	URL    string `json:"url"`
	Author string `json:"author"`
	// Head is the newest commit, and where it lives.
	Head           string `json:"head"`
	HeadBranch     string `json:"head_branch"`
	HeadRepository string `json:"head_repository"`
	BaseBranch     string `json:"base_branch"`
	// Fork says that the commits are of another repository; also when that is gone.
	Fork    bool      `json:"fork"`
	Draft   bool      `json:"draft"`
	Merged  bool      `json:"merged"`
	State   string    `json:"state"`
	Labels  []string  `json:"labels"`
	Updated time.Time `json:"updated"`
}

// Release is one that was published or changed.
type Release struct {
	ID         int64     `json:"id"`
	Tag        string    `json:"tag"`
	Name       string    `json:"name"`
	URL        string    `json:"url"`
	Draft      bool      `json:"draft"`
	Prerelease bool      `json:"prerelease"`
	Created    time.Time `json:"created"`
	Published  time.Time `json:"published"`
}

// Rerequest is somebody's wish on GitHub to run a check again, or all of a commit.
type Rerequest struct {
	// ExternalID is what we called the check run; "" asks for all of the commit's.
	ExternalID string `json:"external_id"`
	Name       string `json:"name"`
	SHA        string `json:"sha"`
}

// Moved is a repository that was renamed or transferred; both are owner/name.
type Moved struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Installation is a change of where a GitHub App is installed.
type Installation struct {
	ID      int64  `json:"id"`
	App     string `json:"app"`
	Account string `json:"account"`
	// Deleted and Suspended say that its tokens do not work any more.
	Deleted   bool     `json:"deleted"`
	Suspended bool     `json:"suspended"`
	Added     []string `json:"added"`
	Removed   []string `json:"removed"`
}

// document is every part of any event that we read, in GitHub's own types.
type document struct {
	Action            *string                   `json:"action"`
	Ref               *string                   `json:"ref"`
	RefType           *string                   `json:"ref_type"`
	Repo              *github.Repository        `json:"repository"`
	Sender            *github.User              `json:"sender"`
	Pull              *github.PullRequest       `json:"pull_request"`
	Review            *github.PullRequestReview `json:"review"`
	RequestedReviewer *github.User              `json:"requested_reviewer"`
	RequestedTeam     *github.Team              `json:"requested_team"`
	Issue             *github.Issue             `json:"issue"`
	Comment           *github.IssueComment      `json:"comment"`
	Release           *github.RepositoryRelease `json:"release"`
	CheckRun          *github.CheckRun          `json:"check_run"`
	CheckSuite        *github.CheckSuite        `json:"check_suite"`
	WorkflowRun       *github.WorkflowRun       `json:"workflow_run"`
	Deployment        *github.Deployment        `json:"deployment"`
	Changes           *github.EditChange        `json:"changes"`
	Installation      *github.Installation      `json:"installation"`
	Added             []*github.Repository      `json:"repositories_added"`
	Removed           []*github.Repository      `json:"repositories_removed"`
}

// Read reads the JSON document of an event by GitHub's name for it. Events that are
// not known, and fields of other shapes than expected, are no error: only a known
// event that lacks what makes it one is.
func Read(event string, body []byte) (Event, error) {
	var d document
	if err := unmarshal(body, &d); err != nil {
		return Event{}, fmt.Errorf("read %s: %w", short(event), err)
	}
	out := Event{Places: places(d.Repo)}
	var err error
	switch event {
	case "push":
		var push Push
		if push, err = ParsePush(body); err == nil {
			out.Push, out.Places = &push, push.CloneURLs
		}
	case "create", "delete":
		out.Ref, err = readRef(d, event == "delete")
	case "pull_request", "pull_request_review":
		out.Pull, err = readPull(d)
	case "release":
		out.Release, err = readRelease(d)
	case "check_run", "check_suite":
		out.Rerequest = readRerequest(event, d)
	case "repository":
		readRepository(d, &out)
	case "installation", "installation_repositories":
		out.Installation = readInstallation(d)
	}
	if err != nil {
		return Event{}, fmt.Errorf("read %s: %w", event, err)
	}
	out.Facts = factsOf(event, d, out)
	return out, nil
}

func places(r *github.Repository) []string {
	var out []string
	for _, u := range []string{r.GetCloneURL(), r.GetSSHURL(), r.GetGitURL(), r.GetHTMLURL()} {
		if u != "" && !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}

func readRef(d document, deleted bool) (*Ref, error) {
	if d.Ref == nil || *d.Ref == "" {
		return nil, errors.New("the payload names no ref")
	}
	return &Ref{Name: *d.Ref, Tag: d.RefType != nil && *d.RefType == "tag", Deleted: deleted}, nil
}

func readPull(d document) (*PullRequest, error) {
	p := d.Pull
	if p.GetNumber() == 0 || p.GetHead().GetSHA() == "" {
		return nil, errors.New("the payload names no pull request or commit")
	}
	out := PullRequest{Number: p.GetNumber(), Title: p.GetTitle(), URL: p.GetHTMLURL(), Author: p.GetUser().GetLogin(), Head: p.GetHead().GetSHA(),
		HeadBranch: p.GetHead().GetRef(), HeadRepository: p.GetHead().GetRepo().GetFullName(), BaseBranch: p.GetBase().GetRef(), Draft: p.GetDraft(),
		Merged: p.GetMerged() || p.MergedAt != nil, State: p.GetState(), Labels: labelNames(p.Labels), Updated: p.GetUpdatedAt().UTC()}
	base := p.GetBase().GetRepo()
	if base == nil {
		base = d.Repo
	}
	// A head without a repository is of a fork that was deleted.
	out.Fork = p.GetHead().GetRepo() == nil || p.GetHead().GetRepo().GetID() != base.GetID() || !strings.EqualFold(out.HeadRepository, base.GetFullName())
	return &out, nil
}

func labelNames(labels []*github.Label) []string {
	out := []string{}
	for _, l := range labels {
		if name := l.GetName(); name != "" {
			out = append(out, name)
		}
	}
	return out
}

func readRelease(d document) (*Release, error) {
	r := d.Release
	if r.GetID() == 0 {
		return nil, errors.New("the payload names no release")
	}
	return &Release{ID: r.GetID(), Tag: r.GetTagName(), Name: r.GetName(), URL: r.GetHTMLURL(), Draft: r.GetDraft(), Prerelease: r.GetPrerelease(),
		Created: r.GetCreatedAt().UTC(), Published: r.GetPublishedAt().UTC()}, nil
}

func readRerequest(event string, d document) *Rerequest {
	switch {
	case d.Action == nil || *d.Action != "rerequested":
		return nil
	case event == "check_run" && d.CheckRun != nil:
		return &Rerequest{ExternalID: d.CheckRun.GetExternalID(), Name: d.CheckRun.GetName(), SHA: d.CheckRun.GetHeadSHA()}
	case event == "check_suite" && d.CheckSuite != nil:
		return &Rerequest{SHA: d.CheckSuite.GetHeadSHA()}
	}
	return nil
}

func readRepository(d document, out *Event) {
	now := d.Repo.GetFullName()
	if d.Action == nil || now == "" {
		return
	}
	owner, name, _ := strings.Cut(now, "/")
	switch *d.Action {
	case "deleted":
		out.Gone = true
	case "renamed":
		if from := d.Changes.GetRepo().GetName().GetFrom(); from != "" {
			out.Moved = &Moved{From: owner + "/" + from, To: now}
		}
	case "transferred":
		from := d.Changes.GetOwner().GetOwnerInfo()
		login := from.GetUser().GetLogin()
		if login == "" {
			login = from.GetOrg().GetLogin()
		}
		if login != "" {
			out.Moved = &Moved{From: login + "/" + name, To: now}
		}
	}
}

func readInstallation(d document) *Installation {
	i := d.Installation
	if i.GetID() == 0 {
		return nil
	}
	out := Installation{ID: i.GetID(), App: i.GetAppSlug(), Account: i.GetAccount().GetLogin(), Suspended: i.SuspendedAt != nil,
		Added: fullNames(d.Added), Removed: fullNames(d.Removed)}
	if d.Action != nil {
		out.Deleted = *d.Action == "deleted"
		out.Suspended = out.Suspended && *d.Action != "unsuspend"
	}
	return &out
}

func fullNames(list []*github.Repository) []string {
	out := []string{}
	for _, r := range list {
		if name := r.GetFullName(); name != "" {
			out = append(out, name)
		}
	}
	return out
}
