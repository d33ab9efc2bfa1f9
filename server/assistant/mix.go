package assistant

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/assistant/guard"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// ownWords are tools whose results hold only what the team's own people and machines have named: states, numbers and
// names. Every other result may hold text that somebody outside has written: messages of commits, lines, errors.
var ownWords = map[string]bool{
	"ci_job_get": true, "ci_approval_list": true, "ci_worker_list": true, "ci_webhook_list": true, "ci_connection_list": true, "ci_builds_list": true,
	"edge_nodes_list": true, "edge_rollouts_list": true, "edge_rollout_get": true, "edge_patch_status": true, "edge_bundles_list": true,
	"issues_project_list": true, "issues_monitor_list": true, moreTool: true,
}

// mix is the rule about sources: a run that has read what others than the team may write reads no repository but
// those asked about, and proposes nothing. Under mu.
func (a *asked) mix(tool callable, read []string) error {
	if tool.source == fromPortal && tool.Class != tools.ReadOnly && a.describedByOthers() {
		return guard.Refuse("mixing", "The model reads what outside servers say of their tools, so it proposes no change here. Ask for the change as an order, such as: rerun build 12 of web/unit.")
	}
	if len(a.mixed) == 0 {
		return nil
	}
	from := strings.Join(a.mixed, ", ")
	if tool.Class != tools.ReadOnly {
		return guard.Refuse("mixing", "This run has read what people outside of the team can write (%.200s), so it proposes no change. Ask for the change in a question of its own.", from)
	}
	about := a.askedAbout()
	for _, repository := range read {
		if !slices.ContainsFunc(about, func(r string) bool { return strings.EqualFold(r, repository) }) {
			return guard.Refuse("mixing", "This run has read what people outside of the team can write (%.200s), so it reads no repository that the question is not about, and %s is none of these.", from, repository)
		}
	}
	return nil
}

// describedByOthers tells whether the model is shown descriptions that an outside server has written.
func (a *asked) describedByOthers() bool { return len(a.service.Outside.Offered(a.team.ID)) > 0 }

// askedAbout are the repositories that the question names, or the one that it means.
func (a *asked) askedAbout() []string {
	var out []string
	text := strings.ToLower(a.question.Text)
	for _, r := range a.settings.Repositories {
		if strings.Contains(text, strings.ToLower(r)) {
			out = append(out, r)
		}
	}
	if r, err := a.repository(); err == nil && len(out) == 0 {
		out = append(out, r)
	}
	return out
}

// visibleFor is how long it is believed that a repository is private.
const visibleFor = 10 * time.Minute

// visibility remembers which repositories are public.
type visibility struct {
	mu   sync.Mutex
	list map[string]seenRepository
}

type seenRepository struct {
	at     time.Time
	public bool
}

// isPublic tells whether anybody may write to a repository's issues. What is not known counts as public.
func (s *Service) isPublic(ctx context.Context, team int64, repository string) bool {
	key := strings.ToLower(repository) + " " + strconv.FormatInt(team, 10)
	s.visible.mu.Lock()
	have, ok := s.visible.list[key]
	s.visible.mu.Unlock()
	if ok && s.Now().Sub(have.at).Abs() < visibleFor {
		return have.public
	}
	public := !s.isPrivate(ctx, team, repository)
	s.visible.mu.Lock()
	defer s.visible.mu.Unlock()
	if s.visible.list == nil || len(s.visible.list) > 10_000 {
		s.visible.list = map[string]seenRepository{}
	}
	s.visible.list[key] = seenRepository{s.Now(), public}
	return public
}

func (s *Service) isPrivate(ctx context.Context, team int64, repository string) bool {
	client, ok, err := s.GitHub.ClientAt(ctx, team, repository)
	if err != nil || !ok {
		return false
	}
	owner, name, _ := strings.Cut(repository, "/")
	r, _, err := client.Repositories.Get(ctx, owner, name)
	return err == nil && r.GetPrivate()
}
