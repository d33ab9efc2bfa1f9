package ci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/work"
)

// Blobs is where artifacts are kept; *blobs.Store is one.
type Blobs interface {
	Put(ctx context.Context, team int64, r io.Reader, limit int64) (blobs.Ref, error)
	Open(ctx context.Context, team int64, sha string) (io.ReadCloser, blobs.Ref, error)
	Own(ctx context.Context, team int64, sha, kind, owner string) error
	Disown(ctx context.Context, team int64, sha, kind, owner string) error
}

const (
	// collectTime is how long looking through a build's outputs may take.
	collectTime = 10 * time.Minute
	// outputsOrigin is where the log has what could not be kept, as if it were a step.
	outputsOrigin = "outputs"
)

// collectOutputs keeps what a build leaves behind, once: a server that dies meanwhile
// does it again from the beginning, and one that dies afterwards finds the row. It
// reads as long as the run's context lasts, which an abort ends. The error is that of
// a server that stops or of a database that is away.
func (s *Service) collectOutputs(ctx, run context.Context, b buildRow, outcome engine.Outcome) error {
	if b.JobID == 0 || outcome == engine.Aborted || s.deps.Executor == nil || s.deps.Blobs == nil {
		return nil
	}
	problems, known, err := s.buildOutputs(ctx, b.ID)
	if err != nil {
		return err
	}
	if known {
		return s.sayProblems(b.ID, problems)
	}
	job, err := s.extensionOf(ctx, b)
	if err != nil {
		return err
	}
	rules, problems := outputRules(job)
	if len(rules)+len(problems) == 0 {
		return nil
	}
	c := &collection{service: s, build: b, spool: spool{folder: s.deps.Scratch}, problems: problems, matched: map[string]bool{}, seen: map[string]bool{}}
	err = s.collect(ctx, run, c, rules)
	return errors.Join(err, c.spool.close())
}

// extensionOf is what the pipeline as it stands now says of the build's job.
func (s *Service) extensionOf(ctx context.Context, b buildRow) (pipeline.JobExtension, error) {
	_, config, err := s.pipelineConfig(ctx, b.PipelineID)
	if err != nil {
		return pipeline.JobExtension{}, err
	}
	job, err := s.job(ctx, b.JobID)
	return config.JobExtension(job.Name), err
}

func (s *Service) collect(ctx, run context.Context, c *collection, rules []outputRule) error {
	steps, err := s.steps(ctx, c.build.ID)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(run, collectTime)
	defer cancel()
	if err := c.all(limited, rules, outputVolumes(steps)); err != nil {
		switch {
		case ctx.Err() != nil:
			return work.ErrDetached
		case run.Err() != nil:
			c.problem("The build was aborted while its outputs were looked through; what was read until then is kept.")
		default:
			c.problem("Looking through the outputs took longer than %s; what was read until then is kept.", collectTime)
		}
	}
	if err := s.readCollection(ctx, c); err != nil {
		return err
	}
	if err := s.saveCollection(ctx, c); err != nil {
		return err
	}
	return s.sayProblems(c.build.ID, c.problems)
}

// readCollection takes in what the small files say; what fails twice is given up.
func (s *Service) readCollection(ctx context.Context, c *collection) error {
	problems := slices.Clone(c.problems)
	for range 2 {
		c.problems, c.keeps = slices.Clone(problems), nil
		err := s.readFilesOf(ctx, c)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return work.ErrDetached
		}
		s.deps.Log.WarnContext(ctx, "reading what a build left behind failed", "build", c.build.ID, "error", err)
	}
	c.keeps = nil
	c.problem("What the files in the outputs say could not be read; the server's log says why.")
	return nil
}

func (s *Service) readFilesOf(ctx context.Context, c *collection) error {
	for _, use := range []struct {
		read  readFiles
		files []collectedFile
	}{{s.reports, c.reports}, {s.components, c.sboms}} {
		if use.read == nil || len(use.files) == 0 {
			continue
		}
		keep, problems, err := use.read(ctx, c.build, use.files)
		if err != nil {
			return fmt.Errorf("read what the files of build %d say: %w", c.build.ID, err)
		}
		for _, sentence := range problems {
			c.problems = addProblem(c.problems, sentence)
		}
		if keep != nil {
			c.keeps = append(c.keeps, keep)
		}
	}
	return nil
}

// all looks through each output that rules name, in the order of the rules.
func (c *collection) all(ctx context.Context, rules []outputRule, volumes map[string]runtime.VolumeID) error {
	byOutput := map[string][]outputRule{}
	var order []string
	for _, r := range rules {
		if byOutput[r.Output] == nil {
			order = append(order, r.Output)
		}
		byOutput[r.Output] = append(byOutput[r.Output], r)
	}
	for _, name := range order {
		volume, ok := volumes[name]
		if !ok {
			c.problem("This build made no output %s, so nothing was kept of it.", name)
			continue
		}
		if err := c.volume(ctx, volume, byOutput[name]); err != nil {
			return err
		}
		for _, r := range byOutput[name] {
			if !c.matched[r.key()] {
				c.problem("No file matches %s (%s).", r.Path, r.Use)
			}
		}
	}
	return nil
}

// sayProblems writes the sentences into the build's log, once, where people and fly
// see them.
func (s *Service) sayProblems(build int64, problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return s.withLog(build, func(l *buildlog.Log) error {
		if slices.ContainsFunc(l.Sections(), func(x buildlog.Section) bool { return x.Origin == outputsOrigin }) {
			return nil
		}
		// One record, so that a crash leaves all of it or nothing.
		text := strings.Join(problems, "\n") + "\n"
		_, err := l.Append(buildlog.Record{Time: s.now(), Origin: outputsOrigin, Kind: buildlog.KindLog, Source: buildlog.Stderr, Payload: text})
		return err
	})
}

// saveCollection stores everything. What the database refuses twice is given up, so
// that a build ends whatever its files say; a database that is away refuses that too.
func (s *Service) saveCollection(ctx context.Context, c *collection) error {
	err := s.storeCollection(ctx, c)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if err = s.storeCollection(ctx, c); err == nil || ctx.Err() != nil {
		return err
	}
	s.deps.Log.WarnContext(ctx, "storing what a build left behind failed", "build", c.build.ID, "error", err)
	c.kept, c.keeps = nil, nil
	c.problem("What was found in the outputs could not be stored; the server's log says why.")
	return s.storeCollection(ctx, c)
}

// storeCollection is one transaction, and nothing when the build has its row already.
func (s *Service) storeCollection(ctx context.Context, c *collection) error {
	b := c.build
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockPipeline(ctx, b.PipelineID); err != nil {
			return err
		}
		first, err := s.insertBuildOutputs(ctx, b)
		if err != nil || !first {
			return err
		}
		for _, a := range c.kept {
			if err := s.keepArtifact(ctx, a); err != nil {
				return fmt.Errorf("keep %s of build %d: %w", a.Path, b.ID, err)
			}
		}
		for _, keep := range c.keeps {
			if err := keep(ctx); err != nil {
				return fmt.Errorf("store what the files of build %d say: %w", b.ID, err)
			}
		}
		return s.setOutputProblems(ctx, b.ID, c.problems)
	})
}

// keepArtifact stores the row and makes it the owner of its bytes.
func (s *Service) keepArtifact(ctx context.Context, a keptArtifactRow) error {
	id, err := s.insertKeptArtifact(ctx, a)
	if err != nil {
		return err
	}
	return s.deps.Blobs.Own(ctx, a.TeamID, a.SHA256, ownsArtifact, formatInt(id))
}

// ownsArtifact is the kind of owner that a kept artifact is.
const ownsArtifact = "ci_artifact"
