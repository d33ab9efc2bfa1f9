package issues

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Commit is one change that is new in a release.
type Commit struct {
	ID         string       `json:"id"`
	Repository string       `json:"repository"`
	Author     string       `json:"author_name"`
	Email      string       `json:"author_email"`
	At         *time.Time   `json:"timestamp"`
	Message    string       `json:"message"`
	Files      []CommitFile `json:"patch_set"`
}

// CommitFile is a path that a commit touched; Type is A, M or D.
type CommitFile struct {
	Path string `json:"path"`
	Type string `json:"type"`
}

const (
	maxCommits = 5000
	maxPatch   = 2000
)

// setCommits replaces a release's commits, and settles issues that waited for one of them.
func (s *Service) setCommits(ctx context.Context, r releaseRow, list []Commit) error {
	commits := make([]commitRow, 0, len(list))
	seen := map[string]bool{}
	for _, c := range list {
		if c.ID = strings.TrimSpace(c.ID); c.ID == "" || len(c.ID) > 64 {
			return problem.FieldError("commits", "each needs an id of at most 64 characters")
		}
		if seen[c.ID] {
			continue
		}
		seen[c.ID] = true
		row := commitRow{ReleaseID: r.ID, TeamID: r.TeamID, SHA: c.ID, Position: int64(len(commits)), Repository: clipText(c.Repository, 200),
			Author: clipText(c.Author, 200), Email: clipText(c.Email, 200), Message: clipText(c.Message, 4000), Files: "[]"}
		if c.At != nil {
			row.At = c.At.UnixMilli()
		}
		if len(c.Files) > 0 {
			row.Files = settings(c.Files[:min(len(c.Files), maxPatch)])
		}
		commits = append(commits, row)
	}
	if err := s.rows().replaceCommits(ctx, r.ID, commits); err != nil {
		return err
	}
	if err := s.resolveByMessage(ctx, r, commits); err != nil {
		return err
	}
	return s.fixedIn(ctx, r, commits)
}

// settleCommits is for tools that name only the newest commit of each repository.
func (s *Service) settleCommits(ctx context.Context, r releaseRow, refs []ReleaseRef) error {
	var commits []commitRow
	for _, ref := range refs {
		commits = append(commits, commitRow{SHA: ref.Commit})
	}
	return s.fixedIn(ctx, r, commits)
}

// fixedIn gives issues that are resolved in a commit the release that brings it.
func (s *Service) fixedIn(ctx context.Context, r releaseRow, commits []commitRow) error {
	if len(commits) == 0 {
		return nil
	}
	waiting, err := s.rows().waitingForCommit(ctx, r.TeamID)
	if err != nil {
		return err
	}
	for _, i := range waiting {
		t := parseTerms(i.Terms)
		if t.Kind != InCommit || t.Release != "" || !slices.ContainsFunc(commits, func(c commitRow) bool { return sameCommit(c.SHA, t.Commit) }) {
			continue
		}
		t.Release = r.Version
		i.Terms = t.text()
		if err := s.rows().saveState(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// sameCommit compares an id with another or with its beginning.
func sameCommit(sha, given string) bool {
	const shortest = 7
	return sha != "" && (sha == given || len(given) >= shortest && strings.HasPrefix(sha, strings.ToLower(given)))
}

// releaseOfCommit is the first release that has a commit, "" when none has.
func (s *Service) releaseOfCommit(ctx context.Context, team int64, sha string) (string, error) {
	if len(sha) < 7 {
		return "", nil
	}
	return s.rows().releaseOfCommit(ctx, team, strings.ToLower(sha))
}

// fixesIssue is how a commit's message says which issues it resolves.
var fixesIssue = regexp.MustCompile(`(?i)\b(?:fix(?:e[sd])?|close[sd]?|resolve[sd]?):?\s+([a-z0-9][a-z0-9_-]*-[0-9]+)\b`)

// resolveByMessage resolves what the messages say is fixed.
func (s *Service) resolveByMessage(ctx context.Context, r releaseRow, commits []commitRow) error {
	for _, c := range commits {
		for _, m := range fixesIssue.FindAllStringSubmatch(c.Message, 20) {
			slug, number, ok := ParseShortID(m[1])
			if !ok {
				continue
			}
			i, err := s.rows().issueByShortID(ctx, r.TeamID, slug, number)
			if problem.Is(err, problem.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if i.Status == Resolved {
				continue
			}
			resolved := Resolved
			if err := s.change(ctx, i, Change{Status: &resolved, Terms: &Terms{Kind: InCommit, Commit: c.SHA}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// suspectCommit is a commit that may have caused an issue.
type suspectCommit struct {
	SHA        string     `json:"sha"`
	Repository string     `json:"repository"`
	Author     string     `json:"author"`
	Email      string     `json:"email"`
	Message    string     `json:"message"`
	At         api.Millis `json:"at,omitzero"`
	// URL leads to the commit, "" where its repository has no page.
	URL     string `json:"url"`
	Release string `json:"release"`
	// File is the touched file that the stack names; frames nearer to the crash come first.
	File string `json:"file"`
	// Why says in a sentence what makes it suspect.
	Why string `json:"why"`
}

const maxSuspects = 3

// suspects are commits of the issue's first release that touched files of its
// stack, nearest to the crash first; of its last release when it has come back.
func (s *Service) suspects(ctx context.Context, i issueRow) ([]suspectCommit, error) {
	out := []suspectCommit{}
	versions := []string{i.FirstRelease}
	if i.Substate == Regressed {
		versions = []string{i.LastRelease, i.FirstRelease}
	}
	for _, version := range versions {
		commits, err := s.rows().commitsOf(ctx, i.TeamID, version)
		if err != nil {
			return out, err
		}
		if len(commits) == 0 {
			continue
		}
		row, err := s.rows().endEvent(ctx, i.ID, false)
		if problem.Is(err, problem.NotFound) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		e, err := unpackEvent(row.Body)
		if err != nil {
			return out, err
		}
		if out = blame(stackFiles(&e), commits, version); len(out) == 0 {
			continue
		}
		p, err := s.project(ctx, i.ProjectID)
		if err != nil {
			return out, err
		}
		for n := range out {
			out[n].URL = commitPage(out[n].Repository, p.Repository, out[n].SHA)
		}
		break
	}
	return out, nil
}

// stackFiles are the files of the program itself, the crash first.
func stackFiles(e *sentry.Event) (files []string) {
	for x := range slices.Backward(e.Exceptions) {
		if e.Exceptions[x].Stack == nil {
			continue
		}
		for f := range slices.Backward(e.Exceptions[x].Stack.Frames) {
			frame := &e.Exceptions[x].Stack.Frames[f]
			if !frame.InApp {
				continue
			}
			for _, name := range []string{frame.Filename, frame.AbsPath} {
				if name != "" && !slices.Contains(files, name) {
					files = append(files, name)
				}
			}
		}
	}
	return files
}

func blame(files []string, commits []commitRow, version string) []suspectCommit {
	out := []suspectCommit{}
	for _, file := range files {
		for _, c := range commits {
			if len(out) == maxSuspects {
				return out
			}
			if slices.ContainsFunc(out, func(o suspectCommit) bool { return o.SHA == c.SHA }) {
				continue
			}
			var touched []CommitFile
			_ = json.Unmarshal([]byte(c.Files), &touched) // this package wrote it
			for _, t := range touched {
				if samePath(file, t.Path) {
					out = append(out, suspectCommit{c.SHA, c.Repository, c.Author, c.Email, c.Message, api.Millis(c.At), "", version, t.Path, whySuspect(version, t)})
					break
				}
			}
		}
	}
	return out
}

// whySuspect says what a commit did to a file of the stack.
func whySuspect(version string, f CommitFile) string {
	did := "changed"
	switch f.Type {
	case "A":
		did = "added"
	case "D":
		did = "deleted"
	}
	return fmt.Sprintf("It %s %s, which is in the stack, and came with %s.", did, f.Path, shortVersion(version))
}

// commitPage is where people look at a commit; repository is what a tool or a
// build called it, home the project's own repository for names without a host.
func commitPage(repository, home, sha string) string {
	repository = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(repository, "https://"), "http://"), ".git")
	host, _, _ := strings.Cut(home, "/")
	switch parts := strings.Split(repository, "/"); {
	case strings.HasPrefix(repository, "file/") || len(parts) > 3 || len(parts) < 2 && home == "":
		return ""
	case len(parts) == 3 && strings.Contains(parts[0], "."):
	case len(parts) == 2:
		repository = cmp.Or(host, "github.com") + "/" + repository
	default:
		repository = home
	}
	if strings.HasPrefix(repository, "file/") || strings.Count(repository, "/") != 2 {
		return ""
	}
	return "https://" + repository + "/commit/" + sha
}

// samePath compares a frame's file with a path in a repository: one ends with
// the other at a slash. A bare name is enough only when both are bare.
func samePath(frame, repository string) bool {
	clean := func(p string) string {
		p = strings.ReplaceAll(p, `\`, "/")
		if _, rest, ok := strings.Cut(p, "://"); ok {
			p = rest
		}
		return strings.TrimLeft(path.Clean(strings.TrimPrefix(p, "app:///")), "./~")
	}
	a, b := clean(frame), clean(repository)
	if a == b {
		return a != ""
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	return strings.HasSuffix(a, "/"+b) && (strings.Contains(b, "/") || strings.HasPrefix(frame, "/"))
}
