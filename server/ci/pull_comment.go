package ci

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// PullComment is the one comment with the results of a pipeline's builds that a pull
// request gets where its resource says `comment: true`.
type PullComment struct {
	Team       int64
	Repository string
	Number     int
	// Key tells the comments of several pipelines apart.
	Key string
	// Body is Markdown.
	Body string
}

// commentOn brings the comment up to date once a build has ended.
func (s *Service) commentOn(ctx context.Context, c builtCommit, status Status) error {
	if s.deps.PullComment == nil || !status.Ended() || c.input.Type != pullType {
		return nil
	}
	p, config, err := s.pipelineConfig(ctx, c.build.PipelineID)
	if err != nil {
		return err
	}
	declared, _ := config.Resource(c.input.Resource)
	if wanted, _ := declared.Source["comment"].(bool); !wanted {
		return nil
	}
	version, err := decode[map[string]string](c.input.Version)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(version["pr"])
	if err != nil {
		return nil // not a version of a pull request
	}
	body, err := s.commentBody(ctx, p, c)
	if err != nil {
		return err
	}
	return s.deps.PullComment(ctx, PullComment{Team: c.build.TeamID, Repository: c.Repository, Number: number, Key: "results/" + p.label(), Body: body})
}

// commentBody is a table of the newest build of each job that took the commit.
func (s *Service) commentBody(ctx context.Context, p pipelineRow, c builtCommit) (string, error) {
	builds, err := s.buildsUsing(ctx, c.input.VersionID, input, 200)
	if err != nil {
		return "", err
	}
	team, err := s.teamName(ctx, c.build.TeamID)
	if err != nil {
		return "", err
	}
	jobs, err := s.jobs(ctx, p.ID)
	if err != nil {
		return "", err
	}
	newest := map[int64]buildRow{}
	for _, b := range builds {
		if _, seen := newest[b.JobID]; !seen {
			newest[b.JobID] = b
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "### %s at %s\n\n| Job | Result | Build | Took |\n|---|---|---|---|\n", cell(p.label()), c.SHA[:min(7, len(c.SHA))])
	for _, j := range jobs {
		b, ok := newest[j.ID]
		if !ok {
			continue
		}
		took := ""
		if b.Status.Ended() {
			took = b.duration(s.now()).Round(100 * time.Millisecond).String()
		}
		fmt.Fprintf(&out, "| %s | %s | [#%s](%s) | %s |\n", cell(j.Name), b.Status, b.Name, s.buildPage(team, p.Name, p.instanceVars(), j.Name, b.Name), took)
	}
	return out.String(), nil
}

// cell keeps a name within its cell of a table.
func cell(text string) string { return strings.NewReplacer("|", "\\|", "\n", " ").Replace(text) }
