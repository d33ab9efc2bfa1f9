package secrets

import (
	"context"
	"encoding/json"
	"fmt"
)

// Values are all texts that the secrets of a team and its pipelines hold, for
// whoever keeps them from leaving. It is no use of them; what does not open is
// left out.
func (s *Store) Values(ctx context.Context, team int64) ([]string, error) {
	rows, err := s.all(ctx, team)
	if err != nil {
		return nil, fmt.Errorf("list the secrets of a team: %w", err)
	}
	var out []string
	for _, row := range rows {
		plain, err := s.deps.Box.Open(table, place(team, row.Pipeline, row.Name), row.Sealed)
		if err != nil {
			continue // it was sealed with a key that is gone, and so is its value
		}
		var value any
		if json.Unmarshal(plain, &value) == nil {
			out = texts(value, out)
		}
	}
	return out, nil
}

// texts collects the strings within a value.
func texts(value any, out []string) []string {
	switch v := value.(type) {
	case string:
		return append(out, v)
	case []any:
		for _, inner := range v {
			out = texts(inner, out)
		}
	case map[string]any:
		for _, inner := range v {
			out = texts(inner, out)
		}
	}
	return out
}
