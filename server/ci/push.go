package ci

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/github/payload"
)

// ReceivePush gives every resource of the team that watches the branch or tag the
// new commit as its version, asks for its jobs, and has a check confirm it: the
// check's answer holds where the two disagree. GitHub does not keep the order of
// deliveries, so a push that is not known to be the newest of its branch asks for
// the check only.
func (s *Service) ReceivePush(ctx context.Context, team int64, push payload.Push) (Told, error) {
	watches := watchesBranch
	if push.Tag != "" {
		watches = watchesTag
	}
	var out Told
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		noted, newest := false, false
		out, err = s.tell(ctx, team, "push", push.CloneURLs, gitType, func(ctx context.Context, w watcher) (told, error) {
			if push.Branch+push.Tag == "" || !watches(w.source, push) {
				return told{}, nil
			}
			if !noted {
				if newest, err = s.notePush(ctx, team, push); err != nil {
					return told{}, err
				}
				noted = true
			}
			return s.pushTo(ctx, w, push, newest)
		})
		return err
	})
	return out, err
}

// pushTo gives one resource what the push brought.
func (s *Service) pushTo(ctx context.Context, w watcher, push payload.Push, newest bool) (told, error) {
	latest, err := s.latestVersion(ctx, w.row, false)
	if err != nil {
		return told{}, err
	}
	var versions []resource.Result
	switch {
	case !newest, push.Deleted:
	case push.Tag != "":
		versions = taggedVersions(w.source, push)
	default:
		versions = pushedVersions(w.source, push, latest.ID != 0)
	}
	out, err := s.bring(ctx, w.row, versions)
	if !push.Deleted {
		out.marks = pushMarks(push)
	}
	if err != nil || push.Deleted && push.Tag == "" {
		return out, err // a branch that is gone would only make the check fail
	}
	from := ""
	if latest.ID != 0 {
		from = latest.Version
	}
	out.checked = true
	return out, s.askForCheck(ctx, []int64{w.row.ID}, from)
}

func watchesBranch(source pipeline.Source, push payload.Push) bool {
	for _, key := range []string{"tag_filter", "tag_regex"} {
		if _, tags := source[key]; tags {
			return false
		}
	}
	wanted, _ := source["branch"].(string)
	if wanted == "" {
		wanted = push.DefaultBranch
	}
	// What branch a ((var)) is, or a default that was not told, the check finds out.
	return wanted == "" || strings.Contains(wanted, "((") || wanted == push.Branch
}

// pushedVersions are the commits that the resource would take, oldest first.
// Nothing is taken where only the repository can tell: a branch that is not
// known, filters beyond paths, or a list of commits that lacks some.
func pushedVersions(source pipeline.Source, push payload.Push, known bool) []resource.Result {
	branch, _ := source["branch"].(string)
	if branch == "" {
		branch = push.DefaultBranch
	}
	if branch != push.Branch || needsRepository(source) {
		return nil
	}
	include, exclude := texts(source["paths"]), texts(source["ignore_paths"])
	skip, _ := source["disable_ci_skip"].(bool)
	filtered := len(include)+len(exclude) > 0
	if filtered && push.Truncated {
		return nil
	}
	commits := push.Commits
	if len(commits) == 0 || commits[len(commits)-1].ID != push.After || push.Forced || push.Created {
		// A push that only moves the branch lists nothing, or not its end; one that makes
		// or rewrites it leaves out what other branches have. The head is told anyhow.
		if filtered || !skip && len(commits) > 0 && push.Head == nil && commits[len(commits)-1].ID != push.After {
			return nil
		}
		commits = []payload.Commit{headOf(push)}
	}
	var out []resource.Result
	for _, c := range commits {
		if !skip && (strings.Contains(c.Message, "[ci skip]") || strings.Contains(c.Message, "[skip ci]")) {
			continue
		}
		if filtered && !touches(c.Files(), include, exclude) {
			continue
		}
		out = append(out, resource.Result{Version: resource.Version{"ref": c.ID}, Metadata: commitMetadata(c, branch)})
	}
	if !known && len(out) > 1 {
		out = out[len(out)-1:] // a first check finds only the newest, too
	}
	return out
}

// headOf is the commit that the push ends with, as far as it is told.
func headOf(push payload.Push) payload.Commit {
	if push.Head != nil && push.Head.ID == push.After {
		return *push.Head
	}
	if n := len(push.Commits); n > 0 && push.Commits[n-1].ID == push.After {
		return push.Commits[n-1]
	}
	return payload.Commit{ID: push.After}
}

func needsRepository(source pipeline.Source) bool {
	for _, key := range []string{"version_depth", "commit_filter", "commit_verification_keys", "commit_verification_key_ids"} {
		if _, set := source[key]; set {
			return true
		}
	}
	return false
}

func commitMetadata(c payload.Commit, branch string) []resource.Field {
	fields := []resource.Field{{Name: "commit", Value: c.ID}}
	if c.Author != "" {
		fields = append(fields, resource.Field{Name: "author", Value: c.Author})
	}
	if !c.Time.IsZero() {
		fields = append(fields, resource.Field{Name: "author_date", Value: c.Time.Format("2006-01-02 15:04:05 -0700")})
	}
	if branch != "" {
		fields = append(fields, resource.Field{Name: "branch", Value: branch})
	}
	if c.Message != "" {
		fields = append(fields, resource.Field{Name: "message", Value: c.Message})
	}
	return fields
}

// touches follows the git resource: a path counts when it matches include (or
// include is empty) and does not match exclude.
func touches(paths, include, exclude []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		return (len(include) == 0 || matchesAny(include, p)) && !matchesAny(exclude, p)
	})
}

// matchesAny matches as git pathspecs do: a folder matches what is below it, and
// * matches slashes.
func matchesAny(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		pattern = strings.TrimSuffix(strings.TrimPrefix(pattern, "./"), "/")
		if pattern == "" || pattern == "." || pattern == p || strings.HasPrefix(p, pattern+"/") {
			return true
		}
		if !strings.ContainsAny(pattern, "*?[") {
			return false
		}
		// path.Match stops at slashes, which pathspecs do not: hide them.
		ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(p, "/", "\x00"))
		return ok && err == nil
	})
}

func texts(v any) []string {
	var out []string
	switch list := v.(type) {
	case []any:
		for _, item := range list {
			if text, ok := item.(string); ok {
				out = append(out, text)
			}
		}
	case []string:
		out = list
	case string:
		out = []string{list}
	}
	return out
}
