package resource

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// githubReleaseType follows and publishes the releases of a repository on GitHub.
type githubReleaseType struct{ opts Options }

// ResumesPut says that a put may be repeated after a restart: it finds the release by its
// tag and leaves alone the files that are there already.
func (githubReleaseType) ResumesPut() bool { return true }

// published is a release as GitHub shows it.
type published struct {
	ID         int64      `json:"id"`
	Tag        string     `json:"tag_name"`
	Name       string     `json:"name"`
	Body       string     `json:"body"`
	Draft      bool       `json:"draft"`
	Prerelease bool       `json:"prerelease"`
	Created    *time.Time `json:"created_at"`
	Published  *time.Time `json:"published_at"`
	Page       string     `json:"html_url"`
	UploadURL  string     `json:"upload_url"`
	Assets     []asset    `json:"assets"`
}

type asset struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	URL    string `json:"url"`
	State  string `json:"state"`
	Size   int64  `json:"size"`
	Digest string `json:"digest"`
}

func (r published) at() time.Time {
	if t := cmp.Or(r.Published, r.Created); t != nil {
		return t.UTC()
	}
	return time.Time{}
}

func (r published) version() Version {
	v := Version{"id": strconv.FormatInt(r.ID, 10), "tag": r.Tag}
	if at := r.at(); !at.IsZero() {
		v["timestamp"] = at.Format(time.RFC3339Nano)
	}
	return v
}

type releaseSource struct {
	access              githubAccess
	uploads             string
	owner, repository   string
	final, pre, drafts  bool
	constraint          *constraint
	filter              *regexp.Regexp
	byTime, assetFolder bool
}

func readReleaseSource(req Request) (releaseSource, error) {
	f := sourceOf(req)
	s := releaseSource{
		owner: f.required("owner"), repository: f.required("repository"),
		final: f.boolOr("release", true), pre: f.boolean("pre_release"), drafts: f.boolean("drafts"),
		byTime: f.oneOf("order_by", "version", "time") == "time", assetFolder: f.boolean("asset_dir"),
		access: githubAccess{api: apiAddress(f, "github_api_url"), token: f.text("access_token"), insecure: f.boolean("insecure")},
	}
	repositoryName(f, "owner", s.owner)
	repositoryName(f, "repository", s.repository)
	if f.text("github_uploads_url") != "" {
		s.uploads = apiAddress(f, "github_uploads_url")
		if u, err := url.Parse(s.uploads); err == nil {
			s.access.hosts = []string{u.Host}
		}
	} else if s.access.api == publicGitHub {
		s.access.hosts = []string{"uploads.github.com"}
	}
	var err error
	if s.filter, err = regexp.Compile(cmp.Or(f.text("tag_filter"), `^v?([^v].*)`)); err != nil {
		f.fail("tag_filter", fmt.Sprintf("is not a regular expression (%v). Correct it in the pipeline.", err))
	}
	if text := f.text("semver_constraint"); text != "" {
		c, err := parseConstraint(text)
		if err != nil {
			f.fail("semver_constraint", err.Error()+".")
		}
		s.constraint = &c
	}
	return s, f.err
}

func (s releaseSource) path(g githubAPI, more ...string) string {
	return g.path(append([]string{"repos", s.owner, s.repository}, more...)...)
}

// versionText is the version in a tag, by the filter.
func (s releaseSource) versionText(tag string) (string, bool) {
	m := s.filter.FindStringSubmatch(tag)
	if m == nil {
		return "", false
	}
	return m[min(1, len(m)-1)], true
}

// wants reports whether a release is followed, and the number to sort it by.
func (s releaseSource) wants(r published) (number, bool) {
	if r.Draft != s.drafts || !r.Draft && (r.Prerelease && !s.pre || !r.Prerelease && !s.final) {
		return number{}, false
	}
	text, ok := s.versionText(r.Tag)
	if !ok {
		return number{}, false
	}
	n, isNumber := parseNumber(text)
	if s.constraint != nil && (!isNumber || !s.allows(n)) {
		return number{}, false
	}
	return n, isNumber || s.byTime
}

// allows looks at pre-releases as at releases where the source asks for them.
func (s releaseSource) allows(n number) bool {
	if s.pre && len(n.pre) > 0 {
		plain := n
		plain.pre = nil
		return s.constraint.allows(n) || s.constraint.allows(plain)
	}
	return s.constraint.allows(n)
}

// Check lists releases from the known one on.
func (t githubReleaseType) Check(ctx context.Context, req Request) ([]Version, error) {
	s, err := readReleaseSource(req)
	if err != nil {
		return nil, err
	}
	g, err := t.opts.github(req, s.access)
	if err != nil {
		return nil, err
	}
	defer g.web.close()
	versions, err := s.check(ctx, g, req.Version)
	if err != nil {
		return nil, failed(ctx, req, "check", err)
	}
	return versions, nil
}

func (s releaseSource) check(ctx context.Context, g githubAPI, known Version) ([]Version, error) {
	type candidate struct {
		published
		n number
	}
	var found []candidate
	err := pages(ctx, g, s.path(g, "releases"), func(page []published) bool {
		for _, r := range page {
			if n, ok := s.wants(r); ok {
				found = append(found, candidate{r, n})
			}
		}
		return true
	})
	if err != nil || len(found) == 0 {
		return []Version{}, err
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		if s.byTime {
			return cmp.Or(a.at().Compare(b.at()), cmp.Compare(a.ID, b.ID))
		}
		return cmp.Or(compareNumbers(a.n, b.n), cmp.Compare(a.ID, b.ID))
	})
	from := len(found) - 1
	if known != nil {
		from = slices.IndexFunc(found, func(c candidate) bool { return c.version()["id"] == known["id"] })
		if from < 0 { // it was deleted, or is followed no more
			text, _ := s.versionText(known["tag"])
			n, isNumber := parseNumber(text)
			at, timeErr := time.Parse(time.RFC3339Nano, known["timestamp"])
			from = slices.IndexFunc(found, func(c candidate) bool {
				if s.byTime {
					return timeErr == nil && !c.at().Before(at)
				}
				return isNumber && compareNumbers(c.n, n) >= 0
			})
		}
		if from < 0 {
			from = len(found) - 1
		}
	}
	versions := []Version{}
	for _, c := range found[from:] {
		versions = append(versions, c.version())
	}
	return versions, nil
}

// release finds the release of a version: by its id, or by a tag that was pinned.
func (s releaseSource) release(ctx context.Context, g githubAPI, v Version) (published, error) {
	var r published
	if id := v["id"]; digits(id) {
		err := g.call(ctx, http.MethodGet, s.path(g, "releases", id), nil, &r)
		if err == nil || !answered(err, http.StatusNotFound) || v["tag"] == "" {
			return r, err
		}
	}
	found, err := s.byTag(ctx, g, v["tag"])
	if err == nil && found == nil {
		err = fmt.Errorf("GitHub has no release with the tag %q (any more)", v["tag"])
	}
	if err != nil {
		return r, err
	}
	return *found, nil
}

// byTag looks through the list: drafts are not found by their tags otherwise.
func (s releaseSource) byTag(ctx context.Context, g githubAPI, tag string) (*published, error) {
	var found *published
	if tag == "" {
		return nil, nil
	}
	err := pages(ctx, g, s.path(g, "releases"), func(page []published) bool {
		if i := slices.IndexFunc(page, func(r published) bool { return r.Tag == tag }); i >= 0 && found == nil {
			found = &page[i]
		}
		return found == nil
	})
	return found, err
}
