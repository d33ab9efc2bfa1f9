package ci

import "context"

// workerState is the built-in worker as pages show it.
type workerState struct {
	Name       string `json:"name"`
	State      string `json:"state"`
	Message    string `json:"message,omitempty"`
	Containers int    `json:"containers"`
	Volumes    int    `json:"volumes"`
}

// worker asks the executor; its name is "" when there is none.
func (s *Service) worker(ctx context.Context) (workerState, error) {
	if s.deps.Executor == nil {
		return workerState{}, nil
	}
	out := workerState{Name: s.deps.Executor.Name(), State: "running"}
	if err := s.deps.Executor.Ready(ctx); err != nil {
		out.State, out.Message = "stalled", err.Error()
	}
	containers, err := s.deps.Executor.Containers(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range containers {
		if c.Running {
			out.Containers++
		}
	}
	volumes, err := s.deps.Executor.Volumes(ctx)
	out.Volumes = len(volumes)
	return out, err
}
