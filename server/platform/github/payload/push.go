package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Commit is one commit of a push.
type Commit struct {
	ID      string `json:"id"`
	Message string `json:"message"`
	// Author is the login where GitHub knows one, else the name.
	Author string    `json:"author"`
	Email  string    `json:"email"`
	Time   time.Time `json:"time"`
	URL    string    `json:"url"`
	// Files by what happened to them; GitHub lists at most 3000 per commit.
	Added    []string `json:"added"`
	Modified []string `json:"modified"`
	Removed  []string `json:"removed"`
}

// Files are all paths the commit touches.
func (c Commit) Files() []string {
	files := make([]string, 0, len(c.Added)+len(c.Modified)+len(c.Removed))
	return append(append(append(files, c.Added...), c.Modified...), c.Removed...)
}

// Push is a push to a branch or tag.
type Push struct {
	Owner string `json:"owner"`
	Repo  string `json:"repo"`
	// CloneURLs are all the addresses the payload gives for the repository.
	CloneURLs []string `json:"clone_urls"`
	// Ref is full, such as refs/heads/main. Branch is "" for a tag, Tag for a branch.
	Ref    string `json:"ref"`
	Branch string `json:"branch"`
	Tag    string `json:"tag"`
	// Before and After are the ref's commits; zeros where it did not exist.
	Before  string `json:"before"`
	After   string `json:"after"`
	Created bool   `json:"created"`
	Deleted bool   `json:"deleted"`
	Forced  bool   `json:"forced"`
	// At is when the push happened, to the second; zero where GitHub does not tell.
	At time.Time `json:"at"`
	// Commits from the oldest to the newest. GitHub leaves some out of very large
	// pushes; Truncated says that it may have.
	Commits   []Commit `json:"commits"`
	Truncated bool     `json:"truncated"`
	// Head is the commit After points at; nil when the ref was deleted.
	Head   *Commit `json:"head"`
	Sender string  `json:"sender"`
	// DefaultBranch is the repository's.
	DefaultBranch string `json:"default_branch"`
	Compare       string `json:"compare"`
}

// maxCommits is how many commits GitHub puts into a push payload.
const maxCommits = 2048

// maxFiles is from how many files on GitHub's list of a commit may end early.
const maxFiles = 3000

// ParsePush reads the JSON document of a push event.
func ParsePush(body []byte) (Push, error) {
	var e github.PushEvent
	if err := unmarshal(body, &e); err != nil {
		return Push{}, fmt.Errorf("read push: %w", err)
	}
	repo := e.GetRepo()
	if repo.GetFullName() == "" && repo.GetName() == "" || e.GetRef() == "" {
		return Push{}, errors.New("read push: the payload names no repository or ref")
	}
	p := Push{
		Ref: e.GetRef(), Before: e.GetBefore(), After: e.GetAfter(), Created: e.GetCreated(), Deleted: e.GetDeleted(), Forced: e.GetForced(),
		Sender: e.GetSender().GetLogin(), DefaultBranch: repo.GetDefaultBranch(), Compare: e.GetCompare(),
		Truncated: len(e.Commits) >= maxCommits || e.GetSize() > len(e.Commits), Commits: []Commit{}, CloneURLs: []string{},
	}
	if at := repo.GetPushedAt(); !at.IsZero() {
		p.At = at.UTC()
	}
	p.Owner, p.Repo = ownerAndName(repo)
	if p.Sender == "" {
		p.Sender = e.GetPusher().GetName()
	}
	p.Branch, _ = strings.CutPrefix(p.Ref, "refs/heads/")
	p.Tag, _ = strings.CutPrefix(p.Ref, "refs/tags/")
	if p.Branch == p.Ref {
		p.Branch = ""
	}
	if p.Tag == p.Ref {
		p.Tag = ""
	}
	for _, u := range []string{repo.GetCloneURL(), repo.GetSSHURL(), repo.GetGitURL(), repo.GetHTMLURL(), repo.GetSVNURL()} {
		if u != "" && !contains(p.CloneURLs, u) {
			p.CloneURLs = append(p.CloneURLs, u)
		}
	}
	for _, c := range e.Commits {
		if c != nil {
			p.Commits = append(p.Commits, commit(c))
			p.Truncated = p.Truncated || len(c.Added)+len(c.Modified)+len(c.Removed) >= maxFiles
		}
	}
	if e.HeadCommit != nil {
		head := commit(e.HeadCommit)
		p.Head = &head
	}
	return p, nil
}

func ownerAndName(repo *github.PushEventRepository) (owner, name string) {
	if owner, name, found := strings.Cut(repo.GetFullName(), "/"); found {
		return owner, name
	}
	owner = repo.GetOwner().GetLogin()
	if owner == "" {
		owner = repo.GetOwner().GetName()
	}
	return owner, repo.GetName()
}

func commit(c *github.HeadCommit) Commit {
	id := c.GetID()
	if id == "" {
		id = c.GetSHA()
	}
	author := c.GetAuthor().GetLogin()
	if author == "" {
		author = c.GetAuthor().GetName()
	}
	return Commit{
		ID: id, Message: c.GetMessage(), Author: author, Email: c.GetAuthor().GetEmail(), Time: c.GetTimestamp().Time.UTC(), URL: c.GetURL(),
		Added: nonNil(c.Added), Modified: nonNil(c.Modified), Removed: nonNil(c.Removed),
	}
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Files are the paths that all commits of the push touch, each once.
func (p Push) Files() []string {
	seen := map[string]bool{}
	files := []string{}
	for _, c := range p.Commits {
		for _, f := range c.Files() {
			if !seen[f] {
				seen[f] = true
				files = append(files, f)
			}
		}
	}
	return files
}

func unmarshal(body []byte, into any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return errors.New("the body is empty")
	}
	err := json.Unmarshal(body, into)
	// GitHub adds and changes fields. One of another shape is left out, and so does not
	// cost the rest of the event; what is needed is looked for by the callers.
	if err != nil && !json.Valid(body) {
		return err
	}
	return nil
}
