package issues

import (
	"context"
	"strings"
)

// filterOf reads a query into the filter of a team's list.
func (s *Service) filterOf(ctx context.Context, team int64, project, text string) (issueFilter, error) {
	var terms []term
	for _, w := range strings.Fields(text) {
		t := term{}
		w, t.not = strings.TrimPrefix(w, "!"), strings.HasPrefix(w, "!")
		k, v, ok := strings.Cut(w, ":")
		if !ok {
			k, v = "", w
		}
		t.key = k
		for _, op := range []string{"<=", ">=", "<", ">"} {
			if k != "" && strings.HasPrefix(v, op) {
				t.op, v = op, v[len(op):]
				break
			}
		}
		t.values = []string{v}
		terms = append(terms, t)
	}
	return s.build(ctx, team, project, terms)
}
