package ci

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/sbom"
)

// What builds are made of. Builds seldom differ in that, so equal lists are one row
// that many builds have, and equal components one row in many lists.

// componentList is a document of a build, ready to be stored.
type componentList struct {
	Path       string
	Digest     string
	Components []componentRow
}

func newComponentList(team int64, path string, list []sbom.Component) componentList {
	out := componentList{Path: path, Components: make([]componentRow, len(list))}
	all := sha256.New()
	for i, c := range list {
		out.Components[i] = componentRowOf(team, c)
		fmt.Fprintln(all, out.Components[i].Digest)
	}
	out.Digest = hex.EncodeToString(all.Sum(nil))
	return out
}

func componentRowOf(team int64, c sbom.Component) componentRow {
	own := sha256.Sum256([]byte(encode(c)))
	return componentRow{TeamID: team, Digest: hex.EncodeToString(own[:16]), Name: c.Name, ShortName: strings.ToLower(c.Name),
		FullName: strings.ToLower(c.FullName()), Namespace: c.Group, Version: c.Version, PURL: c.PURL, Type: c.Type, Licenses: encode(c.Licenses)}
}

// component is the row as it was read.
func (r componentRow) component() sbom.Component {
	return sbom.Component{Name: r.Name, Group: r.Namespace, Version: r.Version, PURL: r.PURL, Type: r.Type, Licenses: nameList(r.Licenses)}
}

// readComponents reads the lists of components that a build made.
func (s *Service) readComponents(ctx context.Context, b buildRow, files []collectedFile) (keep keepRead, problems []string, err error) {
	left := sbom.MaxComponents
	var lists []componentList
	for _, f := range files {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		list, err := componentsIn(f)
		if err == nil && len(list) > left {
			err = sbom.ErrTooMany
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s %s.", f.Path, strings.TrimSuffix(err.Error(), ".")))
			continue
		}
		left -= len(list)
		lists = append(lists, newComponentList(b.TeamID, f.Path, list))
	}
	return func(ctx context.Context) error { return s.keepComponents(ctx, b, lists) }, problems, nil
}

// keepComponents stores the lists of components that a build made.
func (s *Service) keepComponents(ctx context.Context, b buildRow, lists []componentList) error {
	for _, list := range lists {
		if err := s.saveComponents(ctx, b, list); err != nil {
			return fmt.Errorf("store the components in %s: %w", list.Path, err)
		}
	}
	return nil
}

func componentsIn(f collectedFile) ([]sbom.Component, error) {
	content, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("could not be read: %w", err)
	}
	list, err := sbom.Read(f.Path, content)
	_ = content.Close() // it was only read
	return list, err
}

// componentShape is a component as our own API shows it.
type componentShape struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	PURL     string   `json:"purl"`
	Type     string   `json:"type"`
	Licenses []string `json:"licenses"`
}

type componentsShape struct {
	Components []componentShape `json:"components"`
}

func (s *Service) componentsOf(ctx context.Context, build int64) (componentsShape, error) {
	out := componentsShape{Components: []componentShape{}}
	rows, err := s.componentRows(ctx, build)
	for _, r := range rows {
		c := r.component()
		if c.Licenses == nil {
			c.Licenses = []string{}
		}
		out.Components = append(out.Components, componentShape{c.FullName(), c.Version, c.PURL, c.Type, c.Licenses})
	}
	return out, err
}

// packageQuestion asks for the builds that contain a package.
type packageQuestion struct {
	// Name is with or without the group.
	Name string
	// Below and Version narrow the versions; "" does not.
	Below, Version string
}

// fits reports whether a component has a version that is asked for. Without a
// version it is not known to be below any.
func (q packageQuestion) fits(c sbom.Component) bool {
	if q.Version != "" && c.Version != q.Version && sbom.Compare(c.Scheme(), c.Version, q.Version) != 0 {
		return false
	}
	return q.Below == "" || c.Version != "" && sbom.Compare(c.Scheme(), c.Version, q.Below) < 0
}

// maxPackages bounds an answer; the newest builds of the jobs come first.
const maxPackages = 500

type packageShape struct {
	Name    string       `json:"name"`
	Version string       `json:"version"`
	PURL    string       `json:"purl"`
	Build   packageBuild `json:"build"`
}

type packageBuild struct {
	ID       int64      `json:"id"`
	Number   string     `json:"number"`
	Job      string     `json:"job"`
	Pipeline string     `json:"pipeline"`
	Status   Status     `json:"status"`
	EndedAt  *time.Time `json:"ended_at,omitempty"`
}

// packages answers in which builds of the team a package is.
func (s *Service) packages(ctx context.Context, team int64, q packageQuestion) ([]packageShape, error) {
	rows, err := s.componentsNamed(ctx, team, strings.ToLower(strings.TrimSpace(q.Name)))
	if err != nil {
		return nil, err
	}
	found := map[int64]sbom.Component{}
	for _, r := range rows {
		if c := r.component(); q.fits(c) {
			found[r.ID] = c
		}
	}
	out := []packageShape{}
	if len(found) == 0 {
		return out, nil
	}
	builds, err := s.buildsWith(ctx, found)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(builds, func(a, b buildWith) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(b.ID, a.ID), strings.Compare(found[a.ComponentID].FullName(), found[b.ComponentID].FullName()),
			sbom.Compare(found[a.ComponentID].Scheme(), found[a.ComponentID].Version, found[b.ComponentID].Version))
	})
	for _, b := range builds[:min(len(builds), maxPackages)] {
		c := found[b.ComponentID]
		label := pipelineRow{Name: b.PipelineName, InstanceVars: b.InstanceVars}.label()
		out = append(out, packageShape{c.FullName(), c.Version, c.PURL, packageBuild{b.ID, b.Name, b.JobName, label, b.Status, b.EndedAt.pointer()}})
	}
	return out, nil
}

// rank puts the newest build of each job first.
func (b buildWith) rank() int {
	if b.ID == b.NewestID {
		return 1
	}
	return 0
}
