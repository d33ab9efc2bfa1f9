package githubtools

import (
	"context"
	"strconv"
	"time"
)

type runsIn struct {
	repo
	Branch string `json:"branch,omitempty"`
	// RunID asks for the jobs of one run instead.
	RunID int64 `json:"run_id,omitempty"`
	pages
}

// WorkflowRun is a run of GitHub Actions.
type WorkflowRun struct {
	ID         int64     `json:"id"`
	Name       string    `json:"name"`
	Branch     string    `json:"head_branch"`
	Status     string    `json:"status"`
	Conclusion string    `json:"conclusion"`
	CreatedAt  time.Time `json:"created_at"`
	URL        string    `json:"html_url"`
}

// WorkflowJob is a job of a run, with the steps that failed.
type WorkflowJob struct {
	Name       string   `json:"name"`
	Status     string   `json:"status"`
	Conclusion string   `json:"conclusion"`
	Failed     []string `json:"failed_steps"`
	URL        string   `json:"html_url"`
}

type runsOut struct {
	Runs     []WorkflowRun `json:"workflow_runs,omitempty"`
	Jobs     []WorkflowJob `json:"jobs,omitempty"`
	NextPage int           `json:"next_page,omitempty"`
}

func (s *Server) runs(ctx context.Context, in runsIn) (out runsOut, err error) {
	if in.RunID != 0 {
		return s.jobs(ctx, in)
	}
	query := in.query(20)
	if in.Branch != "" {
		query.Set("branch", in.Branch)
	}
	err = s.get(ctx, in.repo, "/actions/runs", query, &out)
	out.NextPage = in.next(20, len(out.Runs))
	return out, err
}

func (s *Server) jobs(ctx context.Context, in runsIn) (out runsOut, err error) {
	var raw struct {
		Jobs []struct {
			Name       string `json:"name"`
			Status     string `json:"status"`
			Conclusion string `json:"conclusion"`
			HTMLURL    string `json:"html_url"`
			Steps      []struct {
				Name       string `json:"name"`
				Conclusion string `json:"conclusion"`
			} `json:"steps"`
		} `json:"jobs"`
	}
	err = s.get(ctx, in.repo, "/actions/runs/"+strconv.FormatInt(in.RunID, 10)+"/jobs", in.query(100), &raw)
	for _, j := range raw.Jobs {
		job := WorkflowJob{j.Name, j.Status, j.Conclusion, []string{}, j.HTMLURL}
		for _, step := range j.Steps {
			if step.Conclusion == "failure" {
				job.Failed = append(job.Failed, step.Name)
			}
		}
		out.Jobs = append(out.Jobs, job)
	}
	out.NextPage = in.next(100, len(raw.Jobs))
	return out, err
}
