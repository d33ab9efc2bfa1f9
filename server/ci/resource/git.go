package resource

import (
	"bytes"
	"context"
	_ "embed" // the scripts that run in the container
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// gitType follows a branch (or tags) of a git repository. The program git runs in a
// container of the image host, because what it fetches and the server it talks to are
// not ours: a hook, a filter or a hole in git reaches nothing of this machine.
//
// Each call is one container with one of the scripts below. They take their settings
// from the environment and from files in gitHome; secrets only from files, so that no
// process list, log or URL has them. They write an answer in fields that end in NUL.
type gitType struct{ opts Options }

//go:embed git_check.sh
var gitCheckScript []byte

//go:embed git_get.sh
var gitGetScript []byte

//go:embed git_put.sh
var gitPutScript []byte

//go:embed git_describe.sh
var gitDescribeScript []byte

//go:embed git_askpass.sh
var gitAskpassScript []byte

//go:embed git_credential.sh
var gitCredentialScript []byte

const (
	gitHome   = "/opt/git"
	gitRemote = gitHome + "/remote"
)

// spec is the container for one of the scripts.
func (t gitType) spec(req Request, s gitSource, script []byte, args []string, env ...string) runtime.Spec {
	protocols := "http:https:ssh"
	spec := runtime.Spec{
		Image: runtime.Image{Host: true},
		Args:  append([]string{"/bin/sh", gitHome + "/script"}, args...),
	}
	if s.local != "" {
		protocols += ":file"
		spec.Mounts = append(spec.Mounts, runtime.Mount{HostPath: s.local, Path: gitRemote, ReadOnly: true})
	}
	spec.Files = []runtime.File{
		{Path: gitHome + "/script", Mode: 0o500, Data: script},
		{Path: gitHome + "/describe", Mode: 0o500, Data: gitDescribeScript},
		{Path: gitHome + "/config", Mode: 0o600, Data: s.gitConfig()},
	}
	if s.password != "" {
		spec.Files = append(spec.Files,
			runtime.File{Path: gitHome + "/credential", Mode: 0o500, Data: gitCredentialScript},
			runtime.File{Path: gitHome + "/username", Mode: 0o400, Data: []byte(s.username)},
			runtime.File{Path: gitHome + "/password", Mode: 0o400, Data: []byte(s.password)})
	}
	spec.Env = append(append([]string{}, req.Env...),
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME="+gitHome, "LC_ALL=C.UTF-8",
		"GIT_ALLOW_PROTOCOL="+protocols, "GIT_TERMINAL_PROMPT=0",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+gitHome+"/config",
		"URI="+s.uri, "BRANCH="+s.branch)
	if s.insecure {
		spec.Env = append(spec.Env, "GIT_SSL_NO_VERIFY=true")
	}
	t.ssh(&spec, s)
	spec.Env = append(spec.Env, env...)
	return spec
}

// ssh answers the questions of ssh as the public resource type does: any host key.
func (t gitType) ssh(spec *runtime.Spec, s gitSource) {
	command := "ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
	if s.key != "" {
		spec.Files = append(spec.Files, runtime.File{Path: gitHome + "/key", Mode: 0o400, Data: []byte(strings.TrimRight(s.key, "\r\n") + "\n")})
		command += " -o IdentitiesOnly=yes -i " + gitHome + "/key"
	}
	if s.passphrase != "" {
		spec.Files = append(spec.Files,
			runtime.File{Path: gitHome + "/askpass", Mode: 0o500, Data: gitAskpassScript},
			runtime.File{Path: gitHome + "/passphrase", Mode: 0o400, Data: []byte(s.passphrase)})
		spec.Env = append(spec.Env, "SSH_ASKPASS="+gitHome+"/askpass", "SSH_ASKPASS_REQUIRE=force")
	} else {
		command += " -o BatchMode=yes"
	}
	if s.keyUser != "" && !strings.ContainsAny(s.keyUser, " '\"$`\\;&|<>()\n") {
		command += " -o User=" + s.keyUser
	}
	spec.Env = append(spec.Env, "GIT_SSH_COMMAND="+command)
}

// gitConfig is the container's ~/.gitconfig: what the pipeline asks for comes last.
func (s gitSource) gitConfig() []byte {
	var b bytes.Buffer
	b.WriteString("[safe]\n\tdirectory = *\n[user]\n\tname = Signalbox\n\temail = signalbox@localhost\n")
	b.WriteString("[advice]\n\tdetachedHead = false\n[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n")
	if s.local != "" {
		fmt.Fprintf(&b, "[url \"file://%s\"]\n\tinsteadOf = %s\n", gitRemote, quoteConfig(s.uri))
	}
	if s.password != "" && s.origin != "" {
		fmt.Fprintf(&b, "[credential %s]\n\thelper = %s/credential\n", quoteConfig(s.origin), gitHome)
	}
	for _, item := range s.config {
		section, key, ok := splitConfigName(item.Name)
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "[%s]\n\t%s = %s\n", section, key, quoteConfig(item.Value))
	}
	return b.Bytes()
}

var configName = regexp.MustCompile(`^([A-Za-z0-9-]+)\.(?:([^\n\x00]+)\.)?([A-Za-z][A-Za-z0-9-]*)$`)

func splitConfigName(name string) (section, key string, ok bool) {
	m := configName.FindStringSubmatch(name)
	if m == nil {
		return "", "", false
	}
	if m[2] == "" {
		return m[1], m[3], true
	}
	return m[1] + " " + quoteConfig(m[2]), m[3], true
}

func quoteConfig(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\x00", "").Replace(value) + `"`
}

// pathspecs are the paths as git's arguments.
func (s gitSource) pathspecs() []string {
	specs := append([]string{}, s.paths...)
	if len(specs) == 0 && len(s.ignore) > 0 {
		specs = append(specs, ".")
	}
	for _, p := range s.ignore {
		specs = append(specs, ":(exclude)"+p)
	}
	return specs
}

var hexRef = regexp.MustCompile(`^[0-9a-f]{40}(?:[0-9a-f]{24})?$`)

// Check lists commits of the branch, or tags.
func (t gitType) Check(ctx context.Context, req Request) ([]Version, error) {
	s, err := t.source(req)
	if err != nil {
		return nil, err
	}
	known := req.Version["ref"]
	if s.tagFilter == "" && s.tagRegex == "" && known != "" && !hexRef.MatchString(known) {
		known = "" // from a time when the resource followed tags
	}
	if err := t.ready(); err != nil {
		return nil, err
	}
	tags := "0"
	if s.tagFilter != "" || s.tagRegex != "" {
		tags = "1"
	}
	out, err := run(ctx, req, "check", t.spec(req, s, gitCheckScript, s.pathspecs(),
		"KNOWN="+known, "NO_SKIP="+onOff(s.noSkip), "DEPTH="+strconv.Itoa(s.depth), "TAGS="+tags, "TAG_FILTER="+s.tagFilter))
	if err != nil {
		return nil, err
	}
	if tags == "1" {
		return tagVersions(out, s, known)
	}
	versions := []Version{}
	for _, ref := range strings.Fields(string(out)) {
		versions = append(versions, Version{"ref": ref})
	}
	return versions, nil
}

// tagVersions picks from all tags, oldest first, those from the known one on.
func tagVersions(out []byte, s gitSource, known string) ([]Version, error) {
	pattern, err := regexp.CompilePOSIX("^(" + s.tagRegex + ")$")
	if err != nil {
		return nil, fmt.Errorf("source.tag_regex is not a regular expression: %w. Correct it in the pipeline", err)
	}
	all := []Version{}
	from := -1
	for line := range strings.Lines(string(out)) {
		tag, commit, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if tag == "" || s.tagRegex != "" && !pattern.MatchString(tag) {
			continue
		}
		if tag == known {
			from = len(all)
		}
		all = append(all, Version{"ref": tag, "commit": commit})
	}
	if from < 0 {
		from = max(0, len(all)-s.depth)
	}
	return all[from:], nil
}

// ready says early, and in words, what would fail in the executor.
func (t gitType) ready() error {
	if !t.opts.HostImageAllowed {
		return errors.New("the built-in type git runs in the image host, which this server's administrator does not allow (ci.host_image). Declare a resource type git with an image of its own")
	}
	return nil
}

func onOff(on bool) string {
	if on {
		return "1"
	}
	return ""
}
