package issues

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// alertMemory is what the rules need besides their rows.
type alertMemory struct {
	teller AlertTeller
	github GitHubIssues

	mu    sync.Mutex
	gen   int
	teams map[int64]*teamAlerts
	// seen are environments in which an issue is known not to be new.
	seen map[issuePlace]struct{}
}

type issuePlace struct {
	issue       int64
	environment string
}

// teamAlerts are the rules of a team that are on.
type teamAlerts struct {
	list   []Alert
	loaded time.Time
}

const (
	// alertCacheTime bounds how long a node that missed a notification believes old rules.
	alertCacheTime = time.Minute
	maxAlertTeams  = 20_000
	maxSeenPlaces  = 200_000
)

// UseAlerts makes the service watch the teams' rules: it sets the hooks of these.
// Both may be nil; then there is nobody to tell. Call it before Start.
func (s *Service) UseAlerts(teller AlertTeller, github GitHubIssues) {
	s.alerts.teller, s.alerts.github = teller, github
	s.alerts.teams, s.alerts.seen = map[int64]*teamAlerts{}, map[issuePlace]struct{}{}
	s.AlsoOnEvents(s.alertEvents)
	s.AlsoOnIssueChange(func(ctx context.Context, c IssueChange) error {
		return errors.Join(s.linksFollow(ctx, c), s.alertChange(ctx, c))
	})
	s.DB.Listen(alertChannel, s.alerts.forget) // ends with the database
	if s.Jobs != nil {
		s.Jobs.Handle(kindGitHubIssue, work.Pool{Workers: 2, MaxAttempts: githubAttempts}, s.createLink)
	}
}

// forget drops the rules of one team, or all when id is "".
func (m *alertMemory) forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gen++
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		clear(m.teams)
		return
	}
	delete(m.teams, n)
}

func (m *alertMemory) get(team int64, now time.Time) (t *teamAlerts, gen int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t = m.teams[team]; t != nil && now.Sub(t.loaded) >= alertCacheTime {
		t = nil
	}
	return t, m.gen
}

// put keeps t unless rules have changed since gen was read.
func (m *alertMemory) put(team int64, t *teamAlerts, gen int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gen != gen || m.teams == nil {
		return
	}
	if len(m.teams) >= maxAlertTeams {
		clear(m.teams)
	}
	m.teams[team] = t
}

func (m *alertMemory) knows(p issuePlace) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, known := m.seen[p]
	return known
}

func (m *alertMemory) learn(p issuePlace) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.seen) >= maxSeenPlaces {
		clear(m.seen)
	}
	m.seen[p] = struct{}{}
}

// alertsOf gives the rules of a team that are on, from memory when it can.
func (s *Service) alertsOf(ctx context.Context, team int64) ([]Alert, error) {
	now := s.Now()
	t, gen := s.alerts.get(team, now)
	if t == nil {
		list, err := s.rows().enabledAlerts(ctx, team)
		if err != nil {
			return nil, err
		}
		t = &teamAlerts{loaded: now}
		for _, r := range list {
			a, err := r.alert()
			if err != nil {
				return nil, err
			}
			t.list = append(t.list, a)
		}
		s.alerts.put(team, t, gen)
	}
	return t.list, nil
}

// covers reports whether a rule looks at a project.
func (a Alert) covers(project int64) bool { return a.Project == 0 || a.Project == project }
