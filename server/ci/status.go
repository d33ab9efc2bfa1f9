package ci

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/work"
)

// kindStatus is the durable job that tells a repository's host how a build stands.
const kindStatus = "ci.status"

// CommitStatus is what the host of a repository shows beside a commit.
type CommitStatus struct {
	Team int64
	// Repository is host/owner/name in lower case.
	Repository string
	SHA        string
	// State is pending, success, failure or error.
	State string
	// Context tells the statuses of one commit apart: "signalbox/pipeline/job".
	Context     string
	Description string
	// URL leads to the build's page, and to the failing line where there is one.
	URL string
	// ExternalID names the build, for when the host asks for it again.
	ExternalID string
	// Summary is Markdown.
	Summary     string
	Annotations []Annotation
	Aborted     bool
	// Ended is zero while the build runs.
	Started, Ended time.Time
}

// Annotation is a remark on a line of a file in the repository.
type Annotation struct {
	Path           string
	Line           int
	Title, Message string
}

type statusJob struct {
	Build  int64  `json:"build"`
	Status Status `json:"status"`
}

// requestStatus queues the statuses of a build's commits, in the transaction
// that changes the build. Statuses of one build are sent in order.
func (s *Service) requestStatus(ctx context.Context, b buildRow, status Status) error {
	if s.deps.CommitStatus == nil {
		return nil
	}
	watches, err := s.takesCommits(ctx, b.ID)
	if err != nil || !watches {
		return err
	}
	_, err = s.deps.Jobs.EnqueueValue(ctx, work.Job{Kind: kindStatus, Team: b.TeamID, SerialKey: "status:" + formatInt(b.ID)}, statusJob{b.ID, status})
	return err
}

var stateOf = map[Status]string{Started: "pending", Succeeded: "success", Failed: "failure", Errored: "error", Aborted: "error"}

func (s *Service) sendStatus(ctx context.Context, job work.Job) error {
	var payload statusJob
	if err := json.Unmarshal(job.Payload, &payload); err != nil {
		return work.GiveUp(err)
	}
	b, err := s.build(ctx, payload.Build)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	commits, err := s.commitsOf(ctx, b)
	if err != nil || len(commits) == 0 {
		return err
	}
	about, err := s.aboutBuild(ctx, b, payload.Status)
	if err != nil {
		return err
	}
	for _, c := range commits {
		about.fill(&c.CommitStatus, c.input)
		if err := s.deps.CommitStatus(ctx, c.CommitStatus); err != nil {
			return err
		}
		if err := s.commentOn(ctx, c, payload.Status); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) describeStatus(b buildRow, status Status) string {
	switch status {
	case Started:
		return "Build #" + b.Name + " is running"
	case Succeeded:
		return fmt.Sprintf("Build #%s succeeded in %s", b.Name, b.duration(s.now()).Round(100*time.Millisecond))
	}
	return fmt.Sprintf("Build #%s %s", b.Name, status)
}

// builtCommit is a commit that a build took.
type builtCommit struct {
	CommitStatus
	input commitInput
	build buildRow
}

// commitsOf lists what the build took from repositories that we know how to name.
func (s *Service) commitsOf(ctx context.Context, b buildRow) ([]builtCommit, error) {
	described, err := s.describeBuild(ctx, b)
	if err != nil {
		return nil, err
	}
	used, err := s.commitInputs(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	var out []builtCommit
	for _, u := range used {
		version, err := decode[map[string]string](u.Version)
		if err != nil {
			return nil, err
		}
		sha := version["commit"] // of tags and pull requests
		if sha == "" && u.Type == gitType {
			sha = version["ref"]
		}
		if sha == "" {
			continue
		}
		out = append(out, builtCommit{input: u, build: b, CommitStatus: CommitStatus{Team: b.TeamID, Repository: u.Repository, SHA: sha,
			Context: "signalbox/" + described.PipelineName + "/" + described.JobName, ExternalID: externalID(b.ID),
			URL: s.buildPage(described.TeamName, described.PipelineName, described.InstanceVars, described.JobName, b.Name)}})
	}
	return out, nil
}

// buildPage is where people find the build; the path is Concourse's.
func (s *Service) buildPage(team, name string, instance pipeline.InstanceVars, job, build string) string {
	page := fmt.Sprintf("%s/teams/%s/pipelines/%s/jobs/%s/builds/%s", s.publicURL(), url.PathEscape(team), url.PathEscape(name), url.PathEscape(job), url.PathEscape(build))
	if len(instance) == 0 {
		return page
	}
	return page + "?" + url.Values{"vars": {encode(instance)}}.Encode()
}
