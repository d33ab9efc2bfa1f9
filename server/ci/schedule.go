package ci

import (
	"context"
	"slices"

	"github.com/signalbox/signalbox/server/ci/algorithm"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/telemetry"
)

// maxRounds bounds how many builds one look at a job may start; the job is then
// looked at again, after the others.
const maxRounds = 50

// view is what scheduling a pipeline reads once.
type view struct {
	pipeline  pipelineRow
	config    pipeline.Config
	jobs      []jobRow
	jobIDs    map[string]int64
	resources map[string]resourceRow
}

// schedulePipeline serves all requests of a pipeline's jobs. On PostgreSQL it is
// one transaction under a lock, because other nodes do the same; on SQLite this
// process is the only one, and reads stay outside of the single writer.
func (s *Service) schedulePipeline(ctx context.Context, id int64) error {
	if s.db.Dialect != database.Postgres {
		return s.scheduleJobs(ctx, id)
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.lockPipeline(ctx, id); err != nil {
			return err
		}
		return s.scheduleJobs(ctx, id)
	})
}

func (s *Service) scheduleJobs(ctx context.Context, id int64) error {
	v, err := s.look(ctx, id)
	if err != nil {
		return err
	}
	due := slices.DeleteFunc(slices.Clone(v.jobs), func(j jobRow) bool { return j.ScheduleRequested == j.Scheduled })
	// Those whose builds have waited longest come first; jobs of a serial group take turns so.
	slices.SortStableFunc(due, func(a, b jobRow) int { return compareWaiting(a.NextBuildID, b.NextBuildID) })
	for _, job := range due {
		if err := s.scheduleJob(ctx, v, job); err != nil {
			return err
		}
	}
	return nil
}

func compareWaiting(a, b int64) int {
	switch {
	case a == b:
		return 0
	case a == 0 || b != 0 && b < a:
		return 1
	}
	return -1
}

// look reads the jobs with their requests first: everything that caused a
// request was committed with it, so what is read afterwards is at least as new,
// and no request is taken for served by an older view.
func (s *Service) look(ctx context.Context, id int64) (view, error) {
	v := view{jobIDs: map[string]int64{}, resources: map[string]resourceRow{}}
	var err error
	if v.jobs, err = s.jobs(ctx, id); err != nil {
		return v, err
	}
	for _, j := range v.jobs {
		v.jobIDs[j.Name] = j.ID
	}
	if v.pipeline, err = s.pipeline(ctx, id); err != nil {
		return v, err
	}
	if v.config, err = s.configs.of(v.pipeline); err != nil {
		return v, err
	}
	resources, err := s.resources(ctx, id)
	for _, r := range resources {
		v.resources[r.Name] = r
	}
	return v, err
}

// scheduleJob resolves the job's inputs, makes a build when a triggering one is
// new, and starts what may start.
func (s *Service) scheduleJob(ctx context.Context, v view, job jobRow) error {
	config, ok := v.config.Job(job.Name)
	if !ok || v.pipeline.Archived {
		return s.jobScheduled(ctx, job.ID, job.ScheduleRequested, false, "{}")
	}
	inputs, err := s.inputs(ctx, v, config)
	if err != nil {
		return err
	}
	for range maxRounds {
		result, err := algorithm.Resolve(ctx, history{s.store, job.ID}, inputs)
		if err != nil {
			return err
		}
		again, err := s.round(ctx, v, job, config, inputs, result)
		if err != nil {
			return err
		}
		if !again {
			return s.finishRound(ctx, job, result)
		}
	}
	return s.schedule(ctx, v.pipeline.ID, []string{job.Name})
}

func (s *Service) finishRound(ctx context.Context, job jobRow, result algorithm.Resolution) error {
	hasNew := false
	for _, choice := range result.Inputs {
		hasNew = hasNew || choice.First
	}
	// After a build was started, what it took is not new any more.
	if hasNew {
		fresh, err := s.stillNew(ctx, job.ID, result)
		if err != nil {
			return err
		}
		hasNew = fresh
	}
	errors := encode(result.Errors)
	if job.HasNewInputs != hasNew || job.InputErrors != errors {
		s.changed(ctx, job.TeamID, topicJob, job.ID)
		s.changed(ctx, job.TeamID, topicPipeline, job.PipelineID)
	}
	return s.jobScheduled(ctx, job.ID, job.ScheduleRequested, hasNew, errors)
}

func (s *Service) stillNew(ctx context.Context, job int64, result algorithm.Resolution) (bool, error) {
	h := history{s.store, job}
	for name, choice := range result.Inputs {
		taken, err := h.Taken(ctx, name, choice.Resource, choice.Version)
		if err != nil || !taken {
			return true, err
		}
	}
	return false, nil
}

// inputs translates the job's gets for the algorithm.
func (s *Service) inputs(ctx context.Context, v view, job pipeline.Job) ([]algorithm.Input, error) {
	var inputs []algorithm.Input
	for _, get := range job.Gets() {
		r, ok := v.resources[get.ResourceName()]
		if !ok {
			continue
		}
		in := algorithm.Input{Name: get.Name, Resource: r.ID, Trigger: get.Trigger, Every: get.Version != nil && get.Version.Every}
		for _, pattern := range get.Passed {
			for _, name := range v.config.JobsMatching(pattern) {
				if id := v.jobIDs[name]; !slices.Contains(in.Passed, id) {
					in.Passed = append(in.Passed, id)
				}
			}
		}
		var err error
		if in.Pin, err = s.pinOf(ctx, v, r, get); err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// pinOf is the version on the step, else the pin set by a person, else that of the configuration.
func (s *Service) pinOf(ctx context.Context, v view, r resourceRow, get *pipeline.GetStep) (*algorithm.Pin, error) {
	wanted := pipeline.Version(nil)
	if get.Version != nil {
		wanted = get.Version.Pinned
	}
	if wanted == nil && r.PinnedVersionID != 0 {
		return &algorithm.Pin{Version: r.PinnedVersionID}, nil
	}
	if configured, _ := v.config.Resource(r.Name); wanted == nil {
		wanted = configured.Version
	}
	if wanted == nil {
		return nil, nil
	}
	found, err := s.findPinned(ctx, r, resource.Version(wanted))
	return &algorithm.Pin{Version: found, Label: algorithm.Label(wanted)}, err
}

// findPinned is the newest version that has all the wanted fields; 0 when there is none.
func (s *Service) findPinned(ctx context.Context, r resourceRow, wanted resource.Version) (int64, error) {
	exact, err := s.findVersion(ctx, r, wanted)
	if err != nil || exact.ID != 0 {
		return exact.ID, err
	}
	found, err := s.filterVersions(ctx, r, wanted, 1, 0)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0].ID, nil
}

// round makes and starts builds with one resolution. again asks for another,
// since an input that takes every version has more waiting.
func (s *Service) round(ctx context.Context, v view, job jobRow, config pipeline.Job, inputs []algorithm.Input, result algorithm.Resolution) (again bool, err error) {
	pending, err := s.pendingBuilds(ctx, v.pipeline.ID, job.ID)
	if err != nil {
		return false, err
	}
	paused := v.pipeline.Paused || job.Paused
	asks := len(v.config.JobExtension(job.Name).Unasked()) > 0 // which nobody answers for a build that starts by itself
	if result.Triggers(inputs) && !paused && !asks && !slices.ContainsFunc(pending, func(b buildRow) bool { return !b.Manual && b.RerunOf == 0 }) {
		pending = append(pending, buildRow{TeamID: job.TeamID, PipelineID: v.pipeline.ID, JobID: job.ID, Cause: s.causeOf(ctx, v, inputs, result)})
	}
	started := 0
	cancels := v.config.JobExtension(job.Name).CancelSuperseded && !paused
	for _, b := range pending {
		settled, err := s.settled(ctx, v, b, inputs, result)
		if err != nil {
			return false, err
		}
		supersedes := cancels && settled && b.RerunOf == 0
		may := settled
		if settled {
			if may, err = s.hasRoom(ctx, v, config); err != nil {
				return false, err
			}
		}
		if (!may || paused) && b.ID != 0 && !supersedes {
			break
		}
		if err := s.start(ctx, v, job, config, b, result, may && !paused, supersedes); err != nil {
			return false, err
		}
		if !may {
			break
		}
		started++
	}
	return started > 0 && result.HasNext, nil
}

// settled says whether it is clear what the build takes.
func (s *Service) settled(ctx context.Context, v view, b buildRow, inputs []algorithm.Input, result algorithm.Resolution) (bool, error) {
	if b.RerunOf != 0 {
		return true, nil
	}
	if !result.OK() {
		return false, nil
	}
	waiting, err := s.uncheckedInputs(ctx, v, b, inputs)
	return len(waiting) == 0, err
}

// hasRoom says whether the job's limit lets one more build run.
func (s *Service) hasRoom(ctx context.Context, v view, config pipeline.Job) (bool, error) {
	limit := config.MaxInFlight()
	if limit == 0 {
		return true, nil
	}
	n, err := s.running(ctx, v.pipeline.ID, v.idsOf(facts{v.config}.rivals(config)))
	return n < int64(limit), err
}

func (v view) idsOf(names []string) []int64 {
	ids := make([]int64, 0, len(names))
	for _, name := range names {
		ids = append(ids, v.jobIDs[name])
	}
	return ids
}

// uncheckedInputs names the resources of a build that must be checked before it
// starts: for a build that somebody asked for those without passed jobs and
// pins, when their last check began before; for the others those never checked.
func (s *Service) uncheckedInputs(ctx context.Context, v view, b buildRow, inputs []algorithm.Input) (names []string, err error) {
	for _, in := range inputs {
		if len(in.Passed) > 0 || in.Pin != nil {
			continue
		}
		for name, r := range v.resources {
			if r.ID != in.Resource || slices.Contains(names, name) {
				continue
			}
			asked := b.Manual && (r.CheckStartedAt < b.CreatedAt || r.CheckEndedAt < r.CheckStartedAt)
			if asked || !b.Manual && !in.Trigger && r.CheckEndedAt == 0 && r.CheckEvery != 0 {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// start stores a build that is new, and starts it if ready: its inputs, its plan
// and the job that runs it are one transaction.
func (s *Service) start(ctx context.Context, v view, job jobRow, config pipeline.Job, b buildRow, result algorithm.Resolution, ready, supersedes bool) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		if b.ID == 0 {
			if err := s.createBuild(ctx, &b); err != nil {
				return err
			}
			if err := s.keepDefaults(ctx, v, job, b); err != nil {
				return err
			}
			if err := s.tellCaused(ctx, v, config, b, result); err != nil {
				return err
			}
		}
		if supersedes {
			if err := s.supersede(ctx, b, result); err != nil {
				return err
			}
		}
		if ready {
			if err := s.startWith(ctx, v, config, b, result); err != nil {
				return err
			}
		}
		s.buildChanged(ctx, b)
		return s.refreshJob(ctx, job.ID)
	})
}

// createBuild numbers and stores a build of a job.
func (s *Service) createBuild(ctx context.Context, b *buildRow) error {
	if b.Name == "" {
		number, err := s.nextBuildNumber(ctx, b.JobID)
		if err != nil {
			return err
		}
		b.Name = formatInt(number)
	}
	if err := s.insertBuild(ctx, b); err != nil {
		return err
	}
	telemetry.Keep(ctx, "build", formatInt(b.ID))
	return nil
}

// keepDefaults gives a build that starts by itself the defaults of the job's inputs.
func (s *Service) keepDefaults(ctx context.Context, v view, job jobRow, b buildRow) error {
	extension := v.config.JobExtension(job.Name)
	values, err := fillInputs(extension, nil)
	if err != nil {
		return err
	}
	return s.keepInputs(ctx, b.ID, extension, values)
}

func (s *Service) startWith(ctx context.Context, v view, config pipeline.Job, b buildRow, result algorithm.Resolution) error {
	if b.RerunOf == 0 {
		for name, choice := range result.Inputs {
			err := s.saveBuildVersion(ctx, buildVersionRow{BuildID: b.ID, Direction: input, Name: name, ResourceID: choice.Resource,
				VersionID: choice.Version, JobID: b.JobID, First: choice.First})
			if err != nil {
				return err
			}
			for _, upstream := range choice.PassedBuilds {
				if err := s.saveUpstream(ctx, b.ID, upstream); err != nil {
					return err
				}
			}
		}
	}
	switch refusal, err := s.markUntrusted(ctx, b); {
	case err != nil:
		return err
	case refusal != "":
		return s.finish(ctx, b, Errored, refusal)
	}
	versions, err := s.inputVersions(ctx, b.ID)
	if err != nil {
		return err
	}
	p, err := plan.FromJob(config, v.config, plan.JobInputs{Versions: versions, Manual: b.Manual})
	if err != nil {
		return s.finish(ctx, b, Errored, err.Error())
	}
	return s.launch(ctx, b, p)
}

// launch makes the build started and gives it to the engine, on any node.
func (s *Service) launch(ctx context.Context, b buildRow, p plan.Plan) error {
	ok, err := s.startBuild(ctx, b.ID, []byte(encode(p)))
	if err != nil || !ok {
		return err
	}
	if b.JobID != 0 {
		if err := s.requestStatus(ctx, b, Started); err != nil {
			return err
		}
	}
	return s.enqueueBuild(ctx, b)
}

func (s *Service) inputVersions(ctx context.Context, build int64) (map[string]pipeline.Version, error) {
	used, err := s.buildVersions(ctx, build)
	if err != nil {
		return nil, err
	}
	versions := map[string]pipeline.Version{}
	for _, u := range used {
		if u.Direction != input {
			continue
		}
		v, err := decode[pipeline.Version](u.Version)
		if err != nil {
			return nil, err
		}
		versions[u.Name] = v
	}
	return versions, nil
}
