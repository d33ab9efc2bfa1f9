package ci

import (
	"cmp"
	"context"
	"path"
	"regexp"
	"strconv"
	"time"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/github/payload"
)

// watchesTag reports whether a git resource follows tags, and may want this one.
func watchesTag(source pipeline.Source, push payload.Push) bool {
	filter, byGlob := source["tag_filter"].(string)
	pattern, byRegex := source["tag_regex"].(string)
	switch {
	case byGlob && !hasVar(filter):
		ok, err := path.Match(filter, push.Tag)
		return ok || err != nil || filter == ""
	case byRegex && !hasVar(pattern):
		re, err := regexp.CompilePOSIX("^(" + pattern + ")$")
		return err != nil || re.MatchString(push.Tag)
	}
	return byGlob || byRegex
}

// taggedVersions is the version of a new tag. A tag that moved, one that must lie on
// a branch, and filters that are vars are left to the check.
func taggedVersions(source pipeline.Source, push payload.Push) []resource.Result {
	branch, _ := source["branch"].(string)
	filter, _ := source["tag_filter"].(string)
	pattern, _ := source["tag_regex"].(string)
	if branch != "" || !push.Created || hasVar(filter) || hasVar(pattern) || needsRepository(source) || push.Head == nil {
		return nil
	}
	// What the tag points at: an annotated tag is an object of its own.
	fields := append(commitMetadata(*push.Head, ""), resource.Field{Name: "tags", Value: push.Tag})
	return []resource.Result{{Version: resource.Version{"ref": push.Tag, "commit": push.Head.ID}, Metadata: fields}}
}

// ReceiveRef has a check look where a branch or tag was made or removed. For what was
// made a push comes, too, which brings the version; it may be lost.
func (s *Service) ReceiveRef(ctx context.Context, team int64, places []string, ref payload.Ref) (Told, error) {
	return s.tell(ctx, team, "ref", places, gitType, func(ctx context.Context, w watcher) (told, error) {
		push := payload.Push{Branch: ref.Name}
		watches := watchesBranch
		if ref.Tag {
			push, watches = payload.Push{Tag: ref.Name}, watchesTag
		}
		if branch, _ := w.source["branch"].(string); !ref.Tag && branch == "" || !watches(w.source, push) {
			return told{}, nil
		}
		if ref.Deleted && !ref.Tag {
			return told{watches: true}, nil // a check would only fail
		}
		out := told{watches: true, checked: true}
		if ref.Tag && !ref.Deleted {
			out.marks = []string{ref.Name}
		}
		return out, s.askForCheck(ctx, []int64{w.row.ID}, "")
	})
}

// ReceiveRelease tells the resources that follow releases of the repository. Which
// release is the newest depends on all of them, so a check says; the first one known
// and a resource that goes by time take the payload's.
func (s *Service) ReceiveRelease(ctx context.Context, team int64, places []string, action string, r payload.Release) (Told, error) {
	return s.tell(ctx, team, "release", places, releaseType, func(ctx context.Context, w watcher) (told, error) {
		latest, err := s.latestVersion(ctx, w.row, false)
		if err != nil {
			return told{}, err
		}
		from := ""
		if latest.ID != 0 {
			from = latest.Version
		}
		var versions []resource.Result
		if action == "published" || action == "released" || action == "prereleased" {
			versions = releasedVersions(w.source, r, latest)
		}
		out, err := s.bring(ctx, w.row, versions)
		if err != nil {
			return out, err
		}
		out.checked, out.marks = true, []string{strconv.FormatInt(r.ID, 10)}
		return out, s.askForCheck(ctx, []int64{w.row.ID}, from)
	})
}

// releasedVersions is the release, where the payload alone tells that it is the next.
func releasedVersions(source pipeline.Source, r payload.Release, latest versionRow) []resource.Result {
	wanted := func(key string, fallback bool) bool {
		if v, ok := source[key].(bool); ok {
			return v
		}
		return fallback
	}
	for _, key := range []string{"tag_filter", "semver_constraint"} {
		if _, set := source[key]; set {
			return nil
		}
	}
	at := r.Published
	if at.IsZero() {
		at = r.Created
	}
	switch {
	case source["order_by"] != "time", r.Draft, wanted("drafts", false), at.IsZero():
		return nil
	case r.Prerelease && !wanted("pre_release", false), !r.Prerelease && !wanted("release", true):
		return nil
	}
	if before, err := time.Parse(time.RFC3339Nano, latest.fields()["timestamp"]); latest.ID != 0 && (err != nil || !at.After(before)) {
		return nil // it came late
	}
	if !releaseTag.MatchString(r.Tag) {
		return nil
	}
	return []resource.Result{{
		Version:  resource.Version{"id": strconv.FormatInt(r.ID, 10), "tag": r.Tag, "timestamp": at.UTC().Format(time.RFC3339Nano)},
		Metadata: []resource.Field{{Name: "url", Value: r.URL}, {Name: "name", Value: cmp.Or(r.Name, r.Tag)}, {Name: "tag", Value: r.Tag}},
	}}
}

// releaseTag is the filter of a resource without one.
var releaseTag = regexp.MustCompile(`^v?([^v].*)`)
