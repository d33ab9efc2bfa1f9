package ci

import (
	"context"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/resource"
)

// builtCommits are the commits that a successful build took from git
// repositories, with what is shown beside their versions.
func (s *Service) builtCommits(ctx context.Context, b buildRow) ([]BuiltCommit, error) {
	if b.Status != Succeeded {
		return nil, nil
	}
	used, err := s.commitInputs(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	var out []BuiltCommit
	for _, u := range used {
		if u.Type != gitType {
			continue
		}
		version, err := decode[map[string]string](u.Version)
		if err != nil {
			return nil, err
		}
		c := BuiltCommit{Repository: u.Repository, SHA: version["ref"]}
		if version["commit"] != "" { // the ref is a tag
			c.SHA = version["commit"]
		}
		if c.SHA == "" {
			continue
		}
		fields, err := s.shownBeside(ctx, u.VersionID)
		if err != nil {
			return nil, err
		}
		c.describe(fields)
		out = append(out, c)
	}
	return out, nil
}

func (c *BuiltCommit) describe(fields []resource.Field) {
	for _, f := range fields {
		switch f.Name {
		case "author":
			c.Author = f.Value
		case "message":
			c.Message = strings.TrimSpace(f.Value)
		case "author_date":
			for _, layout := range []string{"2006-01-02 15:04:05 -0700", time.RFC3339} {
				if at, err := time.Parse(layout, f.Value); err == nil {
					c.At = at.UTC()
				}
			}
		}
	}
}
