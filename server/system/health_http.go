package system

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
)

type findingOut struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

type healthOut struct {
	Checks []findingOut `json:"checks"`
}

func (s *Service) handleHealth(ctx context.Context, _ api.Nothing) (healthOut, error) {
	findings := s.Health(ctx)
	out := healthOut{Checks: make([]findingOut, len(findings))}
	for i, f := range findings {
		out.Checks[i] = findingOut{f.Name, f.Status, f.Detail, f.Fix}
	}
	return out, nil
}

type loopOut struct {
	Name  string `json:"name"`
	Every string `json:"every"`
	// LastRun is absent for a loop that has not run yet.
	LastRun  time.Time `json:"last_run_at,omitzero"`
	Error    string    `json:"last_error,omitempty"`
	Duration int64     `json:"duration_ms"`
	Runs     int64     `json:"runs"`
	// Elsewhere is true while another server runs it, which leads.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

type loopsOut struct {
	Items []loopOut `json:"items"`
}

func (s *Service) handleLoops(context.Context, api.Nothing) (loopsOut, error) {
	out := loopsOut{Items: []loopOut{}}
	for _, l := range s.deps.Loops() {
		out.Items = append(out.Items, loopOut{Name: l.Name, Every: l.Every, LastRun: l.LastRun.UTC(), Error: l.Error, Duration: l.TookMS, Runs: l.Runs, Elsewhere: l.Elsewhere})
	}
	return out, nil
}
