package issues

import (
	"cmp"
	"context"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// monitorTools are what machines may do with monitors of scheduled jobs.
func (s *Service) monitorTools() []tools.Tool {
	return []tools.Tool{
		tools.New(tools.Spec{Name: "issues_monitor_list", Title: "List monitors", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Monitors of scheduled jobs, with their schedule and, per environment, whether they fail, when they ran last and when the next run is due."}, s.toolMonitors),
		tools.New(tools.Spec{Name: "issues_monitor_get", Title: "Read a monitor", Class: tools.ReadOnly, Level: identity.Read,
			Description: "One monitor by its slug, with its latest runs: status (ok, error, missed, timeout), whether late, duration."}, s.toolMonitor),
		tools.New(tools.Spec{Name: "issues_monitor_mute", Title: "Mute a monitor", Class: tools.Write, Level: identity.Write,
			Description: "Keeps a monitor from telling anybody; with muted false it tells again."}, s.toolMute),
	}
}

type toolMonitorsIn struct {
	Team    string `json:"team"`
	Project string `json:"project,omitempty"`
}

func (s *Service) toolMonitors(ctx context.Context, in toolMonitorsIn) (monitorList, error) {
	return s.httpMonitors(ctx, byProject(in))
}

type toolMonitorIn struct {
	Team    string `json:"team"`
	Monitor string `json:"monitor"`
	// Project tells monitors of the same slug apart.
	Project string `json:"project,omitempty"`
	// Environment narrows the runs; Limit is how many of them, 20 if absent.
	Environment string `json:"environment,omitempty"`
	Limit       int    `json:"limit,omitempty"`
}

type toolMonitor struct {
	Monitor monitorShape   `json:"monitor"`
	Runs    []checkInShape `json:"runs"`
}

// namedMonitor finds a monitor of a team by its slug.
func (s *Service) namedMonitor(ctx context.Context, in toolMonitorIn) (monitorShape, error) {
	list, err := s.httpMonitors(ctx, byProject{in.Team, in.Project})
	if err != nil {
		return monitorShape{}, err
	}
	var found []monitorShape
	for _, m := range list.Items {
		if m.Slug == in.Monitor {
			found = append(found, m)
		}
	}
	switch len(found) {
	case 0:
		return monitorShape{}, problem.New(problem.NotFound, "There is no monitor %.60s in this team.", in.Monitor)
	case 1:
		return found[0], nil
	}
	return monitorShape{}, problem.New(problem.Invalid, "Several projects have a monitor %.60s. Say which project.", in.Monitor)
}

func (s *Service) toolMonitor(ctx context.Context, in toolMonitorIn) (toolMonitor, error) {
	m, err := s.namedMonitor(ctx, in)
	if err != nil {
		return toolMonitor{}, err
	}
	for e := range m.Environments {
		m.Environments[e].Recent = []checkInShape{} // they are below
	}
	runs, err := s.httpCheckIns(ctx, checkInsIn{ID: m.ID, Environment: in.Environment, Limit: cmp.Or(in.Limit, 20)})
	return toolMonitor{m, runs.CheckIns}, err
}

type toolMuteIn struct {
	Team    string `json:"team"`
	Monitor string `json:"monitor"`
	Project string `json:"project,omitempty"`
	Muted   bool   `json:"muted"`
}

func (s *Service) toolMute(ctx context.Context, in toolMuteIn) (monitorShape, error) {
	m, err := s.namedMonitor(ctx, toolMonitorIn{Team: in.Team, Project: in.Project, Monitor: in.Monitor})
	if err != nil {
		return m, err
	}
	return s.httpMuteMonitor(ctx, muteIn{ID: m.ID, Muted: &in.Muted})
}
