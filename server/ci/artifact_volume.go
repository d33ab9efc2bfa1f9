package ci

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// The bounds of what is read of one build.
const (
	maxVolumeBytes  = 16 << 30 // looked through, of each output
	maxVolumeFiles  = 1_000_000
	maxArtifactSize = 2 << 30
	maxArtifacts    = 500
	maxKeptBytes    = 8 << 30
	maxSmallFile    = 32 << 20 // a test report or list of components
	maxSmallFiles   = 5_000
	maxSmallBytes   = 256 << 20
	maxProblems     = 20
)

// outputVolumes finds the build's artifacts by name: outputs of tasks and what gets
// fetched. Of several of one name the latest counts, as for the steps themselves.
func outputVolumes(steps []engine.StepRecord) map[string]runtime.VolumeID {
	type found struct {
		id    runtime.VolumeID
		ended int64
	}
	latest := map[string]found{}
	for _, s := range steps {
		for _, v := range s.Volumes {
			output := v.Role == engine.RoleOutput || v.Role == engine.RoleResource && !strings.Contains(s.PlanID, "/")
			at := s.EndedAt.UnixMilli()
			if output && v.Name != "" && (latest[v.Name].id == "" || latest[v.Name].ended <= at) {
				latest[v.Name] = found{v.ID, at}
			}
		}
	}
	out := make(map[string]runtime.VolumeID, len(latest))
	for name, f := range latest {
		out[name] = f.id
	}
	return out
}

// collection gathers what one build leaves behind before anything is stored.
type collection struct {
	service  *Service
	build    buildRow
	spool    spool
	kept     []keptArtifactRow
	reports  []collectedFile
	sboms    []collectedFile
	problems []string
	// keeps store what the small files say.
	keeps []keepRead
	// matched are the rules that named a file; seen are the files.
	matched, seen map[string]bool
	keptBytes     int64
}

// problem notes a sentence, and beyond some only that there are more.
func (c *collection) problem(format string, args ...any) {
	c.problems = addProblem(c.problems, fmt.Sprintf(format, args...))
}

func addProblem(problems []string, sentence string) []string {
	switch {
	case len(problems) < maxProblems:
		return append(problems, printable(sentence, 500))
	case len(problems) == maxProblems:
		return append(problems, "There are more problems of this kind.")
	}
	return problems
}

// volume looks through one output. Only an error that would end every other output
// too is returned: the context's.
func (c *collection) volume(ctx context.Context, id runtime.VolumeID, rules []outputRule) error {
	folder := sharedFolder(rules)
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	exportCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		err := c.service.deps.Executor.ExportVolume(exportCtx, id, folder, writer)
		writer.CloseWithError(err)
		done <- err
	}()
	err := c.archive(ctx, reader, folder, rules)
	cancel()
	reader.CloseWithError(io.ErrClosedPipe)
	exported := <-done
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(exported, runtime.ErrGone) || errors.Is(exported, fs.ErrNotExist):
		// The step never made it, or there is no such folder: nothing matches.
	case err != nil:
		c.problem("The output %s could not be read to its end: %s.", rules[0].Output, inSentence(err))
	}
	return nil
}

// inSentence is an error as part of a sentence.
func inSentence(err error) string {
	if p := problem.From(err); p.Kind != problem.Internal {
		return strings.TrimSuffix(p.Detail, ".")
	}
	return strings.TrimSuffix(err.Error(), ".")
}

// archive reads the regular files that rules name. Links are never followed: what a
// name in a volume points at is not the build's to give.
func (c *collection) archive(ctx context.Context, r io.Reader, folder string, rules []outputRule) error {
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	archive := tar.NewReader(&limitedArchive{r: unzipped, left: maxVolumeBytes})
	for n := 0; ; n++ {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n >= maxVolumeFiles {
			return fmt.Errorf("it has more than %d files", maxVolumeFiles)
		}
		if header.Typeflag != tar.TypeReg || !filepath.IsLocal(header.Name) {
			continue
		}
		if err := c.file(ctx, path.Join(folder, header.Name), header.Size, archive, rules); err != nil {
			return err
		}
	}
}

// limitedArchive ends the reading of too large an output with a reason.
type limitedArchive struct {
	r    io.Reader
	left int64
}

func (l *limitedArchive) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("it has more than %d GiB", int64(maxVolumeBytes)>>30)
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// usesOf are the uses that a file is named for, each with the rule that keeps longest.
func (c *collection) usesOf(name string, rules []outputRule) map[use]outputRule {
	uses := map[use]outputRule{}
	for _, r := range rules {
		if !r.matches(name) {
			continue
		}
		c.matched[r.key()] = true
		if known, ok := uses[r.Use]; !ok || r.Keep > known.Keep {
			uses[r.Use] = r
		}
	}
	return uses
}

// file gives one file to every use that a rule names it for.
func (c *collection) file(ctx context.Context, name string, size int64, content io.Reader, rules []outputRule) error {
	uses := c.usesOf(name, rules)
	shown := rules[0].Output + "/" + name
	if len(uses) == 0 || c.seen[shown] {
		return nil
	}
	c.seen[shown] = true
	if !showable(shown) {
		c.problem("%q is not kept: its name is too long or has signs that cannot be shown.", printable(shown, 100))
		return nil
	}
	_, isReport := uses[useReport]
	_, isSBOM := uses[useSBOM]
	artifact, isArtifact := uses[useArtifact]
	if isSBOM && !isArtifact {
		artifact, isArtifact = uses[useSBOM], true // the document itself is kept as well
	}
	if (isReport || isSBOM) && c.fits(shown, size) {
		small, err := c.spool.keep(shown, content)
		if err != nil {
			return err
		}
		if isReport {
			c.reports = append(c.reports, small)
		}
		if isSBOM {
			c.sboms = append(c.sboms, small)
		}
		again, err := small.Open()
		if err != nil {
			return err
		}
		content = again
	}
	if !isArtifact {
		return nil
	}
	return c.artifact(ctx, shown, size, content, artifact)
}

// fits says whether a file is read as a report or a list of components.
func (c *collection) fits(shown string, size int64) bool {
	switch {
	case size > maxSmallFile:
		c.problem("%s has %d bytes; more than %d are not read as a report or a list of components.", shown, size, int64(maxSmallFile))
		return false
	case len(c.reports)+len(c.sboms) >= maxSmallFiles || c.spool.size+size > maxSmallBytes:
		c.problem("There are more than %d reports and lists of components or %d MiB of them; %s is not read.", maxSmallFiles, int64(maxSmallBytes)>>20, shown)
		return false
	}
	return true
}

// artifact makes a blob of a file. It is owned when the collection is stored.
func (c *collection) artifact(ctx context.Context, shown string, size int64, content io.Reader, rule outputRule) error {
	switch {
	case len(c.kept) >= maxArtifacts:
		c.problem("More than %d files are named as artifacts; %s is not kept.", maxArtifacts, shown)
		return nil
	case size > maxArtifactSize || c.keptBytes+size > maxKeptBytes:
		c.problem("%s has %d bytes and is not kept: artifacts have at most %d GiB each and %d GiB in a build.",
			shown, size, int64(maxArtifactSize)>>30, int64(maxKeptBytes)>>30)
		return nil
	}
	ref, err := c.service.deps.Blobs.Put(ctx, c.build.TeamID, content, maxArtifactSize)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		c.service.deps.Log.WarnContext(ctx, "keeping an artifact failed", "build", c.build.ID, "path", shown, "error", err)
		c.problem("%s could not be kept: %s.", shown, inSentence(err))
		return nil
	}
	now := c.service.now()
	c.keptBytes += ref.Size
	c.kept = append(c.kept, keptArtifactRow{TeamID: c.build.TeamID, BuildID: c.build.ID, Path: shown, Size: ref.Size,
		SHA256: ref.SHA256, CreatedAt: toMillis(now), ExpiresAt: toMillis(now.Add(rule.Keep))})
	return nil
}
