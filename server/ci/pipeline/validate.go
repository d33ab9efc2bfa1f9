package pipeline

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/gobwas/glob"
)

// report collects the messages of one section.
type report struct {
	errors   []string
	warnings []Warning
}

func (r *report) errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// name checks an identifier of a list element.
func (r *report) name(name, where string) {
	warning, problem := CheckName(name, where)
	if problem != "" {
		r.errors = append(r.errors, problem)
	}
	if warning != nil {
		r.warnings = append(r.warnings, *warning)
	}
}

// Validate lists what is wrong with a pipeline, grouped by section, one text
// per section in which each line is a message, as fly prints them. A pipeline
// without errors can be saved; warnings are for its author.
func Validate(c Config) (errors []string, warnings []Warning) {
	typeNames := map[string]string{} // resource types and prototypes share names
	sections := []struct {
		title string
		check func(*report)
	}{
		{"groups", c.checkGroups},
		{"resources", c.checkResources},
		{"resource types", func(r *report) { checkTypes(r, "resource_types", c.ResourceTypes, typeNames) }},
		{"prototypes", func(r *report) { checkTypes(r, "prototypes", c.Prototypes, typeNames) }},
		{"variable sources", c.checkVarSources},
		{"jobs", c.checkJobs},
		{"display config", c.checkDisplay},
		{"jobs", c.checkCycle},
		{"signalbox config", c.checkExtension},
	}
	for _, section := range sections {
		var r report
		section.check(&r)
		warnings = append(warnings, r.warnings...)
		if len(r.errors) > 0 {
			lines := strings.ReplaceAll(strings.Join(r.errors, "\n"), "\n", "\n\t")
			errors = append(errors, "invalid "+section.title+":\n\t"+lines+"\n")
		}
	}
	return errors, warnings
}

// element names a list element in messages, by name where it has one.
func element(section string, i int, name string) string {
	if name == "" {
		return position(section, i)
	}
	return section + "." + name
}

func position(section string, i int) string { return fmt.Sprintf("%s[%d]", section, i) }

// unique records a name and complains when another element has it.
func (r *report) unique(seen map[string]string, name, at string) {
	if other, taken := seen[name]; taken {
		r.errorf("%s and %s have the same name ('%s')", other, at, name)
	} else if name != "" {
		seen[name] = at
	}
}

func (c Config) checkGroups(r *report) {
	grouped := map[string]bool{}
	count := map[string]int{}
	for i, group := range c.Groups {
		r.name(group.Name, element("groups", i, group.Name))
		count[group.Name]++
		for _, pattern := range group.Jobs {
			c.checkGroupJobs(r, group.Name, pattern, grouped)
		}
		for _, name := range group.Resources {
			if _, ok := c.Resource(name); !ok {
				r.errorf("group '%s' has unknown resource '%s'", group.Name, name)
			}
		}
	}
	for _, group := range c.Groups {
		if n := count[group.Name]; n > 1 {
			r.errorf("group '%s' appears %d times. Duplicate names are not allowed.", group.Name, n)
			delete(count, group.Name)
		}
	}
	if len(c.Groups) == 0 {
		return
	}
	for _, job := range c.Jobs {
		if !grouped[job.Name] {
			r.errorf("job '%s' belongs to no group", job.Name)
			grouped[job.Name] = true // say it once for jobs of the same name
		}
	}
}

func (c Config) checkGroupJobs(r *report, group, pattern string, grouped map[string]bool) {
	matcher, err := glob.Compile(pattern)
	if err != nil {
		r.errorf("invalid glob expression '%s' for group '%s'", pattern, group)
		return
	}
	found := false
	for _, job := range c.Jobs {
		if matcher.Match(job.Name) {
			grouped[job.Name] = true
			found = true
		}
	}
	if !found {
		r.errorf("no jobs match '%s' for group '%s'", pattern, group)
	}
}

func (c Config) checkResources(r *report) {
	seen := map[string]string{}
	for i, resource := range c.Resources {
		where := element("resources", i, resource.Name)
		r.name(resource.Name, where)
		r.unique(seen, resource.Name, position("resources", i))
		r.nameAndType(where, resource.Name, resource.Type)
	}
	used := map[string]bool{}
	for _, job := range c.Jobs {
		for _, get := range job.Gets() {
			used[get.ResourceName()] = true
		}
		for _, put := range job.Puts() {
			used[put.ResourceName()] = true
		}
	}
	for _, resource := range c.Resources {
		if !used[resource.Name] {
			r.errorf("resource '%s' is not used", resource.Name)
		}
	}
}

func checkTypes[T ResourceType | Prototype](r *report, section string, types []T, seen map[string]string) {
	for i := range types {
		t := ResourceType(types[i])
		where := element(section, i, t.Name)
		r.name(t.Name, where)
		r.unique(seen, t.Name, position(section, i))
		r.nameAndType(where, t.Name, t.Type)
	}
}

func (r *report) nameAndType(where, name, typ string) {
	if name == "" {
		r.errorf("%s has no name", where)
	}
	if typ == "" {
		r.errorf("%s has no type", where)
	}
}

func (c Config) checkJobs(r *report) {
	if len(c.Jobs) == 0 {
		r.errorf("jobs: pipeline must contain at least one job")
		return
	}
	seen := map[string]string{}
	for i, job := range c.Jobs {
		where := element("jobs", i, job.Name)
		r.name(job.Name, where)
		r.unique(seen, job.Name, position("jobs", i))
		if job.Name == "" {
			r.errorf("%s has no name", where)
		}
		job.checkRetention(r, where)
		steps := newStepChecker(c, r, where, ".plan")
		steps.config(job.Step())
	}
}

func (j Job) checkRetention(r *report, where string) {
	if j.BuildLogsToRetain != 0 {
		r.warnings = append(r.warnings, Warning{
			Type:    "deprecated_field",
			Message: where + ".build_logs_to_retain is deprecated. Use build_log_retention instead.",
		})
	}
	keep := j.BuildLogRetention
	if keep != nil && j.BuildLogsToRetain != 0 {
		r.errorf("%s can't use both build_log_retention and build_logs_to_retain", where)
	} else if j.BuildLogsToRetain < 0 {
		r.errorf("%s has negative build_logs_to_retain: %d", where, j.BuildLogsToRetain)
	}
	if keep == nil {
		return
	}
	if keep.Builds < 0 {
		r.errorf("%s has negative build_log_retention.builds: %d", where, keep.Builds)
	}
	if keep.Days < 0 {
		r.errorf("%s has negative build_log_retention.days: %d", where, keep.Days)
	}
	if keep.MinimumSucceededBuilds < 0 {
		r.errorf("%s has negative build_log_retention.min_success_builds: %d", where, keep.MinimumSucceededBuilds)
	}
	if keep.Builds > 0 && keep.MinimumSucceededBuilds > keep.Builds {
		// Concourse names the same key twice here; we keep its words.
		r.errorf("%s has build_log_retention.min_success_builds: %d greater than build_log_retention.min_success_builds: %d",
			where, keep.MinimumSucceededBuilds, keep.Builds)
	}
}

func (c Config) checkDisplay(r *report) {
	if c.Display == nil {
		return
	}
	image, err := url.Parse(c.Display.BackgroundImage)
	if err != nil {
		r.errorf("background_image is not a valid URL: %s", c.Display.BackgroundImage)
		return
	}
	switch image.Scheme {
	case "", "http", "https":
	default:
		r.errorf("background_image scheme must be either http, https or relative")
	}
}

// checkCycle looks for jobs that wait for each other through passed.
func (c Config) checkCycle(r *report) {
	upstream := c.upstream()
	const visiting, done = 1, 2
	state := map[string]int{}
	var cyclic func(name string) (string, bool)
	cyclic = func(name string) (string, bool) {
		switch state[name] {
		case visiting:
			return name, true
		case done:
			return "", false
		}
		state[name] = visiting
		for _, next := range upstream[name] {
			if start, found := cyclic(next); found {
				return start, true
			}
		}
		state[name] = done
		return "", false
	}
	for _, job := range c.Jobs {
		if start, found := cyclic(job.Name); found {
			r.errorf("pipeline contains a cycle that starts at Job '%s'", start)
			return
		}
	}
}

// upstream lists for each job the jobs that its inputs must have passed.
func (c Config) upstream() map[string][]string {
	edges := make(map[string][]string, len(c.Jobs))
	for _, job := range c.Jobs {
		for _, get := range job.Gets() {
			for _, pattern := range get.Passed {
				edges[job.Name] = append(edges[job.Name], c.JobsMatching(pattern)...)
			}
		}
	}
	return edges
}

// JobsMatching lists the jobs that a `passed:` entry stands for, in the order
// of the pipeline. A malformed pattern matches nothing.
func (c Config) JobsMatching(pattern string) []string {
	var names []string
	if !strings.ContainsAny(pattern, `*?[\`) {
		for _, job := range c.Jobs {
			if job.Name == pattern {
				names = append(names, pattern)
			}
		}
		return names
	}
	for _, job := range c.Jobs {
		if ok, err := path.Match(pattern, job.Name); ok && err == nil {
			names = append(names, job.Name)
		}
	}
	return names
}
