package github

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/signalbox/signalbox/server/platform/work"
)

// CheckStatus is a word of GitHub's for how far a check run has come.
type CheckStatus string

// GitHub's statuses of a check run.
const (
	CheckQueued     CheckStatus = "queued"
	CheckInProgress CheckStatus = "in_progress"
	CheckCompleted  CheckStatus = "completed"
)

// Conclusion is a word of GitHub's for how a completed check run ended.
type Conclusion string

// GitHub's conclusions.
const (
	ConcludedSuccess        Conclusion = "success"
	ConcludedFailure        Conclusion = "failure"
	ConcludedCancelled      Conclusion = "cancelled"
	ConcludedNeutral        Conclusion = "neutral"
	ConcludedTimedOut       Conclusion = "timed_out"
	ConcludedActionRequired Conclusion = "action_required"
	ConcludedSkipped        Conclusion = "skipped"
)

// Level is a word of GitHub's for how bad an annotation is.
type Level string

// GitHub's levels.
const (
	LevelNotice  Level = "notice"
	LevelWarning Level = "warning"
	LevelFailure Level = "failure"
)

// Annotation is a remark on lines of a file.
type Annotation struct {
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
	Level     Level  `json:"level"`
	Title     string `json:"title"`
	Message   string `json:"message"`
}

// CheckRun is what a commit should show at GitHub as a check. One per commit,
// Name and ExternalID: a build that runs again is another ExternalID.
type CheckRun struct {
	Team        int64        `json:"-"`
	Connection  string       `json:"-"`
	Owner       string       `json:"-"`
	Repo        string       `json:"-"`
	SHA         string       `json:"-"`
	Name        string       `json:"name"`
	ExternalID  string       `json:"external_id"`
	Status      CheckStatus  `json:"status"`
	Conclusion  Conclusion   `json:"conclusion"`
	Title       string       `json:"title"`
	Summary     string       `json:"summary"`
	DetailsURL  string       `json:"details_url"`
	Annotations []Annotation `json:"annotations"`
	Started     time.Time    `json:"started,omitzero"`
	Completed   time.Time    `json:"completed,omitzero"`
}

const (
	// annotationsPerCall is GitHub's limit.
	annotationsPerCall = 50
	// maxAnnotations of one check are kept; nobody reads more.
	maxAnnotations = 1000
	maxSummary     = 65000
	maxAnnotated   = 60000
)

var conclusions = map[Conclusion]CommitState{
	ConcludedSuccess: Success, ConcludedNeutral: Success, ConcludedSkipped: Success, ConcludedFailure: Failure,
	ConcludedTimedOut: Failure, ConcludedActionRequired: Failure, ConcludedCancelled: Broken,
}

func (c CheckRun) validate() error {
	switch {
	case c.Connection == "" || c.Owner == "" || c.Repo == "" || c.SHA == "" || c.Name == "":
		return errors.New("a check run needs connection, owner, repo, sha and name")
	case c.Status != CheckQueued && c.Status != CheckInProgress && c.Status != CheckCompleted:
		return fmt.Errorf("%q is no status of a check run", c.Status)
	case (c.Status == CheckCompleted) != (c.Conclusion != ""):
		return errors.New("a check run has a conclusion when it is completed, and only then")
	}
	if _, known := conclusions[c.Conclusion]; c.Conclusion != "" && !known {
		return fmt.Errorf("%q is no conclusion", c.Conclusion)
	}
	for i, a := range c.Annotations {
		if a.Path == "" || a.StartLine < 1 || a.Level != LevelNotice && a.Level != LevelWarning && a.Level != LevelFailure {
			return fmt.Errorf("annotation %d needs a path, a line and a level", i)
		}
	}
	return nil
}

// bounded cuts what GitHub would refuse.
func (c CheckRun) bounded() CheckRun {
	c.Title, c.Summary = truncate(c.Title, 250), truncate(c.Summary, maxSummary)
	list := c.Annotations[:min(len(c.Annotations), maxAnnotations)]
	c.Annotations = make([]Annotation, len(list))
	for i, a := range list {
		a.EndLine = max(a.EndLine, a.StartLine)
		a.Title, a.Message = truncate(a.Title, 250), truncate(a.Message, maxAnnotated)
		if a.Message == "" {
			a.Message = a.Title
		}
		c.Annotations[i] = a
	}
	return c
}

// status is the check as a commit status, for connections that are no App.
func (c CheckRun) status() Status {
	state := Pending
	if c.Status == CheckCompleted {
		state = conclusions[c.Conclusion]
	}
	return Status{Connection: c.Connection, Owner: c.Owner, Repo: c.Repo, SHA: c.SHA, Context: c.Name, State: state, Description: c.Title, TargetURL: c.DetailsURL}
}

// PostCheck has the check run written by a durable job, in the context's
// transaction. Only Apps may write check runs, so through a token it becomes a
// commit status.
func (s *Service) PostCheck(ctx context.Context, c CheckRun) error {
	if err := c.validate(); err != nil {
		return err
	}
	connection, err := s.findConnection(ctx, c.Connection)
	if err != nil {
		return err
	}
	if connection.Kind != KindApp {
		return s.PostStatus(ctx, c.status())
	}
	return s.want(ctx, wish{team: c.Team, kind: PostedCheck, connection: c.Connection, owner: c.Owner, repo: c.Repo,
		subject: c.SHA + " " + c.Name + " " + c.ExternalID, sha: c.SHA, content: c.bounded()})
}

// writeCheck brings the check run to the wish: found by its external id when we do
// not know whether an attempt of ours created it, and annotations, which GitHub
// only appends, from where it has got to.
func (s *Service) writeCheck(ctx context.Context, client *github.Client, row *postRow) error {
	var c CheckRun
	if err := row.read(&c); err != nil {
		return work.GiveUp(err)
	}
	if err := s.locateCheck(ctx, client, row, c); err != nil {
		return err
	}
	if row.GithubID == 0 {
		first := c.Annotations[:min(len(c.Annotations), annotationsPerCall)]
		made, _, err := client.Checks.CreateCheckRun(ctx, row.Owner, row.Repo, c.creation(row.SHA, first))
		if err != nil {
			return err
		}
		if err := s.noteCheck(ctx, row, made.GetID(), len(first)); err != nil {
			return err
		}
		if len(c.Annotations) <= len(first) {
			return nil
		}
	}
	for {
		from := min(int(row.Annotated), len(c.Annotations))
		next := c.Annotations[from:min(from+annotationsPerCall, len(c.Annotations))]
		if _, _, err := client.Checks.UpdateCheckRun(ctx, row.Owner, row.Repo, row.GithubID, c.update(next)); err != nil {
			return err
		}
		if err := s.noteCheck(ctx, row, row.GithubID, from+len(next)); err != nil {
			return err
		}
		if from+len(next) >= len(c.Annotations) {
			return nil
		}
	}
}

// locateCheck learns from GitHub what is there already.
func (s *Service) locateCheck(ctx context.Context, client *github.Client, row *postRow, c CheckRun) error {
	if row.GithubID != 0 {
		if len(c.Annotations) == 0 {
			return nil
		}
		// A call that failed, or of which we did not hear, may have appended its annotations.
		run, _, err := client.Checks.GetCheckRun(ctx, row.Owner, row.Repo, row.GithubID)
		if err != nil {
			return err
		}
		return s.noteCheck(ctx, row, row.GithubID, run.GetOutput().GetAnnotationsCount())
	}
	all := "all"
	options := &github.ListCheckRunsOptions{CheckName: &c.Name, Filter: &all, ListOptions: github.ListOptions{PerPage: 100}}
	for {
		list, response, err := client.Checks.ListCheckRunsForRef(ctx, row.Owner, row.Repo, row.SHA, options)
		if err != nil {
			return err
		}
		for _, run := range list.CheckRuns {
			if run.GetName() == c.Name && run.GetExternalID() == c.ExternalID && (c.ExternalID != "" || run.GetDetailsURL() == c.DetailsURL) {
				return s.noteCheck(ctx, row, run.GetID(), run.GetOutput().GetAnnotationsCount())
			}
		}
		if response.NextPage == 0 {
			return nil
		}
		options.Page = response.NextPage
	}
}

func (c CheckRun) output(annotations []Annotation) *github.CheckRunOutput {
	if c.Title == "" && c.Summary == "" && len(annotations) == 0 {
		return nil
	}
	title, summary := c.Title, c.Summary
	if title == "" {
		title = c.Name
	}
	if summary == "" {
		summary = title // GitHub wants both
	}
	out := &github.CheckRunOutput{Title: &title, Summary: &summary}
	for _, a := range annotations {
		level := string(a.Level)
		out.Annotations = append(out.Annotations, &github.CheckRunAnnotation{Path: &a.Path, StartLine: &a.StartLine, EndLine: &a.EndLine,
			AnnotationLevel: &level, Title: optional(a.Title), Message: &a.Message})
	}
	return out
}

func (c CheckRun) creation(sha string, annotations []Annotation) github.CreateCheckRunOptions {
	status := string(c.Status)
	return github.CreateCheckRunOptions{Name: c.Name, HeadSHA: sha, DetailsURL: optional(c.DetailsURL), ExternalID: optional(c.ExternalID), Status: &status,
		Conclusion: optional(string(c.Conclusion)), StartedAt: stamp(c.Started), CompletedAt: stamp(c.Completed), Output: c.output(annotations)}
}

func (c CheckRun) update(annotations []Annotation) github.UpdateCheckRunOptions {
	status := string(c.Status)
	return github.UpdateCheckRunOptions{Name: c.Name, DetailsURL: optional(c.DetailsURL), ExternalID: optional(c.ExternalID), Status: &status,
		Conclusion: optional(string(c.Conclusion)), CompletedAt: stamp(c.Completed), Output: c.output(annotations)}
}

func stamp(at time.Time) *github.Timestamp {
	if at.IsZero() {
		return nil
	}
	return &github.Timestamp{Time: at.UTC().Truncate(time.Second)}
}
