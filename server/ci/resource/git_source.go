package resource

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// gitSource is a git resource's source.
type gitSource struct {
	uri, branch         string
	local               string // the folder of this machine behind uri
	username, password  string
	origin              string // scheme and host that get them
	key, keyUser        string
	passphrase          string
	paths, ignore       []string
	tagFilter, tagRegex string
	noSkip              bool
	insecure            bool
	depth               int
	fetchTags           bool
	config              []Field
}

func (t gitType) source(req Request) (gitSource, error) {
	f := sourceOf(req)
	s := gitSource{
		uri: f.required("uri"), branch: f.text("branch"),
		username: f.text("username"), password: f.text("password"),
		key: f.text("private_key"), keyUser: f.text("private_key_user"), passphrase: f.text("private_key_passphrase"),
		paths: f.texts("paths"), ignore: f.texts("ignore_paths"),
		tagFilter: f.text("tag_filter"), tagRegex: f.text("tag_regex"),
		noSkip: f.boolean("disable_ci_skip"), insecure: f.boolean("skip_ssl_verification"),
		depth: max(f.count("version_depth"), 1), fetchTags: f.boolean("fetch_tags"),
	}
	f.refuse("commit_verification_keys", "commit_verification_key_ids", "git_crypt_key", "https_tunnel",
		"commit_filter", "sparse_paths", "submodule_credentials")
	for _, m := range f.objects("git_config") {
		item := fields{where: "source.git_config", values: m}
		s.config = append(s.config, Field{Name: item.required("name"), Value: item.text("value")})
		if item.err != nil {
			return s, item.err
		}
	}
	if strings.HasPrefix(s.branch, "-") || strings.ContainsAny(s.branch, " \t\n~^:?*[\\") {
		f.fail("branch", fmt.Sprintf("%q is not a branch name. Correct it in the pipeline.", s.branch))
	}
	if s.tagFilter != "" && s.tagRegex != "" {
		f.fail("tag_filter", "and source.tag_regex exclude each other. Remove one.")
	}
	if f.err != nil {
		return s, f.err
	}
	return s, t.locate(&s)
}

var scpLike = regexp.MustCompile(`^[^/]+:`)

// locate takes credentials out of the address and finds local repositories.
func (t gitType) locate(s *gitSource) error {
	if strings.HasPrefix(s.uri, "-") || strings.ContainsAny(s.uri, "\n\x00") {
		return fmt.Errorf("source.uri %q is not an address of a repository. Correct it in the pipeline", s.uri)
	}
	scheme, _, hasScheme := strings.Cut(s.uri, "://")
	switch {
	case hasScheme && (scheme == "https" || scheme == "http"):
		u, err := url.Parse(s.uri)
		if err != nil {
			return errors.New("source.uri is not a URL. Correct it in the pipeline")
		}
		if password, ok := u.User.Password(); ok && s.password == "" {
			s.username, s.password = u.User.Username(), password
		}
		u.User = nil
		s.uri = u.String()
		s.origin = u.Scheme + "://" + u.Host
		if s.password != "" && s.username == "" {
			s.username = "x-access-token" // what hosts expect beside a token, or do not look at
		}
		return nil
	case hasScheme && scheme == "ssh", !hasScheme && scpLike.MatchString(s.uri):
		return nil
	case hasScheme && scheme == "file":
		return t.local(s, strings.TrimPrefix(s.uri, "file://"))
	case !hasScheme && strings.HasPrefix(s.uri, "/"):
		s.uri = "file://" + s.uri // git looks at a bare path before it rewrites addresses
		return t.local(s, strings.TrimPrefix(s.uri, "file://"))
	}
	return fmt.Errorf("source.uri %q cannot be used: repositories are reached by https, http or ssh. Write the full address", s.uri)
}

func (t gitType) local(s *gitSource, path string) error {
	real, err := below(t.opts.LocalRepositories, path)
	if err != nil {
		return fmt.Errorf("source.uri: %w", err)
	}
	s.local = real
	return nil
}

// below resolves links and insists that the result lies in one of the listed folders.
func below(folders []string, path string) (string, error) {
	refused := fmt.Errorf("the folder %s is not below one that an administrator lists in ci.local_repositories. Use an address on the network, or ask for the folder to be listed", path)
	if !filepath.IsAbs(path) || len(folders) == 0 {
		return "", refused
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		// Whether a path outside exists is nobody's business.
		for _, folder := range folders {
			if inside(folder, filepath.Clean(path)) {
				return "", fmt.Errorf("there is no repository at %s. Correct the path", path)
			}
		}
		return "", refused
	}
	for _, folder := range folders {
		if resolved, err := filepath.EvalSymlinks(folder); err == nil && inside(resolved, real) {
			return real, nil
		}
	}
	return "", refused
}

func inside(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
