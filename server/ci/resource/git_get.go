package resource

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// Get clones the branch and checks the version out.
func (t gitType) Get(ctx context.Context, req Request) (Result, error) {
	s, err := t.source(req)
	if err != nil {
		return Result{}, err
	}
	f := paramsOf(req)
	env := []string{
		"DEPTH=" + strconv.Itoa(f.count("depth")),
		"ALL_BRANCHES=" + onOff(f.boolean("all_branches")),
		"CLEAN_TAGS=" + onOff(f.boolean("clean_tags")),
		"SHORT_REF=" + f.text("short_ref_format"),
		"DESCRIBE=" + f.text("describe_ref_options"),
		"RECURSIVE=" + onOff(f.boolOr("submodule_recursive", true)),
		"SUBMODULE_REMOTE=" + onOff(f.boolean("submodule_remote")),
		"TAGS=" + tagsFlag(f, s),
	}
	if f.boolean("disable_git_lfs") {
		env = append(env, "GIT_LFS_SKIP_SMUDGE=1")
	}
	submodules := "all"
	var only []string
	switch v := f.values["submodules"].(type) {
	case nil:
	case string:
		if submodules = v; v != "all" && v != "none" {
			submodules, only = "some", []string{v}
		}
	default:
		submodules, only = "some", f.texts("submodules")
	}
	fetch := f.texts("fetch")
	f.refuse("timestamp_format")
	if err := errors.Join(f.err, t.ready()); err != nil {
		return Result{}, err
	}
	ref := req.Version["ref"]
	if ref == "" || strings.HasPrefix(ref, "-") {
		return Result{}, fmt.Errorf("the version's ref %q is not a commit. Check the resource again", ref)
	}
	env = append(env, "REF="+ref, "SUBMODULES="+submodules, "FETCH="+strings.Join(fetch, "\n"))
	if branch := req.Version["branch"]; branch != "" {
		env = append(env, "BRANCH="+branch)
	}
	spec := t.spec(req, s, gitGetScript, only, env...)
	spec.Mounts = append(spec.Mounts, runtime.Mount{Volume: req.Dest, Path: getPath})
	out, err := run(ctx, req, "in", spec)
	if err != nil {
		return Result{}, err
	}
	_, metadata, err := describe(out, s)
	return Result{Version: req.Version, Metadata: metadata}, err
}

func tagsFlag(f *fields, s gitSource) string {
	switch {
	case f.values["fetch_tags"] != nil && !f.boolean("fetch_tags"):
		return "none"
	case f.boolean("fetch_tags"), s.fetchTags, s.tagFilter != "", s.tagRegex != "":
		return "all"
	}
	return ""
}

// describe reads what the script says of the commit that is checked out.
func describe(out []byte, s gitSource) (commit string, metadata []Field, err error) {
	parts := strings.Split(string(out), "\x00")
	if len(parts) < 8 || !hexRef.MatchString(parts[0]) {
		return "", nil, errors.New("git described the commit in an unexpected way")
	}
	commit, author, authored, committer, committed := parts[0], parts[1], parts[2], parts[3], parts[4]
	add := func(name, value string) {
		if value != "" {
			metadata = append(metadata, Field{Name: name, Value: value})
		}
	}
	add("commit", commit)
	add("author", author)
	add("author_date", authored)
	if committer != author || committed != authored {
		add("committer", committer)
		add("committer_date", committed)
	}
	add("branch", parts[5])
	add("tags", parts[6])
	add("message", strings.TrimRight(parts[7], "\n")+"\n")
	add("url", commitURL(s.uri, commit))
	return commit, metadata, nil
}

var scpAddress = regexp.MustCompile(`^(?:[^@/]+@)?([^:/]+):(.+)$`)

// commitURL guesses the page of a commit on the hosts whose scheme is known.
func commitURL(uri, commit string) string {
	host, path := "", ""
	if u, err := url.Parse(uri); err == nil && u.Host != "" {
		host, path = u.Hostname(), u.Path
	} else if m := scpAddress.FindStringSubmatch(uri); m != nil {
		host, path = m[1], m[2]
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	if path == "" {
		return ""
	}
	switch {
	case strings.Contains(host, "github"):
		return "https://" + host + "/" + path + "/commit/" + commit
	case strings.Contains(host, "gitlab"):
		return "https://" + host + "/" + path + "/-/commit/" + commit
	case host == "bitbucket.org":
		return "https://" + host + "/" + path + "/commits/" + commit
	}
	return ""
}
