package guard

import (
	"fmt"
	"slices"
	"strings"
)

// Repositories is what a question may reach: Allowed by the team, and Asked, the one that a search means when it names none.
type Repositories struct {
	Allowed []string
	Asked   string
}

// Refusal says which rule a call has broken, and how.
type Refusal struct{ Rule, Says string }

func (r *Refusal) Error() string { return r.Says }

// Refuse makes a refusal.
func Refuse(rule, format string, args ...any) error {
	return &Refusal{rule, fmt.Sprintf(format, args...)}
}

// spelled finds a repository on the list, as the list spells it.
func (r Repositories) spelled(name string) (string, bool) {
	i := slices.IndexFunc(r.Allowed, func(a string) bool { return strings.EqualFold(a, name) })
	if i < 0 {
		return "", false
	}
	return r.Allowed[i], true
}

func (r Repositories) check(name string) (string, error) {
	if full, ok := r.spelled(name); ok {
		return full, nil
	}
	return "", Refuse("repositories", "%.120s is not on this team's list of repositories; an owner adds it under Assistant, Settings.", name)
}

// Args checks the arguments of a call that may name repositories, adds what a search lacks, and tells which
// repositories are meant. Arguments are changed in place.
func (r Repositories) Args(args map[string]any) ([]string, error) {
	var read []string
	note := func(full string) {
		if !slices.Contains(read, full) {
			read = append(read, full)
		}
	}
	owner, repo := firstText(args, "owner", "org", "organization", "user", "namespace"), firstText(args, "repo", "repository", "repository_name", "project")
	switch {
	case strings.Contains(repo, "/"):
		full, err := r.check(trimHost(repo))
		if err != nil {
			return nil, err
		}
		note(full)
	case owner != "" && repo != "":
		full, err := r.check(owner + "/" + repo)
		if err != nil {
			return nil, err
		}
		note(full)
	case owner != "":
		return nil, Refuse("repositories", "%.60s alone is wider than one repository; name owner and repo.", owner)
	}
	for _, name := range []string{"query", "q", "search", "search_query"} {
		text, ok := args[name].(string)
		if !ok {
			continue
		}
		if len(read) > 0 && !qualified(text) {
			continue // the call names its repository beside the query
		}
		query, of, err := r.Query(text)
		if err != nil {
			return nil, err
		}
		args[name] = query
		note(of)
	}
	return read, r.nested(args, note)
}

// nested checks what stands deeper, where a call may name repositories as well.
func (r Repositories) nested(value any, note func(string)) error {
	switch v := value.(type) {
	case map[string]any:
		for _, inner := range v {
			switch deeper := inner.(type) {
			case map[string]any:
				read, err := r.Args(deeper)
				if err != nil {
					return err
				}
				for _, full := range read {
					note(full)
				}
			case []any:
				if err := r.nested(deeper, note); err != nil {
					return err
				}
			}
		}
	case []any:
		for _, inner := range v {
			if object, ok := inner.(map[string]any); ok {
				read, err := r.Args(object)
				if err != nil {
					return err
				}
				for _, full := range read {
					note(full)
				}
			} else if text, ok := inner.(string); ok && strings.Count(text, "/") == 1 && qualifiedName.MatchString(text) {
				full, err := r.check(text)
				if err != nil {
					return err
				}
				note(full)
			}
		}
	}
	return nil
}

func firstText(args map[string]any, names ...string) string {
	for _, name := range names {
		if text, ok := args[name].(string); ok && text != "" {
			return strings.TrimSpace(text)
		}
	}
	return ""
}

func trimHost(repo string) string {
	repo = strings.TrimSuffix(strings.TrimSuffix(repo, "/"), ".git")
	if _, after, found := strings.Cut(repo, "://"); found {
		_, repo, _ = strings.Cut(after, "/")
	}
	return repo
}
