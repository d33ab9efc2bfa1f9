package ci

import (
	"context"
	"testing"

	"github.com/signalbox/signalbox/server/ci/engine"
)

// parent is a job whose builds set the children that a test wants.
type parent struct {
	*world
	t        *testing.T
	children []string
	number   int64
}

const withJob = "jobs: [{name: j, plan: [{task: t, config: {platform: linux, run: {path: x}}}]}]\n"

func newParent(t *testing.T) *parent {
	t.Helper()
	w := setup(t)
	p := &parent{world: w, t: t}
	w.set("parent", withJob)
	w.engine.first = func(b engine.Build) {
		for _, name := range p.children {
			req := engine.SetPipelineRequest{Build: b, Name: name, Config: []byte(hello)}
			if name == "self" {
				req.Config = []byte("display: {background_image: /x.png}\n" + withJob)
			}
			if out, err := w.ci.SetPipelineStep(context.WithoutCancel(t.Context()), req); err != nil || len(out.Invalid) > 0 {
				t.Errorf("set %s: %+v %v", name, out, err)
			}
		}
	}
	return p
}

// build runs the job once, its build setting the named pipelines.
func (p *parent) build(children ...string) {
	p.t.Helper()
	p.children = children
	p.number++
	must[flyBuild](p.world, 200, "POST", "/api/v1/teams/main/pipelines/parent/jobs/j/builds", "")
	p.waitBuild("parent", "j", formatInt(p.number), Succeeded)
}

func (p *parent) archived(name string) bool {
	p.t.Helper()
	return must[flyPipeline](p.world, 200, "GET", "/api/v1/teams/main/pipelines/"+name, "").Archived
}

func (p *parent) expect(want map[string]bool) {
	p.t.Helper()
	for name, archived := range want {
		if p.archived(name) != archived {
			p.t.Errorf("%s is archived: %v", name, !archived)
		}
	}
}

func TestPipelinesWithoutAStepAreArchived(t *testing.T) {
	t.Parallel()
	p := newParent(t)
	p.build("a", "b", "c")
	p.expect(map[string]bool{"a": false, "b": false, "c": false})
	p.build("a", "b", "c") // changes nothing, and keeps them
	p.expect(map[string]bool{"a": false, "b": false, "c": false})
	p.world.set("c", hello+"# by hand\n") // a person takes it over
	p.build("b")
	p.expect(map[string]bool{"a": true, "b": false, "c": false, "parent": false})
	p.build("a", "b") // comes back
	p.expect(map[string]bool{"a": false, "b": false})
}

func TestFailedBuildsAndRerunsArchiveNothing(t *testing.T) {
	t.Parallel()
	p := newParent(t)
	p.build()
	p.build("a")
	must[flyBuild](p.world, 200, "POST", "/api/v1/teams/main/pipelines/parent/jobs/j/builds/1", "")
	p.children = nil
	p.waitBuild("parent", "j", "1.1", Succeeded)
	p.expect(map[string]bool{"a": false})
}

func TestChildrenGoWithTheirParents(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(p *parent){
		"archived":    func(p *parent) { p.call("PUT", "/api/v1/teams/main/pipelines/parent/archive", "") },
		"destroyed":   func(p *parent) { p.call("DELETE", "/api/v1/teams/main/pipelines/parent", "") },
		"without job": func(p *parent) { p.world.set("parent", hello) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParent(t)
			p.build("a", "b")
			// b is the child of a, so that it goes two steps after.
			a := must[flyJob](p.world, 200, "GET", "/api/v1/teams/main/pipelines/a/jobs/hello", "")
			if err := p.db.Writer(t.Context()).Exec("UPDATE ci_pipelines SET parent_job_id = ? WHERE name = 'b'", a.ID).Error; err != nil {
				t.Fatal(err)
			}
			leave(p)
			p.expect(map[string]bool{"a": true, "b": true})
		})
	}
}

func TestAPipelineThatSetsItselfStays(t *testing.T) {
	t.Parallel()
	p := newParent(t)
	p.build("self")
	p.build()
	p.expect(map[string]bool{"parent": false})
	if err := p.ci.sweepAbandoned(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.expect(map[string]bool{"parent": false})
}
