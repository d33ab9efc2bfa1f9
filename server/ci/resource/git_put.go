package resource

import (
	"context"
	"errors"
	"path"
	"strings"
)

// Put pushes a repository that an earlier step changed.
func (t gitType) Put(ctx context.Context, req Request) (Result, error) {
	s, err := t.source(req)
	if err != nil {
		return Result{}, err
	}
	f := paramsOf(req)
	repository := f.required("repository")
	rebase, merge, force := f.boolean("rebase"), f.boolean("merge"), f.boolean("force")
	onlyTag := f.boolean("only_tag")
	tagFile := f.text("tag")
	annotate := f.text("annotate")
	if branch := f.text("branch"); branch != "" {
		s.branch = branch
	}
	returning := f.oneOf("returning", "merged", "unmerged")
	f.refuse("notes", "refs_prefix", "merge_base", "only_if_changed")
	switch {
	case rebase && merge:
		f.fail("rebase", "and params.merge exclude each other. Remove one.")
	case onlyTag && tagFile == "":
		f.fail("only_tag", "needs params.tag. Add it.")
	case !onlyTag && s.branch == "":
		f.fail("branch", "is missing, and so is source.branch. Say where to push.")
	case s.local != "":
		f.fail("repository", "cannot be pushed: repositories of this machine can only be read. Push to an address on the network.")
	}
	if err := errors.Join(f.err, t.ready()); err != nil {
		return Result{}, err
	}
	folder := path.Join(putPath, path.Clean("/"+repository))
	fileIn := func(name string) string {
		if name == "" {
			return ""
		}
		return path.Join(putPath, path.Clean("/"+name))
	}
	mode := "plain"
	if rebase {
		mode = "rebase"
	} else if merge {
		mode = "merge"
	}
	spec := t.spec(req, s, gitPutScript, nil,
		"REPOSITORY="+folder, "MODE="+mode, "FORCE="+onOff(force), "ONLY_TAG="+onOff(onlyTag),
		"TAG_FILE="+fileIn(tagFile), "TAG_PREFIX="+f.text("tag_prefix"), "ANNOTATE_FILE="+fileIn(annotate),
		"UNMERGED="+onOff(returning == "unmerged"))
	spec.Dir = putPath
	spec.Mounts = append(spec.Mounts, inputMounts(req)...)
	out, err := run(ctx, req, "out", spec)
	if err != nil {
		return Result{}, err
	}
	tag, rest, _ := strings.Cut(string(out), "\x00")
	commit, metadata, err := describe([]byte(rest), s)
	version := Version{"ref": commit}
	if tag != "" && (s.tagFilter != "" || s.tagRegex != "") {
		version = Version{"ref": tag, "commit": commit}
	}
	return Result{Version: version, Metadata: metadata}, err
}
