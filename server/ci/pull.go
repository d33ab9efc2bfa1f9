package ci

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/platform/github/payload"
)

// pullVerdict is what a payload alone tells about a pull request and a resource.
type pullVerdict int

const (
	pullUnwanted pullVerdict = iota
	pullWanted
	// pullUnclear is decided by a check: by paths, approvals or the commit's message.
	pullUnclear
)

// ReceivePull tells the resources that follow pull requests of the repository. One
// that is closed is taken by no build any more, unless a resource asks for such ones;
// one of a fork waits for a member's approval (see fork.go).
func (s *Service) ReceivePull(ctx context.Context, team int64, places []string, action string, pull payload.PullRequest) (Told, error) {
	return s.tell(ctx, team, "pull_request", places, pullType, func(ctx context.Context, w watcher) (told, error) {
		if action == "closed" || action == "reopened" {
			if err := s.closePull(ctx, w, pull, action == "closed"); err != nil {
				return told{}, err
			}
		}
		verdict := judgePull(w.source, pull)
		if verdict == pullUnwanted {
			return told{watches: watchesBase(w.source, pull)}, nil
		}
		if forksAllowed(w.source) && pull.Fork && pull.State != "closed" {
			if err := s.askForFork(ctx, w.row, forkOf(w.row, pull)); err != nil {
				return told{}, err
			}
		}
		marks := []string{pullMark(strconv.Itoa(pull.Number), pull.Head)}
		if verdict == pullWanted {
			out, err := s.bring(ctx, w.row, []resource.Result{pullResult(pull)})
			out.marks = marks
			out.asked = out.added > 0 && pull.Fork
			if err != nil || !out.asked {
				return out, err
			}
			q, _, err := s.findFork(ctx, team, w.row.Repository, int64(pull.Number), pull.Head)
			out.asked = q.State == ApprovalWaiting
			return out, err
		}
		return told{watches: true, checked: true, marks: marks}, s.askForCandidate(ctx, w.row, pull.Number)
	})
}

// pullResult is the version of the pull request's newest commit. The payload does not
// tell when that was made; a check puts it right.
func pullResult(p payload.PullRequest) resource.Result {
	fork := ""
	if p.Fork {
		if fork = p.HeadRepository; fork == "" {
			fork = "unknown"
		}
	}
	fields := []resource.Field{{Name: "pr", Value: strconv.Itoa(p.Number)}, {Name: "title", Value: p.Title}, {Name: "url", Value: p.URL},
		{Name: "author", Value: p.Author}, {Name: "head_name", Value: p.HeadBranch}, {Name: "head_sha", Value: p.Head}, {Name: "base_name", Value: p.BaseBranch}}
	return resource.Result{Version: resource.PullVersion(p.Number, p.Head, p.Updated, fork), Metadata: fields}
}

func forksAllowed(source pipeline.Source) bool {
	disabled, ok := source["disable_forks"].(bool)
	return ok && !disabled
}

func watchesBase(source pipeline.Source, p payload.PullRequest) bool {
	base, _ := source["base_branch"].(string)
	return base == "" || hasVar(base) || base == p.BaseBranch
}

// judgePull follows the resource type github-pull-request.
func judgePull(source pipeline.Source, p payload.PullRequest) pullVerdict {
	if !watchesBase(source, p) || !wantsState(source, p) || p.Fork && !forksAllowed(source) && !hasVars(source["disable_forks"]) {
		return pullUnwanted
	}
	if drafts, _ := source["ignore_drafts"].(bool); drafts && p.Draft {
		return pullUnwanted
	}
	labels := texts(source["labels"])
	if len(labels) > 0 && !slices.ContainsFunc(labels, func(l string) bool { return hasVar(l) || slices.Contains(p.Labels, l) }) {
		return pullUnwanted
	}
	skipAllowed, _ := source["disable_ci_skip"].(bool)
	if title := strings.ToLower(p.Title); !skipAllowed && (strings.Contains(title, "[ci skip]") || strings.Contains(title, "[skip ci]")) {
		return pullUnwanted
	}
	_, approvals := source["required_review_approvals"]
	if !skipAllowed || approvals || len(texts(source["paths"]))+len(texts(source["ignore_paths"])) > 0 {
		return pullUnclear
	}
	for key, value := range source {
		if key != "access_token" && hasVars(value) {
			return pullUnclear
		}
	}
	return pullWanted
}

// wantsState: open ones unless the source lists others.
func wantsState(source pipeline.Source, p payload.PullRequest) bool {
	state := strings.ToUpper(p.State)
	if p.Merged {
		state = "MERGED"
	}
	wanted := texts(source["states"])
	if len(wanted) == 0 {
		return state == "OPEN" || state == ""
	}
	return slices.ContainsFunc(wanted, func(w string) bool { return hasVar(w) || strings.EqualFold(w, state) })
}

func hasVar(text string) bool { return strings.Contains(text, "((") }

// hasVars looks at texts and lists of texts.
func hasVars(v any) bool { return slices.ContainsFunc(texts(v), hasVar) }

// closePull keeps builds from versions of a pull request that was closed, and lets
// them be taken when it is opened again. What a person disabled stays so.
func (s *Service) closePull(ctx context.Context, w watcher, p payload.PullRequest, closed bool) error {
	if closed {
		if err := s.withdrawForks(ctx, w.row, p.Number, ""); err != nil {
			return err
		}
	}
	if closed && wantsState(w.source, p) {
		return nil
	}
	rows, err := s.filterVersions(ctx, w.row, map[string]string{"pr": strconv.Itoa(p.Number)}, 1000, 0)
	if err != nil {
		return err
	}
	changed := false
	for _, v := range rows {
		did, err := s.holdClosed(ctx, v.ID, closed)
		if err != nil {
			return err
		}
		changed = changed || did
	}
	if !changed {
		return nil
	}
	return s.versionsChanged(ctx, w.row)
}

// askForCandidate has a check look at one pull request, whatever its age, besides
// those that wait to be looked at already.
func (s *Service) askForCandidate(ctx context.Context, r resourceRow, number int) error {
	from, err := s.checkFromOf(ctx, r.ID)
	if err != nil {
		return err
	}
	numbers := []string{}
	if waiting, err := decode[resource.Version](from); err == nil && waiting[resource.CandidatesKey] != "" {
		numbers = strings.Split(waiting[resource.CandidatesKey], ",")
	}
	if n := strconv.Itoa(number); !slices.Contains(numbers, n) {
		numbers = append(numbers, n)
	}
	if err := s.setCheckFrom(ctx, r.ID, encode(resource.Version{resource.CandidatesKey: strings.Join(numbers, ",")})); err != nil {
		return err
	}
	return s.askForCheck(ctx, []int64{r.ID}, "")
}
