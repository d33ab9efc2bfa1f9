package ci

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// configs remembers parsed configurations: the scheduler, the checker and every
// page need them, and decoding a large one takes milliseconds.
type configs struct {
	mu    sync.Mutex
	known map[int64]parsedConfig
}

type parsedConfig struct {
	version int64
	config  pipeline.Config
}

// maxConfigs bounds the memory; a pipeline has tens of kilobytes.
const maxConfigs = 2000

// of gives the configuration of a pipeline. It is shared: nobody may change it.
func (c *configs) of(p pipelineRow) (pipeline.Config, error) {
	c.mu.Lock()
	found, ok := c.known[p.ID]
	c.mu.Unlock()
	if ok && found.version == p.Version {
		return found.config, nil
	}
	var config pipeline.Config
	if err := json.Unmarshal([]byte(p.Config), &config); err != nil {
		return config, fmt.Errorf("read the configuration of pipeline %d: %w", p.ID, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxConfigs {
		c.known = map[int64]parsedConfig{}
	}
	c.known[p.ID] = parsedConfig{p.Version, config}
	return config, nil
}

// facts are what a job's steps say about versions, gathered once per use.
type facts struct {
	config pipeline.Config
}

// downstream lists the jobs that have a get passed by the job.
func (f facts) downstream(job string) []string {
	var names []string
	for _, other := range f.config.Jobs {
		for _, get := range other.Gets() {
			if f.passes(get, job) {
				names = append(names, other.Name)
				break
			}
		}
	}
	return names
}

func (f facts) passes(get *pipeline.GetStep, job string) bool {
	for _, pattern := range get.Passed {
		for _, name := range f.config.JobsMatching(pattern) {
			if name == job {
				return true
			}
		}
	}
	return false
}

// takers lists the jobs that take the resource's versions as they come.
func (f facts) takers(resource string) []string {
	var names []string
	for _, job := range f.config.Jobs {
		for _, get := range job.Gets() {
			if get.ResourceName() == resource {
				names = append(names, job.Name)
				break
			}
		}
	}
	return names
}

// users lists the jobs that get or put the resource.
func (f facts) users(resource string) []string {
	names := []string{}
	for _, job := range f.config.Jobs {
		uses := false
		for _, get := range job.Gets() {
			uses = uses || get.ResourceName() == resource
		}
		for _, put := range job.Puts() {
			uses = uses || put.ResourceName() == resource
		}
		if uses {
			names = append(names, job.Name)
		}
	}
	return names
}

// polling says whether any job gets the resource, and whether one does so to be triggered.
func (f facts) polling(resource string) (gets, triggers bool) {
	for _, job := range f.config.Jobs {
		for _, get := range job.Gets() {
			if get.ResourceName() == resource {
				gets = true
				triggers = triggers || get.Trigger
			}
		}
	}
	return gets, triggers
}

// rivals are the jobs whose running builds count against the limit of one,
// itself included.
func (f facts) rivals(job pipeline.Job) []string {
	names := []string{job.Name}
	for _, other := range f.config.Jobs {
		if other.Name != job.Name && shareGroup(job.SerialGroups, other.SerialGroups) {
			names = append(names, other.Name)
		}
	}
	return names
}

func shareGroup(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

// groupsOf lists the groups that a job is in; patterns are resolved.
func (f facts) groupsOf(job string) []string {
	var names []string
	for _, g := range f.config.Groups {
		for _, pattern := range g.Jobs {
			if containsText(f.config.JobsMatching(pattern), job) {
				names = append(names, g.Name)
				break
			}
		}
	}
	return names
}

func containsText(list []string, text string) bool {
	for _, item := range list {
		if item == text {
			return true
		}
	}
	return false
}
