package guard

import (
	"regexp"
	"strings"
)

// qualifiedName is owner/name.
var qualifiedName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.-]{1,100}$`)

// wide are the qualifiers that reach beyond one repository.
var wide = map[string]bool{"org": true, "user": true, "owner": true, "enterprise": true}

// words splits a search as GitHub does: quotes hold words together.
func words(query string) []string {
	var out []string
	var word strings.Builder
	quoted := false
	for _, c := range query {
		switch {
		case c == '"':
			quoted = !quoted
			word.WriteRune(c)
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '(' || c == ')' || c == ','):
			if word.Len() > 0 {
				out = append(out, word.String())
				word.Reset()
			}
		default:
			word.WriteRune(c)
		}
	}
	if word.Len() > 0 {
		out = append(out, word.String())
	}
	return out
}

func qualifier(word string) (key, value string) {
	key, value, found := strings.Cut(word, ":")
	if !found {
		return "", ""
	}
	return strings.ToLower(strings.TrimLeft(key, "-+ ")), strings.Trim(value, `"`)
}

func qualified(query string) bool {
	for _, w := range words(query) {
		if key, _ := qualifier(w); key == "repo" || wide[key] {
			return true
		}
	}
	return false
}

// Query holds a search to one allowed repository, and tells which: its own, or the one that was asked about when it names none.
func (r Repositories) Query(query string) (string, string, error) {
	found := ""
	for _, w := range words(query) {
		key, value := qualifier(w)
		switch {
		case wide[key]:
			return "", "", Refuse("repositories", "A search names one repository as repo:owner/name, and nothing wider than that.")
		case key == "repo" && (found != "" && !strings.EqualFold(found, value) || strings.HasPrefix(w, "-")):
			return "", "", Refuse("repositories", "A search names one repository as repo:owner/name.")
		case key == "repo":
			full, err := r.check(value)
			if err != nil {
				return "", "", err
			}
			found = full
		case w == "OR" || w == "NOT" && found == "":
			return "", "", Refuse("repositories", "A search with OR or NOT could reach beyond the repository; ask without it.")
		}
	}
	if found != "" {
		return query, found, nil
	}
	if r.Asked == "" {
		return "", "", Refuse("repositories", "The search names no repository: add repo:owner/name, one of %s.", strings.Join(r.Allowed, ", "))
	}
	return strings.TrimSpace("repo:" + r.Asked + " " + query), r.Asked, nil
}
