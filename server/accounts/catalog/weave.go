package catalog

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/thread"
)

// Tied is the service that something belongs to; empty when nobody has described one.
type Tied struct {
	Service     string `json:"service"`
	ServicePath string `json:"service_path"`
}

// ReleaseThread is a release with everything that is known of it elsewhere.
type ReleaseThread struct {
	thread.Shipped
	Tied
	// Builds took the newest commits of it.
	Builds []thread.Build `json:"builds"`
	// Nodes and Lines are missing where no service names a package, or the caller may not read them.
	Nodes   *thread.Nodes `json:"nodes,omitempty"`
	Lines   *thread.Lines `json:"lines,omitempty"`
	Missing []string      `json:"missing"`
}

// EventThread is an event of an error with what it leads to.
type EventThread struct {
	thread.Reported
	Tied
	Builds  []thread.Build `json:"builds"`
	Nodes   *thread.Nodes  `json:"nodes,omitempty"`
	Lines   *thread.Lines  `json:"lines,omitempty"`
	Missing []string       `json:"missing"`
}

// BuildThread is a failed build with the same failures before, and its lines.
type BuildThread struct {
	thread.Failure
	Tied
	Lines   *thread.Lines `json:"lines,omitempty"`
	Missing []string      `json:"missing"`
}

// NodeThread is a node with its lines, its errors and what was brought to it.
type NodeThread struct {
	thread.Node
	Lines   *thread.Lines    `json:"lines,omitempty"`
	Errors  *thread.Problems `json:"errors,omitempty"`
	Missing []string         `json:"missing"`
}

const (
	// aroundTrace is how far from an event the lines of its trace are looked for.
	aroundTrace = 30 * time.Second
	// someLines and someBuilds are how many a page shows of each before the link.
	someLines  = 6
	someBuilds = 8
	// firstDay is how long after it was made a release's lines are counted, nodeDay how far back a node's.
	firstDay = 24 * time.Hour
	nodeDay  = 24 * time.Hour
)

// Release tells of a release, found by its id, or by its version where that is 0.
func (c *Catalog) Release(ctx context.Context, team identity.Team, id int64, version string) (ReleaseThread, error) {
	r, err := c.Errors.ThreadRelease(ctx, team, id, version)
	if err != nil {
		return ReleaseThread{}, err
	}
	s, tied, err := c.tiedTo(ctx, team, func(s Service) bool {
		return slices.Contains(r.Projects, s.Project) || s.Repository != "" && s.Repository == r.Repository
	})
	out := ReleaseThread{Shipped: r, Tied: tied, Builds: []thread.Build{}}
	if err != nil {
		return out, err
	}
	to := c.Now()
	if end := r.At.Add(firstDay); end.Before(to) {
		to = end
	}
	// What runs it speaks before anybody says that there is such a release.
	from := r.At.Add(-time.Hour)
	out.Missing = c.gather(ctx, team, c.buildsOf(team, r.Commits, &out.Builds), c.nodesOf(team, s.Package, r.Version, &out.Nodes), part{"logs", func(ctx context.Context) (err error) {
		out.Lines, err = c.linesOf(ctx, team, from, to, "The last lines that name it, in its first day", "release:"+quoted(r.Version), s, true)
		return err
	}})
	return out, nil
}

// Event tells what an event of an error leads to.
func (c *Catalog) Event(ctx context.Context, team identity.Team, event string) (EventThread, error) {
	e, err := c.Errors.ThreadEvent(ctx, team, event)
	if err != nil {
		return EventThread{}, err
	}
	s, tied, err := c.tiedTo(ctx, team, func(s Service) bool {
		return s.Project == e.Project || s.Repository != "" && s.Repository == e.Repository
	})
	out := EventThread{Reported: e, Tied: tied, Builds: []thread.Build{}}
	if err != nil {
		return out, err
	}
	query := ""
	if e.Trace != "" {
		query = "trace_id:" + e.Trace
	}
	out.Missing = c.gather(ctx, team, c.buildsOf(team, e.Commits, &out.Builds), c.nodesOf(team, s.Package, e.Release, &out.Nodes), part{"logs", func(ctx context.Context) (err error) {
		out.Lines, err = c.linesOf(ctx, team, e.At.Add(-aroundTrace), e.At.Add(aroundTrace), "Lines of its trace, 30 s to both sides", query, s, false)
		return err
	}})
	return out, nil
}

// Failed tells which builds failed before as a build did, and what it said.
func (c *Catalog) Failed(ctx context.Context, team identity.Team, build int64) (BuildThread, error) {
	f, err := c.Builds.ThreadFailure(ctx, team, build)
	if err != nil {
		return BuildThread{}, err
	}
	_, tied, err := c.tiedTo(ctx, team, func(s Service) bool {
		return s.Pipeline != "" && s.Pipeline == f.Pipeline && (s.Job == "" || s.Job == f.Job) || s.Repository != "" && s.Repository == f.Repository
	})
	out := BuildThread{Failure: f, Tied: tied}
	if err != nil {
		return out, err
	}
	out.Missing = c.gather(ctx, team, part{"logs", func(ctx context.Context) (err error) {
		// Lines reach the store a little later than they were said, and their times are those of saying.
		out.Lines, err = c.linesOf(ctx, team, f.From.Add(-time.Second), f.To.Add(time.Minute), "Its last lines", "build_id:"+strconv.FormatInt(build, 10), Service{}, true)
		return err
	}})
	return out, nil
}

// Node tells of a node: its lines, its errors, its patches.
func (c *Catalog) Node(ctx context.Context, team identity.Team, id string) (NodeThread, error) {
	n, err := c.Fleet.ThreadNode(ctx, team, id)
	if err != nil {
		return NodeThread{}, err
	}
	out := NodeThread{Node: n}
	query := "host:" + quoted(n.Name) + " or node_id:" + n.ID
	if n.Hostname != "" && n.Hostname != n.Name {
		query = "host:" + quoted(n.Hostname) + " or " + query
	}
	to := c.Now()
	out.Missing = c.gather(ctx, team, part{"logs", func(ctx context.Context) (err error) {
		out.Lines, err = c.linesOf(ctx, team, to.Add(-nodeDay), to, "The last lines of the last 24 hours", query, Service{}, true)
		return err
	}}, part{"issues", func(ctx context.Context) error {
		found, err := c.Errors.ThreadErrors(ctx, team, []string{n.Name, n.Hostname}, someBuilds)
		out.Errors = &found
		return err
	}})
	return out, nil
}

// ServiceNodes tells which version of a service's package is on which nodes.
func (c *Catalog) ServiceNodes(ctx context.Context, team identity.Team, name string) (thread.Nodes, error) {
	s, err := c.service(ctx, team, name)
	if err != nil || s.Package == "" {
		return thread.Nodes{Versions: []thread.NodeVersion{}}, err
	}
	return c.Fleet.ThreadNodes(ctx, team, s.Package)
}

// tiedTo gives the service that something belongs to; of several the one that nodes carry.
func (c *Catalog) tiedTo(ctx context.Context, team identity.Team, belongs func(Service) bool) (Service, Tied, error) {
	all, err := c.store.services(ctx, team.ID)
	if err != nil {
		return Service{}, Tied{}, err
	}
	all = slices.DeleteFunc(all, func(s Service) bool { return !belongs(s) })
	if len(all) == 0 {
		return Service{}, Tied{}, nil
	}
	s := all[max(0, slices.IndexFunc(all, func(s Service) bool { return s.Package != "" }))]
	return s, Tied{s.Name, servicePage(team.Name, s.Name)}, nil
}

// buildsOf asks for the builds of the newest commit of each repository.
func (c *Catalog) buildsOf(team identity.Team, commits []thread.Commit, into *[]thread.Build) part {
	var heads []string
	seen := map[string]bool{}
	for _, commit := range commits {
		if !seen[commit.Repository] {
			seen[commit.Repository] = true
			heads = append(heads, commit.SHA)
		}
	}
	return part{"ci", func(ctx context.Context) error {
		found, err := c.Builds.ThreadBuilds(ctx, team, heads, someBuilds)
		*into = append(*into, found...)
		return err
	}}
}

// nodesOf asks which nodes have a package, and which of them a release of it.
func (c *Catalog) nodesOf(team identity.Team, pkg, release string, into **thread.Nodes) part {
	return part{"edge", func(ctx context.Context) error {
		if pkg == "" {
			return nil
		}
		found, err := c.Fleet.ThreadNodes(ctx, team, pkg)
		if err != nil {
			return err
		}
		for i, v := range found.Versions {
			if runs(v.Version, release) {
				found.Versions[i].Runs = true
				found.Running += v.Nodes
			}
		}
		*into = &found
		return nil
	}}
}

// linesOf asks for the lines of a search, and for those of the service at that time where there are none.
func (c *Catalog) linesOf(ctx context.Context, team identity.Team, from, to time.Time, about, query string, s Service, newest bool) (*thread.Lines, error) {
	if query != "" {
		found, err := c.Lines.ThreadLines(ctx, team, query, from, to, someLines, newest)
		if found.About = about; err != nil || found.Total > 0 || s.LogFilter == "" {
			return &found, err
		}
	}
	if s.LogFilter == "" {
		return nil, nil
	}
	found, err := c.Lines.ThreadLines(ctx, team, s.LogFilter, from, to, someLines, newest)
	found.About = "Lines of " + s.Name + " at that time; none names it"
	return &found, err
}
