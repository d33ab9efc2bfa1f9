package resource

import (
	"context"
	_ "embed" // the script that runs in the container
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

//go:embed github_pull_get.sh
var githubPullScript []byte

// baseMark stands for the base's commit until the script knows it.
const baseMark = "@BASE_SHA@"

// Get brings a pull request together with its base, in a container as the type git does.
func (t githubPullType) Get(ctx context.Context, req Request) (Result, error) {
	s, err := readPullSource(req)
	f := paramsOf(req)
	tool := f.oneOf("integration_tool", "merge", "rebase", "checkout")
	submodules := f.boolean("submodules")
	if submodules && req.Version[ForkKey] != "" && s.access.token != "" {
		// The fork says where its submodules are: with our token it could name what only we may read.
		submodules = false
		if _, err := fmt.Fprintln(req.Log, "submodules of a fork are not fetched with credentials, so they are left out"); err != nil {
			return Result{}, err
		}
	}
	env := []string{
		"TOOL=" + tool, "DEPTH=" + strconv.Itoa(f.count("git_depth")), "SUBMODULES=" + onOff(submodules),
		"FETCH_TAGS=" + onOff(f.boolean("fetch_tags")), "CHANGED=" + onOff(f.boolean("list_changed_files")),
	}
	skip := f.boolean("skip_download")
	if err := errors.Join(err, f.err); err != nil {
		return Result{}, err
	}
	if skip {
		return Result{Version: req.Version}, nil
	}
	git := gitType(t)
	if err := git.ready(); err != nil {
		return Result{}, err
	}
	g, err := t.opts.github(req, s.access)
	if err != nil {
		return Result{}, err
	}
	defer g.web.close()
	p, c, err := s.facts(ctx, g, req.Version)
	if err != nil {
		return Result{}, failed(ctx, req, "in", err)
	}
	repository, err := s.repositoryOf(git, req, p)
	if err != nil {
		return Result{}, err
	}
	metadata := pullMetadata(req.Version, p, c)
	files, err := pullFiles(req.Version, metadata)
	if err != nil {
		return Result{}, err
	}
	spec := git.spec(req, repository, githubPullScript, nil, append(env,
		"BASE="+repository.branch, "PR="+req.Version["pr"], "COMMIT="+req.Version["commit"])...)
	spec.Files = append(spec.Files, files...)
	spec.Mounts = append(spec.Mounts, runtime.Mount{Volume: req.Dest, Path: getPath})
	out, err := run(ctx, req, "in", spec)
	if err != nil {
		return Result{}, err
	}
	if !hexRef.Match(out) {
		return Result{}, errors.New("git described the base in an unexpected way")
	}
	for i := range metadata {
		if metadata[i].Value == baseMark {
			metadata[i].Value = string(out)
		}
	}
	return Result{Version: req.Version, Metadata: metadata}, nil
}

// repositoryOf is the repository to clone, as the type git wants it: where the API says,
// if that is on the web, or where the source says.
func (s pullSource) repositoryOf(git gitType, req Request, p pullFacts) (gitSource, error) {
	address := s.uri
	if address == "" {
		address = p.Base.Repo.Clone
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" {
			return gitSource{}, errors.New("GitHub does not say where to clone the repository from. Set source.uri")
		}
	}
	as := req
	as.Source = map[string]any{"uri": address, "branch": p.Base.Ref, "skip_ssl_verification": s.access.insecure}
	if s.access.token != "" {
		as.Source["username"], as.Source["password"] = "x-access-token", s.access.token
	}
	repository, err := git.source(as)
	if err != nil {
		return repository, fmt.Errorf("pull request %s: %w", req.Version["pr"], err)
	}
	return repository, nil
}

func pullMetadata(v Version, p pullFacts, c commitFacts) []Field {
	return []Field{
		{"pr", v["pr"]}, {"title", p.Title}, {"url", p.Page}, {"head_name", p.Head.Ref}, {"head_sha", v["commit"]},
		{"base_name", p.Base.Ref}, {"base_sha", baseMark}, {"message", c.Commit.Message},
		{"author", c.Commit.Author.Name}, {"author_email", c.Commit.Author.Email}, {"state", p.State},
	}
}

// pullFiles are the version and the metadata as put and tasks find them in .git/resource.
func pullFiles(v Version, metadata []Field) ([]runtime.File, error) {
	version, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	all, err := json.Marshal(metadata)
	if err != nil {
		return nil, err
	}
	const folder = gitHome + "/resource/"
	files := []runtime.File{
		{Path: folder + "version.json", Mode: 0o400, Data: version}, {Path: folder + "metadata.json", Mode: 0o400, Data: all},
	}
	for _, field := range metadata {
		files = append(files, runtime.File{Path: folder + field.Name, Mode: 0o400, Data: []byte(field.Value)})
	}
	return files, nil
}
