package githubtools

import (
	"context"
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

type compareIn struct {
	repo
	Base string `json:"base"`
	Head string `json:"head"`
}

// Commit is one commit, with the pull requests that its message names.
type Commit struct {
	SHA     string    `json:"sha"`
	Message string    `json:"message"`
	Author  string    `json:"author"`
	Date    time.Time `json:"date"`
	Pulls   []int     `json:"pull_requests"`
	URL     string    `json:"html_url"`
}

type rawCommit struct {
	SHA     string `json:"sha"`
	HTMLURL string `json:"html_url"`
	Author  *login `json:"author"`
	Commit  struct {
		Message string `json:"message"`
		Author  struct {
			Name string    `json:"name"`
			Date time.Time `json:"date"`
		} `json:"author"`
	} `json:"commit"`
}

// pullForm finds "(#12)" of squashed commits and "pull request #12" of merges.
var pullForm = regexp.MustCompile(`(?:\(#|pull request #)(\d{1,7})\b`)

func (r rawCommit) commit() Commit {
	c := Commit{SHA: r.SHA, Message: clip(r.Commit.Message, 500), Author: r.Commit.Author.Name, Date: r.Commit.Author.Date, URL: r.HTMLURL, Pulls: []int{}}
	if r.Author != nil && r.Author.Login != "" {
		c.Author = r.Author.Login
	}
	for _, m := range pullForm.FindAllStringSubmatch(r.Commit.Message, 20) {
		if n, err := strconv.Atoi(m[1]); err == nil && !slices.Contains(c.Pulls, n) {
			c.Pulls = append(c.Pulls, n)
		}
	}
	return c
}

type commitsOut struct {
	TotalCommits int      `json:"total_commits,omitempty"`
	Commits      []Commit `json:"commits"`
	NextPage     int      `json:"next_page,omitempty"`
}

func (s *Server) compare(ctx context.Context, in compareIn) (commitsOut, error) {
	var raw struct {
		TotalCommits int         `json:"total_commits"`
		Commits      []rawCommit `json:"commits"`
	}
	err := s.get(ctx, in.repo, "/compare/"+url.PathEscape(in.Base)+"..."+url.PathEscape(in.Head), url.Values{"per_page": {"100"}}, &raw)
	out := commitsOut{TotalCommits: raw.TotalCommits, Commits: []Commit{}}
	for _, c := range raw.Commits {
		out.Commits = append(out.Commits, c.commit())
	}
	return out, err
}

type commitsIn struct {
	repo
	SHA   string    `json:"sha,omitempty"`
	Path  string    `json:"path,omitempty"`
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Author is a login or an e-mail address.
	Author string `json:"author,omitempty"`
	pages
}

func (s *Server) commits(ctx context.Context, in commitsIn) (commitsOut, error) {
	query := in.query(30)
	for key, value := range map[string]string{"sha": in.SHA, "path": in.Path, "author": in.Author} {
		if value != "" {
			query.Set(key, value)
		}
	}
	if !in.Since.IsZero() {
		query.Set("since", in.Since.UTC().Format(time.RFC3339))
	}
	if !in.Until.IsZero() {
		query.Set("until", in.Until.UTC().Format(time.RFC3339))
	}
	var raw []rawCommit
	err := s.get(ctx, in.repo, "/commits", query, &raw)
	out := commitsOut{Commits: []Commit{}, NextPage: in.next(30, len(raw))}
	for _, c := range raw {
		out.Commits = append(out.Commits, c.commit())
	}
	return out, err
}

type commitIn struct {
	repo
	SHA string `json:"sha"`
}

type commitOut struct {
	Commit
	Files []changedFile `json:"files"`
}

// changedFile is a file that a commit changes.
type changedFile struct {
	Filename  string `json:"filename"`
	Status    string `json:"status"`
	Additions int    `json:"additions"`
	Deletions int    `json:"deletions"`
}

func (s *Server) oneCommit(ctx context.Context, in commitIn) (commitOut, error) {
	var raw struct {
		rawCommit
		Files []changedFile `json:"files"`
	}
	err := s.get(ctx, in.repo, "/commits/"+url.PathEscape(in.SHA), nil, &raw)
	return commitOut{raw.commit(), append([]changedFile{}, raw.Files...)}, err
}

type codeOut struct {
	TotalCount int `json:"total_count"`
	Items      []struct {
		Path string `json:"path"`
		URL  string `json:"html_url"`
	} `json:"items"`
}

func (s *Server) searchCode(ctx context.Context, in searchIn) (out codeOut, err error) {
	err = s.search(ctx, "code", in.Query, in.Page, in.PerPage, &out)
	return out, err
}

type fileIn struct {
	repo
	Path string `json:"path"`
	Ref  string `json:"ref,omitempty"`
}

type fileOut struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

// maxFile is the largest file that is read, in bytes.
const maxFile = 64 << 10

func (s *Server) file(ctx context.Context, in fileIn) (fileOut, error) {
	var query url.Values
	if in.Ref != "" {
		query = url.Values{"ref": {in.Ref}}
	}
	if strings.Contains(in.Path, "..") {
		return fileOut{}, problem.FieldError("path", "has two dots")
	}
	var raw struct{ Type, Encoding, Content string }
	if err := s.get(ctx, in.repo, "/contents/"+(&url.URL{Path: strings.TrimPrefix(in.Path, "/")}).EscapedPath(), query, &raw); err != nil {
		return fileOut{}, err
	}
	text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(raw.Content, "\n", ""))
	if err != nil || raw.Encoding != "base64" {
		return fileOut{}, problem.New(problem.Invalid, "%.100s is no file of text.", in.Path)
	}
	return fileOut{Path: in.Path, Content: clip(string(text), maxFile)}, nil
}
