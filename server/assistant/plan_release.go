package assistant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/assistant/githubtools"
)

func (a *asked) latest(ctx context.Context) (string, error) {
	owner, name, full, err := a.split()
	if err != nil {
		return "", err
	}
	var r githubtools.Release
	err = a.call(ctx, githubPrefix+"get_latest_release", map[string]any{"owner": owner, "repo": name}, &r)
	if missing(err) {
		return full + " has no release: GitHub says there is none (404).", nil
	}
	if err != nil {
		return "", err
	}
	a.source(r.Tag, r.URL)
	text := fmt.Sprintf("The latest release of %s is **%s**, published %s.", full, link(plain(r.Tag), r.URL), a.moment(r.PublishedAt))
	if r.Body != "" {
		text += "\n\n> " + cutLine(plain(r.Body), 400)
	}
	return text, nil
}

func (a *asked) listReleases(ctx context.Context) (string, error) {
	owner, name, full, err := a.split()
	if err != nil {
		return "", err
	}
	var out struct {
		Releases []githubtools.Release `json:"releases"`
	}
	if err := a.call(ctx, githubPrefix+"list_releases", map[string]any{"owner": owner, "repo": name, "perPage": 30}, &out); err != nil {
		return "", err
	}
	out.Releases = slices.DeleteFunc(out.Releases, func(r githubtools.Release) bool { return !a.inStretch(r.PublishedAt) })
	if len(out.Releases) == 0 {
		return full + " has no releases" + a.when() + ".", nil
	}
	return fmt.Sprintf("**%s** of %s%s, newest first.", number(len(out.Releases), "release"), full, a.when()) + list(out.Releases, len(out.Releases), func(r githubtools.Release) string {
		a.source(r.Tag, r.URL)
		text := link(plain(r.Tag), r.URL) + " — " + a.moment(r.PublishedAt)
		if r.Prerelease {
			text += ", pre-release"
		}
		return text
	}), nil
}

func (a *asked) compareReleases(ctx context.Context) (string, error) {
	owner, name, full, err := a.split()
	if err != nil {
		return "", err
	}
	var out struct {
		Total   int                  `json:"total_commits"`
		Commits []githubtools.Commit `json:"commits"`
	}
	base, head := a.reading.Versions[0], a.reading.Versions[1]
	if err := a.call(ctx, githubPrefix+"compare_commits", map[string]any{"owner": owner, "repo": name, "base": base, "head": head}, &out); err != nil {
		if missing(err) {
			return full + " has no " + base + " or no " + head + ": GitHub cannot compare them (404).", nil
		}
		return "", err
	}
	if len(out.Commits) == 0 {
		return fmt.Sprintf("Nothing changed in %s between %s and %s.", full, base, head), nil
	}
	return fmt.Sprintf("**%s** in %s between %s and %s.", number(max(out.Total, len(out.Commits)), "commit"), full, base, head) +
		list(out.Commits, max(out.Total, len(out.Commits)), func(c githubtools.Commit) string {
			first, _, _ := strings.Cut(c.Message, "\n")
			a.source(first, c.URL)
			return link(plain(cutLine(first, 100)), c.URL) + " — " + plain(c.Author)
		}), nil
}
