package ci

import (
	"context"
	"fmt"
	"slices"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// preparation is why a build has not started, in the parts that fly knows.
type preparation struct {
	PausedPipeline, PausedJob bool
	// Full tells that the limit of running builds is reached; Running are the builds in the way.
	Full    bool
	Limit   int
	Running int64
	// Unchecked are the resources whose check is awaited.
	Unchecked []string
	// Missing is the reason for each input that has no version.
	Missing map[string]string
	// Inputs are the names of all inputs.
	Inputs []string
	// Resources by name of input.
	Resources map[string]resourceRow
}

func (s *Service) prepare(ctx context.Context, b buildRow) (preparation, error) {
	p := preparation{Missing: map[string]string{}, Resources: map[string]resourceRow{}}
	if b.JobID == 0 || b.Status != Pending {
		return p, nil
	}
	v, err := s.look(ctx, b.PipelineID)
	if err != nil {
		return p, err
	}
	job, err := s.job(ctx, b.JobID)
	if err != nil {
		return p, err
	}
	declared, ok := v.config.Job(job.Name)
	if !ok {
		return p, nil
	}
	return p, s.prepareIn(ctx, v, job, declared, b, &p)
}

func (s *Service) prepareIn(ctx context.Context, v view, job jobRow, declared pipeline.Job, b buildRow, p *preparation) error {
	p.PausedPipeline, p.PausedJob = v.pipeline.Paused, job.Paused
	for _, get := range declared.Gets() {
		p.Inputs = append(p.Inputs, get.Name)
		p.Resources[get.Name] = v.resources[get.ResourceName()]
	}
	if b.RerunOf == 0 {
		p.Missing = job.inputErrors()
		inputs, err := s.inputs(ctx, v, declared)
		if err != nil {
			return err
		}
		if p.Unchecked, err = s.uncheckedInputs(ctx, v, b, inputs); err != nil {
			return err
		}
	}
	if p.Limit = declared.MaxInFlight(); p.Limit == 0 {
		return nil
	}
	n, err := s.running(ctx, v.pipeline.ID, v.idsOf(facts{v.config}.rivals(declared)))
	p.Running, p.Full = n, n >= int64(p.Limit)
	return err
}

// sentences explain the preparation to people, the first cause first.
func (p preparation) sentences() []string {
	out := []string{}
	if p.PausedPipeline {
		out = append(out, "The pipeline is paused.")
	}
	if p.PausedJob {
		out = append(out, "The job is paused.")
	}
	if p.Full {
		out = append(out, fmt.Sprintf("%d of at most %d builds are running in its serial groups.", p.Running, p.Limit))
	}
	for _, name := range p.Unchecked {
		out = append(out, fmt.Sprintf("Resource %s is being checked first.", name))
	}
	slices.Sort(p.Inputs)
	for _, in := range p.Inputs {
		reason, missing := p.Missing[in]
		if !missing {
			continue
		}
		sentence := fmt.Sprintf("Input %s: %s.", in, reason)
		if r := p.Resources[in]; r.CheckError != "" {
			sentence += fmt.Sprintf(" The last check of %s failed: %s", r.Name, r.CheckError)
		}
		out = append(out, sentence)
	}
	return out
}
