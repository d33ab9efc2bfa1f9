package sbom

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

type document struct {
	BOMFormat   string    `json:"bomFormat"`
	SpecVersion string    `json:"specVersion"`
	Version     int       `json:"version"`
	Components  []element `json:"components"`
}

// element is a component as CycloneDX writes it.
type element struct {
	Type       string    `json:"type"`
	Group      string    `json:"group,omitempty"`
	Name       string    `json:"name"`
	Version    string    `json:"version,omitempty"`
	PURL       string    `json:"purl,omitempty"`
	Licenses   []license `json:"licenses,omitempty"`
	Components []element `json:"components,omitempty"`
}

type license struct {
	License    *namedLicense `json:"license,omitempty"`
	Expression string        `json:"expression,omitempty"`
}

type namedLicense struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// ReadCycloneDX reads a document of the versions 1.4 to 1.6. Components within
// components count like the others.
func ReadCycloneDX(r io.Reader) ([]Component, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, err
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if d.BOMFormat != "CycloneDX" {
		return nil, fmt.Errorf("%w: bomFormat is %q", ErrFormat, text(d.BOMFormat))
	}
	if d.SpecVersion != "1.4" && d.SpecVersion != "1.5" && d.SpecVersion != "1.6" {
		return nil, fmt.Errorf("%w of a version that is read here (1.4, 1.5, 1.6): specVersion is %q", ErrFormat, text(d.SpecVersion))
	}
	out := make([]Component, 0, len(d.Components))
	open := [][]element{d.Components}
	for len(open) > 0 {
		list := open[len(open)-1]
		open = open[:len(open)-1]
		for _, e := range list {
			if len(out) >= 2*MaxComponents {
				return nil, ErrTooMany
			}
			out = append(out, e.component())
			if len(e.Components) > 0 {
				open = append(open, e.Components)
			}
		}
	}
	return tidy(out)
}

func (e element) component() Component {
	c := Component{Name: e.Name, Group: e.Group, Version: e.Version, PURL: e.PURL, Type: e.Type}
	for _, l := range e.Licenses {
		c.Licenses = append(c.Licenses, l.Expression)
		if l.License != nil {
			c.Licenses = append(c.Licenses, l.License.ID)
			if l.License.ID == "" {
				c.Licenses = append(c.Licenses, l.License.Name)
			}
		}
	}
	// Some writers put the whole Go module path or npm scope into the name.
	if i := strings.LastIndexByte(c.Name, '/'); c.Group == "" && i > 0 && i < len(c.Name)-1 {
		c.Group, c.Name = c.Name[:i], c.Name[i+1:]
	}
	return c
}

// WriteCycloneDX writes a document of version 1.6.
func WriteCycloneDX(w io.Writer, list []Component) error {
	d := document{BOMFormat: "CycloneDX", SpecVersion: "1.6", Version: 1, Components: make([]element, len(list))}
	for i, c := range list {
		e := element{Type: c.Type, Group: c.Group, Name: c.Name, Version: c.Version, PURL: c.PURL}
		for _, l := range c.Licenses {
			if strings.ContainsAny(l, " ()") {
				e.Licenses = append(e.Licenses, license{License: &namedLicense{Name: l}})
			} else {
				e.Licenses = append(e.Licenses, license{License: &namedLicense{ID: l}})
			}
		}
		d.Components[i] = e
	}
	return json.NewEncoder(w).Encode(d)
}
