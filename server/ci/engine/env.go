package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// metadataEnv is what get, put and check are told about their build. Tasks are not: a
// task must give the same result in any build.
func (r *run) metadataEnv(at position, createdBy bool) []string {
	b := r.build
	var env []string
	add := func(key, value string) {
		if value != "" {
			env = append(env, key+"="+value)
		}
	}
	number := func(key string, value int64) {
		if value != 0 {
			add(key, strconv.FormatInt(value, 10))
		}
	}
	add("BUILD_STATUS", at.status)
	number("BUILD_ID", b.ID)
	add("BUILD_NAME", b.Name)
	number("BUILD_TEAM_ID", b.TeamID)
	add("BUILD_TEAM_NAME", b.TeamName)
	number("BUILD_JOB_ID", b.JobID)
	add("BUILD_JOB_NAME", b.JobName)
	number("BUILD_PIPELINE_ID", b.PipelineID)
	add("BUILD_PIPELINE_NAME", b.PipelineName)
	if b.InstanceVars != nil {
		// They came from JSON, so they are JSON again.
		data, _ := json.Marshal(b.InstanceVars)
		add("BUILD_PIPELINE_INSTANCE_VARS", string(data))
	}
	if r.ExternalURL != "" {
		add("ATC_EXTERNAL_URL", r.ExternalURL)
		if b.ID != 0 {
			add("BUILD_URL", r.buildURL())
			add("BUILD_URL_SHORT", fmt.Sprintf("%s/builds/%d", r.ExternalURL, b.ID))
		}
	}
	if createdBy {
		add("BUILD_CREATED_BY", b.CreatedBy)
	}
	return env
}

func (r *run) buildURL() string {
	b := r.build
	if b.TeamName == "" || b.PipelineName == "" || b.JobName == "" || b.Name == "" {
		return fmt.Sprintf("%s/builds/%d", r.ExternalURL, b.ID)
	}
	link := fmt.Sprintf("%s/teams/%s/pipelines/%s/jobs/%s/builds/%s", r.ExternalURL,
		url.PathEscape(b.TeamName), url.PathEscape(b.PipelineName), url.PathEscape(b.JobName), url.PathEscape(b.Name))
	if len(b.InstanceVars) == 0 {
		return link
	}
	query := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(b.InstanceVars)) {
		data, _ := json.Marshal(b.InstanceVars[name])
		query.Set("vars."+name, string(data))
	}
	return link + "?" + query.Encode()
}

// taskEnv is what a task is told.
func (r *run) taskEnv(params pipeline.TaskEnv) []string {
	var env []string
	if r.ExternalURL != "" {
		env = append(env, "ATC_EXTERNAL_URL="+r.ExternalURL)
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		env = append(env, name+"="+params[name])
	}
	return env
}
