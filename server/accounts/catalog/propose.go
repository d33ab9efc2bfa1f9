package catalog

import (
	"cmp"
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/identity"
)

// Known is what a service could be made of.
type Known struct {
	// Repositories are owner/name in lower case.
	Repositories []string
	// Pipelines are the repositories that each pipeline watches.
	Pipelines map[string][]string
	// Projects are slugs of error projects.
	Projects []string
	// Logging are the values of the lines' field "service".
	Logging []string
}

// Proposal is a service that nobody has made yet.
type Proposal struct {
	Service
	// Because says what was seen, for the person who confirms it.
	Because string `json:"because"`
}

// Proposals gives the services that what is known suggests.
func (c *Catalog) Proposals(ctx context.Context, team identity.Team) ([]Proposal, error) {
	known, err := c.Known(ctx, team)
	if err != nil {
		return nil, err
	}
	have, err := c.store.services(ctx, team.ID)
	return propose(known, have), err
}

// propose puts together what bears the same name, and a pipeline with the only
// repository that it watches. A single thing is no service yet, and what a service
// already ties is left alone.
func propose(known Known, have []Service) []Proposal {
	byName := map[string]*Proposal{}
	of := func(name string) *Proposal {
		name = plain(name)
		if byName[name] == nil {
			byName[name] = &Proposal{Service: Service{Name: name, Owners: []string{}}}
		}
		return byName[name]
	}
	for _, r := range known.Repositories {
		if p := of(path.Base(r)); p.Repository == "" {
			p.Repository = r
		}
	}
	pipelines := slices.Sorted(maps.Keys(known.Pipelines))
	for _, name := range pipelines {
		of(name).Pipeline = name
	}
	for _, name := range pipelines {
		if watched := known.Pipelines[name]; len(watched) == 1 {
			joinRepository(byName, of(name), watched[0])
		}
	}
	for _, slug := range known.Projects {
		of(slug).Project = slug
	}
	for _, name := range known.Logging {
		of(name).LogFilter = "service:" + quoted(name)
	}
	out := []Proposal{}
	for _, p := range byName {
		ties := p.ties()
		if len(ties) < 2 || !serviceName.MatchString(p.Name) || slices.ContainsFunc(have, p.overlaps) {
			continue
		}
		p.Because = strings.ToUpper(ties[0][:1]) + strings.Join(ties, ", ")[1:] + " belong together by name."
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Proposal) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// joinRepository gives a pipeline its repository, unless a pipeline of the repository's own name has it.
func joinRepository(byName map[string]*Proposal, p *Proposal, repository string) {
	own := byName[plain(path.Base(repository))]
	switch {
	case own == p:
		p.Repository = repository
	case own == nil || own.Pipeline == "":
		p.Repository = repository
		if own != nil && own.Repository == repository {
			own.Repository = ""
		}
	}
}

// ties names what a proposal ties, in words.
func (p *Proposal) ties() []string {
	var list []string
	for _, t := range [][2]string{{"repository ", p.Repository}, {"pipeline ", p.Pipeline}, {"project ", p.Project}, {"lines with ", p.LogFilter}} {
		if t[1] != "" {
			list = append(list, t[0]+t[1])
		}
	}
	return list
}

// overlaps tells whether a service has the name or one of the ties.
func (p *Proposal) overlaps(s Service) bool {
	same := func(a, b string) bool { return a != "" && a == b }
	return s.Name == p.Name || same(s.Repository, p.Repository) || same(s.Pipeline, p.Pipeline) || same(s.Project, p.Project) || same(s.LogFilter, p.LogFilter)
}

func plain(name string) string {
	return strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(name))
}

// quoted puts quotes around what is not one word in the language of logs.
func quoted(name string) string {
	if serviceName.MatchString(strings.ToLower(name)) {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}
