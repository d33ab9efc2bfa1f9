package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/runtime"
	"github.com/signalbox/signalbox/server/ci/vars"
)

// maxFile bounds files that the engine itself reads from artifacts.
const maxFile = 16 << 20

// taskConfig is the configuration a task runs with: from the plan or a file, with the
// step's params and limits laid over it and its vars replaced.
func (l *leaf) taskConfig(ctx context.Context) (pipeline.TaskConfig, error) {
	task := l.plan.Task
	tree, err := l.taskTree(ctx)
	if err != nil {
		return pipeline.TaskConfig{}, err
	}
	var config pipeline.TaskConfig
	if err := fromTree(tree, &config); err != nil {
		return pipeline.TaskConfig{}, err
	}
	if config.ImageResource != nil {
		image := plan.WithDefaults(*config.ImageResource, task.ResourceTypes)
		config.ImageResource = &image
	}
	config.Limits = overrideLimits(config.Limits, task.Limits)
	if config.Params == nil {
		config.Params = pipeline.TaskEnv{}
	}
	for _, name := range slices.Sorted(maps.Keys(task.Params)) {
		if _, declared := config.Params[name]; !declared {
			l.stderr().say("[WARNING] %s was defined in pipeline but missing from task file", name)
		}
		config.Params[name] = task.Params[name]
	}
	result := pipeline.TaskConfig{}
	if err := l.at.scope.interpolate(ctx, config, &result); err != nil {
		return pipeline.TaskConfig{}, fmt.Errorf("failed to interpolate task config: %w", err)
	}
	if messages := result.Validate(); len(messages) > 0 {
		return pipeline.TaskConfig{}, errors.New("invalid task configuration:\n" + strings.Join(messages, "\n"))
	}
	if err := l.placed(task.Tags); err != nil {
		return pipeline.TaskConfig{}, err
	}
	// Concourse would wait for such a worker for ever; here none can come.
	if result.Platform != "linux" {
		return pipeline.TaskConfig{}, fmt.Errorf("no worker runs the platform %q; the workers of this server run linux", result.Platform)
	}
	return result, nil
}

// taskTree is the configuration before the step's own settings. The vars of the step
// are only for files; what they leave is replaced with everything else.
func (l *leaf) taskTree(ctx context.Context) (any, error) {
	task := l.plan.Task
	if task.ConfigPath == "" {
		if task.Config == nil {
			return map[string]any{}, nil
		}
		return toTree(task.Config)
	}
	name, path, ok := strings.Cut(task.ConfigPath, "/")
	if !ok {
		return nil, fmt.Errorf("config path '%s' does not specify where the file lives", task.ConfigPath)
	}
	source, ok := l.at.scope.artifact(name)
	if !ok {
		return nil, fmt.Errorf("unknown artifact source: '%s' in file path '%s'", name, task.ConfigPath)
	}
	data, err := l.Executor.ReadFile(ctx, source.Volume, path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("task config '%s/%s' not found", name, path)
	}
	if err != nil {
		return nil, fmt.Errorf("read task config '%s': %w", task.ConfigPath, err)
	}
	config, err := pipeline.ParseTask(data)
	if err != nil {
		return nil, fmt.Errorf("failed to create task config from bytes %s: %w", task.ConfigPath, err)
	}
	tree, err := toTree(config)
	if err != nil || len(task.Vars) == 0 {
		return tree, err
	}
	return vars.InterpolateKnown(ctx, tree, vars.Static(task.Vars))
}

func overrideLimits(limits, over *pipeline.ContainerLimits) *pipeline.ContainerLimits {
	var merged pipeline.ContainerLimits
	if limits != nil {
		merged = *limits
	}
	if over != nil && over.CPU != nil {
		merged.CPU = over.CPU
	}
	if over != nil && over.Memory != nil {
		merged.Memory = over.Memory
	}
	return &merged
}

// entrypoint fills in the program from the image when the task names none.
func (l *leaf) entrypoint(ctx context.Context, config *pipeline.TaskConfig, image runtime.Image) error {
	if config.Run.Path != "" {
		return nil
	}
	var command []string
	if image.Volume != "" {
		data, err := l.Executor.ReadFile(ctx, image.Volume, "metadata.json", maxFile)
		if errors.Is(err, fs.ErrNotExist) {
			return errors.New("file 'metadata.json' not found within the image")
		}
		if err != nil {
			return fmt.Errorf("read the image's metadata.json: %w", err)
		}
		var metadata struct {
			Cmd        []string `json:"cmd"`
			Entrypoint []string `json:"entrypoint"`
		}
		if err := json.Unmarshal(data, &metadata); err != nil {
			return fmt.Errorf("error parsing metadata.json from rootfs: %w", err)
		}
		command = append(metadata.Entrypoint, metadata.Cmd...)
	}
	if len(command) == 0 {
		return errors.New("No executable defined for task. Specify an executable to run in either the task config (run.path) or as an ENTRYPOINT/CMD in the container image.") //nolint:staticcheck // Concourse's words
	}
	config.Run.Path = command[0]
	config.Run.Args = append(command[1:len(command):len(command)], config.Run.Args...)
	return nil
}

// eventConfig is what events show of a configuration, without secrets.
func (l *leaf) eventConfig(config pipeline.TaskConfig) event.TaskConfig {
	shown := event.TaskConfig{
		Platform: config.Platform,
		Image:    config.RootfsURI,
		Run:      event.TaskRun{Path: l.tracker.Redact(config.Run.Path), Dir: config.Run.Dir},
	}
	for _, arg := range config.Run.Args {
		shown.Run.Args = append(shown.Run.Args, l.tracker.Redact(arg))
	}
	for _, input := range config.Inputs {
		shown.Inputs = append(shown.Inputs, event.TaskInput{Name: input.Name, Path: input.Path})
	}
	return shown
}

func missingImageError(name string) error {
	return fmt.Errorf("missing image artifact source: %s\n\nmake sure there's a corresponding 'get' step, or a task that produces it as an output", name)
}

// placed says whether the worker has a step's tags. Concourse would wait for a
// worker that has them; here none can come.
func (l *leaf) placed(tags pipeline.Tags) error {
	if slices.Contains(l.WorkerTags, "*") {
		return nil
	}
	for _, tag := range tags {
		if !slices.Contains(l.WorkerTags, tag) {
			return fmt.Errorf("no worker has the tag %q; the worker of this server has %q, which ci.worker_tags sets", tag, l.WorkerTags)
		}
	}
	return nil
}
